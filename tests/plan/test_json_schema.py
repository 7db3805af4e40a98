"""The JSON Schema of sweep files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from octprobe.plan.axes import LAYER_AXES, NETWORK_AXES
from octprobe.plan.json_schema import schema_text, sweep_schema

ROOT = Path(__file__).parents[2]
SWEEPS = sorted(p for p in (ROOT / "sweeps").glob("*.yaml") if "sweep.schema.json" in p.read_text("utf-8"))
BROKEN = Path(__file__).parent / "broken"


def faults(data: object) -> list[str]:
    """Say what the schema finds in plain data."""
    return [error.message for error in Draft7Validator(sweep_schema()).iter_errors(data)]  # type: ignore[arg-type]  # any JSON


def test_schema_is_draft_7() -> None:
    """The YAML language server reads draft 7."""
    schema = sweep_schema()
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_committed_schema_is_current() -> None:
    """The file that modelines name is what `octprobe schema` prints."""
    committed = (ROOT / "sweeps" / "sweep.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), (
        "run `octprobe schema --output sweeps/sweep.schema.json` and commit the file"
    )


def parts(schema: object) -> Iterator[dict[str, Any]]:
    """Walk every object of a schema."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from parts(item)


def test_nothing_of_later_drafts_is_left() -> None:
    """References point into definitions, stand alone, and resolve."""
    schema = sweep_schema()
    for part in parts(schema):
        assert not {"$defs", "prefixItems", "discriminator"} & part.keys()
        if isinstance(part.get("$ref"), str):
            assert list(part) == ["$ref"]
            assert part["$ref"].removeprefix("#/definitions/") in schema["definitions"]


def test_every_key_is_described() -> None:
    """An editor shows a sentence for each key of the file."""
    for part in parts(sweep_schema()):
        for name, key in part.get("properties", {}).items():
            described = isinstance(key, dict) and ("description" in key or "const" in key)
            assert described, f"{name} has no description"


def test_every_axis_is_there() -> None:
    """The axes of the grammar are the axes of the schema."""
    definitions = sweep_schema()["definitions"]
    for title, axes in (("Network", NETWORK_AXES), ("Layer", LAYER_AXES)):
        for part in ("Axes", "Zip", "Point"):
            assert set(definitions[title + part]["properties"]) == set(axes)


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda path: path.name)
def test_shipped_sweeps_are_valid(sweep: Path) -> None:
    """Each shipped sweep passes its schema and names it in its modeline."""
    text = sweep.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=sweep.schema.json\n")
    assert faults(YAML(typ="safe", pure=True).load(text)) == []


# What a schema cannot say: rules between values, conditions, networks' names, sizes, and YAML's own rules.
BEYOND_A_SCHEMA = (
    "no_effect",
    "bad_expression",
    "unknown_name_in_expression",
    "unequal_zip",
    "unknown_network",
    "huge_grid",
    "same_axis_twice",
    "nothing_asked",
    "when_reads",
    "division_by_zero",
    "long_value",
    "alias_bomb",
    "brackets",
    "layer_lacks_axes",
    "duplicate_key",
)


@pytest.mark.parametrize("spec", sorted(BROKEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_broken_specs_are_rejected_where_the_schema_can(spec: Path) -> None:
    """An editor underlines what the schema can express."""
    if spec.stem[3:].startswith(BEYOND_A_SCHEMA):
        return
    try:
        data = YAML(typ="safe", pure=True).load(spec)
    except (YAMLError, ValueError, TypeError):
        return  # an editor underlines the YAML itself
    try:
        data = json.loads(json.dumps(data))
    except (TypeError, ValueError):
        return  # no JSON, so no matter for a JSON Schema
    assert faults(data) != []
