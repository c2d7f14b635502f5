"""Records merge while several workers book, plan and send on PostgreSQL: one patient, nothing said twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from integration.domain.reminder import OPEN, ReminderState
from tests import settings as make
from tests.adt import adt
from tests.messages import ANA, called, siu
from tests.pipeline.workers import Workers, keep
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.store import Store
    from tests.stores import StorePlace

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
PATIENTS, VISITS = 4, 3  # visits of each record, of which every patient has two


@pytest.fixture
def store(postgres_place: StorePlace) -> Iterator[Store]:
    opened = postgres_place.open()
    yield opened
    opened.close()


@pytest.mark.slow
def test_two_records_become_one_while_everything_is_at_work(store: Store) -> None:
    feeds = {name: make.feed(name=name) for name in ("main", "second")}
    practice = make.practice(cancellations_per_hour=1000)
    site = Site(store, TurnedClock(BOOKED_AT))
    site.change(settings=replace(site.settings, feeds=feeds, practices={"riverside": practice}))
    stay = [called(ANA, mrn=f"NEW{n}", phone=f"(617)555-01{n:02}") for n in range(PATIENTS)]
    gone = [called(ANA, mrn=f"OLD{n}", phone=f"(617)555-01{n + 50:02}") for n in range(PATIENTS)]
    workers, serial = Workers(site), count(1)
    workers.start()
    for visit in range(VISITS):
        start = VISIT + timedelta(days=visit)
        for n in range(PATIENTS):
            for feed, person in (("main", stay[n]), ("second", gone[n])):
                name = f"{person.mrn}-{visit}"
                keep(site, feed, siu("S12", at=BOOKED_AT, visit=name, start=start, person=person), serial)
        if visit == 1:
            for n, feed in zip(range(PATIENTS), ("main", "second") * PATIENTS, strict=False):
                merged = adt("A40", at=BOOKED_AT, person=stay[n], gone=gone[n].mrn, phone=None)
                keep(site, feed, merged, serial)
    workers.finish()
    site.until(BOOKED_AT + timedelta(minutes=10))  # what was held for a moment

    with store.unit() as unit:
        assert unit.inbox.count("dead") == 0
        for n in range(PATIENTS):
            survivor, other = (unit.patients.find("main", [f"RIVER|MR|{p.mrn}"]) for p in (stay[n], gone[n]))
            assert survivor is not None
            assert survivor == other
            assert survivor.number == f"+161755501{n:02}"
            visits = unit.appointments.of_patient(survivor.id)
            assert len(visits) == VISITS * 2
            for each in visits:
                assert unit.appointments.get(each).patients == (survivor.id,)
                reminders = unit.reminders.of_appointment(each)
                assert {r.number for r in reminders if r.state in OPEN} <= {survivor.number}
                sent = Counter(r.step for r in reminders if r.state is ReminderState.SENT)
                assert not sent or max(sent.values()) == 1
            assert unit.reminders.open_of_number(f"+161755501{n + 50:02}") == []
    assert max(site.sms.copies.values()) == 1
