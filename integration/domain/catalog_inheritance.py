"""A language that differs little from another: `extends = "en"` and only what differs.

Tables are laid over each other key by key; a text, or a list of texts, takes the other's place whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integration.domain.text_template import choices

if TYPE_CHECKING:
    from collections.abc import Mapping


class BadExtends(ValueError):
    """What `extends` names cannot be extended; the message says why."""


def whole(language: str, catalogs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The catalogue with all it takes from others; raises BadExtends for an unknown one, or a circle."""
    chain = [language]
    while "extends" in catalogs[chain[-1]]:
        parent = catalogs[chain[-1]]["extends"]
        if not isinstance(parent, str) or parent not in catalogs:
            raise BadExtends(f"unknown language; {choices(str(parent), catalogs)}")
        if parent in chain:
            raise BadExtends("goes round in a circle: " + " -> ".join([*chain, parent]))
        chain.append(parent)
    found: dict[str, Any] = {}
    for name in reversed(chain):
        found = _over(found, catalogs[name])
    found.pop("extends", None)
    return found


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
