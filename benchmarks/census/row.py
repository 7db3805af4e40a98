"""What the census says of one architecture."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Verdict(StrEnum):
    """The three words, and one for what was not asked."""

    CONVERTED = "converted"
    MERGED = "merged"
    REFUSED = "refused"
    NOT_RUN = "not run"


class Criterion(StrEnum):
    """What an architecture was refused for."""

    CONVERSION = "conversion"
    ALPHA = "alpha"
    PARAMETERS = "parameters"
    SIZES = "sizes"
    GRADIENTS = "gradients"
    FIELD = "constant field"
    MACS = "MACs"
    VANILLA = "vanilla"
    TIME = "time"
    MEMORY = "memory"
    DEATH = "death"

    @property
    def is_the_machines(self) -> bool:
        """Tell whether another try may end otherwise."""
        return self in {Criterion.TIME, Criterion.MEMORY, Criterion.DEATH}


class Refused(Exception):
    """A criterion that was not met, and how."""

    def __init__(self, criterion: Criterion, reason: str) -> None:
        super().__init__(reason)
        self.criterion = criterion


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What judging a network has found.

    Attributes:
        macs: multiply-accumulates of the vanilla network, an image.
        ratios: MACs of the octave networks over the vanilla's, by alpha.
        places: where a pair was made plain within the network, one line each.
        notes: at which size it ran, where that is not the usual one.
        criterion: what it is refused for; None where all is well.
        reason: how that was not met, in one line.
    """

    macs: int | None = None
    ratios: dict[str, float]
    places: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    criterion: Criterion | None = None
    reason: str | None = None

    @classmethod
    def refused(cls, criterion: Criterion, reason: str) -> Self:
        """Give the findings of a network of which no more is known than why it was refused."""
        return cls(ratios={}, criterion=criterion, reason=reason)


@dataclass(frozen=True)
class Row:
    """An architecture and what was found; no findings where it was too large to run."""

    architecture: str
    module: str
    parameters: int
    findings: Findings | None

    @property
    def verdict(self) -> Verdict:
        """Sum the findings up in a word."""
        if self.findings is None:
            return Verdict.NOT_RUN
        if self.findings.criterion is not None:
            return Verdict.REFUSED
        return Verdict.MERGED if self.findings.places else Verdict.CONVERTED

    def as_object(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_object(cls, value: dict[str, Any]) -> Self:
        """Read what `as_object` gave."""
        return cls(**value | {"findings": _findings(value["findings"])})


def _findings(value: dict[str, Any] | None) -> Findings | None:
    if value is None:
        return None
    criterion = None if value["criterion"] is None else Criterion(value["criterion"])
    lists = {name: tuple(value[name]) for name in ("places", "notes")}
    return Findings(**value | lists | {"criterion": criterion})
