"""Stories of dead messages: what they hold, and what frees it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.messages import siu, without
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(BOOKED_AT))


def held_by(site: Site) -> int | None:
    with site.store.unit() as unit:
        return unit.appointments.get(1).held_by


def dead_ids(site: Site) -> list[int]:
    with site.store.unit() as unit:
        return [message.id for message in unit.inbox.listing("dead")]


def mended(site: Site, message_id: int) -> None:
    """Replay one message, as if the mapping had been mended: it names its patient now."""
    with site.store.unit() as unit:
        message = unit.inbox.get(message_id)
        assert message is not None
        assert unit.inbox.replay([message_id]) == 1
    site.work()


def broken(trigger: str, control_id: str) -> bytes:
    message = siu(trigger, at=BOOKED_AT, start=VISIT, control_id=control_id)
    return message.replace(b"|P|2.5.1", b"|T|2.5.1")


def live(site: Site) -> None:
    """Mode live refuses what says that it is no production message (MSH-11)."""
    feed = replace(site.settings.feeds["main"], processing_id="P")
    site.change(settings=replace(site.settings, mode="live", feeds={"main": feed}))


def mend(site: Site) -> None:
    feed = replace(site.settings.feeds["main"], processing_id="T")
    site.change(settings=replace(site.settings, mode="live", feeds={"main": feed}))


def test_an_appointment_stays_held_while_any_dead_message_of_it_remains(site: Site) -> None:
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    live(site)
    site.hear(broken("S14", "ONE"))
    site.hear(broken("S14", "TWO"))
    first, second = dead_ids(site)
    assert held_by(site) == first
    mend(site)
    mended(site, first)
    assert held_by(site) == second
    mended(site, second)
    assert held_by(site) is None


def test_freeing_the_later_one_first_leaves_the_earlier_one_holding(site: Site) -> None:
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    live(site)
    site.hear(broken("S14", "ONE"))
    site.hear(broken("S14", "TWO"))
    first, second = dead_ids(site)
    mend(site)
    mended(site, second)
    assert held_by(site) == first
    mended(site, first)
    assert held_by(site) is None


def test_a_replay_that_dies_again_holds_again(site: Site) -> None:
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    site.hear(without(siu("S14", at=BOOKED_AT, start=VISIT), "PID"))
    (dead,) = dead_ids(site)
    mended(site, dead)
    assert dead_ids(site) == [dead]
    assert held_by(site) == dead


def test_a_dead_booking_holds_the_appointment_that_a_later_message_makes_known(site: Site) -> None:
    live(site)
    site.hear(broken("S12", "DEAD"))
    (dead,) = dead_ids(site)
    site.hear(siu("S13", at=BOOKED_AT, start=VISIT))
    assert held_by(site) == dead
    site.until(VISIT)
    assert site.sent == []
    mend(site)
    mended(site, dead)
    assert held_by(site) is None


def test_a_dead_message_under_another_name_holds_once_the_names_are_known_to_be_one(site: Site) -> None:
    """The dead one carries only the placer's id; the appointment was known by the filler's alone."""
    only_filler = siu("S12", at=BOOKED_AT, start=VISIT).replace(b"SCH|PA1|A1|", b"SCH||A1|")
    only_placer = siu("S14", at=BOOKED_AT, start=VISIT).replace(b"SCH|PA1|A1|", b"SCH|PA1||")
    site.hear(only_filler)
    site.hear(without(only_placer, "PID"))
    (dead,) = dead_ids(site)
    assert held_by(site) is None
    site.hear(siu("S14", at=BOOKED_AT, start=VISIT))
    assert held_by(site) == dead
