"""Checkpoints: whole or not at all, and no code in them."""

import errno
import pickle
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch

from octprobe.accuracy.checkpoint import Task, read_finished, read_unfinished, write_checkpoint
from octprobe.accuracy.standalone import Standalone
from octprobe.errors import StoreError, UsageError
from octprobe.plan.recipe import Kind
from octprobe.store import publish
from trainings import recipe, tiny

MAP = (("layer1", Decimal("0.25")), ("layer2.*", Decimal("0.5")))


def task(alpha: Any = Decimal("0.5"), seed: int = 3, dataset: str = "stripes") -> Task:
    """Give a training."""
    return Task(
        recipe=recipe(alphas=(Decimal(0), Decimal("0.5"), dict(MAP))),
        kind=Kind.ELASTIC if alpha is None else Kind.TRAINED,
        alpha=alpha,
        seed=seed,
        dataset=dataset,
    )


@pytest.mark.parametrize("alpha", [Decimal("0.5"), MAP, None])
def test_what_is_written_is_read(tmp_path: Path, alpha: object) -> None:
    """With the training that it is of; an alpha map's comes back as it was."""
    file = task(alpha).file(tmp_path)
    write_checkpoint(file, task(alpha), {"state_dict": tiny().state_dict()})
    found = read_finished(str(file))
    assert (found.file, found.task, found.dataset) == (str(file), task(alpha), "stripes")
    tiny().load_state_dict(found.state, strict=True)


def test_each_training_has_a_file_of_its_own(tmp_path: Path) -> None:
    """By kind, recipe, data set, alpha and seed; an unfinished one beside it, and who has it in hand."""
    tasks = [task(), task(seed=4), task(MAP), task(None), task(Decimal(0)), task(dataset="stripes-1a2b3c4d")]
    files = {t.file(tmp_path, unfinished=u) for t in tasks for u in (True, False)}
    files |= {t.claim(tmp_path) for t in tasks}
    assert len(files) == 18
    assert {file.parent for file in files} == {tmp_path / "accuracy" / "checkpoints"}
    name = f"trained-{task().recipe.digest(Kind.TRAINED)[:8]}-stripes-alpha0.5-seed3"
    assert task().file(tmp_path).name == f"tiny-{name}.pt"
    assert task().file(tmp_path, unfinished=True).name == f"tiny-{name}.unfinished.pt"
    assert task().claim(tmp_path).name == f"{name}.claim"
    assert replace(task(), recipe=recipe(name="other")).claim(tmp_path) == task().claim(tmp_path)


@pytest.mark.parametrize("dataset", ["a/b", "my pets-1a2b3c4d", "x" * 300, "..", "Ünï"])
def test_any_name_of_a_data_set_makes_a_file(tmp_path: Path, dataset: str) -> None:
    """In the same folder, and another one for each; the checkpoint knows the whole name."""
    file = task(dataset=dataset).file(tmp_path)
    assert file.parent == task().file(tmp_path).parent
    assert file != task(dataset=f"{dataset}!").file(tmp_path)
    write_checkpoint(file, task(dataset=dataset), {"state_dict": {}})
    assert read_finished(str(file)).dataset == dataset


def test_checkpoints_of_before_are_read(tmp_path: Path) -> None:
    """They hold the data set's name beside the weights, as these do."""
    file = tmp_path / "old.pt"
    write_checkpoint(file, task(), {"state_dict": {}})
    held = torch.load(file, weights_only=True)
    assert held["octprobe_accuracy"] == 1
    old = {name: held[name] for name in ("octprobe_accuracy", "kind", "digest", "alpha", "seed", "recipe")}
    torch.save(old | {"state_dict": {}, "dataset": "fashion-mnist"}, file)
    assert read_finished(str(file)).task == replace(task(), dataset="fashion-mnist")


def test_weights_are_put_into_their_network(tmp_path: Path) -> None:
    """What does not fit is told with the file's name."""
    file = tmp_path / "w.pt"
    learner, other = (Standalone(tiny(), Decimal(0), recipe(), torch.zeros(1, 1, 12, 12)) for _ in range(2))
    write_checkpoint(file, task(Decimal(0)), {"state_dict": other.state_dict()})
    read_finished(str(file)).put_into(learner)
    assert torch.equal(learner.state_dict()["conv1.weight"], other.state_dict()["conv1.weight"])
    write_checkpoint(file, task(Decimal(0)), {"state_dict": other.state_dict() | {"conv1.weight": 1.0}})
    with pytest.raises(UsageError) as caught:
        read_finished(str(file)).put_into(learner)
    assert str(caught.value) == (
        f"{file}: the checkpoint is damaged: it does not hold plain tensors by name; get it anew"
    )


def test_another_data_set_is_told(tmp_path: Path) -> None:
    """With both names; the same one is not."""
    file = tmp_path / "w.pt"
    write_checkpoint(file, task(), {"state_dict": {}})
    found = read_finished(str(file))
    assert found.note_on("stripes") is None
    assert found.note_on("stripes-1a2b3c4d") == (
        f"{file}: was trained on stripes, and is asked about stripes-1a2b3c4d: the answers are kept under "
        "that name, apart from those of the training"
    )


def test_other_programs_can_read_the_weights(tmp_path: Path) -> None:
    """They lie under `state_dict`, where `octprobe export --weights` looks."""
    from octprobe.weights.checkpoint import read_checkpoint

    file = tmp_path / "w.pt"
    written = tiny().state_dict()
    write_checkpoint(file, task(), {"state_dict": written})
    read = read_checkpoint(str(file))
    assert list(read) == list(written)
    assert all(torch.equal(read[name], tensor) for name, tensor in written.items())


class Evil:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Give what pickle would call."""
        return (print, ("code ran",))


@pytest.mark.parametrize("read", [read_finished, lambda path: read_unfinished(Path(path), task())])
def test_code_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], read: object) -> None:
    """A pickle that would call a function is refused in one line."""
    file = tmp_path / "evil.pt"
    file.write_bytes(pickle.dumps({"octprobe_accuracy": 1, "state_dict": Evil()}))
    with pytest.raises(UsageError, match=r"hold print|are no checkpoint") as caught:
        read(str(file))  # type: ignore[operator]  # either reader
    assert "\n" not in str(caught.value)
    assert "code ran" not in capsys.readouterr().out
    torch.save({"state_dict": Evil()}, file)
    with pytest.raises(UsageError, match=r"hold print, and only tensors are read"):
        read(str(file))  # type: ignore[operator]  # either reader
    assert "code ran" not in capsys.readouterr().out


def test_a_file_of_something_else(tmp_path: Path) -> None:
    """Another program's weights, a damaged file and no file are one line each."""
    file = tmp_path / "other.pt"
    torch.save(tiny().state_dict(), file)
    with pytest.raises(UsageError, match="is no checkpoint of `octprobe accuracy`"):
        read_finished(str(file))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UsageError, match="cut short"):
        read_finished(str(file))
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_finished(str(tmp_path / "none.pt"))


def test_an_unfinished_one_of_another_training(tmp_path: Path) -> None:
    """Of another seed or of other images: it is not gone on from; none at all is a beginning."""
    file = tmp_path / "u.pt"
    assert read_unfinished(file, task()) is None
    for other in (task(seed=4), task(dataset="stripes-1a2b3c4d")):
        write_checkpoint(file, other, {"training": {}})
        with pytest.raises(UsageError, match="is of another training; remove it to train from the beginning"):
            read_unfinished(file, task())
    file.write_bytes(b"")
    with pytest.raises(UsageError, match="an empty file; get them anew; remove the file to train"):
        read_unfinished(file, task())


def test_a_name_more_in_the_recipe_changes_no_training(tmp_path: Path) -> None:
    """Alphas and seeds added to a recipe leave what was begun."""
    file = tmp_path / "u.pt"
    write_checkpoint(file, task(), {"training": {"a": 1}})
    more = replace(task(), recipe=recipe(seeds=(3, 4, 5)))
    held = read_unfinished(file, more)
    assert held is not None
    assert held["training"] == {"a": 1}


def test_a_full_disk_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and nothing half-written stays."""
    file = tmp_path / "u.pt"
    write_checkpoint(file, task(), {"training": {"epoch": 1}})

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publish.os, "fsync", full)
    with pytest.raises(StoreError, match=r"the disk is full\. Free some space and run again"):
        write_checkpoint(file, task(), {"training": {"epoch": 2}})
    assert [path.name for path in tmp_path.iterdir()] == ["u.pt"]
    held = read_unfinished(file, task())
    assert held is not None
    assert held["training"] == {"epoch": 1}
