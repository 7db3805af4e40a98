"""What cannot be trained is refused before its first epoch."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch

from octprobe.accuracy import preflight
from octprobe.accuracy.data import DataSet, split
from octprobe.accuracy.preflight import refuse_hopeless
from octprobe.errors import SpecError, UsageError
from octprobe.plan.recipe import read_recipe
from trainings import CLASSES, recipe, small_data, stripes

RECIPE = """\
version: 1
name: tiny
network: trainings:tiny
dataset: fashion-mnist
epochs: 2
learning_rate: 0.05
alphas: [0, 0.5, {layer1: 0.5}]
"""


def checked(tmp_path: Path, text: str, data: DataSet | None = None) -> None:
    """Check a recipe's text."""
    file = tmp_path / "tiny.yaml"
    file.write_text(text)
    refuse_hopeless(file, read_recipe(file), data or small_data(), allow_import=True)


def test_what_can_be_trained_passes(tmp_path: Path) -> None:
    """Nothing is said, and torch's own random numbers stay."""
    before = torch.get_rng_state()
    checked(tmp_path, RECIPE)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_alpha_without_a_form_has_its_place(tmp_path: Path) -> None:
    """Line and column, value, rule and way out, all at once; none is tried."""
    with pytest.raises(SpecError) as caught:
        checked(tmp_path, RECIPE.replace("{layer1: 0.5}", "{nowhere: 0.5}, {layer1: 1}, {layer: 0.25}"))
    heads = [line.removeprefix(str(tmp_path)) for line in str(caught.value).splitlines() if line[0] != " "]
    assert heads == [
        "/tiny.yaml:7:18: alphas[2]: alpha map: 'nowhere' matches no convolution ({\"nowhere\": 0.5})",
        "/tiny.yaml:7:47: alphas[4]: alpha map: 'layer' matches no convolution; did you mean 'layer3'? "
        '({"layer": 0.25})',
    ]


def _of_pixels(side: int) -> DataSet:
    """Give stripes as images of so many pixels."""
    return split("small", stripes(84), stripes(30, 1), classes=CLASSES, validation=20, resolution=side)


@pytest.mark.parametrize("few", ["batch: 1\n", "images: 1\n", "statistics_images: 1\n"])
def test_one_image_of_one_pixel(tmp_path: Path, few: str) -> None:
    """By the batch, by the images there are, or by those for statistics: the network cannot norm it."""
    cut = 1 if few == "images: 1\n" else None
    larger, small = (_of_pixels(side).of_first(cut or 64) for side in (24, 4))
    checked(tmp_path, RECIPE + few, larger)
    with pytest.raises(
        UsageError, match=r"^network 'trainings:tiny' does not learn from images of 4 pixels, 1 at"
    ):
        checked(tmp_path, RECIPE + few, small)


def test_an_octave_form_has_smaller_maps(tmp_path: Path) -> None:
    """Of images of 12 pixels the vanilla network ends at four values a channel, and its low ones at one."""
    text = RECIPE.replace("{layer1: 0.5}", "{layer3: 1}") + "batch: 1\n"
    checked(tmp_path, text.replace("{layer3: 1}", "0.25"))
    rule = r"tiny\.yaml:7:18: alphas\[2\]: network 'trainings:tiny' does not learn from images of 12 pixels"
    with pytest.raises(SpecError, match=rule):
        checked(tmp_path, text)


def test_a_network_of_other_images(tmp_path: Path) -> None:
    """As ever."""
    with pytest.raises(UsageError, match="takes images of 1 channels, and those of stripes have 3"):
        checked(tmp_path, RECIPE, small_data(channels=3))


def test_a_want_of_memory_shows_in_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which makes a row of it, and the next run tries again; a fault of ours does not."""

    def hungry(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(preflight, "refuse_untrainable", hungry)
    refuse_hopeless(tmp_path / "none", recipe(alphas=(Decimal(0),)), small_data(), allow_import=True)

    def wrong(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(preflight, "refuse_untrainable", wrong)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        refuse_hopeless(tmp_path / "none", recipe(), small_data(), allow_import=True)
