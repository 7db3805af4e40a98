"""`octprobe accuracy train`, `elastic` and `at`: recipes in, weights and accuracies out."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from octprobe.accuracy.experiment import Experiment
from octprobe.commands.accuracy import accuracy
from octprobe.errors import SpecError, UsageError
from octprobe.store.accuracy_runs import read_runs
from trainings import FASHION, stripes

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
def _importable(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    """Let the process that looks a factory up find the tests' own."""
    monkeypatch.setenv("PYTHONPATH", str(repository / "tests"), prepend=os.pathsep)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give stripes in the form of Fashion-MNIST's files."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, images in (("train", stripes(84)), ("t10k", stripes(30, 1))):
        for kind, values in (
            ("images-idx3", images.images[:, 0].numpy()),
            ("labels-idx1", images.labels.numpy().astype(np.uint8)),
        ):
            head = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
            (folder / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + values.tobytes()))
    return folder


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
        **{"planned": 2, "resumed": 0, "trained": 2, "diverged": 0, "failed": 0},
        "store": str(file.parent / "store"),
    }


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
    from octprobe.commands.training_view import TrainingView

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
