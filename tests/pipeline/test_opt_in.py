"""Stories of a yes that is confirmed: one text, the first of its practice to the number, under all rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from fhir_mappers.translation import ConsentField
from integration.domain.consent import (
    ALL_SENDERS,
    ConsentPolicy,
    ConsentRecord,
    Suppression,
    SuppressionKind,
)
from integration.domain.text_message import OPT_IN, TextKind
from integration.domain.text_request import RequestState
from integration.pipeline.translate.opt_ins import confirm_yes
from integration.ports.store import KeptMessage
from integration.settings.schema_practice import PracticeFile
from tests import settings as make
from tests.messages import ANA, BEN, called, siu
from tests.pipeline.network import ANAS_NUMBER, site_at
from tests.site import Site, local

if TYPE_CHECKING:
    from tests.messages import Person

pytestmark = pytest.mark.usefixtures("every_store")
FIELD = ConsentField("ZPI-3", frozenset({"y"}), frozenset({"n"}))
VISIT = local("2027-03-22T14:30")
CONFIRMED = (
    "Riverside Clinic appointment texts: a few per visit. Msg&data rates may apply."
    " For help call 617-555-0100. Reply STOP to opt out."
)


def the_site(now: str = "2027-03-01T11:00", **changes: Any) -> Site:
    """An express practice that confirms each yes; a week before anything else is due, Ana has a visit."""
    practice = make.practice(**{"consent": ConsentPolicy.EXPRESS, "opt_in_text": True, **changes})
    feed = make.feed(consent=FIELD)
    site = site_at(now, settings=make.settings(feeds={"main": feed}, practices={"riverside": practice}))
    hear(site)
    site.clock.now += timedelta(hours=2)
    return site


def message(site: Site, word: str | None, person: Person, visit: str) -> bytes:
    told = siu("S12" if word is None else "S14", at=site.clock.now, visit=visit, start=VISIT, person=person)
    return told if word is None else told.replace(b"\rRGS|", f"\rZPI|1||{word}\rRGS|".encode(), 1)


def hear(site: Site, word: str | None = None, person: Person = ANA, visit: str = "A1") -> None:
    """News of the visit, which says so."""
    site.hear(message(site, word, person, visit))


def request_of(site: Site, patient_id: int = 1) -> list[tuple[RequestState, str | None]]:
    with site.store.reading() as unit:
        return [(each.state, each.reason) for each in unit.requests.of_patient(patient_id)]


def opt_ins(site: Site) -> list[str]:
    return [text.body for text in site.texts if text.occasion == OPT_IN and text.offered_at is not None]


def test_a_yes_is_confirmed_once_with_what_the_programme_is() -> None:
    site = the_site()
    hear(site, "Y")
    site.clock.now += timedelta(hours=1)
    hear(site, "Y")

    assert opt_ins(site) == [CONFIRMED]
    [text] = [each for each in site.texts if each.offered_at is not None]
    assert (text.kind, text.number, text.segments) == (TextKind.FREE, ANAS_NUMBER, 1)
    assert [each.patient_id for each in text.subjects] == [1]


@pytest.mark.parametrize("turned_on", [False, True])
def test_only_practices_that_say_so_confirm_it(turned_on: bool) -> None:  # noqa: FBT001 - a table
    site = the_site(opt_in_text=turned_on)
    hear(site, "Y")
    assert bool(opt_ins(site)) is turned_on


@pytest.mark.parametrize("word", ["N", ""])
def test_nothing_else_is_confirmed(word: str) -> None:
    site = the_site()
    hear(site, word)
    assert not request_of(site)


def test_what_is_read_again_confirms_nothing() -> None:
    site = the_site()
    payload = message(site, "Y", ANA, "A1")
    with site.store.unit() as unit:
        unit.inbox.add(
            KeptMessage(0, "main", "again", payload, site.clock.wall(), replayed=True),
            sha256(payload).digest(),
        )
    site.work()
    with site.store.reading() as unit:
        assert unit.patients.consent(1) is True
    assert not request_of(site)


def test_a_yes_without_a_visit_to_come_is_confirmed_by_the_first_text_about_one() -> None:
    site = the_site()
    site.hear(siu("S15", at=site.clock.now, visit="A1", start=VISIT))
    assert may_be_confirmed(site, given=True) == 0


@pytest.mark.parametrize("given", [True, False])
def test_only_a_yes_that_is_the_newest_word_is_confirmed(given: bool) -> None:  # noqa: FBT001 - a table
    assert may_be_confirmed(the_site(), given=given) == given


def may_be_confirmed(site: Site, *, given: bool) -> int:
    """After this has been said by hand."""
    with site.store.unit() as unit:
        unit.consents.record(ConsentRecord(0, 1, given=given, at=site.clock.now, source="import"))
        return confirm_yes(unit, site.workshop.settings, 1, now=site.clock.now)


def test_a_practice_whose_patients_need_not_say_yes_cannot_confirm_it() -> None:
    facts = {"sms": True, "public_name": "Riverside", "phone": "617-555-0100", "languages": ["en"]}
    facts |= {"zone": "America/New_York", "opt_in_text": True}
    assert PracticeFile.model_validate(facts | {"consent": "express"}).opt_in_text
    with pytest.raises(ValidationError, match="opt_in_text"):
        PracticeFile.model_validate(facts | {"consent": "implied"})


def test_it_waits_for_the_morning() -> None:
    site = the_site("2027-03-01T20:30")
    hear(site, "Y")
    assert not opt_ins(site)
    assert request_of(site) == [(RequestState.WAITING, "quiet hours")]
    site.until(local("2027-03-02T10:30"))
    assert opt_ins(site) == [CONFIRMED]


def test_a_stopped_number_is_not_told_that_texts_begin() -> None:
    site = the_site()
    with site.store.unit() as unit:
        unit.numbers.suppress(
            Suppression(0, ANAS_NUMBER, SuppressionKind.OPT_OUT, ALL_SENDERS, site.clock.now, "reply")
        )
    hear(site, "Y")
    assert not site.sent
    assert request_of(site) == [(RequestState.REFUSED, "opted out")]
    with site.store.reading() as unit:
        assert not unit.tasks.open()  # nobody asked for the text: nobody has to call because of it


def test_two_who_share_a_phone_are_told_once() -> None:
    site = the_site()
    twin = called(BEN, mrn="T9")
    hear(site, None, twin, "A2")
    site.clock.now += timedelta(hours=2)
    hear(site, "Y")
    hear(site, "Y", twin, "A2")
    assert opt_ins(site) == [CONFIRMED]
    assert not request_of(site, 2)


def test_where_a_text_about_the_visit_is_due_it_goes_first_and_says_it_all() -> None:
    site = the_site()
    site.until(local("2027-03-16T18:00"))
    due = [each.due_at for each in site.reminders.values() if each.due_at > site.clock.now]
    site.clock.now = min(due) - timedelta(hours=2)
    hear(site, "Y")
    assert request_of(site)[0][0] is RequestState.WAITING
    site.until(min(due) + timedelta(hours=3))
    assert len(site.sent) == 1
    assert not opt_ins(site)
    assert request_of(site) == [(RequestState.REFUSED, "the number was told before what the texts are")]


def test_a_practice_that_turns_it_off_confirms_nothing_that_waits() -> None:
    site = the_site("2027-03-01T20:30")
    hear(site, "Y")
    off = replace(site.workshop.settings.practices["riverside"], opt_in_text=False)
    site.change(settings=replace(site.workshop.settings, practices={"riverside": off}))
    site.until(local("2027-03-02T10:30"))
    assert not opt_ins(site)
    assert request_of(site) == [(RequestState.REFUSED, "the practice confirms no opt-ins any more")]
