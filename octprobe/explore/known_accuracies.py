"""All accuracies that a store's rows may stand beside: the published ones, and those of its own trainings."""

from pathlib import Path
from typing import NamedTuple

from octprobe.facts.published import published_accuracies
from octprobe.store.accuracy import Accuracy
from octprobe.store.accuracy_runs import own_accuracies, read_runs
from octprobe.store.store import DamagedPart


class Known(NamedTuple):
    """Accuracies, and the parts of the store that could not be read."""

    accuracies: tuple[Accuracy, ...]
    damaged: tuple[DamagedPart, ...]


def known_accuracies(store: str | Path) -> Known:
    """Give the published accuracies and, of a store's own, those on test images.

    Raises:
        StoreError: a part was written by a newer octprobe.
    """
    runs = read_runs(Path(store))
    return Known((*published_accuracies(), *own_accuracies(runs.rows)), runs.damaged)
