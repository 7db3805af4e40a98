"""What one alpha group alone costs in accuracy: every column with its meaning and unit, declared once."""

from dataclasses import dataclass, field
from typing import Any

from octprobe.stats import Interval, paired_difference

_PERCENT = 100


def _told(meaning: str, unit: str | None = None) -> Any:
    return field(metadata={"meaning": meaning, "unit": unit, "source": None})


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """How many answers change when one alpha group of an elastic network goes to an alpha by itself."""

    network: str = _told("network's name: octprobe:NAME, timm's, torchvision:NAME or module:function")
    dataset: str = _told("data set that the answers were checked on")
    split: str = _told("which images of it: validation, for choices are made by it")
    recipe_digest: str = _told("digest of the recipe that the network was trained by")
    seed: int = _told("seed of the training")
    checkpoint: str = _told("file that the weights came from")
    group_number: int = _told("number of the alpha group, as `octprobe groups` counts them")
    layers: tuple[str, ...] = _told("patterns of an alpha map that name the group")
    alpha: float = _told("share of low channels in the group; everything else is at alpha 0")
    macs: int = _told("multiply-accumulates of the network with the group at alpha", "MACs/item")
    baseline_macs: int = _told("multiply-accumulates of the network at alpha 0", "MACs/item")
    images: int = _told("images asked about", "images")
    baseline_right: int = _told("right first answers of the same weights at alpha 0", "images")
    newly_wrong: int = _told("images answered right at alpha 0 and wrong with the group at alpha", "images")
    newly_right: int = _told("images answered wrong at alpha 0 and right with the group at alpha", "images")

    @property
    def baseline_top1_percent(self) -> float:
        """Give the share of right answers at alpha 0."""
        return self.baseline_right / self.images * _PERCENT

    @property
    def top1_percent(self) -> float:
        """Give the share of right answers with the group at alpha."""
        return (self.baseline_right - self.newly_wrong + self.newly_right) / self.images * _PERCENT

    @property
    def lost_points(self) -> Interval:
        """Give the points of top-1 lost, with the interval of paired answers; below 0 is gained."""
        lost = paired_difference(self.newly_wrong, self.newly_right, self.images)
        low, high = (None if end is None else end * _PERCENT for end in (lost.low, lost.high))
        return Interval(lost.median * _PERCENT, low, high, lost.count)
