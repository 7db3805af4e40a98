"""What trainings took: an elastic one beside the standalone ones that it replaces."""

from collections.abc import Iterable
from dataclasses import dataclass

from octprobe.store.accuracy_run import AccuracyRun


@dataclass(frozen=True)
class Price:
    """What the trainings took in all: wall time, time of processors, images run forward and backward.

    None where a training does not say.
    """

    standalone_seconds: float | None
    elastic_seconds: float | None
    standalone_cpu_seconds: float | None
    elastic_cpu_seconds: float | None
    standalone_images: float | None
    elastic_images: float | None

    @property
    def share_of_seconds(self) -> float | None:
        """Give the elastic trainings' share of the time of those that they replace; None without a time."""
        return _share(self.elastic_seconds, self.standalone_seconds)

    @property
    def share_of_cpu_seconds(self) -> float | None:
        """Give the same share of the time of processors, which other programs do not lengthen."""
        return _share(self.elastic_cpu_seconds, self.standalone_cpu_seconds)


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def price_of(standalone: Iterable[AccuracyRun], elastic: Iterable[AccuracyRun]) -> Price:
    """Sum what was taken: an elastic training counts once, though it stands at each alpha."""
    alone, together = list(standalone), elastic_trainings(elastic)
    return Price(
        standalone_seconds=_sum(alone, "seconds"),
        elastic_seconds=_sum(together, "seconds"),
        standalone_cpu_seconds=_sum(alone, "cpu_seconds"),
        elastic_cpu_seconds=_sum(together, "cpu_seconds"),
        standalone_images=_sum(alone, "images_seen"),
        elastic_images=_sum(together, "images_seen"),
    )


def elastic_trainings(rows: Iterable[AccuracyRun]) -> list[AccuracyRun]:
    """Give one row a training of those that stand at each alpha: one that says what it took, where one does.

    Rows of `octprobe accuracy at` are of a training too, and took no time of one.
    """
    found: dict[tuple[object, ...], AccuracyRun] = {}
    for row in rows:
        training = (row.network, row.dataset, row.resolution, row.recipe_digest, row.seed)
        if training not in found or found[training].seconds is None:
            found[training] = row
    return list(found.values())


def _sum(rows: Iterable[AccuracyRun], column: str) -> float | None:
    values = [getattr(row, column) for row in rows]
    return None if None in values else sum(values)
