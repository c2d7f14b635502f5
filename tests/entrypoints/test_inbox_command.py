"""What was kept can be found, read without people in it, and replayed after a fix without a blast."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from integration.domain.quiet_hours import DecentHours
from integration.entrypoints.cli import main
from integration.entrypoints.commands.inbox.masking import fields, masked
from integration.ports.store import KeptMessage
from integration.settings.model import FhirHearing
from tests.fhir import visit_of
from tests.mappers.notifications import post, r4, r4_event
from tests.messages import CARLA, siu, without
from tests.settings import feed
from tests.site import Site, TurnedClock

if TYPE_CHECKING:
    from integration.adapters.store.unit_of_work import SqlStore
    from tests.stores import StorePlace

NOW = datetime.now(ZoneInfo("America/New_York")).replace(microsecond=0)
VISIT = (NOW + timedelta(days=20)).replace(hour=14, minute=30, second=0)


@pytest.fixture
def kept(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> SqlStore:
    """A store with one message applied and one dead, and the environment that leads to it."""
    sqlite_place.lead_commands(monkeypatch)
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
    assert "PID-5.1" in shown
    assert not any(word in shown for word in ("Sample", "Ana", "555", "MRN1"))
    assert main(["inbox", "show", "1", "--reveal"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split() for line in told if "PID-5." in line] == [["PID-5.1", "Sample"], ["PID-5.2", "Ana"]]
    assert main(["inbox", "show", "99"]) == 1
    kept.close()


SHOWN_AS = (
    ("PID|1||M-17^^^HOSP^MR||Núñez^Ana", "PID|1||x-99^^^HOSP^MR||xxxxx^xxx"),
    ("PID|1||||||19800102|F", "PID|1||||||99999999|F"),
    ("PID|" + "|" * 11 + "|(617)555-0123^PRS^CP", "PID|" + "|" * 11 + "|(999)999-9999^PRS^CP"),
    ("SCH|P1^EPIC|F1^EPIC", "SCH|x9^EPIC|x9^EPIC"),
    ("SCH||||||KNEE^Knee of Ana|FU^Follow up", "SCH||||||KNEE^xxxx xx xxx|FU^xxxxxx xx"),
    ("SCH||||||saw Ana fall", "SCH||||||xxx xxx xxxx"),
    ("SCH|" + "|" * 23 + "|Checked In", "SCH|" + "|" * 23 + "|Checked In"),
    ("SCH|" + "|" * 23 + "|Ana is not coming", "SCH|" + "|" * 23 + "|xxx xx xxx xxxxxx"),
    ("AIP|1|A|1001^Sample^Drew|D", "AIP|1|A|9999^xxxxxx^xxxx|D"),
    ("AIL|1|A|ROOM2^^^RIVER", "AIL|1|A|ROOM2^^^RIVER"),
    ("NK1|1|Sample^Eva|MTH^mother of Ana", "NK1|1|xxxxxx^xxx|MTH^xxxxxx xx xxx"),
    ("NTE|1||Call Ana", "NTE|9||xxxx xxx"),
    ("ZPD|1|617-555-0123|Y", "ZPD|9|999-999-9999|x"),
    ('PID|1||""', 'PID|1||""'),
)


@pytest.mark.parametrize(("segment", "shown"), SHOWN_AS, ids=[row[0] for row in SHOWN_AS])
def test_masking_keeps_shape_codes_and_times_and_hides_the_rest(segment: str, shown: str) -> None:
    header = "MSH|^~\\&|A|B|||20270301||SIU^S12|C1|P|2.5.1"
    assert masked(f"{header}\r{segment}\r".encode()) == f"{header}\n{shown}"


def test_masking_goes_by_the_delimiters_of_the_message() -> None:
    message = "MSH#*:!%#A#B####SIU*S12#C1#P#2.5.1\rPID#1##M1***HOSP*MR##Núñez*Ana\r"
    assert masked(message.encode()).endswith("PID#1##x9***HOSP*MR##xxxxx*xxx")
    assert ("PID-5.2", "xxx") in fields(message.encode(), charset=None, reveal=False)
    assert ("PID-5.2", "Ana") in fields(message.encode(), charset=None, reveal=True)


def test_what_cannot_be_read_is_masked_from_end_to_end() -> None:
    assert masked(b"Ana Sample 617") == "xxx xxxxxx 999"
    assert fields(b"Ana Sample 617", charset=None, reveal=False) == []


def test_of_a_fhir_message_codes_and_times_are_shown_and_no_person() -> None:
    payload = visit_of(at=NOW, start=VISIT)
    shown = dict(fields(payload, charset=None, reveal=False))
    assert shown["entry[0].resource.status"] == "booked"
    assert datetime.fromisoformat(shown["entry[0].resource.start"]) == VISIT
    assert shown["entry[1].resource.telecom[0].use"] == "mobile"
    assert shown["entry[1].resource.telecom[0].value"] == "(999)999-9999"
    for word in ("Sample", "Ana", "555-0123", "MRN1", "1980-01-02"):
        assert word not in masked(payload) + str(shown)
        assert word in str(fields(payload, charset=None, reveal=True))


def test_a_message_that_is_shown_comes_with_what_has_become_of_it(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "show", "1", "2", "--json"]) == 0
    good, bad = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    became = good["became"]
    assert {"path": "SCH-25", "value": "Booked"} in good["fields"]
    assert {"path": "PID-5.1", "value": "xxxxxx"} in good["fields"]
    assert (became["event"], became["refusal"]) == ("booked", None)
    assert datetime.fromisoformat(became["appointment"]["start"]) == VISIT
    assert became["appointment"]["start"].endswith(("-05:00", "-04:00"))  # as the clinic's clock shows it
    assert (became["appointment"]["status"], became["appointment"]["held_by"]) == ("booked", None)
    assert {reminder["step"] for reminder in became["reminders"]} >= {"booked", "five_days", "two_days"}
    assert all(reminder["by_this_message"] for reminder in became["reminders"])
    assert bad["became"]["refusal"]["code"] == "no-patient"
    assert bad["became"]["appointment"] is None
    assert main(["inbox", "show", "1"]) == 0
    told = capsys.readouterr().out
    assert "as mapped now: S12 → booked" in told
    assert "appointment 1: booked" in told
    kept.close()


def test_a_dead_message_shows_that_it_holds_its_appointment(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(kept, TurnedClock(NOW))
    site.hear(without(siu("S14", at=NOW, start=VISIT), "PID"))
    assert main(["inbox", "show", "3"]) == 0
    assert "its reminders are held by the dead message 3" in capsys.readouterr().out
    assert main(["inbox", "dismiss", "3", "--yes"]) == 0
    assert "1 messages are dismissed" in capsys.readouterr().out
    with kept.unit() as unit:
        assert unit.appointments.get(1).held_by is None
        message = unit.inbox.get(3)
        assert message is not None
        assert (message.state, message.reason) == ("done", "dismissed, no-patient PID")
    kept.close()


def test_only_the_dead_are_dismissed(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inbox", "dismiss", "1", "--yes", "--json"]) == 1
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"messages": 1},
        {"dismissed": 0},
    ]
    kept.close()


def test_the_reasons_of_the_dead_are_counted(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(kept, TurnedClock(NOW))
    site.hear(without(siu("S14", at=NOW, start=VISIT), "PID"))
    site.hear(siu("S99", at=NOW, start=VISIT, status="x"))
    capsys.readouterr()
    assert main(["inbox", "reasons", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["count"], each["reason"], each["first_id"], each["last_id"]) for each in told] == [
        (2, "no-patient PID", 2, 3),
        (1, "unsupported-trigger MSH-9.2", 4, 4),
    ]
    assert main(["inbox", "reasons"]) == 0
    assert "no-patient PID" in capsys.readouterr().out
    kept.close()


NARROWED: tuple[tuple[list[str], list[int]], ...] = (
    (["--reason", "no-patient"], [2]),
    (["--reason", "no-pat"], []),
    (["--feed", "main"], [1, 2]),
    (["--feed", "other"], []),
    (["--since", (NOW + timedelta(minutes=1)).isoformat()], []),
    (["--until", (NOW + timedelta(minutes=1)).isoformat()], [1, 2]),
    (["--limit", "1"], [2]),
)


@pytest.mark.parametrize(("arguments", "ids"), NARROWED, ids=[" ".join(row[0][:1]) for row in NARROWED])
def test_the_list_can_be_narrowed_down(
    arguments: list[str], ids: list[int], kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "list", *arguments, "--json"]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ids
    kept.close()


def test_a_replay_says_what_it_would_do_and_does_it_only_when_told(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "replay", "--state", "dead"]) == 1
    assert "would plan at most 0 texts and withdraw 0; 1 would be dead again" in capsys.readouterr().out
    with kept.unit() as unit:
        assert unit.inbox.count("new") == 0
    assert main(["inbox", "replay", "2", "--yes", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [
        {"messages": 1, "texts": 0, "dead_again": 1, "withdrawn": 0, "let_go": 0},
        {"replayed": 1},
    ]
    with kept.unit() as unit:
        assert unit.inbox.count("new") == 1
    kept.close()


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "1", "--state", "dead"],
        ["replay", "1", "--reason", "no-patient"],
        ["replay", "--state", "new"],
        ["replay", "--since", "yesterday"],
        ["dismiss"],
        ["dismiss", "--state", "done"],
        ["show"],
        ["reasons", "1"],
        ["list", "1"],
        ["list", "--limit", "0"],
        ["list", "--since", "2027-03-02T00:00Z", "--until", "2027-03-01T00:00Z"],
    ],
)
def test_a_deed_without_its_messages_is_wrong_usage(arguments: list[str], kept: SqlStore) -> None:
    assert main(["inbox", *arguments]) == 2
    kept.close()


def test_a_reason_is_replayed_in_the_order_of_arrival(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both were dead for one reason; of the two only the later one's state may remain."""
    site = Site(kept, TurnedClock(NOW))
    later = VISIT + timedelta(days=1)
    site.receive(siu("S12", at=NOW, visit="B1", start=VISIT, person=CARLA))
    site.receive(siu("S13", at=NOW, visit="B1", start=later, person=CARLA))
    with kept.unit() as unit:
        unit.inbox.dead(3, "as-if-wrong SCH-2")
        unit.inbox.dead(4, "as-if-wrong SCH-2")
    assert main(["inbox", "replay", "--reason", "as-if-wrong", "--yes", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [
        {"messages": 2, "texts": 3, "dead_again": 0, "withdrawn": 0, "let_go": 0},
        {"replayed": 2},
    ]
    site.work()
    with kept.unit() as unit:
        stored = unit.appointments.find("main", ["SCH-2||B1|"])
        assert stored is not None
        assert stored.slot.start == later
    site.clock.now = DecentHours().next_opening(NOW + timedelta(minutes=5), ZoneInfo("America/New_York"))
    site.work()  # at whatever hour this story is told, the next decent one has come
    assert [text.number for text in site.texts] == [
        "+16175550123"
    ]  # the booking of the store's first message
    kept.close()


def test_a_time_range_is_replayed(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    around = [
        "--since",
        (NOW - timedelta(minutes=1)).isoformat(),
        "--until",
        (NOW + timedelta(1)).isoformat(),
    ]
    assert main(["inbox", "replay", *around, "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"replayed": 1}  # the dead one alone
    assert main(["inbox", "replay", *around, "--state", "done", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"replayed": 1}
    kept.close()


@pytest.fixture
def notified(kept: SqlStore) -> SqlStore:
    """The same store with a notification that was read, and one that cannot be."""
    site = Site(kept, TurnedClock(NOW))
    site.change(settings=replace(site.settings, feeds={"ehr": feed(name="ehr", fhir=FhirHearing())}))
    with kept.unit() as unit:
        for number, received in enumerate(
            (post(r4(r4_event("41", "Appointment/a-7"), since="41")), post("{"))
        ):
            unit.inbox.add(
                KeptMessage(0, "fhir:ehr", f"note-{number}", received.to_bytes(), NOW), b"%d" % number * 32
            )
    site.work()
    return kept


def test_a_notification_is_shown_with_what_is_understood_of_it_and_no_id(
    notified: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "list", "--feed", "fhir:ehr", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["state"], each["reason"]) for each in listed] == [("done", None), ("dead", "not-json body")]
    read, dead = (str(each["id"]) for each in listed)
    assert main(["inbox", "show", read, dead]) == 0
    out = capsys.readouterr().out
    assert "as understood now: event" in out
    assert "event 41: Appointment/x-9" in out
    assert "this is not JSON" in out
    assert '"resourceType": "' in out  # elements are no secrets, and without them nothing can be read
    assert "a-7" not in out
    assert main(["inbox", "show", read, "--json", "--reveal"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["became"]["events"] == [{"number": 41, "focus": "Appointment/a-7", "deleted": False}]
    assert {"path": "method", "value": "POST"} in told["fields"]
    notified.close()


def test_a_replayed_notification_is_read_again(
    notified: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "replay", "--feed", "fhir:ehr", "--state", "done", "--yes", "--json"]) == 0
    tried, replayed = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (tried["messages"], tried["texts"], tried["dead_again"], replayed["replayed"]) == (1, 0, 0, 1)
    with notified.unit() as unit:
        want = unit.wants.claim(NOW, NOW)
        assert want is not None
        assert want.revision == 1  # the trial has left nothing behind
    notified.close()
