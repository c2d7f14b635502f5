"""Several workers of every step at once on PostgreSQL: nobody overtakes anybody, and all comes to rest."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from integration.domain.reminder import OPEN, ReminderState
from integration.pipeline.plan import plan_changes
from integration.pipeline.reply import hear
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from integration.ports.store import KeptMessage, StoreUnavailable
from tests import settings as make
from tests.messages import ANA, called, siu
from tests.pipeline.network import say
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.ports.store import Store
    from tests.stores import StorePlace

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
FAMILIES, VISITS = 4, 4  # visits of each family, one number a family
ROUNDS = 4000  # of one worker; far more than it takes


@pytest.fixture
def store(postgres_place: StorePlace) -> Iterator[Store]:
    opened = postgres_place.open()
    yield opened
    opened.close()


class Workers:
    """Threads that work every step until nothing has been left to do for a while."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.all_said = threading.Event()
        self.surprises: list[BaseException] = []
        workshop = site.workshop
        steps: list[Callable[[], object]] = [
            *[lambda: translate(workshop)] * 2,
            *[lambda: plan_changes(workshop)] * 2,
            *[lambda: send_next(workshop)] * 3,
            lambda: hear(workshop),
        ]
        self.threads = [threading.Thread(target=self._work, args=(step,)) for step in steps]

    def _work(self, step: Callable[[], object]) -> None:
        idle = 0
        for _ in range(ROUNDS):
            try:
                idle = 0 if step() else idle + 1
            except StoreUnavailable:
                idle = 0  # a deadlock broken, or overtaken: again
            except BaseException as surprise:
                self.surprises.append(surprise)
                raise
            if idle > 20 and self.all_said.is_set() and not self._work_left():
                return

    def _work_left(self) -> bool:
        now = self.site.clock.now
        return bool(self.site.store.has_work(now, now) - {"write_back"})


def keep(site: Site, feed: str, payload: bytes, serial: Iterator[int]) -> None:
    with site.store.unit() as unit:
        message = KeptMessage(0, feed, "", payload, site.clock.wall())
        unit.inbox.add(message, next(serial).to_bytes(32, "big"))


STOPPED = "+16175550100"


@pytest.mark.slow
def test_what_two_feeds_say_at_once_is_told_once_and_last_things_last(store: Store) -> None:
    feeds = {name: make.feed(name=name) for name in ("main", "second")}
    practice = make.practice(cancellations_per_hour=1000)
    site = Site(store, TurnedClock(BOOKED_AT))
    site.change(settings=replace(site.settings, feeds=feeds, practices={"riverside": practice}))
    families = [called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}") for n in range(FAMILIES)]
    workers, serial = Workers(site), count(1)
    for thread in workers.threads:
        thread.start()
    for trigger, feed in (("S12", "main"), ("S14", "second"), ("S13", "main"), ("S15", "second")):
        for visit in range(VISITS):
            start = VISIT + timedelta(days=visit, hours=trigger == "S13")
            for n, person in enumerate(families):
                if trigger == "S15" and visit % 2:
                    continue
                message = siu(trigger, at=site.clock.now, visit=f"{n}-{visit}", start=start, person=person)
                keep(site, feed, message, serial)
    say(site, "STOP", number=STOPPED, after=timedelta(0), work=False)
    workers.all_said.set()
    for thread in workers.threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in workers.threads)
    assert workers.surprises == []
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
