"""Processes that are killed at the worst moments, and several at once on one store."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import crew_member
from octprobe.accuracy.checkpoint import checkpoint_folder, read_finished
from octprobe.accuracy.claim import remove_traces
from octprobe.accuracy.crew import Crew
from octprobe.accuracy.experiment import pending, tasks_of
from octprobe.plan.recipe import Kind
from octprobe.store.accuracy_runs import read_runs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
# What is to be the same however often a training was killed: all but the times.
FIGURES = (
    *("kind", "alpha", "seed", "split", "status", "correct", "top1_percent", "top5_percent"),
    *("images_seen", "epochs", "loss", "macs", "parameters", "checkpoint"),
)


def member(store: Path, kind: Kind, moment: str) -> "subprocess.Popen[str]":
    """Start a process of the crew, with as many threads as this one has."""
    script = [sys.executable, str(ROOT / "tests" / "crew_member.py")]
    return subprocess.Popen(
        [*script, str(store), kind, str(torch.get_num_threads()), moment],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Quiet(crew_member.Teller):
    """Remembers instead of telling."""

    def __init__(self) -> None:
        super().__init__(waits=False)
        self.epochs_done: dict[str, int] = {}

    def started(self, task: Any, epochs_done: int) -> None:
        """Take it down."""
        self.epochs_done[crew_member.label(task)] = epochs_done


def finish(store: Path, kind: Kind) -> Quiet:
    """Do what is left in this process, as the command does; nobody is waited for."""
    quiet, rows = Quiet(), read_runs(store).rows
    tasks = tasks_of(crew_member.asked(), kind, "stripes")
    todo = pending(tasks, rows)
    remove_traces(store, [task for task in tasks if task not in todo])
    crew = Crew(crew_member.experiment(store), rows, quiet, pause=lambda: pytest.fail("waited"))
    crew.work_off(todo)
    return quiet


def figures(store: Path) -> list[tuple[Any, ...]]:
    """Give the figures of a store."""
    rows = read_runs(store).rows
    return sorted((tuple(getattr(row, name) for name in FIGURES) for row in rows), key=str)


def same(one: Any, other: Any) -> bool:
    """Compare what checkpoints hold to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """Give stores of trainings that nobody killed."""
    stores = {kind: tmp_path_factory.mktemp(kind) for kind in (Kind.TRAINED, Kind.ELASTIC)}
    for kind, store in stores.items():
        finish(store, kind)
    return stores


@pytest.mark.parametrize(
    ("kind", "moment", "epochs_done"),
    [
        (Kind.TRAINED, "after an epoch", {"0/0": 1, "0.5/0": 0, "0/1": 0, "0.5/1": 0}),
        (Kind.TRAINED, "amid writing", {"0/0": 0, "0.5/0": 0, "0/1": 0, "0.5/1": 0}),
        (Kind.TRAINED, "after the rows", {"0.5/0": 0, "0/1": 0, "0.5/1": 0}),
        (Kind.ELASTIC, "after an epoch", {"None/0": 1, "None/1": 0}),
        (Kind.ELASTIC, "before the rows", {"None/0": 3, "None/1": 0}),
    ],
)
def test_killed_equals_unbroken(
    tmp_path: Path, unbroken: dict[Kind, Path], kind: Kind, moment: str, epochs_done: dict[str, int]
) -> None:
    """By a SIGKILL, which no handler hears: the same weights and answers to the bit, and no trace is left."""
    with member(tmp_path, kind, moment) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("*.claim"))
    assert list(tmp_path.rglob("*.unfinished.pt")) or list(tmp_path.rglob("_*.tmp"))
    assert finish(tmp_path, kind).epochs_done == epochs_done
    assert figures(tmp_path) == figures(unbroken[kind])
    names = sorted(path.name for path in checkpoint_folder(tmp_path).iterdir())
    assert names == sorted(path.name for path in checkpoint_folder(unbroken[kind]).iterdir())
    for name in names:
        ours, theirs = (
            read_finished(str(checkpoint_folder(store) / name)) for store in (tmp_path, unbroken[kind])
        )
        assert same(ours.state, theirs.state), name


def lines(process: "subprocess.Popen[str]", last: str) -> list[str]:
    """Hear what a process tells, up to a line that begins so."""
    assert process.stdout is not None
    heard: list[str] = []
    while not heard or not heard[-1].startswith(last):
        line = process.stdout.readline()
        assert line, heard
        heard.append(line.rstrip())
    return heard


def begun(store: Path, first: "subprocess.Popen[str]", second: "subprocess.Popen[str]") -> None:
    """Follow two processes until the second has done all but what the first one has in hand."""
    assert lines(first, "in hand") == ["started 0/0 0", "in hand"]
    assert second.stdin is not None
    second.stdin.write("begin\n")
    second.stdin.flush()
    told = lines(second, "waiting")
    assert told == ["started 0.5/0 0", "started 0/1 0", "started 0.5/1 0", f"waiting for {first.pid}"]
    assert list(store.rglob("*.claim")) == [
        tasks_of(crew_member.asked(), Kind.TRAINED, "stripes")[0].claim(store)
    ]


def test_two_processes_share_the_work(tmp_path: Path, unbroken: dict[Kind, Path]) -> None:
    """What one has in hand the other passes over and waits for; each is done once, to the same bits."""
    with (
        member(tmp_path, Kind.TRAINED, "waits amid its first training") as first,
        member(tmp_path, Kind.TRAINED, "waits before it begins") as second,
    ):
        begun(tmp_path, first, second)
        told, _ = first.communicate("go on\n")
        assert told.splitlines() == ["taken 0.5/0", "taken 0/1", "taken 0.5/1"]
        told, _ = second.communicate("look again\n")
        assert told.splitlines() == ["taken 0/0"]
    assert (first.returncode, second.returncode) == (0, 0)
    assert figures(tmp_path) == figures(unbroken[Kind.TRAINED])
    assert len(list((tmp_path / "accuracy").glob("*.parquet"))) == 4
    assert not list(tmp_path.rglob("*.claim")) + list(tmp_path.rglob("*.unfinished.pt"))


def test_who_waits_takes_over_from_who_is_killed(tmp_path: Path, unbroken: dict[Kind, Path]) -> None:
    """It goes on after the last epoch that was done, to the same bits."""
    with (
        member(tmp_path, Kind.TRAINED, "waits amid its first training") as first,
        member(tmp_path, Kind.TRAINED, "waits before it begins") as second,
    ):
        begun(tmp_path, first, second)
        first.kill()
        first.communicate()
        told, _ = second.communicate("look again\n")
        assert told.splitlines() == ["started 0/0 1"]
    assert figures(tmp_path) == figures(unbroken[Kind.TRAINED])
    assert not list(tmp_path.rglob("*.claim")) + list(tmp_path.rglob("*.unfinished.pt"))
