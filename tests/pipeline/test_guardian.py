"""Stories of a child's visit: who is texted, about whom, until when, and whose chart hears of the answer."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fhir_mappers.profile import resolve
from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.reminder import ReminderState
from integration.domain.write_back import WriteBackKind
from tests import settings as make
from tests.adt import adt
from tests.messages import ANA, Person, called, siu
from tests.pipeline.network import ANAS_NUMBER, book, deliver, say, site_at
from tests.site import local

if TYPE_CHECKING:
    from datetime import datetime

    from integration.settings.model import Settings
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")

MIA = Person(mrn="MRN7", given="Mia", phone="(617)555-0177", born="20180301", language="en")
NOAH = called(MIA, mrn="MRN8", given="Noah")
MIAS_NUMBER = "+16175550177"
VISIT = local("2027-03-11T14:30")
NO_GUARDIAN = "the patient is a minor and no guardian's number is known"


def asking(*order: str) -> Settings:
    """A site whose feed looks for guardians there."""
    generic = tomllib.loads((make.CONFIG / "vendors" / "generic.toml").read_text(encoding="utf-8"))
    own = {"extends": "generic", "guardian": {"order": list(order)}}
    vendor = resolve("own", {"generic": generic, "own": own})
    return make.settings(feeds={"main": make.feed(vendor=vendor)})


def message(
    site: Site,
    person: Person = MIA,
    *kin: str,
    trigger: str = "S12",
    visit: str = "A1",
    start: datetime = VISIT,
) -> bytes:
    """A message with these NK1 or GT1 after its PID."""
    raw = siu(trigger, at=site.clock.now, person=person, visit=visit, start=start)
    head, mark, tail = raw.partition(b"RGS|")
    return head + "".join(f"{line}\r" for line in kin).encode() + mark + tail


def mother(number: str = "(617)555-0123", language: str = "") -> str:
    return f"NK1|1|Sample^Ana|MTH||{number}^PRS^CP" + "|" * 15 + language


def test_as_shipped_a_child_gets_nothing_and_a_nurse_is_told_why() -> None:
    site = site_at()
    site.hear(message(site, MIA, mother()))
    site.until(local("2027-03-12T12:00"))
    assert site.sent == []
    assert {reminder.reason for reminder in site.reminders.values()} == {NO_GUARDIAN}


def test_the_mother_is_texted_and_told_which_child() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA, mother()))
    site.until(local("2027-03-12T12:00"))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days", "two_days", "three_hours"]
    assert {text.number for text in site.texts} == {ANAS_NUMBER}
    assert all("Mia" in text.body for text in site.texts)


def test_the_guarantor_is_texted_when_no_next_of_kin_counts() -> None:
    site = site_at(settings=asking("NK1", "GT1"))
    father = "GT1|1||Sample^Paul|||(617)555-0188^PRS^CP|||||FTH"
    site.hear(message(site, MIA, "NK1|1|Sample^Lea|SIB||(617)555-0166^PRS^CP", father))
    assert [text.number for text in site.texts] == ["+16175550188"]


def test_the_mothers_language_is_spoken_when_it_is_known() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA, mother(language="spa")))
    assert site.texts[0].language == "es"
    other = site_at(settings=asking("NK1"))
    other.hear(message(other, called(MIA, language="es"), mother()))
    assert other.texts[0].language == "es"


def test_two_children_of_one_mother_share_a_text_with_their_names() -> None:
    site = site_at(settings=asking("NK1"))
    site.receive(message(site, MIA, mother()))
    site.receive(message(site, NOAH, mother(), visit="A2", start=local("2027-03-11T15:00")))
    site.work()
    (text,) = site.texts
    assert "Mia" in text.body
    assert "Noah" in text.body


def test_from_the_eighteenth_birthday_on_the_patients_own_number_counts() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, called(MIA, born="20090308"), mother()))
    site.until(local("2027-03-12T12:00"))
    assert [(text.occasion, text.number) for text in site.texts] == [
        ("booked", ANAS_NUMBER),
        ("five_days", ANAS_NUMBER),
        ("two_days", MIAS_NUMBER),
        ("three_hours", MIAS_NUMBER),
    ]
    assert "Mia" not in site.texts[2].body


def test_what_waits_over_the_night_of_the_eighteenth_birthday_goes_to_the_patient() -> None:
    site = site_at("2027-03-01T23:00", settings=asking("NK1"))
    site.hear(message(site, called(MIA, born="20090302"), mother()))
    site.until(local("2027-03-02T12:00"))
    assert [(text.occasion, text.number) for text in site.texts] == [("booked", MIAS_NUMBER)]


def test_a_guardian_who_becomes_known_later_gets_what_is_still_to_come() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA))
    assert site.texts == []
    site.clock.now = local("2027-03-04T09:00")
    site.hear(message(site, MIA, mother(), trigger="S14"))
    site.until(local("2027-03-07T12:00"))
    assert [(text.occasion, text.number) for text in site.texts] == [("five_days", ANAS_NUMBER)]


def test_a_message_without_next_of_kin_changes_no_guardian() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA, mother()))
    site.hear(message(site, MIA, trigger="S14"))
    site.until(local("2027-03-07T12:00"))
    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]


def test_a_guardian_taken_away_gets_nothing_more() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA, mother()))
    site.hear(message(site, MIA, mother() + "", "NK1|2|X^Y|SIB", trigger="S14"))
    site.hear(message(site, MIA, "NK1|1|Sample^Ana|MTH||(617)555-0123^PRS^CP||||20270228", trigger="S14"))
    site.until(local("2027-03-12T12:00"))
    assert [occasion for _, occasion in site.sent] == ["booked"]
    assert site.reminders["five_days"].reason == NO_GUARDIAN


def test_another_guardians_number_gets_what_is_planned() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA, mother()))
    site.hear(message(site, MIA, mother("(617)555-0188"), trigger="S14"))
    site.until(local("2027-03-07T12:00"))
    assert [text.number for text in site.texts] == [ANAS_NUMBER, "+16175550188"]


def test_a_birth_date_put_right_decides_anew() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, called(MIA, born="19800301"), mother()))
    site.hear(message(site, MIA, mother(), trigger="S14"))
    site.until(local("2027-03-07T12:00"))
    assert [text.number for text in site.texts] == [MIAS_NUMBER, ANAS_NUMBER]


def test_the_guardians_stop_holds_for_child_and_guardian_alike() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA, mother()))
    say(site, "STOP")
    book(site, "B1", "2027-03-20T10:00", ANA)
    site.until(local("2027-03-21T12:00"))
    assert [text.occasion for text in site.texts] == ["booked", "stop"]
    with site.store.unit() as unit:
        (suppression,) = unit.numbers.suppressions(ANAS_NUMBER)
        assert unit.numbers.suppressions(MIAS_NUMBER) == []
    assert suppression.kind is SuppressionKind.OPT_OUT


def test_the_guardians_number_has_one_cap_for_all_it_reads() -> None:
    site = site_at(settings=asking("NK1"))
    book(site, "B1", "2027-03-20T10:00", ANA)
    site.clock.now = local("2027-03-01T13:00")
    site.hear(message(site, MIA, mother()))
    assert [text.subjects[0].patient_id for text in site.texts] == [1]
    assert site.reminders["booked"].state is ReminderState.HELD
    assert site.reminders["booked"].reason == "the number has had its text of the day"


def test_the_guardians_yes_confirms_the_childs_visit_in_the_childs_chart() -> None:
    site = site_at(settings=asking("NK1"))
    book(site, "B1", "2027-06-20T10:00", ANA)  # the mother is a patient, too
    site.clock.now = local("2027-03-02T11:00")
    site.hear(message(site, MIA, mother()))
    site.until(local("2027-03-06T10:00"))
    deliver(site)
    reply = say(site, "C")
    assert (reply.intent, reply.patient_id) == ("confirm", 2)
    with site.store.unit() as unit:
        assert unit.appointments.get(2).confirmed
        assert not unit.appointments.get(1).confirmed
        told = [unit.write_backs.find(WriteBackKind.REPLY, reply.id, patient) for patient in (1, 2)]
    assert [row is not None for row in told] == [False, True]


def test_a_grown_up_childs_mother_speaks_for_herself_alone() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, called(MIA, born="20080301"), mother()))
    deliver(site)
    reply = say(site, "yes", number=ANAS_NUMBER)
    assert reply.patient_id is None


def test_a_sensitive_place_is_never_told_to_a_guardian() -> None:
    settings = asking("NK1")
    feed = settings.feeds["main"]
    clinic = replace(feed.locations["RIVER"], sensitive=True)
    practice = make.practice(sensitive_texts=True)
    settings = replace(
        settings,
        feeds={"main": replace(feed, locations={"RIVER": clinic})},
        practices={"riverside": practice},
    )
    site = site_at(settings=settings)
    site.hear(message(site, MIA, mother()))
    site.hear(message(site, called(ANA, phone="(617)555-0166"), visit="B1"))
    assert [text.number for text in site.texts] == ["+16175550166"]
    with site.store.unit() as unit:
        reasons = {reminder.reason for reminder in unit.reminders.of_appointment(1)}
    assert "a minor's visit to a sensitive place is not told to a guardian" in reasons


def test_the_guardian_may_become_known_by_a_patients_message_alone() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA))
    site.clock.now = local("2027-03-04T09:00")
    site.hear(adt("A31", at=site.clock.now, person=MIA) + f"{mother()}\r".encode())
    site.until(local("2027-03-12T12:00"))
    assert [(text.occasion, text.number) for text in site.texts] == [
        ("five_days", ANAS_NUMBER),
        ("two_days", ANAS_NUMBER),
        ("three_hours", ANAS_NUMBER),
    ]


def test_a_guardians_number_marked_bad_is_free_again_when_it_is_given_anew() -> None:
    site = site_at(settings=asking("NK1"))
    site.hear(message(site, MIA, mother()))
    with site.store.unit() as unit:
        unit.numbers.suppress(
            Suppression(0, ANAS_NUMBER, SuppressionKind.BAD_NUMBER, ALL_SENDERS, site.clock.now, "carrier")
        )
    site.clock.now = local("2027-03-02T09:00")
    site.hear(adt("A31", at=site.clock.now, person=MIA) + f"{mother('(617)555-0188')}\r".encode())
    site.clock.now = local("2027-03-03T09:00")
    site.hear(adt("A31", at=site.clock.now, person=MIA) + f"{mother()}\r".encode())
    site.until(local("2027-03-07T12:00"))
    assert [(text.occasion, text.number) for text in site.texts][-1] == ("five_days", ANAS_NUMBER)
