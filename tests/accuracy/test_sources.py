"""Where images come from."""

import gzip
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from octprobe.accuracy import sources
from octprobe.accuracy.sources import data_name, read_data
from octprobe.errors import MachineError, UsageError
from trainings import FASHION, recipe

NAMES = [
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 8),
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 4),
]


def idx(values: np.ndarray) -> bytes:  # type: ignore[type-arg]  # of bytes
    """Write an array in the form of MNIST's authors."""
    head = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    return head + values.astype(np.uint8).tobytes()


def write_fashion(folder: Path, *, zipped: bool = True) -> Path:
    """Write a small Fashion-MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    for images, labels, count in NAMES:
        for name, values in (
            (images, np.arange(count * 4).reshape(count, 2, 2)),
            (labels, np.arange(count) % 10),
        ):
            content = idx(values)
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder


def write_images(folder: Path, classes: dict[str, int], size: tuple[int, int] = (6, 4)) -> Path:
    """Write a folder of images a class."""
    for name, count in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", size, (10 * number, 20, 30)).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize("zipped", [True, False])
def test_fashion_mnist(tmp_path: Path, *, zipped: bool) -> None:
    """Every image and label, as they were written."""
    data = read_data(recipe(validation=3), write_fashion(tmp_path, zipped=zipped))
    assert (len(data.train), len(data.validation), len(data.test), data.classes) == (5, 3, 4, 10)
    assert data.test.images[1].tolist() == [[[4, 5], [6, 7]]]
    assert data.test.labels.tolist() == [0, 1, 2, 3]
    assert data.resolution == 2


def test_the_folder_that_torchvision_made_will_do(tmp_path: Path) -> None:
    """Its files lie two folders down."""
    write_fashion(tmp_path / "FashionMNIST" / "raw", zipped=False)
    assert len(read_data(recipe(validation=0, images=2), tmp_path).train) == 2


@pytest.mark.skipif(not FASHION.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_debians_files_are_found_by_themselves() -> None:
    """55,000 and 5,000 and 10,000 images of ten equally large classes."""
    data = read_data(recipe(validation=5_000), None)
    assert (len(data.train), len(data.validation), len(data.test)) == (55_000, 5_000, 10_000)
    assert torch.bincount(data.test.labels).tolist() == [1_000] * 10
    mean, deviation = data.normalisation
    assert mean.item() == pytest.approx(0.286, abs=1e-3)
    assert deviation.item() == pytest.approx(0.353, abs=1e-3)


def test_a_wrong_folder(tmp_path: Path) -> None:
    """One line: place, rule, way out."""
    with pytest.raises(UsageError) as caught:
        read_data(recipe(), tmp_path)
    assert str(caught.value) == (
        f"--data {tmp_path}: holds no train-images-idx3-ubyte.gz; give the folder of Fashion-MNIST's four "
        "files, such as /usr/share/datasets/fashion-mnist"
    )


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("train-images-idx3-ubyte.gz", b"no gzip", "cannot be read: Not a gzipped file"),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(np.zeros((8, 2, 2))))[:-9], "cannot be read:"),
        (
            "train-images-idx3-ubyte.gz",
            gzip.compress(idx(np.zeros((8, 2, 2)))[:-1]),
            "is cut short; get it anew",
        ),
        ("train-images-idx3-ubyte.gz", gzip.compress(b""), "is no IDX file of bytes"),
        ("train-labels-idx1-ubyte.gz", gzip.compress(idx(np.zeros(7))), "do not belong together"),
        (
            "train-labels-idx1-ubyte.gz",
            gzip.compress(idx(np.full(8, 11))),
            "labels go up to 11; they are of ten",
        ),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, rule: str) -> None:
    """Each is one line."""
    write_fashion(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=rule) as caught:
        read_data(recipe(validation=0), tmp_path)
    assert "\n" not in str(caught.value)


def test_no_network_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What torchvision cannot fetch is one line with a way out."""
    from torchvision import datasets

    def offline(*_: object, **__: object) -> None:
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(datasets, "CIFAR10", offline)
    with pytest.raises(MachineError) as caught:
        read_data(recipe(dataset="cifar-10"), tmp_path)
    assert str(caught.value) == (
        f"cifar-10: is not in {tmp_path} and cannot be fetched: Temporary failure in name resolution; "
        "give its folder with --data"
    )


def test_without_debians_files_torchvision_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fashion-MNIST too is torchvision's to download."""
    from types import SimpleNamespace

    from torchvision import datasets

    raw = write_fashion(tmp_path / "raw", zipped=False)
    monkeypatch.setattr(sources, "_DEBIAN", tmp_path / "nowhere")
    monkeypatch.setattr(datasets, "FashionMNIST", lambda *_, **__: SimpleNamespace(raw_folder=str(raw)))
    assert len(read_data(recipe(validation=0), None).train) == 8


def test_cifar_in_the_order_of_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision gives (N, H, W, C)."""
    from types import SimpleNamespace

    from torchvision import datasets

    images = np.arange(2 * 4 * 4 * 3).reshape(2, 4, 4, 3).astype(np.uint8)
    made = SimpleNamespace(data=images, targets=[3, 99])
    monkeypatch.setattr(datasets, "CIFAR100", lambda *_, **__: made)
    data = read_data(recipe(dataset="cifar-100", validation=0), tmp_path)
    assert (data.classes, data.channels, data.resolution) == (100, 3, 4)
    assert data.test.images[1, 2].tolist() == images[1, :, :, 2].tolist()
    assert data.test.labels.tolist() == [3, 99]


def test_an_image_folder(tmp_path: Path) -> None:
    """Classes by their sorted names; the shorter side is scaled, the middle cut out; named as its folder."""
    for part, count in (("train", 3), ("val", 2)):
        write_images(tmp_path / "pets" / part, {"cat": count, "dog": 1})
    asked = recipe(dataset="imagefolder", validation=1, resolution=5)
    data = read_data(asked, tmp_path / "pets")
    assert (data.name, data.classes, len(data.train), len(data.validation)) == ("pets", 2, 3, 1)
    assert data.test.labels.tolist() == [0, 0, 1]
    assert data.test.images.shape == (3, 3, 5, 5)
    assert data.test.images[1, :, 2, 2].tolist() == [10, 20, 30]
    assert data_name(asked, tmp_path / "pets") == "pets"


@pytest.mark.parametrize(
    ("val", "rule"),
    [
        ({"cat": 1, "cow": 1}, "train/ and val/ have other classes: cow, dog"),
        (None, "is no folder with a folder of images a class"),
    ],
)
def test_wrong_image_folders(tmp_path: Path, val: dict[str, int] | None, rule: str) -> None:
    """Each is one line."""
    write_images(tmp_path / "train", {"cat": 1, "dog": 1})
    if val:
        write_images(tmp_path / "val", val)
    with pytest.raises(UsageError, match=rule):
        read_data(recipe(dataset="imagefolder"), tmp_path)


def test_an_image_folder_needs_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And room in memory."""
    with pytest.raises(UsageError, match="imagefolder: give its folder with --data"):
        read_data(recipe(dataset="imagefolder"), None)
    for part in ("train", "val"):
        write_images(tmp_path / part, {"cat": 1})
    monkeypatch.setattr(sources, "_MOST_BYTES", 1000)
    with pytest.raises(UsageError, match=r"2 images of 224 pixels fill 0\.0 GiB of memory, above 0; lower"):
        read_data(recipe(dataset="imagefolder", validation=0), tmp_path)
