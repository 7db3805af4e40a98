"""Where an exported file may go, and that it appears whole or not at all."""

from pathlib import Path

import pytest

from octprobe.errors import MachineError, UsageError
from octprobe.export.target import appearing, check_target


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.txt", "model.txt: its suffix must be .onnx or .pt2, not '.txt'; name it so"),
        ("model", "model: its suffix must be .onnx or .pt2, not ''; name it so"),
        ("absent/model.pt2", "; make it first"),
        ("taken.pt2", "taken.pt2: exists; name another file, or pass --force to replace it"),
        ("folder.pt2", "folder.pt2: is a folder, a device or a pipe; name a regular file"),
        ("taken.pt2/model.pt2", "cannot be used (Not a directory); name another file"),
        ("ring.pt2", "ring.pt2: cannot be used (Too many levels of symbolic links); name another file"),
        ("ring.pt2/x.pt2", "x.pt2: cannot be used (Too many levels of symbolic links); name another file"),
        ("lost.pt2", "lost.pt2: there is no folder /absent; make it first"),
        ("nul\0.pt2", "cannot be used (embedded null byte); name another file"),
        ("x" * 300 + ".pt2", "cannot be used (File name too long); name another file"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_line(name: str, words: str, tmp_path: Path) -> None:
    """Place, value, rule, way out."""
    (tmp_path / "ring.pt2").symlink_to("ring.pt2")
    (tmp_path / "lost.pt2").symlink_to("/absent/model.pt2")
    (tmp_path / "taken.pt2").touch()
    (tmp_path / "folder.pt2").mkdir()
    with pytest.raises(UsageError) as caught:
        check_target(tmp_path / name, force=False)
    assert str(caught.value).endswith(words)
    assert "\n" not in str(caught.value)


def test_force_takes_the_place_of_files_alone(tmp_path: Path) -> None:
    """A folder is never replaced."""
    (tmp_path / "taken.pt2").touch()
    (tmp_path / "folder.pt2").mkdir()
    check_target(tmp_path / "taken.pt2", force=True)
    with pytest.raises(UsageError, match="is a folder"):
        check_target(tmp_path / "folder.pt2", force=True)


def test_a_folder_that_takes_no_files_is_found_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a try, since rights alone do not tell: a disk may be mounted for reading, or full."""
    check_target(tmp_path / "model.pt2", force=False)
    assert list(tmp_path.iterdir()) == []

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.mkdir", denied)
    with pytest.raises(
        UsageError, match=r"model\.pt2: cannot be written \(Permission denied\); name another file$"
    ):
        check_target(tmp_path / "model.pt2", force=False)


@pytest.mark.parametrize("broken", ["onnx", "onnxscript", "onnxruntime"])
def test_a_broken_package_of_onnx_is_found_before_any_work(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever it is; the other format needs none of them."""

    def imported(package: str) -> None:
        if package == broken:
            raise MachineError(f"{package} is broken")

    monkeypatch.setattr("octprobe.export.target.installed", lambda _: True)
    monkeypatch.setattr("octprobe.export.target.imported", imported)
    check_target(tmp_path / "model.pt2", force=False)
    with pytest.raises(MachineError, match=f"^{broken} is broken$"):
        check_target(tmp_path / "model.onnx", force=False)


def test_onnx_is_written_without_its_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchecked then; what is absent is not imported."""
    monkeypatch.setattr("octprobe.export.target.installed", lambda package: package != "onnxruntime")
    asked: list[str] = []
    monkeypatch.setattr("octprobe.export.target.imported", asked.append)
    check_target(tmp_path / "model.onnx", force=False)
    assert sorted(asked) == ["onnx", "onnxscript"]


def test_onnx_without_its_packages_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other format needs none of them."""
    monkeypatch.setattr("octprobe.export.target.installed", lambda package: package != "onnxscript")
    check_target(tmp_path / "model.pt2", force=False)
    with pytest.raises(
        MachineError, match=r"written with onnxscript; pip install 'octprobe\[onnx\]', or name "
    ):
        check_target(tmp_path / "model.onnx", force=False)


def test_a_file_appears_with_usual_rights_and_nothing_beside_it(tmp_path: Path) -> None:
    """What else a writer leaves goes."""
    usual = tmp_path / "usual"
    usual.touch()
    with appearing(tmp_path / "model.onnx") as file:
        file.write_text("whole")
        file.with_name("model.onnx.data").write_text("more")
        assert not (tmp_path / "model.onnx").exists()
    assert (tmp_path / "model.onnx").read_text() == "whole"
    assert (tmp_path / "model.onnx").stat().st_mode == usual.stat().st_mode
    assert {path.name for path in tmp_path.iterdir()} == {"usual", "model.onnx"}


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_what_fails_leaves_things_as_they_were(error: BaseException, tmp_path: Path) -> None:
    """The former file stays."""
    (tmp_path / "model.pt2").write_text("mine")
    with pytest.raises(type(error)), appearing(tmp_path / "model.pt2") as file:
        file.write_text("half")
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt2"]
    assert (tmp_path / "model.pt2").read_text() == "mine"


def test_what_a_disk_refuses_is_one_line(tmp_path: Path) -> None:
    """As a full one does."""
    with (
        pytest.raises(
            UsageError, match=r"model\.pt2: cannot be written \(No space left\); name another file$"
        ),
        appearing(tmp_path / "model.pt2"),
    ):
        raise OSError(28, "No space left")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it leads to is written."""
    (tmp_path / "link.pt2").symlink_to(tmp_path / "real.pt2")
    with appearing(tmp_path / "link.pt2") as file:
        file.write_text("whole")
    assert (tmp_path / "link.pt2").is_symlink()
    assert (tmp_path / "real.pt2").read_text() == "whole"
