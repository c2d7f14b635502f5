"""docs/connecting-an-ehr.md does what it says: its files load, and servers are met as it shows."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest

from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.scopes import needs, offered, spelled
from integration.entrypoints.cli import COMMANDS, main
from integration.settings.load import load
from tests.adapters.ehr.canvas import CanvasEhr
from tests.adapters.ehr.epic import EpicEhr
from tests.adapters.ehr.oracle import OracleEhr
from tests.adapters.ehr.partner import Partner
from tests.adapters.ehr.strict_server import listening
from tests.adapters.ehr.subscribing_server import Server, serving
from tests.house.files import ROOT
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stores import StorePlace

GUIDE = (ROOT / "docs" / "connecting-an-ehr.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", GUIDE, re.MULTILINE))
BLOCK = re.compile(
    r"(?:^ *`(?P<file>\S+)`\n\n)?^ *```(?P<kind>\w+)(?P<flag>[^\n]*)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
SERVERS = {"epic": EpicEhr, "oracle": OracleEhr, "canvas": CanvasEhr}


class Block(NamedTuple):
    """One fenced block of a section."""

    section: str
    kind: str
    flag: str
    file: str
    body: str


BLOCKS = [
    Block(section, found["kind"], found["flag"].strip(), found["file"] or "", found["body"])
    for section, text in SECTIONS.items()
    for found in BLOCK.finditer(text)
]
CHECKED = [block for block in BLOCKS if block.flag in SERVERS]
SUBSCRIBED = [block for block in BLOCKS if block.flag.startswith("subscribe ")]


def words(line: str) -> str:
    """The line, however its columns are filled up."""
    return " ".join(line.split())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the guide is typed along."""
    shutil.copytree(ROOT / "config" / "schema", tmp_path / "config" / "schema")
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    for name in ("FHIR_BASE_URL", "CLIENT_ID", "PRIVATE_KEY_FILE", "BEARER_TOKEN", "SUBSCRIPTION_SECRET"):
        monkeypatch.delenv(f"EHR_{name}", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, section: str) -> None:
    """The files of every EHR, and over them this one's."""
    for block in BLOCKS:
        if block.kind == "toml" and block.section in {"Every EHR", section}:
            assert block.file, block.body
            indent = re.match(" *", block.body)
            assert indent is not None
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(re.sub(f"^{indent[0]}", "", block.body, flags=re.MULTILINE), encoding="utf-8")
            word, schema = file.read_text(encoding="utf-8").split(maxsplit=2)[:2]
            assert word == "#:schema"
            assert (file.parent / schema).resolve().is_file(), block.file


@pytest.mark.parametrize("section", SECTIONS)
def test_its_files_load(section: str, folder: Path) -> None:
    write(folder, section)
    assert main(["check-config"]) == 0


@pytest.mark.parametrize("block", CHECKED, ids=[block.section for block in CHECKED])
def test_ehr_check_says_what_it_shows(
    block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, block.section)
    with Partner() as partner, listening(SERVERS[block.flag]()) as ehr:
        file = folder / "config" / "settings.toml"  # the hospital's MLLP port is one of this machine
        text = file.read_text().replace("engine.hospital.example", "127.0.0.1")
        file.write_text(text.replace("port = 6661", f"port = {partner.port}"))
        monkeypatch.setenv("EHR_FHIR_BASE_URL", ehr.base_url)
        assert main(["ehr", "check"]) == 0
    printed = {words(line) for line in capsys.readouterr().out.splitlines()}
    assert [line for line in block.body.splitlines() if words(line) not in printed] == []


@pytest.mark.parametrize("block", SUBSCRIBED, ids=[block.section for block in SUBSCRIBED])
def test_subscribe_does_what_it_shows(
    block: Block,
    folder: Path,
    sqlite_place: StorePlace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(folder, block.section)
    sqlite_place.open().close()
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATABASE_URL", sqlite_place.url)
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(sqlite_place.data_directory))
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA_KEY", TEST_DATA_KEY)
    monkeypatch.setenv("EHR_SUBSCRIPTION_SECRET", "a long random word")
    dialect = block.flag.removeprefix("subscribe ")
    with serving(Server("medplum" if dialect == "medplum" else "classic")) as server:
        monkeypatch.setenv("EHR_FHIR_BASE_URL", server.base_url)
        assert main(["subscribe", "--dry-run"]) == 0
    printed = {words(line) for line in capsys.readouterr().out.splitlines()}
    assert [line for line in block.body.splitlines() if words(line) not in printed] == []


@pytest.mark.parametrize(
    ("section", "server"), [("Every EHR", None), ("Oracle Health", "oracle"), ("Canvas", "canvas")]
)
def test_its_scopes_are_those_that_are_asked_for(section: str, server: str | None, folder: Path) -> None:
    write(folder, section)
    offers = None
    if server is not None:
        with listening(SERVERS[server]()) as ehr:
            client = FhirClient(ehr.base_url)
            statement = client.capabilities()
            client.close()
        assert isinstance(statement, dict)
        offers = offered(statement)
    asked = spelled(needs(load(folder / "config")).letters(offers), "v2")
    assert f"`{asked}`" in words(SECTIONS[section])


def test_every_kind_of_server_is_shown() -> None:
    assert {block.flag for block in CHECKED} == set(SERVERS)
    assert {block.flag for block in SUBSCRIBED} == {"subscribe medplum", "subscribe classic"}


def test_the_commands_it_names_are_there() -> None:
    named = set(re.findall(r"appointment-texts ([a-z][a-z-]+)", GUIDE))
    assert named - set(COMMANDS) == set()
    assert "subscribe" in named


def test_its_table_leads_to_its_sections() -> None:
    anchors = {name.lower().replace(" ", "-") for name in SECTIONS}
    assert set(re.findall(r"\(#([a-z-]+)\)", GUIDE)) <= anchors
