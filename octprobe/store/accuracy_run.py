"""One network at one alpha answering one split of a data set: every column declared once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import overload

from octprobe.store.row import column

# Raised whenever a column of `AccuracyRun` is added, renamed or given another type or meaning.
RUN_SCHEMA_VERSION = 1


class Split(StrEnum):
    """Which images of a data set are asked about."""

    VALIDATION = "validation"
    TEST = "test"


class RunStatus(StrEnum):
    """How a training, or an evaluation, ended."""

    TRAINED = "trained"
    EVALUATED = "evaluated"
    DIVERGED = "diverged"
    FAILED = "failed"


# What another try of the same would only repeat.
FINAL = frozenset({RunStatus.TRAINED, RunStatus.EVALUATED, RunStatus.DIVERGED})


# More are the error of dividing binary fractions: a million images give four.
_DECIMALS = 6


@overload
def percent(share: float) -> float: ...
@overload
def percent(share: None) -> None: ...
def percent(share: float | None) -> float | None:
    """Give a share in percent; absent stays absent."""
    return None if share is None else round(100 * share, _DECIMALS)


@dataclass(frozen=True, kw_only=True)
class AccuracyRun:
    """The answers of one network at one alpha, from one seed, on one split. Absent is None."""

    network: str = field(metadata={"meaning": "network's name, as in a sweep"})
    alpha: float | None = column("share of low channels of the policy's layers; null with an alpha map")
    alpha_map: str | None = column("alpha by module pattern, JSON; null where alpha is uniform")
    dataset: str = field(metadata={"meaning": "data set that the answers were checked on"})
    split: str = field(metadata={"meaning": "its part: test, or validation, by which choices are made"})
    resolution: int = field(metadata={"meaning": "side of the square input", "unit": "pixels"})
    kind: str = field(metadata={"meaning": "evaluated, trained (at this alpha alone) or elastic (at all)"})
    recipe: str = field(metadata={"meaning": "how the weights came about; of a training its recipe, JSON"})
    recipe_digest: str = field(metadata={"meaning": "identity of the recipe"})
    seed: int | None = column("of initial weights, order and augmentation; null where it is not known")
    status: str = field(metadata={"meaning": "trained, evaluated, diverged or failed"})
    reason: str | None = column("why it diverged or failed")
    recorded_at: datetime = field(metadata={"meaning": "when the row was written, UTC"})

    images: int | None = column("images of the split", "images")
    top1_percent: float | None = column("share of right first answers", "%")
    top1_ci_low_percent: float | None = column("lower end of its 95 % Wilson interval over images", "%")
    top1_ci_high_percent: float | None = column("upper end of it", "%")
    top5_percent: float | None = column(
        "share of images with a right one among the first five answers; null with five classes or fewer", "%"
    )
    correct: bytes | None = column(
        "whether each image was answered right, in the order of the split: a bit each, by numpy.packbits"
    )

    seconds: float | None = column(
        "wall time of the training, over all the runs that it took; an elastic one stands beside each alpha",
        "s",
    )
    cpu_seconds: float | None = column("time of processors in its epochs, of all threads", "s")
    images_seen: int | None = column(
        "images run forward and backward; one that a step runs at two alphas counts twice", "images"
    )
    epochs: int | None = column("epochs done", "epochs")
    loss: float | None = column("mean training loss of the last epoch", "nats")
    macs: int | None = column(
        "multiply-accumulates at this alpha, with as many answers as the data set has classes", "MACs/item"
    )
    parameters: int | None = column("parameters, the same at every alpha", "parameters")
    env_id: str | None = column("identity of the environment that it ran in")
    checkpoint: str | None = column("file of the weights; of a training under the store")
