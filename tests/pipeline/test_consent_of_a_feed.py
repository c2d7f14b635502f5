"""Stories of a feed that says who agreed to texts, and a practice that texts nobody who did not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fhir_mappers.translation import ConsentField
from integration.domain.consent import ConsentPolicy, ConsentRecord
from tests import settings as make
from tests.messages import ANA, siu
from tests.pipeline.network import VISIT, site_at
from tests.site import Site, local

pytestmark = pytest.mark.usefixtures("every_store")
FIELD = ConsentField("ZPI-3", frozenset({"y", "ok"}), frozenset({"n"}))


def the_site() -> Site:
    """A practice that wants an express yes, and a feed that has one at ZPI-3."""
    feed = make.feed(consent=FIELD)
    practice = make.practice(consent=ConsentPolicy.EXPRESS)
    return site_at(settings=make.settings(feeds={"main": feed}, practices={"riverside": practice}))


def hear(site: Site, word: str | None, *, visit: str = "A1", at: timedelta = timedelta()) -> None:
    """A booking that says so."""
    message = siu("S12", at=site.clock.now + at, visit=visit, start=VISIT, person=ANA)
    if word is not None:
        message = message.replace(b"\rRGS|", f"\rZPI|1||{word}\rRGS|".encode(), 1)
    site.hear(message)


def said(site: Site) -> list[tuple[bool, str]]:
    """What is on record, newest first."""
    with site.store.reading() as unit:
        return [(each.given, each.source) for each in unit.consents.of_patient(1)]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("OK", None),
        ("N", "consent to texts was refused"),
        ("", "no consent to texts"),
        ('""', "no consent to texts"),
        ("maybe", "no consent to texts"),
        (None, "no consent to texts"),
    ],
)
def test_an_express_yes_is_read_where_the_feed_says_it_stands(word: str | None, reason: str | None) -> None:
    site = the_site()
    hear(site, word)
    site.until(local("2027-03-01T12:00"))

    assert bool(site.sent) is (reason is None)
    if reason is not None:
        assert site.reminders["booked"].reason == reason


def test_what_every_message_repeats_is_one_record() -> None:
    site = the_site()
    hear(site, "Y")
    hear(site, "y", visit="A2")

    assert said(site) == [(True, "ZPI-3")]


def test_a_repeated_yes_does_not_outweigh_the_no_that_was_said_elsewhere_since() -> None:
    site = the_site()
    hear(site, "Y")
    site.clock.now += timedelta(hours=1)
    with site.store.unit() as unit:
        unit.consents.record(ConsentRecord(0, 1, given=False, at=site.clock.now, source="import"))
    site.clock.now += timedelta(hours=1)
    hear(site, "Y", visit="A2")

    with site.store.reading() as unit:
        assert unit.patients.consent(1) is False


def test_a_refusal_in_the_ehr_outweighs_an_older_yes_and_a_late_message_does_not() -> None:
    site = the_site()
    hear(site, "Y")
    site.clock.now += timedelta(hours=2)
    hear(site, "N", visit="A2")
    hear(site, "Y", visit="A3", at=-timedelta(hours=1))

    with site.store.reading() as unit:
        assert unit.patients.consent(1) is False


def test_a_refusal_is_the_patients_and_not_the_numbers() -> None:
    site = the_site()
    hear(site, "N")

    with site.store.reading() as unit:
        assert not unit.numbers.suppressions("+16175550123")
