"""`ehr check` of an EHR's MLLP port: whether it can be reached, and a page for the team behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from integration.entrypoints.cli import main
from tests.adapters.ehr.partner import Partner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = """
mode = "test"

[write_back]
texts = "mdm"
answers = "{answers}"

[write_back.hl7]
host = "127.0.0.1"
port = {port}
version = "2.3"
timeout = 2
receiving_application = "EPIC"
"""


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("EHR_FHIR_BASE_URL", raising=False)
    monkeypatch.setenv("APPOINTMENT_TEXTS_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "settings.toml"


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner() as listening:
        yield listening


@pytest.mark.parametrize(("answers", "event"), [("srm", "SRM^S03"), ("siu", "SIU^S14")])
def test_the_page_says_what_will_arrive_there(
    config: Path, partner: Partner, capsys: pytest.CaptureFixture[str], answers: str, event: str
) -> None:
    config.write_text(SETTINGS.format(answers=answers, port=partner.port))
    assert main(["ehr", "check"]) == 0
    page = capsys.readouterr().out
    for said in ("It can be reached", "MSH-5 EPIC", "MSH-12 2.3", "MDM^T02", "MDM^T06", event, "AE when"):
        assert said in page
    assert all(len(line) <= 200 for line in page.splitlines())
    assert main(["ehr", "check", "--json"]) == 0
    (told,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (told["finding"], told["trouble"], told["header"]["MSH-12"]) == ("hl7", None, "2.3")
    assert partner.heard == []


def test_a_port_nobody_listens_on_is_told_and_fails(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Partner() as partner:
        gone = partner.port
    config.write_text(SETTINGS.format(answers="none", port=gone))
    assert main(["ehr", "check"]) == 1
    page = capsys.readouterr().out
    assert "It cannot be used: no connection" in page
    assert "SRM" not in page
    assert "SIU" not in page


def test_without_any_ehr_there_is_nothing_to_check(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text('mode = "test"\n')
    assert main(["ehr", "check"]) == 1
    assert "[write_back.hl7]" in capsys.readouterr().err
