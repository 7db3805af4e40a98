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
from octprobe.plan.recipe import Kind, Recipe, alpha_order, alpha_text, alphas_error, plain_alpha, read_recipe

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


@pytest.mark.parametrize(
    ("name", "kind", "digest"),
    [("fashion", Kind.TRAINED, "c68cd05d30a2172f"), ("fashion_elastic", Kind.ELASTIC, "7e29154fd64ee298")],
)
def test_published_figures_keep_their_recipes(name: str, kind: Kind, digest: str) -> None:
    """The stores behind them name these digests: another one would leave their rows behind."""
    assert read_recipe(ROOT / "sweeps" / f"{name}.yaml").digest(kind) == digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"elastic": {}}),
        ({}, {"elastic": {"epochs": 3}}),
        ({}, {"elastic": {"alphas_a_step": 2, "distillation": 0.0, "temperature": 1.0}}),
        ({}, {"elastic": {"temperature": 4.0}}),
        ({"alphas": [0, 0.5]}, {"alphas": [0.5, 0]}),
        ({"alphas": [0, 0.5]}, {"alphas": [0.5, {"layer1": 0}]}),
        ({"alphas": [0.5, {"layer1": 1}]}, {"alphas": [{"layer1": 1}, 0.5]}),
        ({"alphas": [0.5]}, {"alphas": [0.5], "elastic": {"alphas_a_step": 1}}),
    ],
    ids=str,
)
def test_one_elastic_training_has_one_digest(one: dict[str, Any], other: dict[str, Any]) -> None:
    """However it is said: the same alphas are drawn from, the same number a step, for as many epochs."""
    assert recipe(**one).digest(Kind.ELASTIC) == recipe(**other).digest(Kind.ELASTIC)


@pytest.mark.parametrize(
    "other",
    [
        {"elastic": {"alphas_a_step": 1}},
        {"elastic": {"alphas_a_step": 3}},
        {"elastic": {"epochs": 4}},
        {"elastic": {"distillation": 0.5}},
        {"alphas": [0, 0.25]},
        {"alphas": [0, 0.25, {"layer2.*": 0.125, "layer1": 0.5}]},
    ],
    ids=str,
)
def test_another_elastic_training_has_another_digest(other: dict[str, Any]) -> None:
    """Of a map the order of patterns is part: the last match wins."""
    assert recipe(**other).digest(Kind.ELASTIC) != recipe().digest(Kind.ELASTIC)


def test_temperature_tells_trainings_apart_where_one_is_taught() -> None:
    """Without distillation it softens nothing."""
    soft, hard = (recipe(elastic={"distillation": 0.5, "temperature": t}) for t in (4.0, 1.0))
    assert soft.digest(Kind.ELASTIC) != hard.digest(Kind.ELASTIC)


def test_a_map_of_zeros_is_alpha_0() -> None:
    """Every other alpha is itself; numbers come before maps."""
    zeros, half = (("layer1", Decimal(0)), ("layer2", Decimal(0))), Decimal("0.5")
    assert [plain_alpha(alpha) for alpha in (zeros, half, LAYERS)] == [0, half, LAYERS]
    assert sorted([LAYERS, half, Decimal(0), Decimal("0.25")], key=alpha_order) == [
        *(Decimal(0), Decimal("0.25"), half),
        LAYERS,
    ]


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
        (
            "elastic: {alphas_a_step: 1, distillation: 0.5}\n",
            "8:10: elastic: distillation needs alphas_a_step of 2 or more: alpha 0, and one that it teaches",
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


@pytest.mark.parametrize(
    ("alphas", "fault"),
    [
        ("[0.25, 0.5]", "8:10: elastic: distillation needs alpha 0, which teaches, among the alphas"),
        ("[0, {layer1: 0}]", "7:9: alphas: must not hold a value twice"),
        ("[{layer1: 0}, 0.5]", None),
    ],
)
def test_alpha_0_teaches(tmp_path: Path, alphas: str, fault: str | None) -> None:
    """However it is written, and once."""
    text = f"{GOOD.replace('[0, 0.5]', alphas)}elastic: {{distillation: 0.5}}\n"
    if fault is None:
        assert read(tmp_path, text).elastic
        return
    with pytest.raises(SpecError) as caught:
        read(tmp_path, text)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[1, 2]", "r.yaml:1:1: a recipe is a mapping that begins with version: 1 ([1, 2])"),
        (
            "",
            "r.yaml:1:1: the file is empty; a recipe needs at least version, name, network, dataset, epochs, "
            "learning_rate and alphas",
        ),
        (f"{GOOD}---\n{GOOD}", "r.yaml:8:1: a second document begins; a recipe has one"),
        (GOOD.replace("resnet18", "!x resnet18"), "a tag has no place in a recipe; write the plain value"),
        (f"{GOOD}#{'x' * 300_000}", "r.yaml: is larger than 256 KiB; split it into several recipes"),
    ],
    ids=["list", "empty", "two", "tag", "large"],
)
def test_what_is_no_recipe(tmp_path: Path, text: str, rule: str) -> None:
    """Is told in words of recipes, not of sweeps."""
    with pytest.raises(SpecError) as caught:
        read(tmp_path, text)
    assert rule in str(caught.value)
    assert "sweep" not in str(caught.value).replace(str(tmp_path), "")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """A shipped recipe is named, or the recipe that may lie in a folder."""
    with pytest.raises(SpecError) as caught:
        read_recipe(tmp_path / "none.yaml")
    assert str(caught.value) == (
        f"{tmp_path}/none.yaml: there is no such file; name a recipe such as sweeps/fashion.yaml"
    )
    with pytest.raises(SpecError, match="is a folder; name the recipe in it"):
        read_recipe(tmp_path)


def test_faults_of_alphas_have_their_places(tmp_path: Path) -> None:
    """In the file that the recipe was read from, with the values as it has them."""
    found = read(tmp_path, GOOD.replace("[0, 0.5]", "[0.5, {layer9: 1, x: 0.25}]"))
    error = alphas_error(tmp_path / "r.yaml", found, {1: "matches nothing", 0: "is wrong"})
    assert str(error).replace(f"{tmp_path}/", "").splitlines() == [
        "r.yaml:7:10: alphas[0]: is wrong (0.5)",
        "    alphas: [0.5, {layer9: 1, x: 0.25}]",
        "             ^",
        'r.yaml:7:15: alphas[1]: matches nothing ({"layer9": 1.0, "x": 0.25})',
        "    alphas: [0.5, {layer9: 1, x: 0.25}]",
        "                  ^",
    ]


def test_networks_are_checked_by_the_caller(tmp_path: Path) -> None:
    """With the place of the name."""
    file = tmp_path / "r.yaml"
    file.write_text(GOOD)
    with pytest.raises(SpecError, match=r"r\.yaml:3:10: network: no such thing"):
        read_recipe(file, network_fault=lambda name: "no such thing")
