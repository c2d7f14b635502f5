"""A kept FHIR message without its people: elements, codes and times stay, all else is hidden (promise 10).

What is not named here is hidden, `reference` and `value` above all; a notification's body is one such value.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from fhir_mappers.from_fhir.split import is_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Elements that hold no person: codes, times, whose identifier it is, how a resource is versioned.
_SHOWN: Final = frozenset(
    [
        "resourceType",
        "status",
        "type",
        "system",
        "code",
        "use",
        "rank",
        "required",
        "preferred",
        "active",
        "gender",
        "created",
        "start",
        "end",
        "minutesDuration",
        "lastUpdated",
        "versionId",
        "method",
        "priority",
        "intent",
        "doNotPerform",
        "linkType",
        "valueCode",
        "deceasedBoolean",
        "accept",
        "content-type",
    ]
)
_CODE: Final = re.compile(r"[\w.:/+#-]{1,120}")


def json_fields(payload: bytes, mask: Callable[[str], str], *, reveal: bool) -> list[tuple[str, str]] | None:
    """Every value as (path, value), masked unless `reveal`; None for what is no JSON."""
    tree = _tree(payload)
    if tree is None:
        return None
    return [
        (path, value if reveal or _is_shown(name, value) else mask(value))
        for path, name, value in _leaves(tree)
    ]


def masked_json(payload: bytes, mask: Callable[[str], str]) -> str | None:
    """The message, an element a line, masked; None for what is no JSON."""
    tree = _tree(payload)
    try:
        return None if tree is None else json.dumps(_masked(tree, "", mask), indent=1, ensure_ascii=False)
    except RecursionError:
        return None


def _tree(payload: bytes) -> Any:
    try:
        return json.loads(payload) if is_json(payload) else None
    except (ValueError, RecursionError):
        return None


def _is_shown(name: str, value: str) -> bool:
    return name in _SHOWN and _CODE.fullmatch(value) is not None


def _masked(node: Any, name: str, mask: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {key: _masked(value, key, mask) for key, value in node.items()}
    if isinstance(node, list):
        return [_masked(each, name, mask) for each in node]
    written = _written(node)
    return node if node is None or _is_shown(name, written) else mask(written)


def _leaves(tree: Any) -> Iterator[tuple[str, str, str]]:
    """Path, element and value of every leaf, in order."""
    waiting: list[tuple[str, str, Any]] = [("", "", tree)]
    while waiting:
        path, name, node = waiting.pop()
        if isinstance(node, dict):
            below = [(f"{path}.{key}" if path else str(key), str(key), value) for key, value in node.items()]
            waiting += reversed(below)
        elif isinstance(node, list):
            waiting += reversed([(f"{path}[{n}]", name, each) for n, each in enumerate(node)])
        elif node is not None:
            yield path, name, _written(node)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
