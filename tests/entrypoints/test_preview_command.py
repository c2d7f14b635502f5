"""`preview` shows each text with its reason, each reminder that would not go, and why there is nothing."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.entrypoints.cli import main
from tests.messages import ANA, called, siu, without

if TYPE_CHECKING:
    from pathlib import Path

VISIT = datetime.fromisoformat("2027-03-11T14:30-05:00")
BOOKED_AT = datetime.fromisoformat("2027-03-01T11:00-05:00")


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def previewed(tmp_path: Path, *messages: bytes, now: datetime = BOOKED_AT) -> int:
    (tmp_path / "messages.hl7").write_bytes(b"".join(messages))
    return main(["preview", "messages.hl7", "--now", now.isoformat()])


def test_a_person_reads_when_to_whom_what_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert previewed(tmp_path, siu("S12", at=BOOKED_AT, start=VISIT, control_id="C1")) == 0
    told = capsys.readouterr().out
    assert "Mon 2027-03-01 11:03  booked       +16175550123" in told
    assert "    because of C1, for riverside; en, GSM-7, 1 segment" in told
    assert "4 texts to 1 number" in told


def test_a_reminder_that_would_not_go_has_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = VISIT - timedelta(days=3)
    assert previewed(tmp_path, siu("S12", at=late, start=VISIT), now=late) == 0
    assert "    not sent: booked too late for this step" in capsys.readouterr().out


def test_a_patient_without_a_number_gets_nothing_and_it_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = siu("S12", at=BOOKED_AT, start=VISIT, person=called(ANA, phone=""))
    assert previewed(tmp_path, message) == 0
    told = capsys.readouterr().out
    assert "not sent: no phone number for texts" in told
    assert "No texts: every reminder is skipped" in told


SILENT = (
    (siu("S12", at=BOOKED_AT, start=VISIT - timedelta(days=30), control_id="X"), "is over; --now with an"),
    (siu("S15", at=BOOKED_AT, start=VISIT, control_id="X"), "the appointment is cancelled"),
    (siu("S12", at=BOOKED_AT, start=None, control_id="X"), "the appointment has no start"),
    (
        siu("S12", at=BOOKED_AT, start=VISIT, control_id="X").replace(b"SIU^S12", b"SIU^S23"),
        "it blocks or opens slots, and has no patient",
    ),
    (
        siu("S12", at=BOOKED_AT, start=VISIT, control_id="X").replace(b"NORMAL^Normal", b"Tentative^"),
        "the appointment is tentative",
    ),
)


@pytest.mark.parametrize(("message", "reason"), SILENT, ids=[reason for _, reason in SILENT])
def test_a_message_that_causes_nothing_says_why(
    message: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert previewed(tmp_path, message) == 0
    heard = capsys.readouterr()
    assert "No texts" in heard.out
    assert heard.err.startswith("X: no text: ")
    assert reason in heard.err


def test_a_message_that_cannot_be_applied_is_exit_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = without(siu("S12", at=BOOKED_AT, start=VISIT, control_id="X"), "PID")
    assert previewed(tmp_path, message) == 1
    assert "X: cannot be applied: no-patient PID" in capsys.readouterr().err


def test_reasons_do_not_stand_among_the_json_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "messages.hl7").write_bytes(siu("S15", at=BOOKED_AT, start=VISIT))
    assert main(["preview", "messages.hl7", "--now", BOOKED_AT.isoformat(), "--json"]) == 0
    heard = capsys.readouterr()
    assert [json.loads(line) for line in heard.out.splitlines()] == []
    assert "no text: the appointment is cancelled" in heard.err
