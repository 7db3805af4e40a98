"""Which images a network answers right, one by one."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from octprobe.accuracy.data import DataSet, ImageSet
from octprobe.errors import UsageError
from octprobe.stats import Interval, share_interval

Flags = npt.NDArray[np.bool_]
# With so few classes or fewer, the first five answers are right whatever they are.
_TOP = 5
# Images at once: small enough for the widest network on a laptop, large enough to keep it busy.
_BATCH = 500


@dataclass(frozen=True, eq=False)
class Answers:
    """Which images were answered right, in the order of the data set.

    Attributes:
        first: (N,), whether the first answer was.
        five: (N,), whether one of the first five was; None where there are no more than five classes.
        no_numbers: to how many images an answer was no finite number; none of them counts as right.
    """

    first: Flags
    five: Flags | None
    no_numbers: int = 0

    @property
    def fault(self) -> str | None:
        """Say why this is no accuracy; None where it is one."""
        if not self.no_numbers:
            return None
        return f"its answers to {self.no_numbers} of {len(self.first)} images are no finite numbers"

    @property
    def top1(self) -> Interval:
        """Share of right first answers, with its Wilson interval."""
        return share_interval(int(self.first.sum()), len(self.first))

    @property
    def top5(self) -> Interval | None:
        """Share of images with a right one among the first five answers, with its Wilson interval."""
        return None if self.five is None else share_interval(int(self.five.sum()), len(self.five))


def evaluate(network: nn.Module, data: DataSet, images: ImageSet) -> Answers:
    """Ask a network about images of a data set.

    Args:
        network: is put into eval mode.
        data: says how images become what a network takes.
        images: at least one; on the network's device.
    """
    batches = (images.at(slice(start, start + _BATCH)) for start in range(0, len(images), _BATCH))
    return answers(network, ((data.prepared(each.images), each.labels) for each in batches))


def answers(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> Answers:
    """Ask a network about batches.

    Args:
        network: is put into eval mode.
        batches: images (B, C, H, W) and labels (B,), on the network's device.
    """
    network.eval()
    ranks, classes, no_numbers = [], 0, 0
    with torch.inference_mode():
        for images, labels in batches:
            logits = network(images)
            classes = logits.shape[1]
            ranks.append(_ranks(logits, labels).cpu())
            no_numbers += int((~logits.isfinite().all(1)).sum())
    rank = torch.cat(ranks).numpy()
    return Answers(first=rank < 1, five=rank < _TOP if classes > _TOP else None, no_numbers=no_numbers)


def refuse_no_numbers(found: Answers, place: str) -> Answers:
    """Stop where a network answers with what is no finite number; give the answers where it does not.

    Args:
        found: its answers.
        place: names the weights, for the message.

    Raises:
        UsageError: an answer is no finite number.
    """
    if found.fault is not None:
        raise UsageError(f"{place}: {found.fault}, so they say nothing of its accuracy; give other weights")
    return found


def _ranks(logits: Tensor, labels: Tensor) -> Tensor:
    """Give how many classes a network puts before the right one: (B,); of equal ones the first is before.

    Where it answers with a number that is none, or an infinite one, every class is.
    """
    right = logits.gather(1, labels[:, None])
    earlier = torch.arange(logits.shape[1], device=logits.device) < labels[:, None]
    before = (logits > right) | ((logits == right) & earlier)
    is_answer = logits.isfinite().all(1)
    return torch.where(is_answer, before.sum(1), logits.shape[1])
