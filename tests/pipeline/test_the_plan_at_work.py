"""Stories of one appointment, from its message to the texts that went out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.consent import ALL_SENDERS, ConsentPolicy, Suppression, SuppressionKind
from integration.domain.failure import Failure
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.pipeline.send import send_next
from tests import settings as make
from tests.messages import ANA, BEN, CARLA, called, siu, without
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store
    from integration.settings.model import Settings

BOOKED_AT = local("2027-03-01T11:00")
SETTLING = timedelta(seconds=180)
VISIT = local("2027-03-11T14:30")


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(BOOKED_AT))


def with_practice(site: Site, **changes: object) -> None:
    practice = make.practice(**changes)
    site.change(settings=replace(site.settings, practices={"riverside": practice}))


def book(site: Site, **changes: object) -> None:
    site.hear(siu("S12", at=site.clock.now, **{"start": VISIT, **changes}))  # type: ignore[arg-type]


def test_a_booking_ten_days_ahead_yields_the_whole_plan_and_no_other(site: Site) -> None:
    book(site)
    site.until(local("2027-03-12T12:00"))
    assert site.sent == [
        ("03-01 11:00", "booked"),
        ("03-06 10:00", "five_days"),
        ("03-09 10:00", "two_days"),
        ("03-11 11:30", "three_hours"),
    ]


def test_the_first_text_says_when_where_and_how_to_stop(site: Site) -> None:
    book(site)
    body = site.texts[0].body
    assert body.startswith("Riverside Clinic: ")
    for part in ("Thu Mar 11 at 2:30 PM", "617-555-0100", "STOP"):
        assert part in body


def test_a_spanish_speaker_is_texted_in_spanish(site: Site) -> None:
    book(site, person=CARLA)
    assert "jue 11 mar" in site.texts[0].body
    assert site.texts[0].encoding == "GSM-7"


def test_a_booking_for_this_afternoon_gets_one_text(site: Site) -> None:
    book(site, start=local("2027-03-01T16:00"))
    site.until(local("2027-03-02T12:00"))
    assert [at for at, _ in site.sent] == ["03-01 11:00"]
    assert site.reminders["booked"].reason == "said by the step three_hours on the same day"


def test_a_change_right_after_the_booking_does_not_put_its_text_off(site: Site) -> None:
    with_practice(site, plan=replace(make.practice().plan, settle=SETTLING))
    book(site, start=local("2027-03-01T16:00"))
    site.clock.now += timedelta(seconds=1)
    site.hear(siu("S14", at=site.clock.now, start=local("2027-03-01T16:00")))
    site.until(local("2027-03-02T12:00"))
    assert [at for at, _ in site.sent] == ["03-01 11:03"]


def test_a_booking_at_night_is_told_in_the_morning(site: Site) -> None:
    site.clock.now = local("2027-03-01T22:15")
    book(site)
    assert site.sent == []
    assert (site.reminders["booked"].state, site.reminders["booked"].reason) == (
        ReminderState.HELD,
        "quiet hours",
    )
    site.until(local("2027-03-02T12:00"))
    assert site.sent == [("03-02 09:00", "booked")]


def test_a_visit_moved_after_the_five_day_text_is_told_and_planned_anew(site: Site) -> None:
    book(site)
    site.until(local("2027-03-07T11:00"))
    site.hear(siu("S13", at=site.clock.now, start=local("2027-03-18T09:00")))
    site.until(local("2027-03-19T12:00"))
    assert site.sent == [
        ("03-01 11:00", "booked"),
        ("03-06 10:00", "five_days"),
        ("03-07 11:00", "moved"),
        ("03-13 10:00", "five_days"),
        ("03-16 10:00", "two_days"),
        ("03-17 19:00", "three_hours"),
    ]
    assert "Thu Mar 18 at 9:00 AM" in site.texts[2].body


def test_a_visit_cancelled_on_the_day_is_told_and_reminded_no_more(site: Site) -> None:
    book(site)
    site.until(local("2027-03-11T09:30"))
    site.hear(siu("S15", at=site.clock.now, start=None))
    site.until(local("2027-03-12T12:00"))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days", "two_days", "cancelled"]
    assert site.reminders["three_hours"].reason == "the visit was cancelled"


@pytest.mark.parametrize("trigger", ["S17", "S26", "S16"])
def test_deleted_missed_and_discontinued_visits_are_silent(site: Site, trigger: str) -> None:
    book(site)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu(trigger, at=site.clock.now, start=VISIT))
    site.until(local("2027-03-12T12:00"))
    assert [occasion for _, occasion in site.sent] == ["booked"]


def test_two_children_on_one_phone_share_every_text(site: Site) -> None:
    with_practice(site, plan=replace(make.practice().plan, settle=SETTLING))
    book(site)
    site.hear(siu("S12", at=site.clock.now, visit="B1", start=local("2027-03-11T15:00"), person=BEN))
    site.until(local("2027-03-12T12:00"))
    assert site.sent == [
        ("03-01 11:03", "booked"),
        ("03-06 10:00", "five_days"),
        ("03-09 10:00", "two_days"),
        ("03-11 11:30", "three_hours"),
    ]
    for text in site.texts:
        assert "Ana" in text.body
        assert "Ben" in text.body
        parts = [subject.part for subject in text.subjects]
        assert len(parts) == 2
        for name, other, part in (("Ana", "Ben", parts[0]), ("Ben", "Ana", parts[1])):
            assert part is not None
            assert name in part
            assert other not in part


def test_cancel_and_rebook_within_the_settling_time_is_one_move(site: Site) -> None:
    book(site)
    with_practice(site, plan=replace(make.practice().plan, settle=SETTLING))
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S15", at=site.clock.now, start=None))
    site.clock.now = local("2027-03-02T11:01")
    book(site, visit="A2", start=local("2027-03-15T14:30"))
    site.until(local("2027-03-02T12:00"))
    assert site.sent == [("03-01 11:00", "booked"), ("03-02 11:04", "moved")]
    assert "Mon Mar 15 at 2:30 PM" in site.texts[1].body


def test_a_booking_cancelled_while_it_settles_is_never_told(site: Site) -> None:
    with_practice(site, plan=replace(make.practice().plan, settle=SETTLING))
    book(site)
    site.hear(siu("S15", at=site.clock.now, start=None))
    site.until(local("2027-03-12T12:00"))
    assert site.sent == []


def test_undo_cancel_before_anyone_was_told_says_nothing(site: Site) -> None:
    book(site)
    with_practice(site, plan=replace(make.practice().plan, settle=SETTLING))
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S15", at=site.clock.now, start=VISIT))
    site.hear(siu("S13", at=site.clock.now, start=VISIT))
    site.until(local("2027-03-12T12:00"))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days", "two_days", "three_hours"]


def test_the_same_booking_sent_three_times_is_told_once(site: Site) -> None:
    for _ in range(3):
        book(site)
    assert site.sent == [("03-01 11:00", "booked")]


def test_an_older_message_does_not_overwrite_newer_state(site: Site) -> None:
    book(site)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(siu("S13", at=local("2027-03-02T10:00"), start=local("2027-03-18T09:00")))
    site.hear(siu("S13", at=local("2027-03-02T09:00"), start=local("2027-03-25T09:00")))
    assert [occasion for _, occasion in site.sent] == ["booked", "moved"]
    assert "Mar 18" in site.texts[-1].body


def test_a_message_older_than_the_feed_allows_plans_the_future_only(site: Site) -> None:
    site.hear(siu("S12", at=local("2027-02-28T11:00"), start=VISIT))
    site.until(local("2027-03-12T12:00"))
    assert [occasion for _, occasion in site.sent] == ["five_days", "two_days", "three_hours"]


def test_first_contact_by_a_change_plans_the_future_only(site: Site) -> None:
    site.hear(siu("S14", at=BOOKED_AT, start=VISIT))
    assert site.sent == []
    assert set(site.reminders) == {"five_days", "two_days", "three_hours"}


def test_no_text_goes_out_while_a_message_of_its_visit_waits(site: Site) -> None:
    book(site)
    site.clock.now = local("2027-03-06T10:00")
    site.receive(siu("S15", at=site.clock.now, start=None))
    send_next(site.workshop)
    assert [occasion for _, occasion in site.sent] == ["booked"]
    assert site.reminders["five_days"].reason == "a newer message about the visit is being read"
    site.work()
    assert [occasion for _, occasion in site.sent] == ["booked", "cancelled"]


def test_a_message_that_cannot_be_applied_holds_its_appointment_until_it_is_replayed(site: Site) -> None:
    book(site)
    site.clock.now = local("2027-03-02T11:00")
    site.hear(without(siu("S13", at=site.clock.now, start=local("2027-03-20T09:00")), "PID"))
    with site.store.unit() as unit:
        (dead,) = unit.inbox.listing("dead")
    assert dead.reason == "no-patient PID"
    site.until(local("2027-03-06T10:10"))
    assert site.reminders["five_days"].state is ReminderState.HELD
    assert str(dead.id) in (site.reminders["five_days"].reason or "")


REASONS: list[tuple[str, dict[str, object], dict[str, object], str]] = [
    ("practice", {"sms": False}, {}, "texts are off for this practice"),
    ("practice", {"consent": ConsentPolicy.EXPRESS}, {}, "no consent to texts"),
    ("feed", {"state": "shadow"}, {}, "the feed is in shadow"),
    (
        "person",
        {},
        {"person": called(ANA, born="20200101")},
        "the patient is a minor and no guardian's number is known",
    ),
    ("person", {}, {"person": called(ANA, phone="")}, "no phone number for texts"),
]


@pytest.mark.parametrize(("what", "changes", "booking", "reason"), REASONS)
def test_every_reminder_that_does_not_go_says_why(
    site: Site, what: str, changes: dict[str, object], booking: dict[str, object], reason: str
) -> None:
    found: Settings = site.settings
    if what == "practice":
        found = replace(found, practices={"riverside": make.practice(**changes)})
    if what == "feed":
        found = replace(found, feeds={"main": make.feed(**changes)})
    site.change(settings=found)
    book(site, **booking)
    assert site.sent == []
    assert (site.reminders["booked"].state, site.reminders["booked"].reason) == (
        ReminderState.SKIPPED,
        reason,
    )


def test_a_suppressed_number_gets_nothing(site: Site) -> None:
    with site.store.unit() as unit:
        unit.numbers.suppress(
            Suppression(0, "+16175550123", SuppressionKind.OPT_OUT, ALL_SENDERS, BOOKED_AT, "reply")
        )
    book(site)
    assert site.sent == []
    assert site.reminders["booked"].reason == "opted out"


def test_without_a_provider_reminders_are_held(site: Site) -> None:
    site.change(sms=None)
    book(site)
    assert (site.reminders["booked"].state, site.reminders["booked"].reason) == (
        ReminderState.HELD,
        "no provider",
    )


def test_switching_a_provider_on_sends_nothing_that_was_already_due(site: Site) -> None:
    provider = site.workshop.sms
    site.change(sms=None)
    book(site)
    site.change(sms=provider)
    site.until(local("2027-03-12T12:00"))
    assert [occasion for _, occasion in site.sent] == ["five_days", "two_days", "three_hours"]
    assert site.reminders["booked"].reason == "was due while there was no provider"


def test_in_live_mode_a_location_nobody_claims_is_never_texted(site: Site) -> None:
    found = replace(site.settings, mode="live", feeds={"main": make.feed(locations={})})
    site.change(settings=found)
    book(site)
    assert site.sent == []


def test_in_test_mode_a_real_provider_reaches_only_the_allowed(site: Site) -> None:
    site.sms.loopback = False
    book(site)
    assert site.reminders["booked"].reason == "test mode: the number is not on the allow-list"
    site.change(settings=replace(site.settings, allowed_numbers=frozenset({"+16175550123"})))
    book(site, visit="A2")
    assert [occasion for _, occasion in site.sent] == ["booked"]


def test_a_move_that_the_night_would_hold_too_long_is_a_call_to_make(site: Site) -> None:
    site.clock.now = local("2027-03-01T11:00")
    book(site, start=local("2027-03-02T08:30"))
    site.clock.now = local("2027-03-01T21:00")
    site.hear(siu("S13", at=site.clock.now, start=local("2027-03-02T10:00")))
    site.until(local("2027-03-01T21:10"))
    assert [task.kind for task in site.tasks] == [TaskKind.CALL_PATIENT]


def test_too_many_cancellations_in_an_hour_wait_for_a_person(site: Site) -> None:
    with_practice(site, cancellations_per_hour=2, texts_per_hour=2000)
    people = [called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}") for n in range(5)]
    for n, person in enumerate(people):
        book(site, visit=f"V{n}", person=person)
    site.clock.now = local("2027-03-02T11:00")
    for n, person in enumerate(people):
        site.receive(siu("S15", at=site.clock.now, visit=f"V{n}", start=None, person=person))
    site.work()
    assert sum(occasion == "cancelled" for _, occasion in site.sent) == 0
    assert TaskKind.RELEASE in [task.kind for task in site.tasks]
    site.store.release("mass change riverside", site.clock.now)
    site.until(local("2027-03-02T12:00"))
    assert sum(occasion == "cancelled" for _, occasion in site.sent) == 5


def test_a_practice_that_texts_more_than_it_should_waits_for_a_person(site: Site) -> None:
    with_practice(site, texts_per_hour=2)
    for n in range(4):
        book(site, visit=f"V{n}", person=called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}"))
    assert len(site.sent) == 2
    assert "texts riverside" in site.store.breakers()
    site.clock.now += timedelta(minutes=5)
    site.store.release("texts riverside", site.clock.now)
    site.work()
    assert len(site.sent) == 4


def test_when_the_provider_refuses_our_account_every_text_waits_for_a_release(site: Site) -> None:
    site.sms.refusals["+16175550123"] = Failure.ACCOUNT
    book(site)
    assert "account" in site.store.breakers()
    assert [task.kind for task in site.tasks] == [TaskKind.RELEASE]
    site.sms.refusals.clear()
    site.clock.now += timedelta(minutes=5)
    site.work()
    assert len(site.sms.copies) == 0
    site.store.release("account", site.clock.now)
    site.work()
    assert list(site.sms.copies.values()) == [1]
