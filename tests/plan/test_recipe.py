"""Recipes of trainings."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from octprobe.errors import SpecError
from octprobe.plan.json_schema import recipe_schema, schema_text
from octprobe.plan.recipe import Kind, Recipe, alpha_text, read_recipe

ROOT = Path(__file__).parents[2]
SHIPPED = ["fashion", "fashion_elastic"]
PLAIN: dict[str, Any] = {
    "version": 1,
    "name": "x",
    "network": "resnet18",
    "dataset": "cifar-10",
    "epochs": 3,
    "learning_rate": 0.1,
    "alphas": [0, 0.25, {"layer1": 0.5, "layer2.*": 0.125}],
}
LAYERS = (("layer1", Decimal("0.5")), ("layer2.*", Decimal("0.125")))


def recipe(**changed: Any) -> Recipe:
    """Give the plain recipe, changed."""
    return Recipe.model_validate(PLAIN | changed)


def read(tmp_path: Path, text: str) -> Recipe:
    """Read a recipe's text."""
    file = tmp_path / "r.yaml"
    file.write_text(text, encoding="utf-8")
    return read_recipe(file)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes(name: str) -> None:
    """Each is named after its file, asks a question, has the schema's modeline and obeys it."""
    file = ROOT / "sweeps" / f"{name}.yaml"
    found = read_recipe(file)
    assert found.name == name
    assert found.question.endswith("?")
    assert file.read_text().startswith("# yaml-language-server: $schema=recipe.schema.json\n")
    assert not list(Draft7Validator(recipe_schema()).iter_errors(YAML(typ="safe").load(file)))  # type: ignore[arg-type]  # any JSON


def test_both_shipped_recipes_are_compared() -> None:
    """The same network, data, alphas and seeds, so that each alpha and seed has its pair."""
    alone, together = (read_recipe(ROOT / "sweeps" / f"{name}.yaml") for name in SHIPPED)
    for name in ("network", "dataset", "resolution", "validation", "alphas", "seeds"):
        assert getattr(alone, name) == getattr(together, name)
    assert together.elastic is not None


def test_the_committed_schema_is_current() -> None:
    """The file that modelines name is what `octprobe schema --recipe` prints, in draft 7."""
    assert (ROOT / "sweeps" / "recipe.schema.json").read_text() == schema_text(recipe=True)
    Draft7Validator.check_schema(recipe_schema())


def test_alphas_are_exact() -> None:
    """Numbers and maps, as their author wrote them."""
    assert recipe().alphas == (Decimal(0), Decimal("0.25"), LAYERS)
    assert [alpha_text(alpha) for alpha in recipe().alphas] == ["0", "0.25", "layer1=0.5,layer2.*=0.125"]


def test_a_recipe_survives_as_text() -> None:
    """A checkpoint holds it whole."""
    whole = recipe(elastic={"alphas_a_step": 3, "distillation": 0.5}, augmentation={"shift": 2}, seeds=[4, 5])
    assert Recipe.of_text(whole.text()) == whole
    json.loads(whole.text())


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "y"},
        {"question": "Why?"},
        {"device": "cpu"},
        {"seeds": [7]},
        {"alphas": [0.5]},
        {"elastic": {}},
    ],
    ids=str,
)
def test_what_makes_no_other_training(changed: dict[str, Any]) -> None:
    """More seeds or alphas leave what is done; an elastic part is no part of a standalone training."""
    changed = changed if "elastic" not in changed else {"elastic": {"alphas_a_step": 1}}
    assert recipe(**changed).digest(Kind.TRAINED) == recipe().digest(Kind.TRAINED)


@pytest.mark.parametrize(
    "changed",
    [
        *({"learning_rate": 0.2}, {"epochs": 4}, {"batch": 64}, {"dataset": "cifar-100"}, {"ema": 0.9}),
        *({"network": "resnet26"}, {"resolution": 64}, {"validation": 10}, {"images": 100}, {"warmup": 1}),
        *({"augmentation": {"flip": True}}, {"label_smoothing": 0.1}, {"schedule": "poly"}),
        *({"optimiser": "adamw"}, {"weight_decay": 0.1}, {"momentum": 0.5}, {"statistics_images": 9}),
    ],
    ids=str,
)
def test_what_makes_another_training(changed: dict[str, Any]) -> None:
    """All that its weights depend on."""
    for kind in (Kind.TRAINED, Kind.ELASTIC):
        assert recipe(**changed).digest(kind) != recipe().digest(kind)


def test_an_elastic_training_depends_on_what_it_draws_from() -> None:
    """On its alphas and its part of the recipe, and it may have epochs of its own."""
    one = recipe(elastic={"epochs": 9})
    assert one.digest(Kind.ELASTIC) != recipe(elastic={}).digest(Kind.ELASTIC)
    assert one.digest(Kind.ELASTIC) != recipe(elastic={"epochs": 9}, alphas=[0, 0.5]).digest(Kind.ELASTIC)
    assert (one.epochs_of(Kind.ELASTIC), one.epochs_of(Kind.TRAINED)) == (9, 3)
    assert recipe(elastic={}).epochs_of(Kind.ELASTIC) == 3


BROKEN = """\
version: 1
name: x
netwrok: a
dataset: fashion
epochs: 0
learning_rate: a
alphas: [0, 2, 0]
seeds: []
augmentation: {shfit: 3}
elastic: {alphas_a_step: 1, epoch: 4}
"""


def test_all_faults_at_once_with_their_places(tmp_path: Path) -> None:
    """Each has its line and column, the rule and the value, and the nearest key."""
    with pytest.raises(SpecError) as caught:
        read(tmp_path, BROKEN)
    heads = [line.removeprefix(str(tmp_path)) for line in str(caught.value).splitlines() if line[0] != " "]
    assert heads == [
        "/r.yaml:1:1: network: is missing",
        '/r.yaml:3:1: netwrok: is not a key of a recipe; did you mean "network"? ("a")',
        '/r.yaml:4:10: dataset: must be "fashion-mnist", "cifar-10", "cifar-100" or "imagefolder"; '
        'did you mean "fashion-mnist"? ("fashion")',
        "/r.yaml:5:9: epochs: must be at least 1 (0)",
        '/r.yaml:6:16: learning_rate: must be a number, without quotes ("a")',
        "/r.yaml:7:13: alphas[1]: alpha must lie in [0, 1] (2)",
        "/r.yaml:8:8: seeds: must not be empty ([])",
        '/r.yaml:9:16: augmentation.shfit: is not a key of a recipe; did you mean "shift"? (3)',
        '/r.yaml:10:29: elastic.epoch: is not a key of a recipe; did you mean "epochs"? (4)',
    ]


GOOD = """\
version: 1
name: x
network: resnet18
dataset: cifar-10
epochs: 3
learning_rate: 0.1
alphas: [0, 0.5]
"""


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("warmup: 3\n", "8:9: warmup: must be fewer than epochs, or the learning rate never falls (3)"),
        ("seeds: [1, 1]\n", "8:8: seeds: must not hold a value twice ([1, 1])"),
        (
            "elastic: {alphas_a_step: 3}\n",
            "8:10: elastic: alphas_a_step must be at most the number of alphas, 2",
        ),
        ("ema: 1\n", "8:6: ema: must be below 1 (1)"),
        ("optimiser: adm\n", 'did you mean "adam"?'),
        ("momentum: .nan\n", "8:11: momentum: must be"),
    ],
)
def test_rules_between_keys(tmp_path: Path, more: str, fault: str) -> None:
    """Told at the key that breaks them."""
    assert read(tmp_path, GOOD).epochs == 3
    with pytest.raises(SpecError) as caught:
        read(tmp_path, GOOD + more)
    assert fault in str(caught.value)


def test_a_list_is_no_recipe(tmp_path: Path) -> None:
    """Nor is a sweep."""
    with pytest.raises(SpecError, match="a recipe is a mapping that begins with version: 1"):
        read(tmp_path, "[1, 2]")


def test_networks_are_checked_by_the_caller(tmp_path: Path) -> None:
    """With the place of the name."""
    file = tmp_path / "r.yaml"
    file.write_text(GOOD)
    with pytest.raises(SpecError, match=r"r\.yaml:3:10: network: no such thing"):
        read_recipe(file, network_fault=lambda name: "no such thing")
