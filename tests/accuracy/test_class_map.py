"""A file that says which answer of a network is which class: read as text, whole or not at all."""

import pickle
from pathlib import Path

import pytest

from octprobe.accuracy.class_map import read_class_map, refuse_unmapped
from octprobe.errors import UsageError


@pytest.mark.parametrize("text", ["b\na\nc", "b\na\nc\n", "b \r\n a\r\nc\r\n\n"])
def test_a_name_a_line(tmp_path: Path, text: str) -> None:
    """Their order counts; spaces about them and lines after the last do not."""
    file = tmp_path / "names.txt"
    file.write_text(text, newline="")
    assert read_class_map(file) == {"b": 0, "a": 1, "c": 2}


class _Evil:
    """Leaves a trace where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (Path("unpickled"),)


@pytest.mark.parametrize("ending", ["pkl", "txt"])
def test_a_pickle_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Whatever it is called; its code does not run."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"evil.{ending}"
    file.write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(UsageError, match=rf"^--class-map {file}: is no text; write the names") as caught:
        read_class_map(file)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "unpickled").exists()


def test_what_is_not_there(tmp_path: Path) -> None:
    """Is told by the option that named it."""
    with pytest.raises(UsageError, match=r"^--class-map \S+/none.txt: cannot be read: No such file"):
        read_class_map(tmp_path / "none.txt")
    with pytest.raises(UsageError, match=r"^--class-map \S+: cannot be read: Is a directory"):
        read_class_map(tmp_path)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("a\nb\na\n", "line 3 holds 'a' again"), ("a\n\nb", "line 2 is empty"), ("", "line 1 is empty")],
)
def test_lines_that_cannot_be(tmp_path: Path, text: str, fault: str) -> None:
    """Each by its number."""
    (tmp_path / "m.txt").write_text(text)
    with pytest.raises(UsageError, match=rf"m\.txt: {fault}; each line is the folder's name of one class"):
        read_class_map(tmp_path / "m.txt")


def test_no_folder_is_left_out(tmp_path: Path) -> None:
    """The map may know more than the folder holds, and not less."""
    refuse_unmapped(tmp_path, ["a", "b", "c"], ["a", "b"])
    with pytest.raises(UsageError, match="lacks 1 of 2 folders of images: b; name each class"):
        refuse_unmapped(tmp_path, ["a", "c"], ["a", "b"])
    with pytest.raises(UsageError, match=r"lacks 4 of 4 folders of images: a, b, c, \.\.\.; name"):
        refuse_unmapped(tmp_path, ["x"], ["d", "c", "b", "a"])
