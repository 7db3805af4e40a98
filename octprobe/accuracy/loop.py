"""The training loop: the same bits every time, unbroken or killed and taken up again."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]  # as timm has it
from timm.scheduler import create_scheduler_v2  # type: ignore[attr-defined]  # as timm has it
from torch import Tensor

from octprobe.accuracy.augment import augmented
from octprobe.accuracy.average import RunningAverage
from octprobe.accuracy.data import DataSet
from octprobe.accuracy.learner import Learner
from octprobe.plan.recipe import Recipe

# Looking at a loss makes an accelerator wait; a training that is lost loses no more than so many steps.
_STEPS_BETWEEN_LOOKS = 64
# A network that guesses has a loss of ln(classes); a mean ten times that is of one that is sure and wrong.
_MOST_GUESSES = 10


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a training is.

    Attributes:
        losses: mean loss of each epoch done.
        seconds: wall time of the epochs done, over all the runs that they took.
        cpu_seconds: time of processors in them, of all threads: what other programs take does not count.
        images_seen: images run forward and backward; an image that a step runs at two alphas counts twice.
        fault: why the training ended early; None where it did not.
    """

    losses: tuple[float, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    images_seen: int = 0
    fault: str | None = None

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.losses)


# Told of each epoch that is done, with the state that would go on from there.
Saver = Callable[[dict[str, Any]], object]
Watcher = Callable[[Progress], object]


class Training:
    """One training: a learner, the data, and everything that makes the next step what it is.

    Args:
        learner: what learns, at its initial weights.
        recipe: how.
        data: on the learner's device.
        seed: of order, augmentation and all that the learner draws.
        epochs: how many.
    """

    def __init__(self, learner: Learner, recipe: Recipe, data: DataSet, *, seed: int, epochs: int) -> None:
        self._learner, self._recipe, self._data, self._epochs = learner, recipe, data, epochs
        self._batch = min(recipe.batch, len(data.train))
        self._steps = len(data.train) // self._batch
        groups = learner.parameter_groups(recipe.weight_decay)
        self._optimiser = create_optimizer_v2(
            groups, recipe.optimiser, lr=recipe.learning_rate, weight_decay=0.0, momentum=recipe.momentum
        )
        self._schedule, _ = create_scheduler_v2(
            self._optimiser,
            recipe.schedule,
            num_epochs=epochs,
            warmup_epochs=recipe.warmup,
            warmup_lr=0.0,
            warmup_prefix=False,
            step_on_epochs=False,
            updates_per_epoch=self._steps,
        )
        self._average = RunningAverage(learner.module.parameters(), recipe.ema) if recipe.ema else None
        self._generator = torch.Generator().manual_seed(seed)
        self._global_state: dict[str, Tensor] = {}
        self._seed = seed
        self.progress = Progress()

    def run(self, save: Saver = lambda state: None, watch: Watcher = lambda progress: None) -> Progress:
        """Train to the end, and estimate the batch-norm statistics of the weights that are kept.

        Args:
            save: given the state after each epoch, to be kept in case the process is killed.
            watch: told how far it is after each epoch.
        """
        with self._reproducible():
            while self.progress.epochs < self._epochs and self.progress.fault is None:
                self.progress = self._epoch()
                if self.progress.fault is None:
                    save(self.state_dict())
                watch(self.progress)
            if self.progress.fault is None:
                self._finish()
        return self.progress

    def state_dict(self) -> dict[str, Any]:
        """Give all that the next epoch depends on: tensors, numbers and text only."""
        return {
            "learner": self._learner.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "average": self._average.state() if self._average else [],
            "generators": {"own": self._generator.get_state()} | _global_states(self._device),
            "losses": list(self.progress.losses),
            "seconds": self.progress.seconds,
            "cpu_seconds": self.progress.cpu_seconds,
            "images_seen": self.progress.images_seen,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave of the same recipe, seed and data."""
        self._learner.load_state_dict(state["learner"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._average:
            self._average.load(state["average"])
        self._global_state = dict(state["generators"])
        self._generator.set_state(self._global_state.pop("own"))
        self.progress = Progress(
            losses=tuple(state["losses"]),
            **{name: state[name] for name in ("seconds", "cpu_seconds", "images_seen")},
        )
        self._schedule.step_update(self.progress.epochs * self._steps)

    @property
    def _device(self) -> torch.device:
        return self._data.train.images.device

    @contextmanager
    def _reproducible(self) -> Iterator[None]:
        """Give torch's own random numbers, as of dropout, this training's state, and others theirs after."""
        on_cuda = self._device.type == "cuda"
        with torch.random.fork_rng([self._device] if on_cuda else []), _deterministic(on_cuda=on_cuda):
            torch.manual_seed(self._seed)
            _restore(self._global_state, self._device)
            yield

    def _epoch(self) -> Progress:
        """Train one epoch; the images that fill no batch are left out, others each time."""
        start, cpu_start, done = time.perf_counter(), time.process_time(), self.progress
        total = torch.zeros((), dtype=torch.float64, device=self._device)
        train = self._data.train
        order = torch.randperm(len(train), generator=self._generator)[: self._steps * self._batch]
        for step, places in enumerate(order.split(self._batch), start=1):  # type: ignore[no-untyped-call]  # as torch has it
            total += self._step(train.images[places], train.labels[places])
            self._after_step(done.epochs * self._steps + step)
            if step % _STEPS_BETWEEN_LOOKS == 0 and not math.isfinite(total):
                break
        loss = float(total) / self._steps
        return Progress(
            losses=(*done.losses, loss),
            seconds=done.seconds + time.perf_counter() - start,
            cpu_seconds=done.cpu_seconds + time.process_time() - cpu_start,
            images_seen=done.images_seen + step * self._batch * self._learner.passes,
            fault=self._fault(loss, done.epochs + 1),
        )

    def _step(self, images: Tensor, labels: Tensor) -> Tensor:
        changed = augmented(images, self._recipe.augmentation, self._generator)
        return self._learner.step(self._data.prepared(changed), labels, self._generator)

    def _after_step(self, steps: int) -> None:
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._schedule.step_update(steps)
        if self._average:
            self._average.update(steps)

    def _fault(self, loss: float, epoch: int) -> str | None:
        if not math.isfinite(loss):
            return f"the loss became {loss} in epoch {epoch}; lower learning_rate or lengthen warmup"
        most = _MOST_GUESSES * math.log(max(2, self._data.classes))
        if loss > most:
            return f"the loss rose to {loss:.3g} in epoch {epoch}; lower learning_rate or lengthen warmup"
        return None

    def _finish(self) -> None:
        if self._average:
            self._average.apply()
        self._learner.finish(self._data.sample(self._recipe.statistics_images))


def _global_states(device: torch.device) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    return states | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def _restore(states: dict[str, Tensor], device: torch.device) -> None:
    if "cpu" in states:
        torch.set_rng_state(states["cpu"])
    if "cuda" in states and device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)


@contextmanager
def _deterministic(*, on_cuda: bool) -> Iterator[None]:
    """Take kernels whose sums have one order; on a processor all that training needs are so already."""
    before, warned = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(before or on_cuda, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
