"""The trainings of a recipe, kept and resumed."""

import errno
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch

from octprobe.accuracy import experiment as module
from octprobe.accuracy.checkpoint import Task, read_finished, write_checkpoint
from octprobe.accuracy.experiment import Experiment, pending, rows_of, tasks_of
from octprobe.accuracy.loop import Progress
from octprobe.errors import ConversionError, StoreError, UsageError
from octprobe.plan.recipe import Kind, Recipe
from octprobe.store import publish
from octprobe.store.accuracy_run import AccuracyRun
from octprobe.store.accuracy_runs import read_runs
from trainings import ALPHAS, recipe, small_data


class Heard:
    """Remembers what a watcher hears; ends the process' way after so many epochs."""

    def __init__(self, dies_after: int = 10**9) -> None:
        self.lines: list[tuple[Any, ...]] = []
        self._left = dies_after

    def started(self, task: Task, epochs_done: int) -> None:
        """Take it down."""
        self.lines.append(("started", task.alpha, epochs_done))

    def epoch(self, task: Task, progress: Progress) -> None:
        """Take it down, or die."""
        self.lines.append(("epoch", task.alpha, progress.epochs))
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt

    def ended(self, task: Task, rows: Sequence[AccuracyRun]) -> None:
        """Take it down."""
        self.lines.append(("ended", task.alpha, [row.status for row in rows]))


def experiment(store: Path) -> Experiment:
    """Give an experiment on stripes."""
    return Experiment(store, small_data(), torch.device("cpu"), "here", allow_import=True)


def run_all(store: Path, asked: Recipe, kind: Kind, heard: Heard) -> None:
    """Run what is pending, as the command does."""
    for task in left(store, asked, kind):
        experiment(store).run(task, heard)


def left(store: Path, asked: Recipe, kind: Kind, dataset: str = "stripes") -> tuple[Task, ...]:
    """Give what is pending."""
    return pending(tasks_of(asked, kind, dataset), read_runs(store).rows)


def figures(store: Path) -> list[Any]:
    """Give what is to be the same however often a training was killed."""
    names = ("kind", "alpha", "alpha_map", "seed", "split", "status", "correct", "top1_percent")
    more = ("top5_percent", "images_seen", "epochs", "loss", "macs", "parameters", "checkpoint")
    return sorted(
        (tuple(getattr(row, name) for name in (*names, *more)) for row in read_runs(store).rows), key=str
    )


def test_rows_of_each_alpha_seed_and_split(tmp_path: Path) -> None:
    """Validation and test, and what it took; the unfinished checkpoint is gone."""
    run_all(tmp_path, recipe(seeds=(0, 1)), Kind.TRAINED, Heard())
    rows = read_runs(tmp_path).rows
    assert {(row.alpha, row.seed, row.split) for row in rows} == {
        (alpha, seed, part) for alpha in (0.0, 0.5) for seed in (0, 1) for part in ("test", "validation")
    }
    row = next(row for row in rows if row.split == "test" and row.alpha == 0.5)
    assert (row.images, row.epochs, row.images_seen, row.resolution) == (30, 2, 128, 12)
    assert (row.dataset, row.kind, row.status, row.env_id) == ("stripes", "trained", "trained", "here")
    assert row.macs is not None
    assert 0 < row.macs < next(r.macs or 0 for r in rows if r.alpha == 0)
    assert row.parameters == next(r.parameters for r in rows if r.alpha == 0)
    assert row.recipe_digest == recipe().digest(Kind.TRAINED)
    names = sorted(path.name for path in (tmp_path / "accuracy" / "checkpoints").iterdir())
    assert len(names) == 4
    assert not any("unfinished" in name for name in names)
    assert row.checkpoint is not None
    assert read_finished(str(tmp_path / row.checkpoint)).task.alpha == Decimal("0.5")


@pytest.mark.parametrize("kind", [Kind.TRAINED, Kind.ELASTIC])
def test_killed_after_every_epoch_equals_unbroken(tmp_path: Path, kind: Kind) -> None:
    """The same answers bit by bit, and the same weights; what is done is not done again."""
    asked = recipe(epochs=3)
    run_all(tmp_path / "whole", asked, kind, Heard())
    heard: list[Heard] = []
    for _ in range(20):
        heard.append(Heard(dies_after=1))
        try:
            run_all(tmp_path / "broken", asked, kind, heard[-1])
        except KeyboardInterrupt:
            continue
        break
    trainings = 2 if kind is Kind.TRAINED else 1
    assert sum(line[0] == "epoch" for each in heard for line in each.lines) == 3 * trainings
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")
    for file in (tmp_path / "whole" / "accuracy" / "checkpoints").iterdir():
        other = tmp_path / "broken" / "accuracy" / "checkpoints" / file.name
        assert str(read_finished(str(file)).state) == str(read_finished(str(other)).state)
        assert _same(read_finished(str(file)).state, read_finished(str(other)).state)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


def test_what_is_done_is_skipped(tmp_path: Path) -> None:
    """Given again, nothing is pending; a seed more is one training more; another recipe is another."""
    asked = recipe()
    run_all(tmp_path, asked, Kind.ELASTIC, Heard())
    assert left(tmp_path, asked, Kind.ELASTIC) == ()
    assert left(tmp_path, recipe(alphas=ALPHAS[::-1], elastic={}), Kind.ELASTIC) == ()
    assert len(left(tmp_path, recipe(seeds=(0, 1)), Kind.ELASTIC)) == 1
    assert len(left(tmp_path, asked, Kind.TRAINED)) == 2
    assert len(left(tmp_path, recipe(epochs=3), Kind.ELASTIC)) == 1
    assert len(left(tmp_path, asked, Kind.ELASTIC, "stripes-1a2b3c4d")) == 1


def test_rows_of_a_training_are_those_of_its_alphas(tmp_path: Path) -> None:
    """On both splits; of another seed, or another data set, they are another training's."""
    run_all(tmp_path, recipe(seeds=(0, 1)), Kind.TRAINED, Heard())
    rows = read_runs(tmp_path).rows
    alone = Task(recipe=recipe(), kind=Kind.TRAINED, alpha=Decimal("0.5"), seed=1, dataset="stripes")
    assert [(row.alpha, row.seed, row.split) for row in rows_of(alone, rows)] == [
        (0.5, 1, "validation"),
        (0.5, 1, "test"),
    ]
    assert rows_of(replace(alone, dataset="other"), rows) == []


def test_divergence_is_a_row(tmp_path: Path) -> None:
    """With its reason, at each alpha; it is not tried again, for it would only diverge again."""
    asked = recipe(learning_rate=1e30, warmup=0)
    run_all(tmp_path, asked, Kind.ELASTIC, Heard())
    rows = read_runs(tmp_path).rows
    assert [(row.alpha, row.status, row.top1_percent, row.checkpoint) for row in rows] == [
        (0.0, "diverged", None, None),
        (0.5, "diverged", None, None),
    ]
    assert "lower learning_rate" in str(rows[0].reason)
    assert left(tmp_path, asked, Kind.ELASTIC) == ()


def test_an_alpha_without_a_form_gives_no_row(tmp_path: Path) -> None:
    """It is a fault of the recipe, told before the first epoch."""
    asked = recipe(alphas=({"nowhere": Decimal("0.5")},))
    with pytest.raises(ConversionError, match="'nowhere' matches no convolution"):
        run_all(tmp_path, asked, Kind.TRAINED, Heard())
    assert read_runs(tmp_path).rows == ()


def test_a_damaged_unfinished_checkpoint(tmp_path: Path) -> None:
    """It says that it is of this training, and holds something else: one line with a way out."""
    (task,) = left(tmp_path, recipe(alphas=(Decimal(0),)), Kind.TRAINED)
    file = task.file(tmp_path, unfinished=True)
    for content in ({}, {"training": 5}, {"training": {"learner": {}}}):
        write_checkpoint(file, task, content)
        with pytest.raises(UsageError) as caught:
            experiment(tmp_path).run(task, Heard())
        assert str(caught.value) == f"{file}: is damaged; remove it to train from the beginning"
    assert file.exists()


def test_what_failed_for_memory_goes_on_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The epochs done are kept."""
    asked = recipe(alphas=(Decimal(0),))

    def hungry(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(module, "_asked", hungry)
        run_all(tmp_path, asked, Kind.TRAINED, Heard())
    heard = Heard()
    run_all(tmp_path, asked, Kind.TRAINED, heard)
    assert heard.lines[0] == ("started", Decimal(0), 2)
    assert [row.status for row in read_runs(tmp_path).rows] == ["trained"] * 2
    assert not list(tmp_path.rglob("*unfinished*"))


def test_a_want_of_memory_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is not."""

    def hungry(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore")

    monkeypatch.setattr(module, "Training", hungry)
    run_all(tmp_path, recipe(alphas=(Decimal(0),)), Kind.TRAINED, Heard())
    (row,) = read_runs(tmp_path).rows
    assert (row.status, row.reason) == ("failed", "CUDA out of memory. Tried to allocate 2.00 GiB")

    def wrong(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(module, "Training", wrong)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        run_all(tmp_path, recipe(alphas=(Decimal(0),)), Kind.TRAINED, Heard())


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends the run in one line; no row, nothing half-written."""

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publish.os, "fsync", full)
    with pytest.raises(StoreError, match="the disk is full"):
        run_all(tmp_path, recipe(), Kind.TRAINED, Heard())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_watcher_hears_how_it_goes(tmp_path: Path) -> None:
    """From beginning to end."""
    heard = Heard()
    run_all(tmp_path, recipe(alphas=(Decimal(0),)), Kind.TRAINED, heard)
    assert heard.lines == [
        ("started", Decimal(0), 0),
        ("epoch", Decimal(0), 1),
        ("epoch", Decimal(0), 2),
        ("ended", Decimal(0), ["trained", "trained"]),
    ]
