"""`octprobe export`: what a person sees, and what is refused before any work."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from typer.testing import CliRunner, Result

from octave.nets import Small, with_random_statistics
from octprobe.commands.main import app
from octprobe.octave import octavize

SMALL = ("octave.nets:Small", "--allow-import", "--alpha", "block*=0.5,*.conv1=0.25", "--resolution", "17")


def export(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["export", *arguments], catch_exceptions=False)


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
    monkeypatch.setattr("octprobe.export.check.installed", lambda _: False)
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
        (["-o", "absent/model.pt2"], "there is no folder absent"),
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
    ended = CliRunner().invoke(app, ["export", "resnet18", *arguments])
    assert words in str(ended.exception)
    assert "\n" not in str(ended.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.pt2"]


def test_a_want_of_memory_is_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with a way out."""

    def hungry(*_: object, **__: object) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr("octprobe.export.export_network", hungry)
    ended = CliRunner().invoke(app, ["export", *SMALL, "-o", str(tmp_path / "model.pt2")])
    assert str(ended.exception).endswith("17 px: out of memory; ask for less, with a smaller --resolution")
