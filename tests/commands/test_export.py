"""`octprobe export`: what a person sees, and what is refused before any work."""

import re
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from typer.testing import CliRunner, Result

from octave.nets import Small, with_random_statistics
from octprobe.commands.main import app
from octprobe.errors import OctprobeError
from octprobe.octave import octavize

SMALL = ("octave.nets:Small", "--allow-import", "--alpha", "block*=0.5,*.conv1=0.25", "--resolution", "17")


def export(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["export", *arguments], catch_exceptions=False)


def refusal(*arguments: str) -> str:
    """Run the command, and give the one line that a person can act on."""
    ended = CliRunner().invoke(app, ["export", *arguments])
    assert isinstance(ended.exception, OctprobeError)
    assert ended.exception.exit_code == 2
    assert "\n" not in str(ended.exception)
    return str(ended.exception)


@pytest.mark.parametrize("suffix", [".pt2", ".onnx"])
def test_a_file_is_written_and_what_was_found_is_said(
    suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Format, size, what is dynamic and what fixed, whose weights, the difference; torch is silent."""
    for package in ("onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    file = tmp_path / f"model{suffix}"
    ended = export(*SMALL, "-o", str(file))
    title, kind, image, weights, checked = ended.stdout.splitlines()
    assert title == f"octave.nets:Small alpha block*=0.5,*.conv1=0.25, 17 px: {file}"
    assert f"({file.stat().st_size:,} bytes), weights inside" in kind
    assert ("ONNX, opset " in kind) == (suffix == ".onnx")
    assert image == "  input    image: batch is dynamic; channels 3, height 17, width 17 are fixed"
    assert weights.startswith("  weights  random, of seed 0; trained ones with --weights")
    assert re.search(r"max abs difference \S+ at batch 1, \S+ at batch 3, of outputs up to 0\.", checked)
    assert ended.stderr == ""
    assert capfd.readouterr() == ("", "")


def test_without_onnxruntime_the_output_is_said_not_to_be_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is there all the same."""
    pytest.importorskip("onnxscript")
    monkeypatch.setattr("octprobe.export.runner.installed", lambda _: False)
    ended = export(*SMALL, "-o", str(tmp_path / "model.onnx"))
    assert "  checked  no: onnxruntime is not installed" in ended.stdout
    assert (tmp_path / "model.onnx").exists()


def test_a_checkpoint_of_the_vanilla_network_is_what_is_written(tmp_path: Path) -> None:
    """Loaded before the network becomes octave."""
    torch.manual_seed(3)
    vanilla = with_random_statistics(Small()).eval()
    torch.save(vanilla.state_dict(), tmp_path / "trained.pt")
    ended = export(*SMALL, "--weights", str(tmp_path / "trained.pt"), "-o", str(tmp_path / "model.pt2"))
    assert f"  weights  {tmp_path / 'trained.pt'}\n" in ended.stdout
    image = torch.randn(2, 3, 17, 17)
    octave = octavize(vanilla, {"block*": 0.5, "*.conv1": 0.25}, image)
    loaded = torch.export.load(tmp_path / "model.pt2").module()
    with torch.no_grad():
        torch.testing.assert_close(loaded(image), octave(image), rtol=0, atol=1e-6)


class Normed(Small):
    """A network with a norm over channels amid it, which has no octave form."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise between the blocks."""
        x = self.block1(functional.relu(self.stem(x)))
        x = self.block2(functional.layer_norm(x, x.shape[1:]))
        return self.fc(functional.relu(self.down(x)).mean((2, 3)))


def test_a_network_that_is_octave_in_part_is_exported_as_it_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the command says how often it leaves the octave world."""
    monkeypatch.setattr("octprobe.networks.build_network", lambda *_, **__: Normed().eval())
    ended = export(*SMALL, "-o", str(tmp_path / "model.pt2"))
    assert ended.stdout.splitlines()[-1].startswith("  exits    1 octave exits")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "model.txt"], "model.txt: its suffix must be .onnx or .pt2"),
        (["-o", "taken.pt2"], "taken.pt2: exists; name another file, or pass --force"),
        (["-o", "absent/model.pt2"], "absent/model.pt2: there is no folder /"),
        (["-o", "ring.pt2"], "ring.pt2: cannot be used (Too many levels of symbolic links)"),
        (["-o", "ring.pt2/model.pt2", "--force"], "cannot be used (Too many levels of symbolic links)"),
        (["-o", "folder.pt2", "--force"], "folder.pt2: is a folder, a device or a pipe"),
        (["-o", "/proc/model.pt2"], "/proc/model.pt2: cannot be written ("),
        (["--alpha", "1.5", "-o", "model.pt2"], "alpha must lie in [0, 1]"),
    ],
)
def test_bad_input_is_one_line_before_any_network_is_built(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "octprobe.networks.build_network", lambda *_, **__: pytest.fail("a network was built")
    )
    (tmp_path / "taken.pt2").touch()
    (tmp_path / "folder.pt2").mkdir()
    (tmp_path / "ring.pt2").symlink_to("ring.pt2")
    assert words in refusal("resnet18", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.pt2", "ring.pt2", "taken.pt2"]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_broken_package_is_one_line_before_any_network_is_built(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a library of the system's is missing."""
    for name in ("onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    monkeypatch.setattr(
        "octprobe.networks.build_network", lambda *_, **__: pytest.fail("a network was built")
    )
    (tmp_path / f"{package}.py").write_text("raise OSError('libfoo.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, package, raising=False)
    said = refusal("resnet18", "-o", str(tmp_path / "model.onnx"))
    assert said.startswith(
        f"{package} is installed and cannot be imported (OSError: libfoo.so.1: cannot open "
    )
    assert said.endswith("or name a .pt2 file")


def test_links_in_a_ring_are_no_checkpoint(tmp_path: Path) -> None:
    """One line, and no file."""
    (tmp_path / "ring.pt").symlink_to("ring.pt")
    said = refusal(*SMALL, "--weights", str(tmp_path / "ring.pt"), "-o", str(tmp_path / "model.pt2"))
    assert "cannot be read: Too many levels of symbolic links; write the path of a checkpoint" in said
    assert [path.name for path in tmp_path.iterdir()] == ["ring.pt"]


def test_weights_that_are_no_numbers_are_not_exported(tmp_path: Path) -> None:
    """The weights are named, not the file's format."""
    state = Small().state_dict()
    state["fc.bias"].fill_(float("nan"))
    torch.save(state, tmp_path / "trained.pt")
    said = refusal(*SMALL, "--weights", str(tmp_path / "trained.pt"), "-o", str(tmp_path / "model.pt2"))
    assert said.endswith(
        "in output; 1 of its weights hold NaN or infinity (fc.bias); give a checkpoint that is sound"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["trained.pt"]


def test_a_want_of_memory_is_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with a way out."""

    def hungry(*_: object, **__: object) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr("octprobe.export.export_network", hungry)
    ended = CliRunner().invoke(app, ["export", *SMALL, "-o", str(tmp_path / "model.pt2")])
    assert str(ended.exception).endswith("17 px: out of memory; ask for less, with a smaller --resolution")


def test_the_form_of_the_operator_that_was_measured_is_exported(tmp_path: Path) -> None:
    """Without exchange there are fewer kernels in the file; one that changes nothing is refused."""
    resnet = ("resnet18", "--alpha", "0.5", "--resolution", "33")
    usual, none = tmp_path / "usual.pt2", tmp_path / "none.pt2"
    export(*resnet, "-o", str(usual))
    ended = export(*resnet, "--exchange", "none", "-o", str(none))
    assert ended.stdout.startswith(f"resnet18 alpha 0.5 exchange none, 33 px: {none}")
    assert none.stat().st_size < 0.9 * usual.stat().st_size
    message = refusal("resnet18", "--exchange", "none", "-o", str(tmp_path / "other.pt2"))
    assert message.startswith("--exchange none: has no effect: at alpha 0 nothing is octave")
