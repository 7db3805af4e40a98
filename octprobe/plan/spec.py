"""A sweep file read and checked: the grammar's values with the text they came from."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from octprobe.errors import SpecError
from octprobe.plan.axes import AXES
from octprobe.plan.checks import cross_faults
from octprobe.plan.complaints import checked, sweep_key_rule
from octprobe.plan.expression import Condition
from octprobe.plan.fault import Fault
from octprobe.plan.fault import Path as FaultPath
from octprobe.plan.grammar import SWEEPS, Measure
from octprobe.plan.grid import MAX_POINTS, Choice, SizedGrid, Values, When, WhenError, grid_of
from octprobe.plan.nodes import SWEEP_FILE
from octprobe.plan.source import Source, read_mapping

__all__ = ["Measure", "SweepSpec", "read_spec"]

_DEVICE_KINDS: Final = ("cpu", "cuda")

NetworkCheck = Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class SweepSpec:
    """What a sweep file asks for.

    Attributes:
        axes: values by axis; their product is measured.
        zips: lists that move together, crossed with the axes.
        whens: values added under a condition.
        excludes: conditions of the points left out, in the order of the file.
        includes: further points, each as the axes that its row gives.
    """

    name: str
    question: str
    subject: str
    device: str
    measure: Measure
    axes: Mapping[str, Values]
    zips: tuple[Mapping[str, Values], ...]
    whens: tuple[When, ...]
    excludes: tuple[Condition, ...]
    includes: tuple[Mapping[str, Any], ...]
    source: Source = field(repr=False, compare=False)

    @property
    def text(self) -> str:
        """The file as it was read."""
        return self.source.text

    def grid(self, device_kind: str) -> SizedGrid:
        """Give the grid of points on a kind of device, to be counted before it is listed.

        Raises:
            WhenError: the condition of an entry under `when` has no answer.
        """
        return grid_of(self.axes, self.zips, self.whens, device_kind, tuple(AXES[self.subject]))

    def choices(self, device_kind: str) -> Iterator[Choice]:
        """List the choices of the grid on a kind of device.

        Raises:
            SpecError: a condition has no answer, or the grid is too large.
        """
        faults = _size_faults(self, (device_kind,))
        if faults:
            raise self.source.error(faults)
        return self.grid(device_kind).choices()

    def no_answer(self, path: FaultPath, message: str, condition: Condition) -> SpecError:
        """Say that the condition at a path of the file has no answer."""
        return self.source.error([Fault(path, message, condition.text)])


def read_spec(path: Path, *, network_fault: NetworkCheck | None = None) -> SweepSpec:
    """Read a sweep file.

    Args:
        path: the file.
        network_fault: says what is wrong with a network's name, or None; without it every name passes.

    Raises:
        SpecError: with every fault of the file, each with its place.
    """
    source = read_mapping(path, SWEEP_FILE)
    subject = _subject(source.plain)
    context = {"network_fault": network_fault}
    sweep, faults = checked(SWEEPS[subject], source, context, sweep_key_rule(subject))
    faults += [f for f in cross_faults(source.plain, subject) if not source.is_bad(f.path)]
    if faults or source.found or sweep is None:
        raise source.error(faults)
    spec = _spec(sweep, source, subject)
    too_large = _size_faults(spec, _device_kinds(spec.device))
    if too_large:
        raise source.error(too_large)
    return spec


def _subject(data: Any) -> str:
    """Give the subject, guessed where the file does not say it, so that its other faults are still found."""
    subject = data.get("subject")
    if isinstance(subject, str) and subject in AXES:
        return subject
    axes = data.get("axes")
    return "layer" if isinstance(axes, dict) and "in_channels" in axes else "network"


def _spec(sweep: Any, source: Source, subject: str) -> SweepSpec:
    return SweepSpec(
        name=sweep.name,
        question=sweep.question,
        subject=subject,
        device=sweep.device,
        measure=sweep.measure,
        axes=_given(sweep.axes) if sweep.axes else {},
        zips=tuple(_given(entry) for entry in sweep.zip),
        whens=tuple(When(i, getattr(w, "if"), _given(w.axes)) for i, w in enumerate(sweep.when)),
        excludes=tuple(sweep.exclude),
        includes=tuple(_given(row) for row in sweep.include),
        source=source,
    )


def _given(part: BaseModel) -> dict[str, Any]:
    """Give what the file says, in the order of the grammar."""
    return {name: getattr(part, name) for name in type(part).model_fields if name in part.model_fields_set}


def _device_kinds(device: str) -> tuple[str, ...]:
    return _DEVICE_KINDS if device == "auto" else (device.partition(":")[0],)


def _size_faults(spec: SweepSpec, device_kinds: Iterable[str]) -> list[Fault]:
    for kind in device_kinds:
        try:
            grid = spec.grid(kind)
            if not grid.is_too_large:
                continue
        except WhenError as error:
            return [Fault(("when", error.when.index, "if"), str(error), error.when.condition.text)]
        where = f" on {kind}" if spec.whens else ""
        rule = f"the grid has {grid.size_words} points{where}; a sweep has at most {MAX_POINTS:,}"
        return [Fault(("axes",), rule, at_key=True)]
    return []
