"""What data sets are called."""

import os
from pathlib import Path

import pytest
import torch

from octprobe.accuracy.naming import content_digest, named_by_content, named_by_files
from octprobe.errors import UsageError
from trainings import write_images


def test_a_digest_of_sizes_and_values() -> None:
    """By hand for one tensor; the same bytes in another shape, or another order, are another content."""
    import hashlib

    one, other = torch.tensor([[1, 2]], dtype=torch.uint8), torch.tensor([3], dtype=torch.uint8)
    assert content_digest([one]) == hashlib.sha256(b"(1, 2)\x01\x02").hexdigest()
    digests = [content_digest(parts) for parts in ([one], [one.view(2)], [one, other], [other, one])]
    assert len(set(digests)) == 4
    assert content_digest([one.expand(3, 2)]) == content_digest([one.repeat(3, 1)])


def test_eight_digits_tell_data_sets_apart() -> None:
    """They stand behind the name."""
    assert named_by_content("fashion-mnist", "1a2b3c4d5e") == "fashion-mnist-1a2b3c4d"


def files(folder: Path) -> list[Path]:
    """List all images in a folder."""
    return sorted(folder.rglob("*.png"))


def test_folders_of_one_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    """By names and sizes, not by where it lies, nor by the order or the age of its files."""
    first, second, same = (
        write_images(tmp_path / place / "pics", {"cat": count, "dog": 1})
        for place, count in (("a", 2), ("b", 3), ("c", 2))
    )
    name = named_by_files(first, files(first))
    assert name.startswith("pics-")
    assert len(name) == len("pics-") + 8
    assert named_by_files(second, files(second)) != name
    os.utime(files(same)[0], (0, 0))
    assert named_by_files(same, reversed(files(same))) == name
    (same / "dog").rename(same / "dot")
    assert named_by_files(same, files(same)) != name


def test_another_size_of_one_file_is_another_data_set(tmp_path: Path) -> None:
    """Though its name stays."""
    folder = write_images(tmp_path / "pics", {"cat": 1})
    before = named_by_files(folder, files(folder))
    with files(folder)[0].open("ab") as file:
        file.write(b"\0")
    assert named_by_files(folder, files(folder)) != before


def test_a_folder_given_in_another_way_has_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.` is not a name."""
    folder = write_images(tmp_path / "pics", {"cat": 1})
    name = named_by_files(folder, files(folder))
    monkeypatch.chdir(folder)
    assert named_by_files(Path(), files(Path())) == name


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A link that leads nowhere is one line."""
    (tmp_path / "x.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(
        UsageError, match=r"x\.png: cannot be read as an image: No such file or directory; mend"
    ):
        named_by_files(tmp_path, [tmp_path / "x.png"])
