"""Stories of a telephone that two adults share: one text for both in America, one each in Britain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.law import Jurisdiction
from tests.messages import BEN, siu
from tests.settings import practice, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store


def a_site(store: Store, jurisdiction: Jurisdiction) -> Site:
    ours = practice(jurisdiction=jurisdiction, emergency="999")
    return Site(
        store, TurnedClock(local("2027-03-01T11:00")), settings=settings(practices={"riverside": ours})
    )


def told_of(site: Site) -> list[int]:
    """How many patients each text that went out speaks of."""
    return [len({each.patient_id for each in text.subjects}) for text in site.texts if text.offered_at]


def both_book(site: Site) -> None:
    start = local("2027-03-11T14:00")
    site.receive(siu("S12", at=site.clock.now, visit="A", start=start))
    site.receive(siu("S12", at=site.clock.now, visit="B", start=start, person=BEN))
    site.work()


def test_in_america_one_text_speaks_of_both(store: Store) -> None:
    site = a_site(store, Jurisdiction.US)
    both_book(site)
    assert told_of(site) == [2]


def test_in_britain_each_text_speaks_of_one_and_neither_is_lost(store: Store) -> None:
    site = a_site(store, Jurisdiction.GB)
    both_book(site)
    assert told_of(site) == [1]
    site.until(local("2027-03-02T12:00"))
    assert told_of(site) == [1, 1]
    spoken_of = {each.patient_id for text in site.texts for each in text.subjects}
    with site.store.unit() as unit:
        assert {unit.patients.get(patient).given for patient in spoken_of} == {"Ana", "Ben"}
