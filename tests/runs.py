"""Rows of trainings, made up."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from octprobe.store.accuracy_run import AccuracyRun, percent


def run_of(right: int, of: int = 1000, **changed: Any) -> AccuracyRun:
    """Give a test row of one training that answers the first so many images right; keywords change it."""
    return run_that([place < right for place in range(of)], **changed)


def run_that(answers: Sequence[int], **changed: Any) -> AccuracyRun:
    """Give a test row of one training by its answers, 1 a right one; keywords change it."""
    flags = np.array(answers, dtype=bool)
    values: dict[str, Any] = {
        "network": "octprobe:resnet8",
        "alpha": 0.5,
        "dataset": "stripes",
        "split": "test",
        "resolution": 224,
        "kind": "trained",
        "recipe": "{}",
        "recipe_digest": "0123456789abcdef",
        "seed": 0,
        "status": "trained",
        "recorded_at": datetime(2026, 1, 2, tzinfo=UTC),
        "images": len(flags),
        "top1_percent": percent(float(flags.mean())),
        "top5_percent": 99.0,
        "correct": np.packbits(flags).tobytes(),
        "seconds": 75.0,
        "cpu_seconds": 75.0,
        "images_seen": 50_000,
        "epochs": 3,
        "macs": 7_000_000,
        "parameters": 300,
    }
    return AccuracyRun(**values | changed)
