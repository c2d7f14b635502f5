"""docs/connecting-a-feed.md does what it says: its files and commands, in order, as a newcomer types them."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest

from integration.entrypoints.cli import main
from tests.house.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = ROOT / "docs" / "connecting-a-feed.md"
BLOCK = re.compile(
    r"(?:^`(?P<file>\S+)`\n\n)?^```(?P<kind>\w+)(?P<flag>[^\n]*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One fenced block: a file to write, commands to type, or what they print."""

    kind: str
    file: str
    body: str


BLOCKS = [
    Block(found["kind"], found["file"] or "", found["body"])
    for found in BLOCK.finditer(GUIDE.read_text(encoding="utf-8"))
    if not found["flag"].strip()
]


def words(line: str) -> str:
    """The line, however its columns are filled up."""
    return " ".join(line.split())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the guide begins with: its messages, and the schemas for the editor."""
    shutil.copytree(GUIDE.parent / "northgate", tmp_path / "samples")
    shutil.copytree(ROOT / "config" / "schema", tmp_path / "config" / "schema")
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # the guide shows tables that nothing folds
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_file_loads_every_command_works_and_prints_what_the_guide_shows(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed: set[str] = set()
    for block in BLOCKS:
        if block.kind == "toml":
            assert block.file, block.body
            (site / block.file).parent.mkdir(parents=True, exist_ok=True)
            (site / block.file).write_text(block.body, encoding="utf-8")
        elif block.kind == "sh":
            printed.clear()
            for command in block.body.splitlines():
                assert main(shlex.split(command)[1:]) == 0, command
                output = capsys.readouterr()
                printed |= {words(line) for line in (output.out + output.err).splitlines()}
        elif block.kind == "text":
            missing = [line for line in block.body.splitlines() if words(line) not in printed]
            assert missing == []


def test_the_guide_shows_files_commands_and_output() -> None:
    assert {block.kind for block in BLOCKS} == {"toml", "sh", "text"}


def test_every_file_of_the_guide_names_a_schema_that_is_there(site: Path) -> None:
    files = [(site / block.file, block.body.split(maxsplit=2)[:2]) for block in BLOCKS if block.file]
    for file, (word, schema) in files:
        assert word == "#:schema"
        assert (file.parent / schema).resolve().is_file(), file
