"""What `config/` holds because the code says so is what the code says now."""

from __future__ import annotations

import re

import pytest

from integration.settings.environment import read_environment
from integration.settings.files import SHIPPED
from integration.settings.json_schema import SHAPES, keys, written
from tests.house.files import ROOT


def test_it_is_current() -> None:
    stale = [
        str(path.relative_to(SHIPPED))
        for path, text in written(SHIPPED).items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "make schema"


@pytest.mark.parametrize("name", SHAPES)
def test_the_readme_lists_every_key(name: str) -> None:
    readme = (SHIPPED / "README.md").read_text()
    table = re.search(rf"<!-- keys of {name} -->(.*?)<!-- end -->", readme, re.DOTALL)
    assert table
    listed = re.findall(r"^\| `([^`]+)` \| \S", table[1], re.MULTILINE)
    assert listed == [key for key, _, _ in keys(name)]
    assert listed


def test_a_schema_a_file_names_is_there() -> None:
    named = {
        path.parent / match[1]
        for path in SHIPPED.rglob("*.toml")
        if (match := re.match(r"#:schema (\S+)", path.read_text()))
    }
    assert len(named) >= len(SHAPES)
    assert [path for path in named if not path.is_file()] == []


def test_the_first_page_explains_every_variable() -> None:
    source = (ROOT / "integration" / "settings" / "environment.py").read_text()
    names = set(re.findall(r'"((?:APPOINTMENT_TEXTS|TWILIO|EHR|PUBLIC)_[A-Z_]+)"', source))
    assert read_environment({}).mllp_port
    explained = (ROOT / "README.md").read_text()
    assert names
    assert [name for name in sorted(names) if name not in explained] == []
