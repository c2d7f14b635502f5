"""Pydantic's complaints about a configuration file, in our words: what is allowed, what was likely meant."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel

from integration.domain.text_template import choices
from integration.settings.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


def of_validation(file: str, model: type[BaseModel], error: ValidationError) -> Iterator[Mistake]:
    """Pydantic's complaints about one file, in our words."""
    for detail in error.errors(include_url=False):
        yield Mistake(file, ".".join(map(str, detail["loc"])), _words(model, detail))


def _words(model: type[BaseModel], detail: ErrorDetails) -> str:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    match kind:
        case "extra_forbidden":
            return f"unknown key; {choices(str(detail['loc'][-1]), _keys_at(model, detail['loc'][:-1]))}"
        case "missing":
            return "missing" + _meaning(model, detail["loc"])
        case "literal_error" | "enum":
            allowed = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
            return f"unknown word; {choices(str(given), allowed)}"
        case "value_error":
            return str(context["error"])
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


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
