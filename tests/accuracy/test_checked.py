"""A checkpoint on a folder of images, through timm's data config and loader."""

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from octprobe.accuracy.checked import Checked, evaluated_row
from octprobe.accuracy.imagefolder import Wanted
from octprobe.errors import ConversionError, UsageError
from octprobe.octave import octavize
from octprobe.store.accuracy_runs import flags_of

NETWORK = "resnet10t"
CLASSES = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give twelve noisy images of four classes, of odd sizes."""
    root = tmp_path_factory.mktemp("pictures") / "pets"
    draws = np.random.default_rng(0)
    for number in range(12):
        place = root / f"c{number % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 256, (50, 70, 3), dtype=np.uint8)).save(place / f"{number}.png")
    return root


def four_classes() -> Any:
    """Give the network with four answers, as a factory."""
    return timm.create_model(NETWORK, num_classes=CLASSES)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give weights of it with statistics of their own."""
    torch.manual_seed(0)
    network = four_classes()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    path = tmp_path_factory.mktemp("weights") / "w.pt"
    torch.save(network.state_dict(), path)
    return path


def checked(folder: Path, weights: Path, **changed: Any) -> Checked:
    """Say what is evaluated."""
    values: dict[str, Any] = {
        "network": "test_checked:four_classes",
        "alpha": Decimal("0.5"),
        "checkpoint": str(weights),
        "folder": folder,
        "dataset": None,
        "recipe": None,
        "seed": None,
        "images": Wanted(resolution=64, batch=5),
        "device": torch.device("cpu"),
        "env_id": "here",
        "allow_import": True,
    }
    return Checked(**values | changed)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the factory above be found by name."""
    import sys

    monkeypatch.setitem(sys.modules, "test_checked", sys.modules[__name__])


@pytest.mark.parametrize("alpha", [Decimal(0), Decimal("0.5")])
def test_the_answers_are_timms(folder: Path, weights: Path, alpha: Decimal) -> None:
    """Image by image those of timm's own transform and the octave network."""
    row = evaluated_row(checked(folder, weights, alpha=alpha))
    network = four_classes()
    network.load_state_dict(torch.load(weights, weights_only=True))
    network = octavize(network.eval(), alpha, torch.zeros(1, 3, 64, 64)).eval()
    config = timm.data.resolve_data_config({"input_size": (3, 64, 64)}, model=network)
    transform = timm.data.create_transform(**config)
    files = sorted(folder.glob("c*/*.png"), key=lambda path: (path.parent.name, len(path.name), path.name))
    images = torch.stack([transform(Image.open(file).convert("RGB")) for file in files])
    with torch.no_grad():
        right = network(images).argmax(1) == torch.tensor([int(file.parent.name[1]) for file in files])
    assert flags_of(row).tolist() == right.tolist()
    assert (row.images, row.kind, row.status, row.split, row.resolution) == (
        12,
        "evaluated",
        "evaluated",
        "test",
        64,
    )
    assert row.top5_percent is None
    assert (row.alpha, row.env_id, row.checkpoint) == (float(alpha), "here", str(weights))
    assert row.dataset.startswith("pets-")


def test_recipes_make_families(folder: Path, weights: Path) -> None:
    """Two checkpoints of a recipe that is named are compared, two of none are not."""
    rows = [evaluated_row(checked(folder, weights, recipe=text)) for text in ("ours", None)]
    assert rows[0].recipe == "ours"
    assert rows[1].recipe.startswith("checkpoint w.pt ")
    assert rows[0].recipe_digest != rows[1].recipe_digest


def test_a_map_of_classes(folder: Path, weights: Path, tmp_path: Path) -> None:
    """Says the order of the network's answers; reversed, other images are right."""
    names = tmp_path / "names.txt"
    names.write_text("c3\nc2\nc1\nc0\n")
    turned = evaluated_row(checked(folder, weights, images=Wanted(resolution=64, class_map=names)))
    straight = evaluated_row(checked(folder, weights))
    assert turned.images == straight.images
    assert turned.correct != straight.correct


@pytest.mark.parametrize(
    ("changed", "error", "rule"),
    [
        ({"folder": Path("/nowhere")}, UsageError, "--data /nowhere: is no folder; give one that holds"),
        (
            {"network": NETWORK, "checkpoint": "ALL"},
            UsageError,
            f"has 4 classes, and network '{NETWORK}' gives 1000 answers; give a folder of all its classes",
        ),
        ({"network": NETWORK}, UsageError, "do not fit network 'resnet10t': 2 keys of another shape"),
        ({"network": "resnet18"}, UsageError, "do not fit network 'resnet18':"),
        ({"checkpoint": "/nowhere.pt"}, UsageError, "weights '/nowhere.pt' cannot be read"),
        ({"alpha": (("nothing", Decimal("0.5")),)}, ConversionError, "nothing"),
    ],
)
def test_what_cannot_be_evaluated(
    folder: Path, weights: Path, tmp_path: Path, changed: dict[str, Any], error: type[Exception], rule: str
) -> None:
    """Each is one line."""
    if changed.get("checkpoint") == "ALL":
        changed = changed | {"checkpoint": str(tmp_path / "all.pt")}
        torch.save(timm.create_model(NETWORK).state_dict(), changed["checkpoint"])
    with pytest.raises(error) as caught:
        evaluated_row(replace(checked(folder, weights), **changed))
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_data_set_is_its_content(folder: Path, weights: Path, tmp_path: Path) -> None:
    """Two folders of one name are two data sets; a name that a person gives stands."""
    other = tmp_path / "pets"
    shutil.copytree(folder, other)
    names = [evaluated_row(checked(place, weights)).dataset for place in (folder, other)]
    assert names[0] == names[1]
    Image.new("RGB", (40, 40)).save(other / "c0" / "0.png")
    assert evaluated_row(checked(other, weights)).dataset not in names
    assert evaluated_row(checked(other, weights, dataset="pets")).dataset == "pets"


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_weights_that_answer_with_no_numbers(
    folder: Path, weights: Path, tmp_path: Path, broken: float
) -> None:
    """Are no network of 0 %."""
    state = torch.load(weights, weights_only=True)
    state["fc.bias"][:] = broken
    torch.save(state, tmp_path / "n.pt")
    with pytest.raises(UsageError) as caught:
        evaluated_row(checked(folder, tmp_path / "n.pt"))
    assert str(caught.value) == (
        f"{tmp_path}/n.pt: at alpha 0.5: its answers to 12 of 12 images are no finite numbers, so they say "
        "nothing of its accuracy; give other weights"
    )
