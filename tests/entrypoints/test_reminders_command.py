"""What was decided about each step of a visit can be read, by the EHR's identifier, with its reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.reminder import ReminderState
from integration.entrypoints.cli import main
from tests.adapters.store import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.store.unit_of_work import SqlStore
    from tests.stores import StorePlace

NOW = datetime.now(UTC).replace(microsecond=0)
NUMBER = "+12025550123"


@pytest.fixture
def kept(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """A visit with a text sent, one held, one at a former number, and the environment that leads there."""
    sqlite_place.lead_commands(monkeypatch)
    store = sqlite_place.open()
    with store.unit() as unit:
        whose = unit.patients.save(records.patient()).id
        visit = records.appointment(
            whose,
            feed="main",
            identifiers=("SCH-2|SCHED|F-77101|",),
            practice="riverside",
            slot=replace(records.appointment(whose).slot, start=NOW + timedelta(days=2)),
        )
        visit = unit.appointments.save(visit)
        base = records.reminder(visit.id, whose, practice="riverside", slot_number=visit.slot_number)
        hour = timedelta(hours=1)
        unit.reminders.add(
            [
                replace(base, step="two_days", number=NUMBER, due_at=NOW + hour, state=ReminderState.HELD,
                        reason="quiet hours", decided_at=NOW),
                replace(base, step="two_days", number="+16175550142", due_at=NOW,
                        state=ReminderState.WITHDRAWN, reason="the patient has another number now",
                        decided_at=NOW),
            ]
        )  # fmt: skip
    yield store
    store.close()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("kept")
def test_a_visit_is_shown_by_the_ehrs_identifier_each_step_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reminders", "show", "F-77101", "--json"]) == 0
    found = {each["step"]: each for each in lines(capsys)}
    held = found["two_days"]
    assert (held["state"], held["reason"], held["to"]) == ("held", "quiet hours", "…23")
    assert held["words"].startswith("held until ")
    assert found["thank_you"]["words"] == "never planned: the plan has this step turned off"
    assert "name" not in held


@pytest.mark.usefixtures("kept")
def test_our_own_number_names_a_visit_too_and_an_unknown_one_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["reminders", "show", "1", "NO-SUCH", "--names", "--json"]) == 1
    shown = capsys.readouterr()
    assert "There is no visit NO-SUCH." in shown.err
    assert json.loads(shown.out.splitlines()[0])["name"] == "Adalina Quillfeather"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("asked", "steps"),
    [
        (["--state", "held"], ["two_days"]),
        (["--reason", "quiet"], ["two_days"]),
        (["--state", "sent"], []),
        (["--practice", "riverside", "--state", "held"], ["two_days"]),
    ],
)
def test_decisions_are_listed_by_state_and_reason(
    capsys: pytest.CaptureFixture[str], asked: list[str], steps: list[str]
) -> None:
    assert main(["reminders", "list", "--json", *asked]) == 0
    assert [each["step"] for each in lines(capsys)] == steps


@pytest.mark.usefixtures("kept")
def test_people_read_words_and_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reminders", "show", "F-77101"]) == 0
    out = capsys.readouterr().out
    assert ": quiet hours" in out
    assert NUMBER not in out
    assert "Quillfeather" not in out


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "wrong",
    [["show"], ["list", "F-77101"], ["list", "--limit", "0"], ["list", "--practice", "none"]],
)
def test_wrong_usage_is_status_two(wrong: list[str]) -> None:
    assert main(["reminders", *wrong]) == 2
