"""The table of clauses: complete, kept by code that is there, and printed in the docs."""

from __future__ import annotations

import ast
import inspect
from datetime import time
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from integration.domain import last_look, text_rules
from integration.domain.consent import ConsentPolicy
from integration.domain.law import CLAUSES, Clause, Jurisdiction, findings, table
from integration.domain.quiet_hours import DecentHours

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.asks)
def test_every_clause_names_its_source_and_the_code_that_keeps_it(clause: Clause) -> None:
    assert set(clause.source) == set(Jurisdiction)
    assert all(source.strip() for source in clause.source.values())
    for place in clause.kept_by:
        module, _, name = place.partition(":")
        assert reduce(getattr, name.split("."), import_module(module)) is not None, place


@pytest.mark.parametrize("name", ["of_visit", "of_patient", "of_hours", "of_caps", "suppressed"])
def test_every_rule_of_the_last_look_has_one_entry(name: str) -> None:
    assert hasattr(last_look, name)
    kept = [each for each in CLAUSES if f"integration.domain.last_look:{name}" in each.kept_by]
    assert len(kept) == 1


def test_no_rule_of_the_last_look_is_without_an_entry() -> None:
    kept = {place.rpartition(":")[2] for each in CLAUSES for place in each.kept_by}
    defined = {
        node.name
        for node in ast.parse(inspect.getsource(last_look)).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert defined <= kept
    assert {"missing", "forbidden", "outside_gsm7"} <= kept & set(dir(text_rules))


SHIPPED: dict[str, Any] = {
    "hours": DecentHours(),
    "per_day": 1,
    "per_week": 3,
    "max_segments": 1,
    "consent": ConsentPolicy.IMPLIED,
    "sensitive_texts": False,
    "emergency": "911",
}


@pytest.mark.parametrize(
    ("jurisdiction", "changes", "found"),
    [
        ("US", {}, {}),
        ("CA", {}, {}),
        ("GB", {"emergency": "999"}, {}),
        ("GB", {}, {"emergency": True}),
        ("US", {"emergency": "999"}, {"emergency": True}),
        ("US", {"per_day": 2}, {"caps.per_day": False}),
        ("US", {"per_week": 4, "max_segments": 2}, {"caps.per_week": False, "max_segments": False}),
        ("US", {"per_day": 2, "consent": ConsentPolicy.NOT_REQUIRED}, {"caps.per_day": True}),
        ("CA", {"per_day": 2}, {}),
        ("CA", {"consent": ConsentPolicy.NOT_REQUIRED}, {"consent": False}),
        ("US", {"hours": DecentHours(time(7), time(20))}, {"hours": False}),
        ("US", {"hours": DecentHours(time(8), time(21))}, {}),
        ("US", {"sensitive_texts": True}, {"sensitive_texts": False}),
    ],
)
def test_settings_are_measured_against_the_clauses(
    jurisdiction: str, changes: dict[str, Any], found: dict[str, bool]
) -> None:
    told = list(findings(Jurisdiction(jurisdiction), **(SHIPPED | changes)))
    assert {each.key: each.unlawful for each in told} == found


def test_the_page_prints_the_table() -> None:
    assert table() in (DOCS / "law.md").read_text(encoding="utf-8")
