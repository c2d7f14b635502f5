"""`ehr check`: a page to send to the EHR's team, of what its server allows and what will be done by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from integration.adapters.ehr.choosing import WORDS
from integration.entrypoints.cli import main
from tests.adapters.ehr.canvas import CanvasEhr
from tests.adapters.ehr.charts import ANA
from tests.adapters.ehr.epic import EpicEhr
from tests.adapters.ehr.oracle import OracleEhr
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = {"epic": EpicEhr, "oracle": OracleEhr, "canvas": CanvasEhr, "other": StrictEhr}


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("APPOINTMENT_TEXTS_CONFIG", "EHR_FHIR_BASE_URL", "EHR_CLIENT_ID", "EHR_BEARER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "recognised", "way"),
    [
        ("epic", "epic", "log_only"),
        ("oracle", "oracle", "fhir_document"),
        ("canvas", "canvas", "log_only"),
        ("other", "other", "fhir_communication"),
    ],
)
def test_each_server_is_recognised_and_its_way_said(
    name: str,
    recognised: str,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listening(SERVERS[name]()) as ehr:
        ehr.offers.setdefault("Patient", {"read", "search-type"})
        monkeypatch.setenv("EHR_FHIR_BASE_URL", ehr.base_url)
        assert main(["ehr", "check", "--json"]) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert main(["ehr", "check"]) == 0
        page = capsys.readouterr().out
    (server,) = [each for each in told if each["finding"] == "server"]
    assert (server["recognised"], server["usable"]) == (recognised, True)
    ways = {each["purpose"]: each for each in told if each["finding"] == "way"}
    assert ways["texts"]["mode"] == way
    assert all(each["why"] for each in ways.values())
    assert f"texts: {WORDS[way]}, because {ways['texts']['why']}" in page
    assert all(wish in page for each in ways.values() for wish in each["could_be_turned_on"])


def test_it_changes_nothing_and_makes_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(StrictEhr()) as ehr:
        ehr.put(ANA, "ana")
        monkeypatch.setenv("EHR_FHIR_BASE_URL", ehr.base_url)
        monkeypatch.setenv("EHR_BEARER_TOKEN", "not-to-be-shown")
        assert main(["ehr", "check"]) == 0
        assert {each.method for each in ehr.seen} == {"GET"}
    assert not list(tmp_path.iterdir())
    said = capsys.readouterr().out
    assert "a fixed bearer token" in said
    assert "not-to-be-shown" not in said


def test_a_server_that_refuses_to_show_patients_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(StrictEhr()) as ehr:
        ehr.faults.append(Fault("GET", "Patient", 403))
        monkeypatch.setenv("EHR_FHIR_BASE_URL", ehr.base_url)
        assert main(["ehr", "check"]) == 1
    assert "no patient can be found on this server" in capsys.readouterr().out


def test_a_server_that_is_away_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EHR_FHIR_BASE_URL", "http://127.0.0.1:9/fhir")
    assert main(["ehr", "check", "--json"]) == 1
    (first, *_) = capsys.readouterr().out.splitlines()
    assert json.loads(first)["trouble"] == "no connection to the EHR (ConnectError)"


def test_without_an_ehr_there_is_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ehr", "check"]) == 1
    assert "EHR_FHIR_BASE_URL" in capsys.readouterr().err
