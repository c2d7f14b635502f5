"""Writes what `config/` holds because the code says so: JSON Schemas for editors, the tables of its README.

python -m integration.settings.json_schema [config]     (or: make schema)
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fhir_mappers.profile import VendorProfile
from fhir_mappers.profile_values import INHERITED
from integration.domain.catalog_reading import ENCODINGS
from integration.domain.catalog_sections import NEVER_ASK, Answer, FreeForm, Occasion
from integration.domain.failure import Failure
from integration.domain.reply_words import TABLES, Meaning
from integration.domain.text_lint import LISTED as LISTED_WORDS
from integration.settings.schema import FeedFile, SettingsFile
from integration.settings.schema_practice import PracticeFile, RemindersFile

if TYPE_CHECKING:
    from pydantic import BaseModel

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
SHAPES: Final[dict[str, type[BaseModel]]] = {
    "settings": SettingsFile,
    "reminders": RemindersFile,
    "feed": FeedFile,
    "practice": PracticeFile,
}
LISTED: Final = SHAPES | {"vendor": VendorProfile}  # in the README
_TABLE: Final = re.compile(r"(<!-- keys of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def schemas() -> dict[str, dict[str, Any]]:
    """Every JSON Schema, by the name of its file."""
    found = {name: shape.model_json_schema() for name, shape in SHAPES.items()}
    plan = found["reminders"]
    for key in ("hours", "caps", "steps"):  # a practice may give any part of them
        described = plan["properties"][key] | {
            "description": found["practice"]["properties"][key]["description"]
        }
        found["practice"]["properties"][key] = _partial(described)
    found["practice"].setdefault("$defs", {}).update(_partial(plan["$defs"]))
    found["vendor"] = _extending(_partial(VendorProfile.model_json_schema()))
    found["vendor"]["properties"]["extends"] = {
        "type": "string",
        "description": "the profile it differs from",
    }
    found["messages"] = _messages()
    found["error_codes"] = {
        "title": "error_codes.toml",
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"enum": sorted(Failure)}},
    }
    return {name: {"$schema": _DIALECT} | schema for name, schema in found.items()}


def _partial(schema: Any) -> Any:
    """The same schema with nothing required."""
    if isinstance(schema, dict):
        return {
            key: _partial(value)
            for key, value in schema.items()
            if key != "required" or isinstance(value, dict)
        }
    return [_partial(item) for item in schema] if isinstance(schema, list) else schema


def _extending(schema: Any) -> Any:
    """The same schema, in whose lists "..." may stand for the items of the profile that is extended."""
    if isinstance(schema, list):
        return [_extending(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _extending(value) for key, value in schema.items() if key != "minItems"}
    items = found.get("items")
    if isinstance(items, dict) and ("$ref" in items or "enum" in items):
        found["items"] = {"anyOf": [items, {"const": INHERITED}]}
    if "patternProperties" in found:
        found["additionalProperties"] = False  # its keys are what the pattern says and nothing else
    return found


def _messages() -> dict[str, Any]:
    forms = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    way = {"type": "object", "properties": {"one": forms, "several": forms, "first": forms}}
    texts = {
        occasion.value: {"properties": {"inform": way} | ({} if occasion in NEVER_ASK else {"ask": way})}
        for occasion in Occasion
    }
    answer_forms = {"plain": forms, "visit": forms, "closed": forms}
    answers = {answer.value: {"properties": answer_forms} for answer in Answer}
    words = {"type": "array", "items": {"type": "string"}}
    tables = {name: {"type": "object", "additionalProperties": words} for name in TABLES}
    by_hand = {form.value: forms for form in FreeForm}
    shut = {"type": "object", "additionalProperties": False}
    return {
        "title": "messages/<language>.toml",
        "type": "object",
        "properties": {
            "extends": {
                "type": "string",
                "description": "the language from which it differs little, such as en",
            },
            "locale": {
                "type": "string",
                "description": "whose names of days and months it uses, such as en_US",
            },
            "encoding": {"enum": list(ENCODINGS), "description": "GSM-7 unless it cannot write the language"},
            "lint": shut
            | {
                "description": "words no text may say; oncolog* is every word that so begins",
                "properties": {kind.value: words for kind in LISTED_WORDS} | {"capitals": words},
            },
            "replies": shut | {"properties": {meaning.value: words for meaning in Meaning} | tables},
            "texts": {
                "type": "object",
                "properties": {name: shut | table for name, table in texts.items()},
                # Occasions of the site's own
                "additionalProperties": shut | {"properties": {"inform": way, "ask": way}},
            },
            "free": shut | {"properties": by_hand},
            "answers": shut | {"properties": {name: shut | table for name, table in answers.items()}},
        },
    }


def keys(name: str) -> list[tuple[str, str, str]]:
    """Every key of one kind of file: how TOML reaches it, what it means, what holds without it."""
    rows = _keys(LISTED[name].model_json_schema(), "")
    if name != "vendor":
        return rows
    # What a vendor leaves out, the profile that it extends has said.
    return [(key, meaning, "" if default == "**required**" else default) for key, meaning, default in rows]


def _keys(
    schema: dict[str, Any], prefix: str, definitions: dict[str, Any] | None = None
) -> list[tuple[str, str, str]]:
    definitions = definitions or schema.get("$defs", {})
    rows = []
    for key, field in schema.get("properties", {}).items():
        inner = field.get("additionalProperties", field)
        inner = next((each for each in field.get("anyOf", ()) if "$ref" in each), inner)
        inner = inner if isinstance(inner, dict) else {}
        inner = inner.get("items", inner)
        reference = inner.get("$ref", "").rpartition("/")[2]
        section = definitions.get(reference, {})
        if "properties" in section:
            of_several = "<name>." if "additionalProperties" in field else ""
            name = f"{prefix}{key}{'[]' if 'items' in field else ''}.{of_several}"
            rows += _keys(section, name, definitions)
            continue
        required = key in schema.get("required", ())
        default = "**required**" if required else _default(field.get("default"))
        rows.append((prefix + key, field.get("description", ""), default))
    return rows


def _default(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return ""
    return f"`{json.dumps(value)}`"


def readme(text: str) -> str:
    """The README with the tables between its marks written anew."""

    def table(found: re.Match[str]) -> str:
        rows = "".join(f"| `{key}` | {meaning} | {default} |\n" for key, meaning, default in keys(found[2]))
        return f"{found[1]}| key | meaning | without it |\n|---|---|---|\n{rows}{found[3]}"

    return _TABLE.sub(table, text)


def written(config: Path) -> dict[Path, str]:
    """Every file this module writes, with what belongs in it."""
    files = {
        config / "schema" / f"{name}.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    path = config / "README.md"
    return files | {path: readme(path.read_text(encoding="utf-8"))}


def main() -> None:
    """Write them all."""
    for path, text in written(Path(*sys.argv[1:2] or ["config"])).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
