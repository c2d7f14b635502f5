"""Pydantic's complaints about a configuration file, in our words: what is allowed, what was likely meant."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from integration.domain.text_template import choices
from integration.settings.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


_KEY: Final = "[key]"  # pydantic's mark for a complaint about a key, which stands before it
# What pydantic calls it → what must stand there, as TOML writes it
_EXPECTED: Final = {
    "string_type": 'a text in quotes, such as "…"',
    "tuple_type": 'a list, such as ["…", "…"]',
    "list_type": 'a list, such as ["…", "…"]',
    "dict_type": "a table, such as { key = … }",
    "model_type": "a table, such as { key = … }",
    "int_type": "a whole number, without quotes",
    "int_parsing": "a whole number, without quotes",
    "int_from_float": "a whole number",
    "float_type": "a number, without quotes",
    "float_parsing": "a number, without quotes",
    "bool_type": "true or false, without quotes",
    "bool_parsing": "true or false, without quotes",
}
# What pydantic calls it → our words, the name of the limit in its context, of what
_LIMITS: Final = {
    "greater_than": ("be more than", "gt", ""),
    "greater_than_equal": ("be at least", "ge", ""),
    "less_than": ("be less than", "lt", ""),
    "less_than_equal": ("be at most", "le", ""),
    "too_short": ("have at least", "min_length", " item(s)"),
    "too_long": ("have at most", "max_length", " item(s)"),
    "string_too_short": ("have at least", "min_length", " character(s)"),
    "string_too_long": ("have at most", "max_length", " character(s)"),
}


def of_validation(file: str, model: type[BaseModel], error: ValidationError) -> Iterator[Mistake]:
    """Pydantic's complaints about one file, in our words."""
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]
    for detail in details:
        where = detail["loc"]
        inside = any(len(other) > len(where) and other[: len(where)] == where for other in places)
        if detail["type"] == "too_short" and inside:
            continue  # a list is not short because its items are wrong
        said = _words(model, detail) + _misplaced(model, detail)
        yield Mistake(file, ".".join(str(step) for step in where if step != _KEY), said)


def _words(model: type[BaseModel], detail: ErrorDetails) -> str:
    kind, context, where = detail["type"], detail.get("ctx", {}), detail["loc"]
    if kind == "value_error":
        return str(context["error"])
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}"
    if kind in _LIMITS:
        word, limit, of = _LIMITS[kind]
        return f"must {word} {context[limit]}{of}"
    said = {
        "extra_forbidden": lambda: f"unknown key; {choices(str(where[-1]), _keys_at(model, where[:-1]))}",
        "missing": lambda: "missing" + _meaning(model, where),
        "literal_error": lambda: _unknown_word(detail),
        "enum": lambda: _unknown_word(detail),
        "string_pattern_mismatch": lambda: "is not written as it should be" + _meaning(model, where),
    }
    return said[kind]() if kind in said else detail["msg"][:1].lower() + detail["msg"][1:]


def _unknown_word(detail: ErrorDetails) -> str:
    expected = str(detail["ctx"]["expected"]).replace(" or ", ", ").split(",")
    return f"unknown word; {choices(str(detail['input']), [word.strip(chr(39) + ' ') for word in expected])}"


def _misplaced(model: type[BaseModel], detail: ErrorDetails) -> str:
    """What to do with a key of the file's own that TOML gives to the table above it."""
    steps = [step for step in detail["loc"] if step != _KEY]
    of_a_key = detail["type"] in {"extra_forbidden", "model_type"} or steps != list(detail["loc"])
    if len(steps) > 1 and of_a_key and steps[-1] in model.model_fields:
        return f"; {steps[-1]} of the file itself stands above the first [table]"
    return ""


def _meaning(model: type[BaseModel], where: Sequence[int | str]) -> str:
    parent = _model_at(model, where[:-1])
    field = parent.model_fields.get(str(where[-1])) if parent else None
    return f"; it says: {field.description}" if field and field.description else ""


def _keys_at(model: type[BaseModel], where: Sequence[int | str]) -> list[str]:
    found = _model_at(model, where)
    return list(found.model_fields) if found else []


def _model_at(model: type[BaseModel], where: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that stands at a place, through tables of tables and lists."""
    here: Any = model
    for step in where:
        here = _plain(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(step))
            if field is None:
                return None
            here = field.annotation
        elif get_args(here):
            here = get_args(here)[-1 if get_origin(here) is dict else 0]
        else:
            return None
    here = _plain(here)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _plain(annotation: Any) -> Any:
    """An annotation without its `Annotated` and `| None`."""
    if hasattr(annotation, "__metadata__"):
        return _plain(annotation.__origin__)
    if get_origin(annotation) in {Union, types.UnionType}:
        return _plain(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation
