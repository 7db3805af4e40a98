"""One accuracy of a network at an alpha: every column with its meaning and unit, declared once."""

from dataclasses import dataclass, field
from typing import Any

from octprobe.store.row import column

PUBLISHED = "published"
# The sources print three decimals at most; more are the error of subtracting binary fractions.
_DECIMALS = 3


def _derived(meaning: str, unit: str) -> Any:
    return field(default=None, init=False, metadata={"meaning": meaning, "unit": unit, "source": None})


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How often one network answers right on one data set, as one source says. Absent is None."""

    network: str = field(metadata={"meaning": "network's name in the source"})
    architecture: str | None = column("timm's name of the network; null where timm has none")
    variant: str | None = column("how the source's network differs from timm's; null where it does not")
    alpha: float | None = column("share of low channels of the policy's layers; null with an alpha map")
    alpha_map: str | None = column("alpha by module pattern, JSON; null where alpha is uniform")
    dataset: str = field(metadata={"meaning": "data set that the answers were checked on"})
    split: str | None = column(
        "its part: validation, by which choices are made, or test; null where the source does not say"
    )
    images: int | None = column("images of it; null where the source does not say", "images")
    top1_percent: float = field(metadata={"meaning": "share of right first answers", "unit": "%"})
    top1_ci_low_percent: float | None = column("lower end of the top-1's 95 % interval", "%")
    top1_ci_high_percent: float | None = column("upper end of the top-1's 95 % interval", "%")
    top5_percent: float | None = column("share of right answers among the first five", "%")
    baseline_top1_percent: float | None = column(
        "top-1 of the same source's network at alpha 0; of own trainings over the same seeds and images", "%"
    )
    test_top1_percent: float | None = column(
        "top-1 of the same trainings on test images: what is reported once the choice is made; "
        "null where they were not asked about them, and of published figures",
        "%",
    )
    delta_top1_percent: float | None = _derived("top-1 less the same source's at alpha 0", "% points")
    resolution: int | None = column("side of the square input", "pixels")
    macs: int | None = column(
        "multiply-accumulates, rounded as printed; the authors' were computed from their definition",
        "MACs/item",
    )
    parameters: int | None = column("parameters of the source's network, rounded as printed", "parameters")
    recipe: str | None = column("how the network was trained; null where the source does not say")
    seeds: int | None = column("trainings behind the figure; null where the source does not say", "trainings")
    kind: str = field(metadata={"meaning": "published, evaluated, trained or elastic"})
    source_family: str = field(
        metadata={"meaning": "whose figures these are; deltas hold within one family only"}
    )
    source: str = field(metadata={"meaning": "where the figure stands"})

    def __post_init__(self) -> None:
        """Take the difference once, so that no reader takes it across families."""
        if self.baseline_top1_percent is not None:
            delta = round(self.top1_percent - self.baseline_top1_percent, _DECIMALS)
            object.__setattr__(self, "delta_top1_percent", delta)
