"""Values of a variant's axes that change nothing: told with the reason before anything is measured."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from octprobe.plan.fault import Fault, Path
from octprobe.plan.point import DesignPoint, NetworkSubject
from octprobe.plan.variant import USUAL, VARIANT_AXES

if TYPE_CHECKING:
    from octprobe.plan.spec import SweepSpec


class NoEffect(NamedTuple):
    """Why a value of a variant's axis changes nothing at a point, and what would let it."""

    reason: str
    way_out: str

    def __str__(self) -> str:
        return f"has no effect: {self.reason}; leave it out, or {self.way_out}"


_AT_ALPHA_0 = NoEffect("at alpha 0 nothing is octave", "give an alpha above 0")
_OF_A_MAP = NoEffect(
    "an alpha map says itself which convolutions are octave", "give one alpha in place of the map"
)
_DEPTHWISE = NoEffect(
    "a depthwise convolution has no path between the frequencies", "give a layer that is not depthwise"
)
_AT_A_BORDER = NoEffect(
    "where input or output has one frequency only, every path is there", "give alphas between 0 and 1"
)
_NOTHING_BECOMES_LOW = NoEffect(
    "no high channel becomes low in this layer", "give a stride of 2, or a path from high to low"
)


def no_effect(name: str, value: str, point: DesignPoint) -> NoEffect | None:
    """Say why a value that was asked for changes nothing at a point; None where it does, or is the usual one.

    What only a network's graph tells is not known here: whether all its octave convolutions are depthwise.

    Args:
        name: an axis of the variant.
        value: what was asked for on it.
        point: the point that was made of it.
    """
    if value in (USUAL[name], getattr(point.variant, name)):
        return None
    subject = point.subject
    if subject.is_vanilla:
        return _AT_ALPHA_0
    if isinstance(subject, NetworkSubject):
        return _OF_A_MAP
    if name == "downsample":
        return _NOTHING_BECOMES_LOW
    return _DEPTHWISE if subject.is_depthwise else _AT_A_BORDER


class Effects:
    """Which values of a sweep's grid have an effect at some point, and why the others have none at any."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], dict[NoEffect, None]] = {}
        self._effective: set[tuple[str, str]] = set()

    def note(self, choice: Mapping[str, Any], point: DesignPoint) -> None:
        """Take down what the values of a choice come to at its point."""
        for name in VARIANT_AXES:
            asked = (name, choice.get(name, USUAL[name]))
            if asked in self._effective:
                continue
            why = no_effect(*asked, point)
            if why is None:
                self._effective.add(asked)
            else:
                self._reasons.setdefault(asked, {})[why] = None

    def faults(self, spec: "SweepSpec") -> list[Fault]:
        """Give a fault for each value of the file without effect at any point, where the file says it."""
        return [
            Fault(path, _joined(list(reasons)), value)
            for (name, value), reasons in self._reasons.items()
            if (name, value) not in self._effective
            for path in _places(spec, name, value)
        ]


def faults_of_row(path: Path, row: Mapping[str, Any], point: DesignPoint) -> list[Fault]:
    """Give a fault for each value of an included row that has no effect on its point."""
    asked = {name: row[name] for name in VARIANT_AXES if name in row}
    found = {name: no_effect(name, value, point) for name, value in asked.items()}
    return [Fault((*path, name), str(why), asked[name]) for name, why in found.items() if why]


def _joined(reasons: list[NoEffect]) -> str:
    return str(NoEffect(", and ".join(why.reason for why in reasons), reasons[-1].way_out))


def _places(spec: "SweepSpec", name: str, value: str) -> Iterator[Path]:
    """Give each place of the file outside `include` that asks for a value."""
    parts: list[tuple[Path, Mapping[str, Any]]] = [(("axes",), spec.axes)]
    parts += [(("zip", index), entry) for index, entry in enumerate(spec.zips)]
    parts += [(("when", when.index, "axes"), when.axes) for when in spec.whens]
    for path, axes in parts:
        yield from ((*path, name, i) for i, given in enumerate(axes.get(name, ())) if given == value)
