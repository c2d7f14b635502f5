"""Stories of what the EHR says of a person (ADT): a number, death, a wish for silence, a record deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.reminder import OPEN, ReminderState
from integration.pipeline.plan import plan_changes
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from integration.testing.sms import FakeSmsProvider, Trouble
from tests.adt import adt
from tests.messages import ANA, BEN, called, siu
from tests.pipeline.network import say as reply
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
LATER = local("2027-04-20T09:00")
ANAS, NEW = "+16175550123", "+16175550177"
NEW_PHONE = "(617)555-0177"
WHOLE_PLAN = ["booked", "five_days", "two_days", "three_hours"]


@pytest.fixture
def site(store: Store) -> Site:
    clock = TurnedClock(BOOKED_AT)
    return Site(store, clock, sms=FakeSmsProvider(now=clock.wall))


def book(site: Site, **more: object) -> None:
    site.hear(siu("S12", **{"at": site.clock.now, "start": VISIT, **more}))  # type: ignore[arg-type]


def say(site: Site, trigger: str, at: str, **more: object) -> None:
    site.clock.now = max(site.clock.now, local(at))
    site.hear(adt(trigger, at=local(at), **more))  # type: ignore[arg-type]


def told(site: Site) -> list[tuple[str, str]]:
    return [(text.number, text.occasion) for text in site.texts if text.offered_at is not None]


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def notes(site: Site) -> str:
    """What an engineer reads beside the last message."""
    with site.store.unit() as unit:
        last = unit.inbox.listing()[-1]
    assert last.state == "done"
    return last.reason or ""


@pytest.mark.parametrize("trigger", ["A01", "A04", "A05", "A08", "A13", "A28", "A31", "A02", "A12", "A38"])
def test_a_new_number_takes_over_the_reminders_of_every_visit_to_come(site: Site, trigger: str) -> None:
    book(site)
    book(site, start=LATER, visit="A2")
    say(site, trigger, "2027-03-03T11:00", phone=NEW_PHONE)
    site.until(local("2027-04-21T12:00"))
    later = [(number, occasion) for number, occasion in told(site) if occasion != "booked"]
    assert later == [(NEW, step) for step in WHOLE_PLAN[1:]] * 2


def test_a_number_that_is_taken_away_silences_and_one_given_again_wakes(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", phone='""')
    site.until(local("2027-03-07T12:00"))
    assert occasions(site) == ["booked"]
    assert site.reminders["five_days"].reason == "no phone number for texts"
    say(site, "A31", "2027-03-07T13:00", phone=NEW_PHONE)
    site.until(local("2027-03-12T12:00"))
    assert told(site)[1:] == [(NEW, "two_days"), (NEW, "three_hours")]


def test_what_a_message_leaves_empty_stays_as_it_was(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", phone="", person=called(ANA, born="", language="", family=""))
    with site.store.unit() as unit:
        ana = unit.patients.get(1)
    assert (ana.number, ana.family, ana.language) == (ANAS, "Sample", "en")
    assert ana.birth_date is not None
    assert ana.resource["telecom"]


def test_a_person_never_heard_of_is_kept_for_the_visit_that_may_come(site: Site) -> None:
    say(site, "A28", "2027-03-01T11:00", phone=None)
    book(site, person=called(ANA, phone=""))
    site.until(local("2027-03-12T12:00"))
    assert told(site) == [(ANAS, step) for step in WHOLE_PLAN]


def test_a_person_without_any_identifier_is_not_kept(site: Site) -> None:
    say(site, "A28", "2027-03-01T11:00", phone=None, person=called(ANA, mrn=""))
    assert "no-patient-identifier PID-3" in notes(site)
    with site.store.unit() as unit:
        assert unit.patients.with_number(ANAS) == []


@pytest.mark.parametrize("said", [{"dead": "Y"}, {"died": "20270303"}])
def test_death_silences_at_once_with_its_reason(site: Site, said: dict[str, str]) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", **said)
    states = {step: (each.state, each.reason) for step, each in site.reminders.items() if step != "booked"}
    assert set(states.values()) <= {
        (ReminderState.WITHDRAWN, "the patient has died"),
        (ReminderState.SKIPPED, "the patient has died"),
    }
    assert len(states) == 3
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]


@pytest.mark.parametrize("taken_back", [{"dead": "N", "died": '""'}, {"dead": "N"}, {"died": '""'}])
def test_a_death_that_was_an_error_is_taken_back_and_nothing_past_is_told(
    site: Site, taken_back: dict[str, str]
) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", dead="Y", died="20270303")
    say(site, "A08", "2027-03-07T11:00", **taken_back)  # no number in it: the one known is still known
    site.until(local("2027-03-12T12:00"))
    assert told(site) == [(ANAS, step) for step in ("booked", "two_days", "three_hours")]


def test_a_death_is_not_forgotten_by_a_message_that_does_not_speak_of_it(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", dead="Y")
    say(site, "A08", "2027-03-04T11:00", phone=NEW_PHONE)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]


def test_a_scheduling_message_takes_no_death_back(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", dead="Y")
    changed = siu("S14", at=site.clock.now + timedelta(minutes=1), start=VISIT)
    site.hear(changed.replace(b"||en", b"||en" + b"|" * 15 + b"N"))
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]


@pytest.mark.parametrize(
    ("asked", "then", "silent"),
    [
        ({"publicity": "N"}, {}, True),
        ({"protection": "Y"}, {}, True),
        ({"publicity": "N"}, {"protection": "N"}, True),
        ({"publicity": "N"}, {"publicity": "O"}, False),
        ({"publicity": "N"}, {"publicity": '""'}, False),
        ({"protection": "Y"}, {"protection": "N"}, False),
        ({"publicity": "N", "protection": "Y"}, {"protection": "N"}, True),
        ({"publicity": "N", "protection": "Y"}, {"publicity": "O", "protection": "N"}, False),
    ],
)
def test_a_wish_for_silence_stands_until_it_is_taken_back_where_it_was_made(
    site: Site, asked: dict[str, str], then: dict[str, str], *, silent: bool
) -> None:
    book(site)
    say(site, "A31", "2027-03-02T11:00", **asked)
    say(site, "A31", "2027-03-03T11:00", phone=None, **then)
    site.hear(siu("S14", at=site.clock.now, start=VISIT))  # has no PD1 at all
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == (["booked"] if silent else WHOLE_PLAN)


def test_an_older_message_never_overwrites_what_a_newer_one_said(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", phone=NEW_PHONE)
    say(site, "A08", "2027-03-03T10:59", phone="(617)555-0188")
    assert "older-than-stored MSH-7" in notes(site)
    site.until(local("2027-03-12T12:00"))
    assert {number for number, occasion in told(site) if occasion != "booked"} == {NEW}


def test_registration_overtaken_by_a_booking_without_a_number_still_gives_it(site: Site) -> None:
    book(site, at=BOOKED_AT + timedelta(seconds=5), person=called(ANA, phone=""))
    say(site, "A28", "2027-03-01T11:00", phone=None)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == WHOLE_PLAN[1:]


@pytest.mark.parametrize("said", [{"dead": "Y"}, {"publicity": "N"}, {"protection": "Y"}])
def test_death_and_silence_count_though_a_newer_message_without_a_word_on_them_came_first(
    site: Site, said: dict[str, str]
) -> None:
    book(site)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S14", at=site.clock.now, start=VISIT))
    say(site, "A31", "2027-03-02T10:59", **said)
    assert "older-than-stored MSH-7" in notes(site)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]


def test_a_birth_date_counts_though_a_newer_message_without_one_came_first(site: Site) -> None:
    book(site, at=BOOKED_AT + timedelta(seconds=5), person=called(ANA, born=""))
    say(site, "A28", "2027-03-01T11:00", person=called(ANA, born="20180301"), phone=None)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]


@pytest.mark.parametrize(("said", "number"), [(NEW_PHONE, NEW), ('""', None)])
def test_another_number_counts_though_a_newer_message_without_one_came_first(
    site: Site, said: str, number: str | None
) -> None:
    book(site)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S14", at=site.clock.now, start=VISIT, person=called(ANA, phone="")))
    say(site, "A08", "2027-03-02T10:59", phone=said)
    say(site, "A08", "2027-03-01T10:59", phone="(617)555-0188")  # older than the first
    site.until(local("2027-03-12T12:00"))
    assert {to for to, occasion in told(site) if occasion != "booked"} == {number} - {None}


@pytest.mark.parametrize("first", ["", NEW_PHONE])
def test_an_older_message_gives_no_number_back_that_was_taken_away(site: Site, first: str) -> None:
    book(site, person=called(ANA, phone=first))
    before = len(told(site))
    say(site, "A08", "2027-03-03T11:00", phone='""')
    say(site, "A08", "2027-03-03T10:59", phone=None)
    site.until(local("2027-03-12T12:00"))
    assert len(told(site)) == before


def test_a_message_that_only_repeats_what_is_known_is_newer_all_the_same(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", phone=None)
    say(site, "A08", "2027-03-02T11:00", phone=NEW_PHONE)
    assert "older-than-stored MSH-7" in notes(site)
    site.until(local("2027-03-12T12:00"))
    assert {number for number, _ in told(site)} == {ANAS}


def test_a_message_says_when_it_happened_in_evn_where_the_header_does_not(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", phone=NEW_PHONE)
    late = adt("A08", at=local("2027-03-02T11:00"), phone="(617)555-0188").replace(
        b"|20270302110000||ADT", b"|||ADT"
    )
    site.hear(late)
    assert "older-than-stored MSH-7" in notes(site)


def test_a_deleted_person_is_texted_no_more_until_the_ehr_speaks_of_them_again(site: Site) -> None:
    book(site)
    say(site, "A29", "2027-03-03T11:00")
    reasons = {each.reason for step, each in site.reminders.items() if step != "booked"}
    assert reasons == {"the EHR deleted the patient's record"}
    site.until(local("2027-03-07T10:30"))
    assert occasions(site) == ["booked"]
    say(site, "A28", "2027-03-07T11:00")
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked", "two_days", "three_hours"]


def test_nobody_is_made_up_to_be_deleted(site: Site) -> None:
    say(site, "A29", "2027-03-03T11:00")
    assert "nobody-to-delete PID-3" in notes(site)


def test_linked_persons_stay_two_persons(site: Site) -> None:
    book(site)
    line = next(each for each in adt("A28", at=BOOKED_AT, person=BEN).split(b"\r") if each[:3] == b"PID")
    site.hear(adt("A24", at=site.clock.now) + line + b"\r")
    assert "records-linked MSH-9.2" in notes(site)
    with site.store.unit() as unit:
        found = [unit.patients.find("main", [f"RIVER|MR|{who.mrn}"]) for who in (ANA, BEN)]
    assert len({each.id for each in found if each}) == 2


def test_what_no_text_depends_on_is_done_and_holds_nothing(site: Site) -> None:
    book(site)
    say(site, "A60", "2027-03-03T11:00", visit="A1")
    assert "irrelevant-trigger MSH-9.2" in notes(site)
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == WHOLE_PLAN


def test_while_news_of_the_patient_waits_unread_nothing_is_sent(site: Site) -> None:
    book(site)
    site.clock.now = local("2027-03-06T10:00")
    site.receive(adt("A08", at=site.clock.now, dead="Y"))
    assert send_next(site.workshop)
    assert occasions(site) == ["booked"]
    assert site.reminders["five_days"].state is ReminderState.HELD
    site.work()
    site.until(local("2027-03-12T12:00"))
    assert occasions(site) == ["booked"]


def test_a_text_that_never_left_goes_to_the_number_that_came_meanwhile(site: Site) -> None:
    book(site)
    site.sms.troubles.append(Trouble.LOST)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S15", at=site.clock.now, start=None))
    say(site, "A08", "2027-03-02T11:01", person=called(ANA, phone=NEW_PHONE), phone=None)
    for _ in range(60):
        site.clock.now += timedelta(minutes=1)
        site.work()
    assert told(site) == [(ANAS, "booked"), (NEW, "cancelled")]


def test_a_text_that_was_under_way_when_the_number_changed_is_told_once(site: Site) -> None:
    book(site)
    site.sms.troubles.append(Trouble.KEPT)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S15", at=site.clock.now, start=None))
    say(site, "A08", "2027-03-02T11:01", person=called(ANA, phone=NEW_PHONE), phone=None)
    for _ in range(60):
        site.clock.now += timedelta(minutes=1)
        site.work()
    assert told(site) == [(ANAS, "booked"), (ANAS, "cancelled")]


def test_a_text_that_waits_to_be_offered_again_is_stopped_by_a_death(site: Site) -> None:
    site.sms.is_down = True
    site.receive(siu("S12", at=site.clock.now, start=VISIT))
    for step in (translate, plan_changes, send_next):
        step(site.workshop)
    with site.store.unit() as unit:
        assert unit.texts.get(1).status is DeliveryStatus.QUEUED
    site.receive(adt("A08", at=site.clock.now, dead="Y"))
    site.sms.is_down = False
    site.clock.now += timedelta(minutes=1)
    site.until(local("2027-03-12T12:00"))
    assert site.sms.texts() == []
    assert site.reminders["booked"].reason == "the patient has died"


def test_the_dead_write_no_replies(site: Site) -> None:
    site.hear(adt("A28", at=site.clock.now, person=BEN, phone=None))  # shares Ana's telephone
    book(site)
    assert reply(site, "see you there then").patient_id is None
    say(site, "A08", "2027-03-01T11:30", person=BEN, dead="Y")
    assert reply(site, "see you there then").patient_id == 2


# A number that takes no texts


def mark(site: Site, kind: SuppressionKind, number: str = ANAS) -> None:
    with site.store.unit() as unit:
        unit.numbers.suppress(
            Suppression(0, number, kind, ALL_SENDERS, since=site.clock.now, source="carrier")
        )


def marks(site: Site, number: str) -> list[SuppressionKind]:
    with site.store.unit() as unit:
        return [each.kind for each in unit.numbers.suppressions(number)]


def test_a_number_marked_bad_is_free_when_it_is_given_again_after_another(site: Site) -> None:
    book(site)
    mark(site, SuppressionKind.BAD_NUMBER)
    say(site, "A08", "2027-03-02T11:00", phone=None)
    assert marks(site, ANAS) == [SuppressionKind.BAD_NUMBER]  # merely repeated
    say(site, "A08", "2027-03-03T11:00", phone=NEW_PHONE)
    say(site, "A08", "2027-03-04T11:00", phone=None)
    assert marks(site, ANAS) == []
    site.until(local("2027-03-12T12:00"))
    assert told(site)[1:] == [(ANAS, step) for step in WHOLE_PLAN[1:]]


def test_a_number_marked_bad_is_free_when_it_was_taken_away_and_is_given_again(site: Site) -> None:
    book(site)
    mark(site, SuppressionKind.BAD_NUMBER)
    say(site, "A08", "2027-03-03T11:00", phone='""')
    say(site, "A08", "2027-03-04T11:00", phone=None)
    assert marks(site, ANAS) == []


def test_a_number_marked_bad_is_free_when_it_becomes_somebody_elses(site: Site) -> None:
    mark(site, SuppressionKind.BAD_NUMBER)
    say(site, "A28", "2027-03-04T11:00", phone=None, person=BEN)
    assert marks(site, ANAS) == []


def test_a_message_older_than_the_mark_frees_no_number(site: Site) -> None:
    book(site, person=called(ANA, phone=NEW_PHONE))
    site.clock.now += timedelta(days=2)
    mark(site, SuppressionKind.BAD_NUMBER)
    say(site, "A08", "2027-03-02T11:00", phone=None)
    assert marks(site, ANAS) == [SuppressionKind.BAD_NUMBER]


@pytest.mark.parametrize("kind", [SuppressionKind.WRONG_NUMBER, SuppressionKind.OPT_OUT])
def test_what_the_holder_of_a_number_said_is_not_the_ehrs_to_take_back(
    site: Site, kind: SuppressionKind
) -> None:
    book(site, person=called(ANA, phone=NEW_PHONE))
    mark(site, kind)
    say(site, "A08", "2027-03-04T11:00", phone=None)
    assert marks(site, ANAS) == [kind]


def test_nothing_open_is_left_for_a_number_that_is_no_more(site: Site) -> None:
    book(site)
    say(site, "A08", "2027-03-03T11:00", phone=NEW_PHONE)
    with site.store.unit() as unit:
        old = unit.reminders.open_of_number(ANAS)
        new = unit.reminders.open_of_number(NEW)
    assert (len(old), {each.state for each in new} <= OPEN, len(new)) == (0, True, 3)
