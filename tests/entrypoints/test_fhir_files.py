"""`map` and `preview` of a file that a FHIR server answered, by whatever feed hears FHIR."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from integration.entrypoints.cli import main
from tests.fhir import fhir_appointment, fhir_patient
from tests.house.files import ROOT
from tests.messages import BEN, siu

if TYPE_CHECKING:
    from pathlib import Path

VISIT = datetime.fromisoformat("2027-03-11T14:30-05:00")
BOOKED_AT = datetime.fromisoformat("2027-03-01T11:00-05:00")


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def searchset(tmp_path: Path) -> str:
    """Two Appointments with what was asked to be included."""
    ana, ben = fhir_patient(), fhir_patient(BEN)
    one = fhir_appointment(at=BOOKED_AT, start=VISIT, patients=(ana,))
    two = fhir_appointment(at=BOOKED_AT, start=VISIT, visit="A2", patients=(ben,), status="cancelled")
    entries = [{"resource": each} for each in (one, two, ana, ben)]
    path = tmp_path / "searchset.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}))
    return path.name


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_appointment_of_a_file_is_a_message(searchset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", searchset, "--json"]) == 0
    first, second = lines(capsys)
    assert (first["control_id"], first["trigger"], first["event"]) == (
        "Appointment/a-A1/_history/1",
        "FHIR",
        "booked",
    )
    assert first["text_to"] == ["+16175550123"]
    assert first["sources"]["Appointment.start"] == "Appointment.start"
    assert first["sources"]["Appointment.location"] == "Appointment.participant[1].actor"
    assert (first["refusal"], first["warnings"]) == (None, [])
    assert datetime.fromisoformat(first["appointment"]["start"]) == VISIT
    assert [patient["id"] for patient in first["patients"]] == ["p-MRN1"]
    assert second["event"] == "cancelled"


def test_people_are_shown_where_each_fact_stood(searchset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", searchset]) == 0
    told = capsys.readouterr().out
    assert "FHIR → booked" in told
    assert "Patient.telecom[0]" in told


def test_hl7_v2_and_fhir_may_lie_in_one_folder(
    tmp_path: Path, searchset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samples").mkdir()
    shutil.move(tmp_path / searchset, tmp_path / "samples")
    (tmp_path / "samples" / "booking.hl7").write_bytes(siu("S12", at=BOOKED_AT, start=VISIT, control_id="C1"))
    (tmp_path / "samples" / "golden.json").write_text('{"appointment": {"resourceType": "Appointment"}}')
    assert main(["map", "samples", "--json"]) == 0
    heard = capsys.readouterr()
    assert [json.loads(line)["trigger"] for line in heard.out.splitlines()] == ["S12", "FHIR", "FHIR"]
    assert "passed over" in heard.err
    assert "golden.json" in heard.err


def test_a_feed_that_is_named_reads_its_own_tongue_only(
    tmp_path: Path, searchset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", searchset, "--feed", "main", "--json"]) == 1
    assert {line["refusal"]["code"] for line in lines(capsys)} == {"no-header"}
    (tmp_path / "booking.hl7").write_bytes(siu("S12", at=BOOKED_AT, start=VISIT))
    assert main(["map", "booking.hl7", "--feed", "ehr", "--json"]) == 1
    assert {line["refusal"]["code"] for line in lines(capsys)} == {"not-json"}


def test_without_a_feed_for_fhir_it_is_read_as_a_plain_servers(
    tmp_path: Path, searchset: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config" / "feeds" / "ehr.toml").unlink()
    monkeypatch.setenv("APPOINTMENT_TEXTS_CONFIG", str(tmp_path / "config"))
    assert main(["map", searchset, "--json"]) == 0
    assert [line["event"] for line in lines(capsys)] == ["booked", "cancelled"]


def test_a_resource_that_is_not_heard_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text('{"resourceType": "Observation", "id": "1"}')
    assert main(["map", "other.json", "--json"]) == 1
    assert [line["refusal"]["code"] for line in lines(capsys)] == ["unsupported-resource"]


@pytest.mark.parametrize("role", ["create", "reconcile"])
def test_preview_shows_the_texts_of_a_file(
    role: str,
    tmp_path: Path,
    searchset: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    feed = tmp_path / "config" / "feeds" / "ehr.toml"
    feed.write_text(feed.read_text().replace('role = "create"', f'role = "{role}"'))
    feed.write_text('scope = "main"\n' + feed.read_text())  # there must be something to reconcile with
    monkeypatch.setenv("APPOINTMENT_TEXTS_CONFIG", str(tmp_path / "config"))
    assert main(["preview", searchset, "--now", BOOKED_AT.isoformat(), "--json"]) == 0
    heard = capsys.readouterr()
    told = [json.loads(line) for line in heard.out.splitlines()]
    assert [line["step"] for line in told] == ["booked", "five_days", "two_days", "three_hours"]
    assert {(line["to"], line["control_id"]) for line in told} == {
        ("+16175550123", "Appointment/a-A1/_history/1")
    }
    assert "Thu Mar 11 at 2:30 PM" in told[0]["text"]
    assert "Appointment/a-A2/_history/1: no text: the appointment is cancelled" in heard.err
