"""Whether any alpha beats vanilla among the rows at hand, and if none does, why not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from octprobe.explore.advice.arrays import Places
from octprobe.explore.advice.candidates import RATIO, anchors_among, numbers_of
from octprobe.explore.advice.reading import Fetch, whole_rows
from octprobe.explore.axes import FORM_AXES
from octprobe.explore.fastest import Fastest, fastest_alphas
from octprobe.explore.groups import is_anchor, plain_records
from octprobe.explore.labels import condition_labels
from octprobe.explore.saving.reasons import why_slow
from octprobe.stats import Verdict


@dataclass(frozen=True)
class Worth:
    """The octave point with the best time ratio beside its vanilla.

    Attributes:
        beaten: whether its verdict is FASTER; None where no octave point has a time ratio.
        sentence: the finding in plain words.
        fastest: its figures; None where there are none.
        reasons: why its saving of MACs did not become time, strongest first; none where it did.
    """

    beaten: bool | None
    sentence: str
    fastest: Fastest | None = None
    reasons: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the finding as plain values."""
        best, found = self.fastest, {"beaten": self.beaten, "sentence": self.sentence}
        ratio = best.time_ratio if best else None
        return {
            **found,
            "network": best.subject if best else None,
            "alpha": best.alpha if best else None,
            "verdict": best.verdict if best else None,
            "time_ratio": ratio.median if ratio else None,
            "time_ratio_ci_low": ratio.low if ratio else None,
            "time_ratio_ci_high": ratio.high if ratio else None,
            "pairs": ratio.count if ratio else None,
            "macs_share": best.macs_share if best else None,
            "reasons": list(self.reasons),
        }


def worth_of_octave(frame: pd.DataFrame, fetch: Fetch | None = None) -> Worth:
    """Find the octave row with the smallest time ratio, one that is FASTER where there is one."""
    place = _best_place(frame)
    if place is None:
        return Worth(None, "nothing to compare with vanilla: no octave point has a time ratio")
    is_of_group = (frame["group_id"] == frame["group_id"].iloc[place]).to_numpy(dtype=bool)
    group = whole_rows(frame[is_of_group], fetch)
    (best,) = fastest_alphas(group)
    anchor = next((row for row in plain_records(group) if is_anchor(row)), None)
    reasons = () if best.beats_vanilla or best.record is None else why_slow(best.record, anchor)
    return Worth(best.beats_vanilla, _headline(best), best, reasons)


def _headline(best: Fastest) -> str:
    """Say the finding of all groups, in the words of the best one."""
    where = ", ".join([best.subject, *condition_labels(best.conditions, FORM_AXES)])
    if best.beats_vanilla:
        return f"octave beats vanilla on this device: {where}: {best.sentence()}"
    said = best.sentence().replace(" beats vanilla", " beats vanilla on this device", 1)
    return f"{said} ({where})"


def _best_place(frame: pd.DataFrame) -> int | None:
    ratios = numbers_of(frame, RATIO)
    is_faster = (frame["verdict"] == Verdict.FASTER).to_numpy(dtype=bool, na_value=False)
    octave = np.flatnonzero(is_faster & ~np.isnan(ratios))  # a vanilla row has no verdict
    if not len(octave):
        octave = np.flatnonzero(~np.isnan(ratios))
        octave = octave[~anchors_among(frame, octave)]
    return _least(frame, ratios, octave) if len(octave) else None


def _least(frame: pd.DataFrame, ratios: "np.ndarray[Any, Any]", places: Places) -> int:
    """Give the place with the smallest ratio; of equal ones the first by id."""
    least = places[ratios[places] == ratios[places].min()]
    return int(least[np.argmin(frame["point_id"].iloc[least].astype(str).to_numpy())])
