"""Every reason for which a patient is not texted stands in the manager's page, word for word."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from tests.house.files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs" / "why-not-texted.md").read_text(encoding="utf-8")
# Where it is decided that a text does not go.
FILES = sorted(
    [
        *(ROOT / "integration" / "pipeline" / "send").glob("*.py"),
        *(ROOT / "integration" / "pipeline" / "plan").glob("*.py"),
        *(
            ROOT / "integration" / "domain" / f"{name}.py"
            for name in ("last_look", "reminder_plan", "reminder_decision", "recipient", "visit_filter")
        ),
    ]
)
# Functions and tables in which every sentence is a reason.
_OF_REASONS = {"silence", "of_patient", "_forbidden", "_plainly", "_with_reason", "lacks", "of_number"}
_TABLES = {"_REASONS", "_SUPPRESSED"}
_VERDICTS = {"Skip", "Hold"}
_ELSEWHERE = [
    *("integration.domain.last_look:AWAITS_RELEASE", "integration.domain.last_look:DROPPED"),
    *("integration.domain.cost:USED_UP", "integration.domain.second_try:TRIED_AGAIN"),
    *("integration.domain.free_text:TOO_LONG", "integration.domain.free_text:NO_VISIT"),
    *("integration.domain.line_type:LANDLINE", "integration.domain.line_type:BEING_ASKED"),
    "integration.pipeline.plan.addressees:NO_NUMBER",
]


def sentences(node: ast.AST) -> Iterator[str]:
    """The sentences written within a node; of one with gaps its longest piece."""
    inside: set[int] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.JoinedStr):
            pieces = [part for part in each.values if isinstance(part, ast.Constant)]
            inside |= {id(part) for part in ast.walk(each)}
            yield max((str(part.value) for part in pieces), key=len, default="").strip()
        elif isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in inside:
            yield each.value


@cache
def reasons_of(path: Path) -> frozenset[str]:
    """What a file says of why a text does not go."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        target.id: statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _VERDICTS:
            found.update(sentences(node))
            found |= {
                named[each.id] for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in named
            }
        elif isinstance(node, ast.FunctionDef) and node.name in _OF_REASONS:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            for statement in body:
                found.update(sentences(statement))
        elif (
            isinstance(node, ast.Assign)
            and {target.id for target in node.targets if isinstance(target, ast.Name)} & _TABLES
        ):
            found.update(sentences(node.value))
        elif isinstance(node, ast.keyword) and node.arg == "reason":
            found |= {
                named[each.id] for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in named
            }
    constants = {text for name, text in named.items() if name.isupper() and " " in text}
    return frozenset(text for text in found | constants if " " in text.strip() or text in PAGE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_reason_in_the_code_is_explained(path: Path) -> None:
    missing = {text for text in reasons_of(path) if text.strip() not in PAGE}
    assert not missing


@pytest.mark.parametrize("place", _ELSEWHERE)
def test_every_reason_from_elsewhere_is_explained(place: str) -> None:
    module, _, name = place.partition(":")
    assert f"| {getattr(import_module(module), name)} |" in PAGE


def test_the_search_finds_reasons() -> None:
    """Were it to find none, nothing would be missing."""
    found = frozenset().union(*map(reasons_of, FILES))
    assert {"quiet hours until it is too late to be useful", "the patient has died", "opted out"} <= found
    assert len(found) > 40


def test_every_row_says_what_it_means_or_what_to_do() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ")]
    assert all(len(row) == 3 and row[0].strip() and (row[1].strip() or row[2].strip()) for row in rows)
