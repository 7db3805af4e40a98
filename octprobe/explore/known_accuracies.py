"""All accuracies that a store's rows may stand beside: the published ones, and those of its own trainings.

Choices are made by validation images, so that the test images tell of the chosen network what they would tell
of any other. One family has one split, so that no choice mixes the two.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from octprobe.facts.published import published_accuracies
from octprobe.store.accuracy import Accuracy
from octprobe.store.accuracy_run import AccuracyRun, Split
from octprobe.store.accuracy_runs import read_runs
from octprobe.store.own_accuracies import own_accuracies
from octprobe.store.store import DamagedPart


class Known(NamedTuple):
    """Accuracies, and the parts of the store that could not be read."""

    accuracies: tuple[Accuracy, ...]
    damaged: tuple[DamagedPart, ...]


def known_accuracies(store: str | Path, split: Split = Split.VALIDATION) -> Known:
    """Give the accuracies to choose by: the published, and of a store's own one a network, alpha and family.

    Args:
        store: its folder.
        split: validation, and of a family that has no such images test; or test of all.

    Raises:
        StoreError: a part was written by a newer octprobe.
    """
    runs = read_runs(Path(store))
    return Known((*published_accuracies(), *for_choice(runs.rows, split)), runs.damaged)


def every_accuracy(store: str | Path) -> Known:
    """Give the published accuracies and a store's own, those on validation images and those on test images.

    Raises:
        StoreError: a part was written by a newer octprobe.
    """
    runs = read_runs(Path(store))
    own = (accuracy for split in Split for accuracy in own_accuracies(runs.rows, split))
    return Known((*published_accuracies(), *own), runs.damaged)


def for_choice(rows: Iterable[AccuracyRun], split: Split) -> tuple[Accuracy, ...]:
    """Gather rows to accuracies of one split a family: see `known_accuracies`."""
    kept = list(rows)
    test = own_accuracies(kept, Split.TEST)
    if split is Split.TEST:
        return test
    held = own_accuracies(kept, Split.VALIDATION)
    families = {each.source_family for each in held}
    return (*held, *(each for each in test if each.source_family not in families))
