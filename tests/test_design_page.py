"""The page on the design draws the house as import-linter holds it."""

import re
import tomllib
from pathlib import Path

import pytest


@pytest.fixture
def floors(repository: Path) -> list[list[str]]:
    """Give the floors from the top, each with the modules that share it."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    (contract,) = (each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def test_every_module_has_its_caption(repository: Path, floors: list[list[str]]) -> None:
    """Once, and no module that is no more."""
    table = re.findall(r"^\| `(\w+)` \|", (repository / "docs/design.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(name for floor in floors for name in floor)


def test_the_picture_has_the_floors_in_their_order(repository: Path, floors: list[list[str]]) -> None:
    """From the doors to the ground, whose modules stand in one line; the app is no part of the package."""
    (picture,) = re.findall(r"```\n(.*?doors.*?)```", (repository / "docs/design.md").read_text(), re.DOTALL)
    words = re.findall(r"\w+", picture.replace(".py", ""))
    drawn = [
        word for word in words if word not in {"doors", "bench", "desk", "ground", "torch", "pandas", "app"}
    ]
    level = {name: number for number, floor in enumerate(floors) for name in floor}
    assert set(drawn) == set(level)
    desk = {"report", "figures", "explore"}
    for wing in (desk, set(level) - desk):
        floors_down = [level[name] for name in drawn if name in wing]
        assert floors_down == sorted(floors_down)
