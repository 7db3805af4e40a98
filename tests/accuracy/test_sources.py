"""Where images come from."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision import datasets

from octprobe.accuracy import fashion_mnist, sources
from octprobe.accuracy.sources import find_data, in_memory, read_data
from octprobe.errors import MachineError, UsageError
from trainings import FASHION, recipe, stripes, write_fashion, write_images


def test_fashion_mnist(tmp_path: Path) -> None:
    """Split as the recipe says, and of its own name, for these are other images."""
    data = read_data(recipe(validation=3), write_fashion(tmp_path, stripes(8), stripes(4, 1)))
    assert (len(data.train), len(data.validation), len(data.test), data.classes) == (5, 3, 4, 10)
    assert data.resolution == 12
    assert data.name.startswith("fashion-mnist-")


def test_the_first_images_alone(tmp_path: Path) -> None:
    """For a quick look."""
    folder = write_fashion(tmp_path, stripes(8), stripes(4, 1))
    assert len(read_data(recipe(validation=0, images=2), folder).train) == 2


def test_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To find the name and to train."""
    folder, calls = write_fashion(tmp_path, stripes(8), stripes(4, 1)), []
    read = fashion_mnist._idx

    def counting(file: Path) -> torch.Tensor:
        calls.append(file.name)
        return read(file)

    monkeypatch.setattr(fashion_mnist, "_idx", counting)
    found = find_data(recipe(), folder)
    assert in_memory(found, recipe(validation=0)).name == found.name
    assert len(calls) == 4


@pytest.mark.skipif(not FASHION.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_debians_files_are_found_by_themselves() -> None:
    """55,000 and 5,000 and 10,000 images of ten equally large classes."""
    data = read_data(recipe(validation=5_000), None)
    assert (len(data.train), len(data.validation), len(data.test)) == (55_000, 5_000, 10_000)
    assert torch.bincount(data.test.labels).tolist() == [1_000] * 10
    mean, deviation = data.normalisation
    assert mean.item() == pytest.approx(0.286, abs=1e-3)
    assert deviation.item() == pytest.approx(0.353, abs=1e-3)


def test_no_network_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What torchvision cannot fetch is one line with a way out."""

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
    raw = write_fashion(tmp_path / "raw", stripes(8), stripes(4, 1), zipped=False)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "nowhere")
    monkeypatch.setattr(datasets, "FashionMNIST", lambda *_, **__: SimpleNamespace(raw_folder=str(raw)))
    assert len(read_data(recipe(validation=0), None).train) == 8


def test_cifar_in_the_order_of_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision gives (N, H, W, C)."""
    images = np.arange(2 * 4 * 4 * 3).reshape(2, 4, 4, 3).astype(np.uint8)
    made = SimpleNamespace(data=images, targets=[3, 99])
    monkeypatch.setattr(datasets, "CIFAR100", lambda *_, **__: made)
    data = read_data(recipe(dataset="cifar-100", validation=0), tmp_path)
    assert (data.classes, data.channels, data.resolution) == (100, 3, 4)
    assert data.test.images[1, 2].tolist() == images[1, :, :, 2].tolist()
    assert data.test.labels.tolist() == [3, 99]


def test_cifar_has_its_name_by_its_files_md5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision takes no other files: what is there is not used, it would be downloaded anew."""

    def offline(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(datasets.cifar, "download_and_extract_archive", offline)
    batches = tmp_path / "cifar-10-batches-py"
    batches.mkdir()
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"):
        (batches / name).write_bytes(b"other images")
    found = find_data(recipe(dataset="cifar-10"), tmp_path)
    assert found.name == "cifar-10"
    with pytest.raises(MachineError, match="cannot be fetched: no network"):
        found.images()


def test_an_image_folder(tmp_path: Path) -> None:
    """Classes by their sorted names; the shorter side is scaled, the middle cut out."""
    for part, count in (("train", 3), ("val", 2)):
        write_images(tmp_path / "pets" / part, {"cat": count, "dog": 1})
    data = read_data(recipe(dataset="imagefolder", validation=1, resolution=5), tmp_path / "pets")
    assert (data.classes, len(data.train), len(data.validation)) == (2, 3, 1)
    assert data.test.labels.tolist() == [0, 0, 1]
    assert data.test.images.shape == (3, 3, 5, 5)
    assert data.test.images[1, :, 2, 2].tolist() == [10, 20, 30]


def test_two_folders_of_one_name_are_two_data_sets(tmp_path: Path) -> None:
    """The name tells the files, of training and of test, before any is read; a copy is the same."""
    names = []
    for place, train, val in (("a", 3, 2), ("b", 4, 2), ("c", 3, 1), ("d", 3, 2)):
        for part, count in (("train", train), ("val", val)):
            write_images(tmp_path / place / "pets" / part, {"cat": count, "dog": 1})
        asked = recipe(dataset="imagefolder", resolution=5)
        names.append(find_data(asked, tmp_path / place / "pets").name)
    assert all(name.startswith("pets-") for name in names)
    assert len(set(names)) == 3
    assert names[0] == names[3]
    for image in (tmp_path / "d").rglob("*.png"):
        image.write_bytes(bytes(image.stat().st_size))
    assert find_data(asked, tmp_path / "d" / "pets").name == names[0]
    with pytest.raises(UsageError, match=r"/d/pets/.*\.png: cannot be read as an image"):
        read_data(asked, tmp_path / "d" / "pets")


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda image: image.write_bytes(image.read_bytes()[:-20]), "cannot be read as an image: "),
        (lambda image: image.write_text("no image"), "cannot be read as an image: cannot identify"),
        (
            lambda image: (image.unlink(), image.symlink_to("nowhere")),
            "as an image: No such file or directory",
        ),
    ],
)
def test_a_damaged_image_is_told_by_its_name(
    tmp_path: Path, damage: Callable[[Path], object], rule: str
) -> None:
    """In one line; the others are not trained on without it."""
    for part in ("train", "val"):
        write_images(tmp_path / part, {"cat": 2, "dog": 1}, (30, 30))
    damage(tmp_path / "val" / "cat" / "1.png")
    with pytest.raises(UsageError, match=rule) as caught:
        read_data(recipe(dataset="imagefolder", validation=0, resolution=5), tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/val/cat/1.png: ")
    assert "\n" not in str(caught.value)


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
