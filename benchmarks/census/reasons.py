"""Why networks are refused or merged, summed up over all of them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from benchmarks.census.judge import MACS_ALPHA, MACS_LIMIT
from benchmarks.census.row import Criterion, Row, Verdict
from benchmarks.census.workers import SECONDS_LIMIT

_WHY = {
    Criterion.CONVERSION: "`octavize` raises an error",
    Criterion.ALPHA: "the groups of a convolution do not divide its low channels at this alpha",
    Criterion.PARAMETERS: "the octave network's state is not vanilla's",
    Criterion.SIZES: "a forward fails or is not finite",
    Criterion.GRADIENTS: "training fails, or a gradient is missing or not finite",
    Criterion.FIELD: "the output is wrong",
    Criterion.MACS: f"at alpha {MACS_ALPHA} more than {MACS_LIMIT} of the MACs are left: too much of the "
    "work lies where the network stays plain",
    Criterion.VANILLA: "the network itself cannot be judged",
    Criterion.TIME: f"judging takes more than {SECONDS_LIMIT:g} s of the processor",
    Criterion.MEMORY: "judging takes more memory than there is",
    Criterion.DEATH: "the process that judged it died",
}
# What makes one error differ from another of the same kind.
_PARTICULARS = (
    (re.compile(r"\bnode \w+: "), ""),
    (re.compile(r" in module [\w.]+"), ""),
    (re.compile(r"^[A-Z]\w*(?<!Error): "), ""),
    (re.compile(r"^\w+ (?=cannot be )"), "the network "),
    (re.compile(r"\b(\w+\.)+\w*\d\w*(\.\w+)*"), "X"),
    (re.compile(r"\([\d, x]+\)|\d+(\.\d+)?"), "N"),
)
# Criteria whose reasons are errors of many kinds.
_OF_MANY_KINDS = {Criterion.CONVERSION, Criterion.SIZES, Criterion.GRADIENTS, Criterion.VANILLA}


def refusals(rows: Iterable[Row]) -> Iterator[str]:
    """Give a line for each criterion that was not met, and under it the kinds of errors."""
    refused = [row.findings for row in rows if row.findings and row.findings.criterion]
    for criterion, count in Counter(findings.criterion for findings in refused).most_common():
        if criterion is None:
            continue
        yield f"* {count} for **{criterion}**: {_WHY[criterion]}."
        if criterion in _OF_MANY_KINDS:
            kinds = Counter(_kind(f.reason) for f in refused if f.criterion is criterion and f.reason)
            yield from (f"    * {of_kind}: {inert(kind)}" for kind, of_kind in kinds.most_common())


def places(rows: Iterable[Row]) -> Iterator[str]:
    """Give a line for each kind of place where merged networks leave the octave world."""
    networks: Counter[str] = Counter()
    in_all: Counter[str] = Counter()
    for row in rows:
        if row.verdict is Verdict.MERGED and row.findings:
            kinds = [_kind(place) for place in row.findings.places]
            networks.update(set(kinds))
            in_all.update(kinds)
    for kind, count in networks.most_common():
        yield f"* {counted(count, 'network')}, {counted(in_all[kind], 'place')}: {inert(kind)}"


def _kind(text: str) -> str:
    """Give a line without what is particular to its network."""
    for pattern, instead in _PARTICULARS:
        text = pattern.sub(instead, text)
    return text


def counted(count: int, noun: str) -> str:
    """Give a number of things."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def inert(text: str) -> str:
    """Give text that Markdown shows as it is, in a table too."""
    return re.sub(r"([\\`*_<|])", r"\\\1", text)
