"""`octprobe accuracy train`, `elastic` and `at`: recipes in, weights and accuracies out."""

import contextlib
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from octprobe.accuracy import crew
from octprobe.accuracy.checkpoint import Task
from octprobe.accuracy.claim import claimed
from octprobe.accuracy.experiment import Experiment, tasks_of
from octprobe.accuracy.sources import find_data
from octprobe.commands import machine
from octprobe.commands.accuracy import accuracy
from octprobe.commands.training_view import TrainingView
from octprobe.errors import OctprobeError, SpecError, StoreError, UsageError
from octprobe.networks import network_fault
from octprobe.plan.recipe import Kind, read_recipe
from octprobe.store.accuracy_runs import read_runs
from trainings import FASHION, stripes, write_fashion, write_images

RECIPE = """\
version: 1
name: tiny
network: trainings:tiny
dataset: fashion-mnist
device: cpu
epochs: 2
batch: 16
learning_rate: 0.05
validation: 20
statistics_images: 64
alphas: [0, 0.5]
seeds: [0, 1]
"""


@pytest.fixture(autouse=True)
def _looked_up_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look the tests' own factories up in this process, where the command starts one, which takes seconds."""
    monkeypatch.setattr(machine, "_factory_fault", lambda name: network_fault(name, allow_import=True))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give stripes in the form of Fashion-MNIST's files."""
    return write_fashion(tmp_path / "data", stripes(84), stripes(30, 1))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the recipe."""
    path = tmp_path / "tiny.yaml"
    path.write_text(RECIPE)
    return path


def run(*arguments: object) -> Result:
    """Run a command."""
    return CliRunner().invoke(accuracy, [str(part) for part in arguments], catch_exceptions=False)


def trained(command: str, file: Path, data: Path, *more: object, expect: int = 0) -> str:
    """Train, and give standard output."""
    result = run(command, file, "--data", data, "--store", file.parent / "store", "--allow-import", *more)
    assert result.exit_code == expect, result.output
    return result.stdout


def test_training_tells_how_it_goes(file: Path, data: Path) -> None:
    """A line an epoch with ETA, a line a training, the table; given again, nothing is trained."""
    lines = trained("train", file, data).splitlines()
    assert lines[0] == "4 trainings to do, of 8 epochs."
    assert lines[1].startswith("trainings:tiny alpha 0, seed 0: epoch 1/2, loss ")
    assert "; ETA " in lines[1]
    assert lines[3].startswith("trainings:tiny alpha 0, seed 0: test top-1 ")
    assert [line.split()[1:2] for line in lines if line.startswith("    0")] == [["trained"]]
    again = trained("train", file, data).splitlines()
    assert again[0] == "0 trainings to do, of 0 epochs; 4 are done already and are kept."
    assert len(read_runs(file.parent / "store").rows) == 2 * 2 * 2


def test_summary_as_json(file: Path, data: Path) -> None:
    """Alone on standard output; an elastic training counts once."""
    found = json.loads(trained("elastic", file, data, "--json"))
    assert found == {
        **{"planned": 2, "resumed": 0, "trained": 2, "diverged": 0, "failed": 0, "elsewhere": 0},
        "store": str(file.parent / "store"),
    }


def test_two_data_sets_in_one_store_are_two(file: Path, data: Path, tmp_path: Path) -> None:
    """Files of other images: all is trained anew, with weights of their own, and shown as another family."""
    file.write_text(RECIPE.replace("[0, 1]", "[0]"))
    other = write_fashion(tmp_path / "other" / "data", stripes(84, 2), stripes(30, 1))
    trained("elastic", file, data)
    output = trained("elastic", file, other)
    assert output.startswith("1 trainings to do, of 2 epochs.\n")
    rows = read_runs(file.parent / "store").rows
    names = {row.dataset for row in rows}
    assert len(names) == 2
    assert all(name.startswith("fashion-mnist-") for name in names)
    assert len({row.checkpoint for row in rows}) == 2
    assert len(list((file.parent / "store" / "accuracy" / "checkpoints").glob("*.pt"))) == 2
    assert sum(line.startswith("elastic ") for line in output.splitlines()) == 2
    assert trained("elastic", file, data).startswith("0 trainings to do")


IN_COLOUR = """\
version: 1
name: colourful
network: trainings:colourful
dataset: imagefolder
device: cpu
resolution: 6
epochs: 2
learning_rate: 0.05
validation: 2
alphas: [0]
"""


def test_two_folders_of_one_name_are_two_data_sets(tmp_path: Path) -> None:
    """Nothing of one is taken for the other's: no rows, and nothing that a training goes on from."""
    file, folders = tmp_path / "colourful.yaml", [tmp_path / place / "pets" for place in ("a", "b")]
    file.write_text(IN_COLOUR)
    for folder, dogs in zip(folders, (3, 4), strict=True):
        for part in ("train", "val"):
            write_images(folder / part, {"cat": 3, "dog": dogs})

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingView, "epoch", stop)
        run("train", file, "--data", folders[0], "--store", tmp_path / "store", "--allow-import")
    other, first = (trained("train", file, folder) for folder in reversed(folders))
    assert "goes on after" not in other
    assert "goes on after epoch 1 of 2" in first
    rows = read_runs(tmp_path / "store").rows
    assert {(row.dataset, row.images) for row in rows if row.split == "test"} == {
        (find_data(read_recipe(file), folder).name, 3 + dogs)
        for folder, dogs in zip(folders, (3, 4), strict=True)
    }
    assert {row.dataset.rpartition("-")[0] for row in rows} == {"pets"}


def test_divergence_is_exit_code_1(file: Path, data: Path) -> None:
    """With its reason on its own line; the next run does not try it again."""
    file.write_text(RECIPE.replace("0.05", "1.0e+30"))
    output = trained("train", file, data, expect=1)
    assert "seed 0: diverged: the loss became " in output
    assert trained("train", file, data).startswith("0 trainings to do")


def test_ctrl_c_keeps_what_is_done(file: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and the same command goes on after the last epoch."""
    whole = Experiment.run
    calls: list[int] = []

    def interrupted(self: Experiment, task: object, watch: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(self, task, watch)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Experiment, "run", interrupted)
    result = CliRunner().invoke(
        accuracy,
        ["train", str(file), "--data", str(data), "--store", str(file.parent / "s"), "--allow-import"],
    )
    assert result.exit_code != 0
    assert "Ended early; the epochs done are kept, and the same command goes on after them." in result.output
    assert len(read_runs(file.parent / "s").rows) == 2


def test_at_any_alpha(file: Path, data: Path) -> None:
    """An elastic checkpoint serves alphas and maps never trained; rows that are new are kept on request."""
    trained("elastic", file, data)
    store = file.parent / "store"
    before = read_runs(store).rows
    checkpoint = store / str(before[0].checkpoint)
    asked = ("at", checkpoint, "--data", data, "--allow-import", "--device", "cpu")
    options = ("--alpha", "0.5", "--alpha", "0.25", "--alpha", "layer1=0.5", "--split", "test")
    rows = json.loads(run(*asked, *options, "--store", store, "--json").stdout)
    assert [(row["alpha"], row["alpha_map"], row["images"]) for row in rows] == [
        (0.5, None, 30),
        (0.25, None, 30),
        (None, '{"layer1": 0.5}', 30),
    ]
    half = next(row for row in before if (row.alpha, row.split, row.seed) == (0.5, "test", 0))
    assert rows[0]["top1_percent"] == half.top1_percent
    after = read_runs(store).rows
    assert len(after) == len(before) + 2
    assert after[: len(before)] == before
    table = run(*asked, "--alpha", "0").stdout
    assert "validation images" in table


def test_at_of_a_standalone_checkpoint(file: Path, data: Path) -> None:
    """It has one alpha, and says so; another folder of data is refused."""
    trained("train", file, data)
    store = file.parent / "store"
    checkpoint = next((store / "accuracy" / "checkpoints").glob("*alpha0.5-seed0.pt"))
    with pytest.raises(UsageError, match=r"was trained at alpha 0\.5 alone, not at 0\.25"):
        run("at", checkpoint, "--data", data, "--allow-import", "--alpha", "0.25")
    with pytest.raises(UsageError, match="holds no train-images"):
        run("at", checkpoint, "--data", store, "--allow-import", "--alpha", "0.5")


def test_faults_of_a_recipe_and_its_place(file: Path, data: Path) -> None:
    """No store comes into being for a recipe that cannot be trained."""
    with pytest.raises(SpecError, match=r"tiny\.yaml:3:10: network: .*--allow-import"):
        run("train", file, "--data", data, "--store", file.parent / "store")
    with pytest.raises(UsageError, match="holds no train-images"):
        run("train", file, "--data", file.parent, "--store", file.parent / "store", "--allow-import")
    assert not (file.parent / "store").exists()


@pytest.mark.parametrize(
    ("command", "old", "new", "rule"),
    [
        (
            "train",
            "[0, 0.5]",
            "[0, {nolayer: 0.5}]",
            r"tiny\.yaml:11:13: alphas\[1\]: alpha map: 'nolayer' matches no conv",
        ),
        (
            "elastic",
            "epochs: 2",
            "epochs: 2\nresolution: 4\nimages: 1",
            "does not learn from images of 4 pixels, 1 at a time",
        ),
        (
            "train",
            "validation: 20",
            "validation: 84",
            "validation: 84 of 84 training images leave none to train on",
        ),
        ("elastic", "device: cpu", "device: cuda:99", "cuda"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_a_word(
    file: Path, data: Path, command: str, old: str, new: str, rule: str
) -> None:
    """By one fault at its place: no line speaks of trainings to do, and no store comes into being."""
    file.write_text(RECIPE.replace(old, new))
    store = file.parent / "store"
    result = CliRunner().invoke(
        accuracy, [command, str(file), "--data", str(data), "--store", str(store), "--allow-import"]
    )
    assert isinstance(result.exception, OctprobeError)
    assert re.search(rule, str(result.exception)), result.exception
    assert result.exception.exit_code == 2
    assert result.output == ""
    assert not store.exists()


def test_a_store_that_cannot_be_written_is_refused_first(file: Path, data: Path) -> None:
    """Before the data are read, and before a word of trainings."""
    (file.parent / "store").write_text("a file")
    with pytest.raises(StoreError, match="a file is in the way of this folder"):
        trained("train", file, data)


def first_task(file: Path, data: Path) -> Task:
    """Give the first training of a recipe."""
    recipe = read_recipe(file)
    return tasks_of(recipe, Kind.TRAINED, find_data(recipe, data).name)[0]


def test_what_killed_processes_leave_is_removed(file: Path, data: Path) -> None:
    """When the command is given again, though there is nothing to do."""
    store = file.parent / "store"
    trained("train", file, data)
    folder = store / "accuracy" / "checkpoints"
    kept = sorted(folder.iterdir())
    left = [first_task(file, data).file(store, unfinished=True), first_task(file, data).claim(store)]
    left += [folder / "_half.pt.1a2b3c4d.tmp", store / "accuracy" / "_half.parquet.1a2b3c4d.tmp"]
    for each in left:
        each.touch()
    trained("train", file, data)
    assert sorted(folder.iterdir()) == kept
    assert not any(each.exists() for each in left)


def test_what_another_process_has_in_hand_is_waited_for(
    file: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is trained, a line tells who is waited for, and what came of it is counted."""
    store, pauses = file.parent / "store", []
    with contextlib.ExitStack() as theirs:
        theirs.enter_context(claimed(first_task(file, data), store))

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            theirs.close()

        monkeypatch.setattr(crew.time, "sleep", pause)
        lines = trained("train", file, data).splitlines()
    assert pauses == [2]
    (waiting,) = [place for place, line in enumerate(lines) if "in hand elsewhere" in line]
    assert lines[waiting].startswith(
        "1 training is in hand elsewhere, trainings:tiny alpha 0, seed 0 with process "
    )
    assert sum("test top-1" in line for line in lines[:waiting]) == 3
    assert lines[waiting + 1].startswith("trainings:tiny alpha 0, seed 0: epoch 1/2")


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_an_epoch_of_fashion_mnist(tmp_path: Path, repository: Path) -> None:
    """The shipped recipe over 2,000 images: the loss falls, and every alpha of it answers."""
    text = (repository / "sweeps" / "fashion_elastic.yaml").read_text()
    lines = [
        line for line in text.splitlines() if line.partition(":")[0] not in ("epochs", "seeds", "warmup")
    ]
    file = tmp_path / "quick.yaml"
    file.write_text("\n".join([*lines, "epochs: 2", "seeds: [0]", "images: 2000", "statistics_images: 1000"]))
    result = run("elastic", file, "--store", tmp_path / "s")
    assert result.exit_code == 0, result.output
    told = [
        float(line.split("loss ")[1].split(";")[0]) for line in result.output.splitlines() if "loss" in line
    ]
    assert told[1] < told[0]
    rows = [row for row in read_runs(tmp_path / "s").rows if row.split == "validation"]
    assert [row.alpha for row in rows] == [0.0, 0.25, 0.5, 0.75]
    assert all(row.images == 5000 and row.top1_percent is not None for row in rows)
    asked = run(
        "at", tmp_path / "s" / str(rows[0].checkpoint), "--alpha", "0.375", "--alpha", "layer2=0.5", "--json"
    )
    assert [row["images"] for row in json.loads(asked.stdout)] == [5000, 5000]


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_resumed_fashion_mnist_equals_unbroken(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped recipe over 2,000 images, stopped after its first epoch: the same answers bit by bit."""
    text = (repository / "sweeps" / "fashion.yaml").read_text()
    dropped = ("epochs", "seeds", "warmup", "alphas")
    lines = [line for line in text.splitlines() if line.partition(":")[0] not in dropped]
    file = tmp_path / "quick.yaml"
    short = ["epochs: 2", "seeds: [0]", "alphas: [0.5]", "images: 2000", "statistics_images: 1000"]
    file.write_text("\n".join([*lines, *short]))
    run("train", file, "--store", tmp_path / "whole")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainingView, "epoch", stop)
        run("train", file, "--store", tmp_path / "broken")
    assert read_runs(tmp_path / "broken").rows == ()
    assert "goes on after epoch 1 of 2" in run("train", file, "--store", tmp_path / "broken").output
    whole, broken = (read_runs(tmp_path / name).rows for name in ("whole", "broken"))
    assert [row.correct for row in whole] == [row.correct for row in broken]
    assert [row.loss for row in whole] == [row.loss for row in broken]
