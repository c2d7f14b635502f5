"""Several workers of every step at once on PostgreSQL: nobody overtakes anybody, and all comes to rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from integration.domain.reminder import OPEN, ReminderState
from tests import settings as make
from tests.messages import ANA, called, siu
from tests.pipeline.network import say
from tests.pipeline.workers import Workers, keep
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.store import Store
    from tests.stores import StorePlace

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
FAMILIES, VISITS = 4, 4  # visits of each family, one number a family


@pytest.fixture
def store(postgres_place: StorePlace) -> Iterator[Store]:
    opened = postgres_place.open()
    yield opened
    opened.close()


STOPPED = "+16175550100"


@pytest.mark.slow
def test_what_two_feeds_say_at_once_is_told_once_and_last_things_last(store: Store) -> None:
    feeds = {name: make.feed(name=name) for name in ("main", "second")}
    practice = make.practice(cancellations_per_hour=1000)
    site = Site(store, TurnedClock(BOOKED_AT))
    site.change(settings=replace(site.settings, feeds=feeds, practices={"riverside": practice}))
    families = [called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}") for n in range(FAMILIES)]
    workers, serial = Workers(site), count(1)
    workers.start()
    for trigger, feed in (("S12", "main"), ("S14", "second"), ("S13", "main"), ("S15", "second")):
        for visit in range(VISITS):
            start = VISIT + timedelta(days=visit, hours=trigger == "S13")
            for n, person in enumerate(families):
                if trigger == "S15" and visit % 2:
                    continue
                message = siu(trigger, at=site.clock.now, visit=f"{n}-{visit}", start=start, person=person)
                keep(site, feed, message, serial)
    say(site, "STOP", number=STOPPED, after=timedelta(0), work=False)
    workers.finish()
    site.until(BOOKED_AT + timedelta(minutes=10))  # what was held for a moment

    with store.unit() as unit:
        assert unit.inbox.count("dead") == 0
        keys = [f"SCH-2||{n}-{visit}|" for n in range(FAMILIES) for visit in range(VISITS)]
        visits = [found for key in keys if (found := unit.appointments.find("main", [key])) is not None]
        assert len(visits) == len(keys)
        for booked in visits:
            reminders = unit.reminders.of_appointment(booked.id)
            waiting = [each for each in reminders if each.state in OPEN]
            assert {each.slot_number for each in waiting} <= {booked.slot_number}
            sent = [each for each in reminders if each.state is ReminderState.SENT]
            last = max(sent, key=lambda each: each.text_id or 0, default=None)
            if not booked.is_expected:
                assert waiting == []
                assert last is None or last.step == "cancelled" or last.number == STOPPED
    calm = [text.number for text in site.texts if text.occasion not in {"moved", "cancelled"}]
    assert max(Counter(calm).values()) == 1  # one text a day
    assert max(site.sms.copies.values()) == 1
