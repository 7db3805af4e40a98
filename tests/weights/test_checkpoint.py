"""What a checkpoint file may hold, and what any other file is told."""

import argparse
import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from octprobe.errors import UsageError
from octprobe.weights.checkpoint import read_checkpoint

TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2, dtype=torch.float16)}
OTHERS = {"epoch": 3, "optimizer": {"lr": torch.tensor(0.1)}}
ELSE = {"weight": torch.zeros(2, 3)}


def same(read: dict[str, Tensor], written: dict[str, Tensor]) -> bool:
    """Tell whether names, order, values and number formats are the same."""
    alike = (torch.equal(read[name], written[name]) for name in written)
    return list(read) == list(written) and all(alike) and all(t.device.type == "cpu" for t in read.values())


def refusal(file: Path | str) -> str:
    """Give what a file is told, which must be one line that names it."""
    with pytest.raises(UsageError) as caught:
        read_checkpoint(str(file))
    message = str(caught.value)
    assert message.startswith(f"weights {str(file)!r} ")
    assert "\n" not in message
    return message.removeprefix(f"weights {str(file)!r} ")


@pytest.mark.parametrize("ending", ["pth", "pt", "pth.tar", "bin", "ckpt"])
@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_save_are_read_whatever_their_ending(
    ending: str, zipped: bool, tmp_path: Path
) -> None:
    """Both of torch's own formats."""
    file = tmp_path / f"model.{ending}"
    torch.save(TENSORS, file, _use_new_zipfile_serialization=zipped)
    assert same(read_checkpoint(str(file)), TENSORS)


def test_safetensors_are_read(tmp_path: Path) -> None:
    """By their own library; it sorts by name."""
    file = tmp_path / "model.safetensors"
    save_file(TENSORS, file)
    assert same(dict(sorted(read_checkpoint(str(file)).items())), dict(sorted(TENSORS.items())))


def test_a_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell would find it, where a path comes from a sweep file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    torch.save(TENSORS, tmp_path / "model.pth")
    assert same(read_checkpoint("~/model.pth"), TENSORS)


@pytest.mark.parametrize(
    "held",
    [
        {"state_dict": TENSORS} | OTHERS,
        {"model": TENSORS} | OTHERS,
        {"model_state_dict": TENSORS} | OTHERS,
        {"model": {"state_dict": TENSORS, "args": [1]}},
        {"state_dict": ELSE, "state_dict_ema": TENSORS},
        {"model": ELSE, "model_ema": TENSORS} | OTHERS,
        {"model": TENSORS, "model_ema": None},
        {"state_dict": TENSORS, "state_dict_ema": {}},
    ],
)
def test_wrappings_come_off(held: dict[str, Any], tmp_path: Path) -> None:
    """At any depth; running averages are what is meant to be used."""
    torch.save(held, tmp_path / "model.pth")
    assert same(read_checkpoint(str(tmp_path / "model.pth")), TENSORS)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"state_dict": ELSE, "state_dict_ema": TENSORS}, ["state_dict_ema is taken, not state_dict"]),
        (
            {"model": ELSE, "state_dict": ELSE, "model_ema": TENSORS},
            ["model_ema is taken, not state_dict or model"],
        ),
        ({"state_dict": TENSORS, "state_dict_ema": {}}, []),
        ({"state_dict": TENSORS, "epoch": 1}, []),
        (TENSORS, []),
    ],
)
def test_the_log_says_which_of_several_is_taken(
    held: dict[str, Any], said: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A choice made for a person is told; without a choice nothing is said."""
    file = str(tmp_path / "model.pth")
    torch.save(held, file)
    read_checkpoint(file)
    assert caplog.record_tuples == [
        ("octprobe.weights.checkpoint", logging.WARNING, f"weights {file!r}: {line}") for line in said
    ]


def test_a_layer_called_like_a_wrapping_stays(tmp_path: Path) -> None:
    """A tensor under `model` is a tensor."""
    tensors = {"model": torch.ones(1), "state_dict": torch.zeros(2)}
    torch.save(tensors, tmp_path / "model.pth")
    assert same(read_checkpoint(str(tmp_path / "model.pth")), tensors)


class Harm:
    """Would make a folder when unpickled by an ordinary reader."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("zipped", [True, False])
def test_no_code_of_a_file_runs(zipped: bool, tmp_path: Path) -> None:
    """The harm is named, not done."""
    file, trace = tmp_path / "model.pth", tmp_path / "trace"
    torch.save({"state_dict": TENSORS, "harm": Harm(trace)}, file, _use_new_zipfile_serialization=zipped)
    message = refusal(file)
    assert message.startswith("hold posix.mkdir, ")
    assert "only tensors are read, as anything else could run code" in message
    assert not trace.exists()
    torch.load(file, weights_only=False)
    assert trace.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_training_arguments_do_not_hinder(zipped: bool, tmp_path: Path) -> None:
    """As timm's own training leaves them; what is let in here is let in nowhere else."""
    file, args = tmp_path / "model.pth.tar", argparse.Namespace(lr=0.1, model="resnet50", decay=None)
    held = {"epoch": 1, "args": args, "state_dict": TENSORS}
    torch.save(held, file, _use_new_zipfile_serialization=zipped)
    assert same(read_checkpoint(str(file)), TENSORS)
    with pytest.raises(pickle.UnpicklingError, match=r"argparse\.Namespace"):
        torch.load(file, weights_only=True)


class Arguments(argparse.Namespace):
    """Training arguments of a person's own class."""


def test_a_class_made_of_a_harmless_one_is_another(tmp_path: Path) -> None:
    """Its code is the file's own."""
    torch.save({"args": Arguments(lr=1), "model": TENSORS}, tmp_path / "model.pth")
    assert "Arguments, and only tensors are read" in refusal(tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("held", "name"),
    [
        (
            {"args": argparse.Namespace(out=Path("here")), "model": TENSORS},
            f"pathlib.{type(Path()).__name__}",
        ),
        (nn.Linear(2, 2), "torch.nn.modules.linear.Linear"),
    ],
)
def test_objects_are_named_with_the_way_out(held: object, name: str, tmp_path: Path) -> None:
    """Whole modules are the usual ones; beside a class that is let in, others are not."""
    torch.save(held, tmp_path / "model.pth")
    assert refusal(tmp_path / "model.pth") == (
        f"hold {name}, and only tensors are read, as anything else could run code; "
        "save the weights alone with torch.save(model.state_dict(), PATH)"
    )


@pytest.mark.parametrize(
    ("held", "what"),
    [
        ([TENSORS], "a list"),
        (torch.ones(2), "a Tensor"),
        ({}, "nothing"),
        ({"state_dict": {}}, "nothing"),
        ({"epoch": 1, "net": TENSORS}, "epoch, net"),
        ({f"k{number}": number for number in range(9)}, "k0, k1, k2, k3, k4"),
    ],
)
def test_what_is_no_state_dict_is_told_what_it_is(held: object, what: str, tmp_path: Path) -> None:
    """With the places that are looked at."""
    torch.save(held, tmp_path / "model.pth")
    assert refusal(tmp_path / "model.pth").startswith(
        f"hold no state dict but {what}; it may lie at the top "
    )


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kept", [1, 0.02, 0.5, -1, -30])
def test_files_cut_short_are_told_so(zipped: bool, kept: float, tmp_path: Path) -> None:
    """Wherever the cut is; a cut within a class's name makes another class of it, which is as wrong."""
    file = tmp_path / "model.pth"
    torch.save(TENSORS, file, _use_new_zipfile_serialization=zipped)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    assert refusal(file).startswith(
        ("are no checkpoint of torch.save, or are damaged or cut short: ", "hold ")
    )


@pytest.mark.parametrize(
    "content", [b"<html>not found</html>", b"a text\n" * 99, b"\0" * 600, pickle.dumps(3), b"\xff" * 9]
)
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_other_files_are_no_checkpoints(ending: str, content: bytes, tmp_path: Path) -> None:
    """Pages of an error, texts, noughts."""
    file = tmp_path / f"model.{ending}"
    file.write_bytes(content)
    maker = "torch.save" if ending == "pth" else "safetensors"
    assert refusal(file).startswith(
        (f"are no checkpoint of {maker}, or are ", "hold no state dict but a int")
    )


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_an_empty_file_is_told_so(ending: str, tmp_path: Path) -> None:
    """As a download that never began leaves it."""
    (tmp_path / f"model.{ending}").touch()
    assert refusal(tmp_path / f"model.{ending}") == "are an empty file; get them anew"


@pytest.mark.parametrize("kept", [4, 60, -5])
def test_safetensors_cut_short(kept: int, tmp_path: Path) -> None:
    """Within the length, the header and the tensors."""
    file = tmp_path / "model.safetensors"
    save_file(TENSORS, file)
    file.write_bytes(file.read_bytes()[:kept])
    assert "are no checkpoint of safetensors, or are damaged or cut short: " in refusal(file)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript_is_told_apart(tmp_path: Path) -> None:
    """It is a program."""
    torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)).save(str(tmp_path / "model.pt"))
    assert refusal(tmp_path / "model.pt").startswith("are a TorchScript program; save the weights alone ")


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    """Absent, a folder, a device, no path at all."""
    way_out = "; write the path of a checkpoint, or pretrained"
    assert refusal(tmp_path / "absent.pth") == f"cannot be read: No such file or directory{way_out}"
    assert refusal(tmp_path) == "are a folder; a checkpoint is one file"
    (tmp_path / "ring.pth").symlink_to("ring.pth")
    ring = f"cannot be read: Too many levels of symbolic links{way_out}"
    assert refusal(tmp_path / "ring.pth") == refusal(tmp_path / "ring.pth" / "model.pth") == ring
    assert refusal("/dev/null") == "are no regular file; a checkpoint is one file"
    assert refusal("a\0b") == f"are no path: embedded null byte{way_out}"
    assert refusal("~nobody-of-this-name/x").startswith("are no path: ")


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_file_that_may_not_be_read(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own words; root may read everything, so the reader is told no."""
    file = tmp_path / f"model.{ending}"
    file.write_bytes(b"some")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("torch.load", denied)
    monkeypatch.setattr("safetensors.torch.load_file", denied)
    assert refusal(file) == "cannot be read: Permission denied"


def test_want_of_memory_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of the file."""
    torch.save(TENSORS, tmp_path / "model.pth")

    def greedy(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("torch.load", greedy)
    with pytest.raises(RuntimeError, match="allocate memory"):
        read_checkpoint(str(tmp_path / "model.pth"))
