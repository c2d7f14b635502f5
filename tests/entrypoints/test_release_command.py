"""`release` shows what waits, lets it go, or drops it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.appointment import Slot
from integration.domain.last_look import AWAITS_RELEASE, DROPPED
from integration.domain.reminder import Reminder, ReminderState
from integration.domain.staff_task import TaskKind
from integration.entrypoints.cli import main
from tests.adapters.store.records import ADA, appointment, patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.store.unit_of_work import SqlStore
    from tests.stores import StorePlace

FLOOD = "mass change riverside"


@pytest.fixture
def kept(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """A store in which one cancellation waits for a person."""
    sqlite_place.lead_commands(monkeypatch)
    store = sqlite_place.open()
    now = datetime.now(UTC)
    with store.unit() as unit:
        whose = unit.patients.save(patient()).id
        soon = Slot(now + timedelta(days=3), "Riverside North")
        visit = unit.appointments.save(appointment(whose, slot=soon)).id
        held = Reminder(
            0,
            visit,
            whose,
            ADA,
            "riverside",
            "cancelled",
            1,
            now,
            now + timedelta(days=2),
            state=ReminderState.HELD,
            reason=AWAITS_RELEASE,
        )
        unit.reminders.add([held])
    store.open_breaker(FLOOD, "more cancellations in an hour than expected")
    yield store
    store.close()


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def states(store: SqlStore) -> list[tuple[ReminderState, str | None]]:
    with store.unit() as unit:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        return [
            (each.state, each.reason) for each in unit.reminders.states_of_practice("riverside", long_ago)
        ]


def test_it_shows_what_waits(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "--json"]) == 0
    (shown,) = listed(capsys)
    assert shown | {"since": None} == {
        "breaker": FLOOD,
        "reason": "more cancellations in an hour than expected",
        "released": False,
        "dropped": False,
        "since": None,
        "reminders": 1,
        "numbers": 1,
        "practices": ["riverside"],
        "steps": {"cancelled": 1},
    }
    assert FLOOD in kept.breakers()


def test_it_lets_go(kept: SqlStore) -> None:
    assert main(["release", FLOOD]) == 0
    assert kept.breakers() == {}
    assert states(kept) == [(ReminderState.HELD, AWAITS_RELEASE)]


def test_it_drops_and_asks_for_calls(kept: SqlStore) -> None:
    assert main(["release", FLOOD, "--drop"]) == 0
    assert kept.breakers() == {}
    assert states(kept) == [(ReminderState.SKIPPED, DROPPED)]
    with kept.unit() as unit:
        assert [task.kind for task in unit.tasks.open()] == [TaskKind.CALL_PATIENT]


def test_what_is_to_be_dropped_must_be_named(kept: SqlStore) -> None:
    assert main(["release", "--drop"]) == 2
    assert FLOOD in kept.breakers()


def test_a_breaker_that_is_not_open_is_said(kept: SqlStore) -> None:
    assert main(["release", "texts riverside"]) == 1
    assert FLOOD in kept.breakers()
