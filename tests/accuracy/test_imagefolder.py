"""A folder of images as a network takes them: colours, sizes, classes, and files that are no images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from octprobe.accuracy.imagefolder import FolderOfImages, Wanted, open_folder
from octprobe.errors import UsageError
from octprobe.small_networks import SmallResNet
from trainings import tiny

CLASSES = 10
CPU = torch.device("cpu")


def picture(place: Path, number: int, size: tuple[int, int] = (28, 28), mode: str = "L") -> Path:
    """Put a noisy image into the folder of its class, and give its file."""
    draws = np.random.default_rng(number)
    shape = size if mode == "L" else (*size, 3)
    folder = place / f"c{number % CLASSES}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{number:03}.png"
    Image.fromarray(draws.integers(0, 256, shape, dtype=np.uint8), mode).save(file)
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an image of each of ten classes."""
    for number in range(CLASSES):
        picture(tmp_path / "pictures", number)
    return tmp_path / "pictures"


class Colour(nn.Module):
    """Ten answers to an image of three channels."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, CLASSES, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Give the mean of each channel."""
        return self.conv(x).mean((2, 3))


def opened(folder: Path, network: nn.Module | None = None, **wanted: Any) -> FolderOfImages:
    """Open a folder, for a small network of grey images where no other is given."""
    return open_folder(folder, (network or tiny()).eval(), "net", Wanted(**wanted))


def all_images(images: FolderOfImages) -> tuple[Tensor, Tensor]:
    """Give all at once."""
    parts = list(images.batches(CPU))
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def test_a_grey_network_is_given_grey_images_whole(folder: Path) -> None:
    """Of its own size, nothing scaled or cut; with the mean and deviation that it was trained with."""
    images = opened(folder, mean=[0.5], deviation=[0.25], batch=4)
    pixels, labels = all_images(images)
    files = sorted(folder.glob("*/*.png"))
    expected = torch.stack([torch.from_numpy(np.array(Image.open(file))) for file in files])[:, None]
    assert torch.allclose(pixels, (expected / 255 - 0.5) / 0.25, atol=1e-6)
    assert labels.tolist() == list(range(CLASSES))
    assert images.resolution == 28


def test_grey_where_nothing_is_said(folder: Path) -> None:
    """Whole, as Fashion-MNIST was learned from; colours become grey as PIL makes them."""
    colour = picture(folder, 3, mode="RGB")
    config = opened(folder).config
    assert (config["mean"], config["std"], config["crop_pct"], config["input_size"]) == (
        *((0.286,), (0.353,), 1.0),
        (1, 28, 28),
    )
    pixels, _ = all_images(opened(folder))
    grey = torch.from_numpy(np.array(Image.open(colour).convert("L")))
    assert torch.allclose(pixels[3, 0], (grey / 255 - 0.286) / 0.353, atol=1e-6)


def test_what_a_grey_network_says_itself_holds(folder: Path) -> None:
    """As timm's networks say it."""
    network = SmallResNet((1, 1, 1), (8, 8, 16))
    network.pretrained_cfg = {"input_size": (1, 28, 28), "mean": (0.1,), "std": (0.2,), "crop_pct": 0.5}
    config = opened(folder, network).config
    assert (config["mean"], config["std"], config["crop_pct"]) == ((0.1,), (0.2,), 0.5)


def test_a_network_for_colours_is_as_before(folder: Path) -> None:
    """timm's own way: grey in three equal channels, of which the middle is cut."""
    images = opened(folder, Colour(), resolution=32)
    pixels, _ = all_images(images)
    assert pixels.shape == (CLASSES, 3, 32, 32)
    assert images.config["crop_pct"] == 0.875
    raw = pixels * torch.tensor(images.config["std"])[:, None, None]
    raw = raw + torch.tensor(images.config["mean"])[:, None, None]
    assert torch.allclose(raw[:, 0], raw[:, 2], atol=1e-5)


@pytest.mark.parametrize(("option", "name"), [("mean", "--mean"), ("deviation", "--std")])
def test_numbers_a_channel(folder: Path, option: str, name: str) -> None:
    """One for all, or one for each."""
    assert opened(folder, Colour(), resolution=32, **{option: [0.5]}).config[
        "mean" if option == "mean" else "std"
    ] == (
        *(0.5, 0.5),
        0.5,
    )
    with pytest.raises(UsageError, match=rf"^{name}: has 2 numbers; give one, or one a channel: 3$"):
        opened(folder, Colour(), resolution=32, **{option: [0.5, 0.5]})


@pytest.mark.parametrize("network", [Colour(4), nn.Sequential(nn.Conv1d(1, CLASSES, 3))])
def test_other_networks_take_no_images(folder: Path, network: nn.Module) -> None:
    """One line."""
    with pytest.raises(UsageError, match="network 'net' takes no images of one channel"):
        opened(folder, network)


def test_a_map_that_misses_a_class(folder: Path, tmp_path: Path) -> None:
    """Would leave its images out, though the numbers of classes and answers agree."""
    names = tmp_path / "names.txt"
    names.write_text("\n".join([*(f"c{number}" for number in range(9)), "other"]))
    with pytest.raises(UsageError, match=r"^--class-map \S+names.txt: lacks 1 of 10 folders of images: c9"):
        opened(folder, class_map=names)


def test_a_map_of_more_than_there_is(folder: Path, tmp_path: Path) -> None:
    """A part of the classes can be asked about; all of its images are."""
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"c{number}" for number in reversed(range(CLASSES))))
    (folder / "c4" / "004.png").unlink()
    _, labels = all_images(opened(folder, class_map=names))
    assert labels.tolist() == [9 - number for number in range(CLASSES) if number != 4]


def test_images_of_no_class(folder: Path) -> None:
    """Would be a class without a name, before all others."""
    Image.new("L", (28, 28)).save(folder / "stray.png")
    with pytest.raises(UsageError, match=f"^--data {folder}: holds images of no class; put each into"):
        opened(folder)


def test_folders_without_images(tmp_path: Path) -> None:
    """And none at all."""
    with pytest.raises(UsageError, match=f"^--data {tmp_path}: holds no folders of images: Found 0 images"):
        opened(tmp_path)
    with pytest.raises(UsageError, match=r"^--data /nowhere: is no folder; give one that holds"):
        opened(Path("/nowhere"))


def test_the_name_tells_the_content(folder: Path, tmp_path: Path) -> None:
    """Of the folder that is read: of `pictures/val` also where `pictures` was given."""
    images = opened(folder)
    assert images.name.partition("-")[0] == "pictures"
    (tmp_path / "whole").mkdir()
    folder.rename(tmp_path / "whole" / "val")
    assert opened(tmp_path / "whole").name == opened(tmp_path / "whole" / "val").name
    assert opened(tmp_path / "whole").name == images.name.replace("pictures", "val")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:60])


def _no_image(file: Path) -> None:
    file.write_bytes(b"no image at all")


def _broken_chunk(file: Path) -> None:
    """Break the header's checksum, of which PIL raises a SyntaxError."""
    content = bytearray(file.read_bytes())
    content[29] ^= 255
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [_cut, _no_image, _broken_chunk])
def test_a_damaged_image_is_named(folder: Path, damage: Any) -> None:
    """By its file, whatever PIL makes of it."""
    file = folder / "c7" / "007.png"
    damage(file)
    with pytest.raises(UsageError) as caught:
        all_images(opened(folder))
    assert str(caught.value).startswith(f"{file}: cannot be read as an image: ")
    assert "\n" not in str(caught.value)


def test_an_image_that_would_fill_the_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PIL refuses it, and so does octprobe, in a line."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UsageError, match=r"c0/000\.png: cannot be read as an image: Image size \(784"):
        all_images(opened(folder))
