"""From answers to rows of the store."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from octprobe.accuracy.checkpoint import Task
from octprobe.accuracy.data import DataSet
from octprobe.accuracy.evaluate import Answers
from octprobe.accuracy.loop import Progress
from octprobe.plan.point import NetworkSubject
from octprobe.plan.recipe import Alpha
from octprobe.store.accuracy_run import AccuracyRun, RunStatus, percent
from octprobe.store.accuracy_runs import TEST
from octprobe.store.records import Cost


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What the rows of one training have in common."""

    task: Task
    env_id: str
    data: DataSet

    @property
    def alphas(self) -> tuple[Alpha, ...]:
        """Give the alphas that it gives networks at."""
        return self.task.recipe.alphas if self.task.alpha is None else (self.task.alpha,)

    def columns(self, alpha: Alpha) -> dict[str, Any]:
        """Give the columns that say what was trained, at one of its alphas."""
        task = self.task
        value, alpha_map = alpha_columns(task.recipe.network, alpha)
        return {
            "network": task.recipe.network,
            "alpha": value,
            "alpha_map": alpha_map,
            "dataset": self.data.name,
            "resolution": self.data.resolution,
            "kind": str(task.kind),
            "recipe": task.recipe.resolved(task.kind),
            "recipe_digest": task.recipe.digest(task.kind),
            "seed": task.seed,
            "recorded_at": datetime.now(UTC),
            "env_id": self.env_id,
        }


def alpha_columns(network: str, alpha: Alpha) -> tuple[float | None, str | None]:
    """Give an alpha as the columns `alpha` and `alpha_map` of the store, as rows of sweeps have them."""
    subject = NetworkSubject(network=network, alpha=alpha)
    axes = (subject.vanilla() if subject.is_vanilla else subject).axes()
    return axes["alpha"], axes["alpha_map"]


def answered_row(
    origin: Origin,
    alpha: Alpha,
    split: str,
    answers: Answers,
    progress: Progress,
    cost: Cost,
    checkpoint: str,
) -> AccuracyRun:
    """Make the row of a training's answers at one alpha on one split; or of its fault: no finite numbers."""
    if answers.fault is not None:
        fault = f"at the end of the training {answers.fault}"
        return fault_row(origin, alpha, RunStatus.DIVERGED, fault, progress, split=split)
    return AccuracyRun(
        **origin.columns(alpha),
        **progress_columns(progress),
        **answer_columns(answers),
        **cost_columns(cost),
        split=split,
        status=RunStatus.TRAINED,
        checkpoint=checkpoint,
    )


def fault_row(
    origin: Origin,
    alpha: Alpha,
    status: RunStatus,
    reason: str,
    progress: Progress | None = None,
    *,
    split: str = TEST,
) -> AccuracyRun:
    """Make the row of a training that gave no network."""
    done = {} if progress is None else progress_columns(progress)
    return AccuracyRun(**origin.columns(alpha), **done, split=split, status=status, reason=reason)


def progress_columns(progress: Progress) -> dict[str, Any]:
    """Give the columns of what a training took; a loss that is no number is null."""
    return {
        "seconds": progress.seconds,
        "cpu_seconds": progress.cpu_seconds,
        "images_seen": progress.images_seen,
        "epochs": progress.epochs,
        "loss": progress.losses[-1] if progress.losses else None,
    }


def answer_columns(answers: Answers) -> dict[str, Any]:
    """Give the columns of answers: shares in percent, and a bit an image."""
    top1, top5 = answers.top1, answers.top5
    return {
        "images": len(answers.first),
        "top1_percent": percent(top1.median),
        "top1_ci_low_percent": percent(top1.low),
        "top1_ci_high_percent": percent(top1.high),
        "top5_percent": None if top5 is None else percent(top5.median),
        "correct": np.packbits(answers.first).tobytes(),
    }


def cost_columns(cost: Cost) -> dict[str, Any]:
    """Give the columns of what was counted of a network."""
    return {"macs": cost.macs_dispatched, "parameters": cost.parameters}
