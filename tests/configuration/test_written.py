"""What `config/` holds because the code says so is what the code says now."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from integration.settings.environment import read_environment
from integration.settings.files import SHIPPED
from integration.settings.json_schema import LISTED, SHAPES, keys, written
from tests.configuration.json_schema_reader import underlined
from tests.house.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_current() -> None:
    stale = [
        str(path.relative_to(SHIPPED))
        for path, text in written(SHIPPED).items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "make schema"


@pytest.mark.parametrize("name", LISTED)
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


def by_its_schema(path: Path, text: str) -> list[str]:
    """What an editor underlines in a file that names its schema."""
    named = re.match(r"#:schema (\S+)", text)
    assert named
    schema = json.loads((path.parent / named[1]).read_text(encoding="utf-8"))
    return sorted(underlined(schema, tomllib.loads(text), schema))


NAMING = sorted(path for path in SHIPPED.rglob("*.toml") if path.read_text().startswith("#:schema"))


@pytest.mark.parametrize("path", NAMING, ids=lambda path: str(path.relative_to(SHIPPED)))
def test_an_editor_underlines_nothing_that_is_shipped(path: Path) -> None:
    assert by_its_schema(path, path.read_text(encoding="utf-8")) == []


def test_every_vendor_names_its_schema() -> None:
    assert set((SHIPPED / "vendors").glob("*.toml")) <= set(NAMING)


def test_an_editor_underlines_what_is_wrong() -> None:
    text = """#:schema ../schema/vendor.json
extends = "generic"
confirmd = []
times = ["...", { start = "ZAP2" }]
[appointment]
status = ["...", "SCH25"]
[phones]
offer = ["...", "pager"]
sources = ["...", { path = "ZPN-3.1", kind = "mobile", knid_path = "ZPN-2" }]
[statuses]
booked = "1"
gone = ["2"]
[languages]
Spanish = ["2"]
"""
    assert by_its_schema(SHIPPED / "vendors" / "acme.toml", text) == [
        ".appointment.status.1",
        ".confirmd",
        ".languages.Spanish",
        ".phones.offer.1",
        ".phones.sources.1",
        ".statuses.booked",
        ".statuses.gone",
        ".times.1",
    ]


def test_the_first_page_explains_every_variable() -> None:
    source = (ROOT / "integration" / "settings" / "environment.py").read_text()
    names = set(re.findall(r'"((?:APPOINTMENT_TEXTS|TWILIO|EHR|PUBLIC)_[A-Z_]+)"', source))
    assert read_environment({}).mllp_port
    explained = (ROOT / "README.md").read_text()
    assert names
    assert [name for name in sorted(names) if name not in explained] == []
