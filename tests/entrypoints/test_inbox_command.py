"""What was kept can be found, read without people in it, and replayed after a fix without a blast."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from integration.entrypoints.cli import main
from integration.entrypoints.commands.inbox import masked
from integration.entrypoints.trial import Outcome, try_replay
from integration.ports.store import KeptMessage
from tests.messages import siu
from tests.site import Site, TurnedClock
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    from integration.adapters.store.unit_of_work import SqlStore
    from integration.ports.store import Store
    from tests.stores import StorePlace

NOW = datetime.now(ZoneInfo("America/New_York")).replace(microsecond=0)
VISIT = (NOW + timedelta(days=20)).replace(hour=14, minute=30)


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(NOW))


@pytest.fixture
def kept(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> SqlStore:
    """A store with one message applied and one dead, and the environment that leads to it."""
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATABASE_URL", sqlite_place.url)
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(sqlite_place.data_directory))
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA_KEY", TEST_DATA_KEY)
    monkeypatch.chdir(sqlite_place.data_directory)
    store = sqlite_place.open()
    site = Site(store, TurnedClock(NOW))
    site.hear(siu("S12", at=NOW, start=VISIT, control_id="GOOD"))
    site.hear(b"MSH|^~\\&|A|B|C|D|20270301||SIU^S12|BAD|P|2.5.1\rSCH|1\r")
    return store


def test_every_message_has_its_state_and_its_reason(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "list", "--json"]) == 0
    told: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(each) for each in told] == [
        {"id", "channel", "control_id", "received_at", "state", "reason"}
    ] * 2
    assert [(each["state"], each["reason"]) for each in told] == [
        *(("done", None), ("dead", "no-patient PID"))
    ]
    kept.close()


def test_a_strange_control_id_neither_widens_the_table_nor_plays_with_the_terminal(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = KeptMessage(0, "main", "\x1b[2J" + "L" * 250, b"MSH|", NOW)
    with kept.unit() as unit:
        unit.inbox.add(strange, b"d" * 32)
    assert main(["inbox"]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\ufffd[2JLLL" in told
    assert max(map(len, told.splitlines())) < 140
    kept.close()


def test_a_state_can_be_asked_for(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inbox", "--state", "dead"]) == 0
    assert "no-patient PID" in capsys.readouterr().out
    assert main(["inbox", "--state", "new", "--json"]) == 0
    assert capsys.readouterr().out == ""
    kept.close()


def test_a_message_is_shown_without_its_people(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inbox", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "PID|" in shown
    assert not any(word in shown for word in ("Sample", "Ana", "555", "MRN1"))
    assert main(["inbox", "show", "1", "--reveal"]) == 0
    assert "Sample^Ana" in capsys.readouterr().out
    assert main(["inbox", "show", "99"]) == 1
    kept.close()


def test_masking_keeps_the_shape() -> None:
    assert masked("MSH|^~\\&|A|B\rPID|1||M-17^^^X||Núñez^Ana\r") == (
        "MSH|^~\\&|A|B\rPID|9||x-99^^^x||xxxxx^xxx\r"
    )


def test_a_replay_says_what_it_would_do_and_does_it_only_when_told(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "replay", "--state", "dead"]) == 1
    assert "Replaying 1 messages would plan at most 0 texts; 1 would be dead again" in capsys.readouterr().out
    with kept.unit() as unit:
        assert unit.inbox.count("new") == 0
    assert main(["inbox", "replay", "2", "--yes", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [{"messages": 1, "texts": 0, "dead_again": 1}, {"replayed": 1}]
    with kept.unit() as unit:
        assert unit.inbox.count("new") == 1
    kept.close()


@pytest.mark.parametrize(
    "arguments", [["replay"], ["replay", "1", "--state", "dead"], ["show"], ["list", "1"]]
)
def test_a_deed_without_its_messages_is_wrong_usage(arguments: list[str], kept: SqlStore) -> None:
    assert main(["inbox", *arguments]) == 2
    kept.close()


def test_a_trial_counts_the_future_and_leaves_no_trace(site: Site) -> None:
    site.receive(siu("S12", at=NOW, start=VISIT))
    with site.store.unit() as unit:
        (message,) = unit.inbox.listing()
        unit.inbox.dead(message.id, "as if the mapping had been wrong")
    assert try_replay(site.workshop, [message.id]) == Outcome(reminders=3, dead=0)
    with site.store.unit() as unit:
        assert unit.inbox.count("dead") == 1
        assert unit.reminders.next_due() is None
    assert site.reminders == {}


def test_a_trial_of_what_has_been_applied_adds_nothing(site: Site) -> None:
    site.hear(siu("S12", at=NOW, start=VISIT))
    assert try_replay(site.workshop, [1]) == Outcome(reminders=0, dead=0)
