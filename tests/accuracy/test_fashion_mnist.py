"""Fashion-MNIST's files: each image and label, under a name that tells the content."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from octprobe.accuracy import fashion_mnist
from octprobe.accuracy.data import ImageSet
from octprobe.accuracy.fashion_mnist import read_fashion
from octprobe.errors import UsageError
from trainings import FASHION, idx, write_fashion

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def counting(count: int) -> ImageSet:
    """Give images of 2 x 2 pixels that count on, of the classes in turn."""
    return ImageSet(torch.arange(count * 4, dtype=torch.uint8).view(count, 1, 2, 2), torch.arange(count) % 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a small Fashion-MNIST: 8 images and 4."""
    return write_fashion(tmp_path / "small", counting(8), counting(4))


def test_every_image_and_label(folder: Path) -> None:
    """As they were written."""
    name, known, test = read_fashion(folder)
    assert test.images.tolist() == counting(4).images.tolist()
    assert known.images.tolist() == counting(8).images.tolist()
    assert (known.labels.tolist(), test.labels.tolist()) == (list(range(8)), [0, 1, 2, 3])
    assert known.labels.dtype == torch.int64
    content = [b"(8, 2, 2)", bytes(range(32)), b"(8,)", bytes(range(8)), b"(4, 2, 2)", bytes(range(16))]
    digest = hashlib.sha256(b"".join([*content, b"(4,)", bytes(range(4))])).hexdigest()
    assert name == f"fashion-mnist-{digest[:8]}"


def test_the_content_alone_makes_the_name(tmp_path: Path, folder: Path) -> None:
    """Not the folder, nor whether files are zipped or lie where torchvision puts them."""
    plain = write_fashion(tmp_path / "other" / "FashionMNIST" / "raw", counting(8), counting(4), zipped=False)
    assert read_fashion(plain.parents[1])[0] == read_fashion(folder)[0]


def dimmed(images: ImageSet) -> ImageSet:
    """Change one pixel."""
    changed = images.images.clone()
    changed[-1, 0, 1, 1] += 1
    return ImageSet(changed, images.labels)


def relabelled(images: ImageSet) -> ImageSet:
    """Change one label."""
    return ImageSet(images.images, (images.labels + (torch.arange(len(images)) == 0)) % 10)


def reshaped(images: ImageSet) -> ImageSet:
    """Give other images of the same bytes: four of one pixel for each."""
    return ImageSet(images.images.view(-1, 1, 1, 1), images.labels.repeat(4))


@pytest.mark.parametrize("change", [dimmed, relabelled, reshaped, lambda images: images.at(slice(3))])
def test_another_content_is_another_data_set(tmp_path: Path, change: Callable[[ImageSet], ImageSet]) -> None:
    """A pixel, a label, another size, fewer images: figures of the two are never mixed."""
    names = {
        read_fashion(write_fashion(tmp_path / str(n), known, test))[0]
        for n, (known, test) in enumerate(
            [(counting(8), counting(4)), (change(counting(8)), change(counting(4)))]
        )
    }
    assert len(names) == 2
    assert all(name.startswith("fashion-mnist-") and len(name) == 22 for name in names)


@pytest.mark.skipif(not FASHION.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_the_name_alone_is_the_official_ones(tmp_path: Path) -> None:
    """Debian's files have it; with one pixel changed they have not."""
    name, known, test = read_fashion(FASHION)
    assert name == "fashion-mnist"
    assert (len(known), len(test)) == (60_000, 10_000)
    changed = write_fashion(tmp_path, known, dimmed(test), zipped=False)
    assert read_fashion(changed)[0].startswith("fashion-mnist-")


def test_a_wrong_folder(tmp_path: Path) -> None:
    """One line: place, rule, way out."""
    with pytest.raises(UsageError) as caught:
        read_fashion(tmp_path)
    assert str(caught.value) == (
        f"--data {tmp_path}: holds no train-images-idx3-ubyte.gz; give the folder of Fashion-MNIST's four "
        "files, such as /usr/share/datasets/fashion-mnist"
    )


def zipped(*size: int, value: int = 0) -> bytes:
    """Give an IDX file of one value."""
    return gzip.compress(idx(torch.full(size, value)))


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        (IMAGES, b"no gzip", "cannot be read: Not a gzipped file"),
        (IMAGES, zipped(8, 2, 2)[:-9], "cannot be read:"),
        (IMAGES, gzip.compress(idx(torch.zeros(8, 2, 2))[:-1]), "is cut short; get it anew"),
        (IMAGES, gzip.compress(b""), "is no IDX file of bytes"),
        (IMAGES, gzip.compress(b"\0\0\x08\xff" + bytes(9)), "is no IDX file of bytes"),
        (IMAGES, zipped(0, 28, 28), "holds nothing, its sizes are 0 x 28 x 28; get it anew"),
        (IMAGES, zipped(8, 0, 28), "holds nothing, its sizes are 8 x 0 x 28; get it anew"),
        (IMAGES, zipped(8, 3, 2), "train images are of 3 x 2 pixels; they have to be square"),
        (IMAGES, zipped(8, 3, 3), "train images are of 3 x 3 pixels, test images of 2 x 2; they have to be"),
        (LABELS, zipped(7), "do not belong together"),
        (LABELS, zipped(8, value=11), "labels go up to 11; they are of ten"),
    ],
)
def test_damaged_files(folder: Path, name: str, content: bytes, rule: str) -> None:
    """Each is one line."""
    (folder / name).write_bytes(content)
    with pytest.raises(UsageError, match=rule) as caught:
        read_fashion(folder)
    assert "\n" not in str(caught.value)


def test_the_digest_is_not_of_the_labels_as_numbers(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """It is of bytes as the files have them, so that every machine finds the same."""
    seen: list[Tensor] = []

    def digest(parts: tuple[Tensor, ...]) -> str:
        seen.extend(parts)
        return "0" * 64

    monkeypatch.setattr(fashion_mnist, "content_digest", digest)
    assert read_fashion(folder)[0] == "fashion-mnist-00000000"
    assert {part.dtype for part in seen} == {torch.uint8}
    assert [tuple(part.shape) for part in seen] == [(8, 2, 2), (8,), (4, 2, 2), (4,)]
