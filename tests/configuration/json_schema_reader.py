"""Reads JSON Schema as an editor does, as far as `config/schema` uses it: what it would underline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def underlined(schema: dict[str, Any], value: Any, root: dict[str, Any], where: str = "") -> Iterator[str]:
    """The places of a value that the schema does not allow."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]] | {
            key: each for key, each in schema.items() if key != "$ref"
        }
    if "anyOf" in schema and not any(_fits(each, value, root) for each in schema["anyOf"]):
        yield where
        return
    if "const" in schema and value != schema["const"]:
        yield where
    if "enum" in schema and value not in schema["enum"]:
        yield where
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield where
        return
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield where
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from underlined(schema.get("items", {}), item, root, f"{where}.{place}")
    if isinstance(value, dict):
        yield from _in_table(schema, value, root, where)


def _fits(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    return next(underlined(schema, value, root), None) is None


def _in_table(
    schema: dict[str, Any], value: dict[str, Any], root: dict[str, Any], where: str
) -> Iterator[str]:
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{where}.{key}"
    for key, item in value.items():
        found = schema.get("properties", {}).get(key)
        for pattern, each in schema.get("patternProperties", {}).items():
            found = each if found is None and re.search(pattern, key) else found
        if not _fits(schema.get("propertyNames", {}), key, root):
            yield f"{where}.{key}"
        if found is None:
            found = schema.get("additionalProperties", {})
        if found is False:
            yield f"{where}.{key}"
        elif isinstance(found, dict):
            yield from underlined(found, item, root, f"{where}.{key}")
