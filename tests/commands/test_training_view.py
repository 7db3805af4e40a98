"""How trainings go, for a person."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from octprobe.accuracy.checkpoint import Task
from octprobe.accuracy.loop import Progress
from octprobe.commands import training_view
from octprobe.commands.training_view import TerminalTrainingView, TrainingView
from octprobe.plan.recipe import Kind
from octprobe.store.file_lock import Holder
from runs import run_of
from trainings import recipe


def task(seed: int = 0) -> Task:
    """Give a training of four epochs."""
    return Task(
        recipe=recipe(epochs=4), kind=Kind.TRAINED, alpha=Decimal("0.5"), seed=seed, dataset="stripes"
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give a clock that a test sets."""
    now = [100.0]
    monkeypatch.setattr(training_view.time, "monotonic", lambda: now[0])
    return now


def test_eta_is_of_this_runs_pace(clock: list[float]) -> None:
    """An earlier run's epochs are neither to do nor a pace; a training that ended early has none left."""
    stream = io.StringIO()
    view = TrainingView([task(), task(1)], 3, stream)
    assert view.eta == "ETA after the first epoch"
    view.started(task(), 2)
    clock[0] += 10
    view.epoch(task(), Progress(losses=(3.0, 2.0, 1.0)))
    assert view.eta == "ETA 50 s"
    clock[0] += 10
    view.epoch(task(), Progress(losses=(3.0, 2.0, 1.0, 0.5)))
    view.ended(task(), [run_of(900, split="validation"), run_of(893)])
    view.started(task(1), 0)
    clock[0] += 10
    view.epoch(task(1), Progress(losses=(float("nan"),)))
    view.ended(task(1), [run_of(0, status="diverged", reason="the loss became nan", epochs=1)])
    assert view.eta == "all done"
    assert stream.getvalue().splitlines() == [
        "2 trainings to do, of 8 epochs; 3 are done already and are kept.",
        "trainings:tiny alpha 0.5, seed 0: goes on after epoch 2 of 4",
        "trainings:tiny alpha 0.5, seed 0: epoch 3/4, loss 1.0000; ETA 50 s",
        "trainings:tiny alpha 0.5, seed 0: epoch 4/4, loss 0.5000; ETA 40 s",
        "trainings:tiny alpha 0.5, seed 0: test top-1 89.30 %, in 1 min 15 s",
        "trainings:tiny alpha 0.5, seed 1: epoch 1/4, loss nan; ETA 30 s",
        "trainings:tiny alpha 0.5, seed 1: diverged: the loss became nan",
    ]


def test_what_others_have_in_hand(clock: list[float]) -> None:
    """Who has it, and what came of it; it needs no time here."""
    stream = io.StringIO()
    view = TrainingView([task(), task(1), task(2)], 0, stream)
    view.started(task(), 0)
    clock[0] += 10
    view.epoch(task(), Progress(losses=(1.0,)))
    view.taken(task(1), [run_of(900, split="validation"), run_of(893)])
    assert view.eta == "ETA 1 min 10 s"
    view.waiting([task(2)], Holder(7, "octprobe accuracy train x.yaml", "2026-01-02T03:04:05+00:00"))
    view.waiting([task(2), task(3)], None)
    view.taken(task(2), [run_of(0, status="failed", reason="out of memory")])
    assert stream.getvalue().splitlines()[2:] == [
        "trainings:tiny alpha 0.5, seed 1: ended elsewhere: test top-1 89.30 %, in 1 min 15 s",
        "1 training is in hand elsewhere, trainings:tiny alpha 0.5, seed 2 with process 7 (octprobe accuracy "
        "train x.yaml) since 2026-01-02T03:04:05+00:00; waiting for the end.",
        "2 trainings are in hand elsewhere; waiting for the end.",
        "trainings:tiny alpha 0.5, seed 2: ended elsewhere: failed: out of memory",
    ]


def test_figures_of_an_elastic_training_say_their_alpha(clock: list[float]) -> None:
    """And those of a map which; the split that was asked last is told."""
    stream = io.StringIO()
    elastic = replace(task(), kind=Kind.ELASTIC, alpha=None)
    more = {"kind": "elastic", "alpha": None, "alpha_map": '{"layer1": 0.5}'}
    rows = [run_of(900, split="validation", alpha=0.0), run_of(893, alpha=0.0), run_of(880, **more)]
    TrainingView([elastic], 0, stream).ended(elastic, rows)
    assert stream.getvalue().splitlines()[-1] == (
        "trainings:tiny every alpha, seed 0: test top-1 89.30 % at alpha 0, "
        '88.00 % at alpha {"layer1": 0.5}, in 1 min 15 s'
    )


def test_a_terminal_has_a_bar_and_a_line_a_training(clock: list[float]) -> None:
    """Epochs are the bar's; brackets are no markup."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    view = TerminalTrainingView([task()], 0, console)
    view.started(task(), 0)
    view.epoch(task(), Progress(losses=(1.5,)))
    view.say("[bold]told[/bold]")
    view.ended(task(), [run_of(893)])
    view.taken(task(1), [run_of(893)])
    view.close()
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "[bold]told[/bold]" in text
    assert "test top-1 89.30 %" in text
    assert "epoch 1/4" not in [line.strip() for line in text.splitlines()]


def test_a_reader_that_left_ends_no_training() -> None:
    """Nor does a full disk under the log."""
    stream = io.StringIO()
    stream.close()
    view = TrainingView([task()], 0, stream)
    view.say("on")
    assert stream.closed
    view.close()
