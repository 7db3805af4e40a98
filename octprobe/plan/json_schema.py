"""The grammars of sweep files and recipes as JSON Schema draft 7, which YAML language servers read."""

import json
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from octprobe.plan.grammar import SWEEPS
from octprobe.plan.recipe import Recipe

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
# pydantic's own keywords, and titles that only repeat a key.
_DROPPED = ("discriminator", "title")
# Parts whose form depends on the subject.
_BY_SUBJECT = ("axes", "zip", "when", "exclude", "include")

Schema = dict[str, Any]


def sweep_schema() -> Schema:
    """Give the JSON Schema of sweep files."""
    _, emitted = models_json_schema([(model, "validation") for model in SWEEPS.values()])
    definitions = {name: _draft_7(part) for name, part in emitted["$defs"].items()}
    forms = {subject: definitions.pop(model.__name__) for subject, model in SWEEPS.items()}
    common = forms["network"]
    return {
        "$schema": DRAFT,
        "title": "octprobe sweep",
        "description": common["description"],
        "type": "object",
        "required": common["required"],
        "additionalProperties": False,
        "properties": _common_properties(common["properties"]),
        "if": {"properties": {"subject": {"const": "layer"}}},
        "then": {"properties": _own_properties(forms["layer"])},
        "else": {"properties": _own_properties(forms["network"])},
        "definitions": definitions,
    }


def recipe_schema() -> Schema:
    """Give the JSON Schema of recipes."""
    emitted = Recipe.model_json_schema()
    definitions = {name: _draft_7(part) for name, part in emitted.pop("$defs").items()}
    return {
        "$schema": DRAFT,
        **_draft_7(emitted),
        "title": "octprobe recipe",
        "definitions": definitions,
    }


def _common_properties(properties: Schema) -> Schema:
    """Give every key of a sweep; what depends on the subject is described here and defined there."""
    common = {
        name: {"description": part["description"]} if name in _BY_SUBJECT else part
        for name, part in properties.items()
    }
    subject = {"enum": list(SWEEPS), "description": properties["subject"]["description"]}
    return common | {"subject": subject}


def _own_properties(form: Schema) -> Schema:
    return {name: part for name, part in form["properties"].items() if name in _BY_SUBJECT}


def _draft_7(part: Any, *, is_properties: bool = False) -> Any:
    """Turn pydantic's 2020-12 into draft 7, in which a `$ref` hides every keyword beside it."""
    if isinstance(part, list):
        return [_draft_7(item) for item in part]
    if not isinstance(part, dict):
        return part
    if is_properties:
        return {name: _draft_7(value) for name, value in part.items()}
    kept = {
        name: _draft_7(value, is_properties=name in ("properties", "patternProperties"))
        for name, value in part.items()
        if name not in _DROPPED and not (name == "default" and value in ([], (), {}))
    }
    if "$ref" not in kept:
        return kept
    reference = {"$ref": kept.pop("$ref").replace("#/$defs/", "#/definitions/")}
    return kept | {"allOf": [reference]} if kept else reference


def schema_text(*, recipe: bool = False) -> str:
    """Give the schema of sweep files, or of recipes, as it is committed."""
    return json.dumps(recipe_schema() if recipe else sweep_schema(), indent=2) + "\n"
