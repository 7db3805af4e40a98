"""One architecture, from its name to its row."""

import torch

from benchmarks.census.architectures import PARAMETERS_LIMIT, parameters_of
from benchmarks.census.judge import Convert, judge
from benchmarks.census.row import Criterion, Findings, Row
from octprobe.errors import wants_memory
from octprobe.networks import build_network
from octprobe.octave import octavize
from octprobe.octave.trace import first_line


def examine(module: str, architecture: str, convert: Convert = octavize) -> Row:
    """Build an architecture with fresh weights and judge it; one that is too large is only counted.

    Args:
        module: where timm has it.
        architecture: timm's name.
        convert: as for `judge`.
    """
    parameters = parameters_of(architecture)
    findings = None if parameters > PARAMETERS_LIMIT else _findings(architecture, convert)
    return Row(architecture, module, parameters, findings)


def _findings(architecture: str, convert: Convert) -> Findings:
    torch.manual_seed(0)
    try:
        return judge(build_network(architecture), convert)
    except Exception as error:  # a want of memory, or what no criterion has foreseen
        if wants_memory(error):
            return Findings.refused(Criterion.MEMORY, "there is not enough memory to judge it")
        return Findings.refused(Criterion.VANILLA, f"{type(error).__name__}: {first_line(error)}")
