"""docs/what-is-sent-when.md says what is so: its examples load, its table is the shipped plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from integration.domain.plan_rules import Ask
from integration.settings.files import SHIPPED
from integration.settings.load import load
from tests.house.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = (ROOT / "docs" / "what-is-sent-when.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^`(\S+\.toml)`\n\n```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
OF_PRACTICES = [body for file, body in EXAMPLES if file.startswith("practices/")]


def with_texts(folder: Path) -> Path:
    """A site's folder that has the guide's own texts."""
    for file, body in EXAMPLES:
        if file.startswith("messages/"):
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_text((SHIPPED / file).read_text(encoding="utf-8") + "\n" + body, encoding="utf-8")
    return folder


@pytest.mark.parametrize("body", OF_PRACTICES)
def test_every_example_loads_and_changes_the_plan(tmp_path: Path, body: str) -> None:
    shipped = (SHIPPED / "practices" / "riverside.toml").read_text(encoding="utf-8")
    (with_texts(tmp_path) / "practices").mkdir()
    (tmp_path / "practices" / "riverside.toml").write_text(f"{shipped}\n{body}", encoding="utf-8")
    before, after = (load(folder).practices["riverside"].plan for folder in (SHIPPED, tmp_path))
    assert before.steps != after.steps


def test_the_table_is_the_shipped_plan() -> None:
    plan = load(SHIPPED).practices["riverside"].plan
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", GUIDE, re.MULTILINE))
    assert list(rows) == [step.name for step in plan.steps] + list(plan.off)
    for step in plan.steps:
        when, asks, _ = rows[step.name].split(" | ")
        if step.days_ahead is not None:
            assert when == f"{step.days_ahead} days before, {step.at:%H:%M}"
        if step.hours_ahead is not None:
            assert when.startswith(f"{step.hours_ahead:g} hours before")
        assert (asks == "no") is (step.ask is Ask.NEVER)
    for name in plan.off:
        assert rows[name].startswith("off | never")
