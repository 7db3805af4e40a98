"""Accuracies beside measured rows: joined by architecture, alpha and resolution, one line a source family.

An accuracy depends on the network and not on the device, so a row takes it whatever it ran on. It is never
passed from one form of the octave network to another: rows of an unusual variant have none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from octprobe.errors import UsageError
from octprobe.plan.variant import USUAL, VARIANT_AXES
from octprobe.store.accuracy import PUBLISHED, Accuracy

EXACT = "exact"
# What a source's variant comes to beside timm's network; any other is shown in the source's own words.
# v1b: the stride of a bottleneck in its 3x3 convolution, where timm's and torchvision's networks have it.
_MATCHES: Mapping[str | None, str] = {None: EXACT, "v1b": EXACT, "preact": "pre-activation twin"}
_TORCHVISION = "torchvision:"
# torchvision's names that are timm's under another name.
_TIMM_NAMES: Mapping[str, str] = {"mobilenet_v2": "mobilenetv2_100"}

_FIGURES = (
    *("top1_percent", "top1_ci_low_percent", "top1_ci_high_percent", "top5_percent"),
    *("baseline_top1_percent", "delta_top1_percent", "test_top1_percent"),
)
_SEEDS = "seeds"
_TEXTS: Mapping[str, str] = {
    "dataset": "dataset",
    "accuracy_split": "split",
    "accuracy_kind": "kind",
    "accuracy_family": "source_family",
    "accuracy_source": "source",
}
ACCURACY_COLUMNS = (*_FIGURES, _SEEDS, *_TEXTS, "accuracy_match")

# Beside the architecture, what a row and an accuracy must share.
_KEY_COLUMNS = ("alpha", "alpha_map", "resolution")
_Key = tuple[Any, ...]
_Places = np.ndarray[tuple[int], np.dtype[np.int64]]


def architecture_of(network: str) -> str:
    """Give timm's name of a row's network, without the tag of its weights; any other network's own name."""
    if network.startswith(_TORCHVISION):
        name = network.removeprefix(_TORCHVISION)
        return _TIMM_NAMES.get(name, name)
    return network if ":" in network else network.partition(".")[0]


def _joined_by(accuracy: Accuracy) -> str | None:
    """Give the architecture that an accuracy holds for; None of a published one without timm's name."""
    if accuracy.kind == PUBLISHED:
        return accuracy.architecture
    return architecture_of(accuracy.network)


def match_of(accuracy: Accuracy) -> str:
    """Say how the network of an accuracy stands to timm's of that name."""
    return _MATCHES.get(accuracy.variant) or str(accuracy.variant)


def with_accuracies(
    frame: pd.DataFrame, accuracies: Sequence[Accuracy], family: str | None = None
) -> pd.DataFrame:
    """Add `ACCURACY_COLUMNS` to rows; one with the accuracies of several families becomes one line a family.

    Args:
        frame: rows with the columns network, alpha, alpha_map, resolution and those of the variant; they
            keep their order, and one without an accuracy keeps one line with nulls.
        accuracies: those to join; a published one without timm's name of its network never is.
        family: the one source family wanted.

    Raises:
        UsageError: no accuracy is of this family.
    """
    by_key = _by_key(_of_family(accuracies, family))
    rows, places = _pairs(_group_of(frame, list(by_key)), [len(members) for members in by_key.values()])
    plain = frame.drop(columns=list(ACCURACY_COLUMNS), errors="ignore")
    lines = plain if len(rows) == len(plain) else plain.iloc[rows].reset_index(drop=True)
    known = [each for members in by_key.values() for each in members]
    added = {name: values[places] for name, values in _columns(known).items()}
    return pd.concat([lines, pd.DataFrame(added, index=lines.index)], axis=1)


def _of_family(accuracies: Sequence[Accuracy], family: str | None) -> list[Accuracy]:
    families = sorted({each.source_family for each in accuracies})
    if family is not None and family not in families:
        raise UsageError(
            f"no accuracy is of the family {family!r}; there are: {', '.join(families) or 'none'}"
        )
    return [
        each for each in accuracies if _joined_by(each) is not None and family in (None, each.source_family)
    ]


def _by_key(accuracies: Sequence[Accuracy]) -> dict[_Key, list[Accuracy]]:
    """Gather accuracies by what a row must share with them."""
    found: dict[_Key, list[Accuracy]] = {}
    for each in accuracies:
        key = (_joined_by(each), each.alpha, each.alpha_map, each.resolution)
        found.setdefault(key, []).append(each)
    return found


def _group_of(frame: pd.DataFrame, keys: Sequence[_Key]) -> _Places:
    """Give the place of each row's key among the keys; their number stands for none."""
    known = [list(dict.fromkeys(values)) for values in zip(*keys, strict=True)]
    if not known:
        return np.zeros(len(frame), dtype=np.int64)
    # One place more along each axis, so that -1, an unknown value, finds no group.
    groups = np.full([len(values) + 1 for values in known], len(keys))
    for group, key in enumerate(keys):
        groups[tuple(values.index(value) for values, value in zip(known, key, strict=True))] = group
    architectures = _codes(frame["network"], known[0], architecture_of)
    others = [_codes(frame[name], values) for name, values in zip(_KEY_COLUMNS, known[1:], strict=True)]
    found: _Places = groups[(architectures, *others)]
    return np.where(_is_usual(frame), found, len(keys))


def _codes(
    column: "pd.Series[Any]", known: Sequence[object], renamed: Callable[[str], object] = lambda value: value
) -> _Places:
    """Give the place of each value among the known ones, null being a value too; -1 for all others."""
    codes, values = pd.factorize(column)
    places = {value: place for place, value in enumerate(known)}
    table = [*(places.get(renamed(value), -1) for value in values), places.get(None, -1)]
    return np.array(table, dtype=np.int64)[codes]  # a null has the code -1, which is the last place


def _is_usual(frame: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Say of each row whether its variant is the usual one, or none as at alpha 0."""
    usual = np.ones(len(frame), dtype=bool)
    for name in VARIANT_AXES:
        codes = _codes(frame[name], [None, USUAL[name]])
        usual &= codes >= 0
    return usual


def _pairs(groups: _Places, sizes: Sequence[int]) -> tuple[_Places, _Places]:
    """Give the row and the accuracy of each line; the place after the last accuracy stands for none."""
    widths = np.array([*sizes, 1], dtype=np.int64)
    starts = np.cumsum(widths) - widths
    lines = widths[groups]
    rows = np.repeat(np.arange(len(groups)), lines)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(lines) - lines, lines)
    return rows, starts[groups][rows] + within


def _columns(known: Sequence[Accuracy]) -> dict[str, Any]:
    """Give each added column's values by accuracy, and a null after the last; texts are categories."""
    figures: dict[str, Any] = {
        name: np.array([*(getattr(a, name) for a in known), None], dtype=float) for name in _FIGURES
    }
    figures[_SEEDS] = pd.array([*(a.seeds for a in known), None], dtype="Int64")
    texts = {name: [getattr(a, field) for a in known] for name, field in _TEXTS.items()}
    texts["accuracy_match"] = [match_of(a) for a in known]
    return figures | {name: pd.Categorical([*values, None]) for name, values in texts.items()}
