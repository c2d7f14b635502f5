"""Histories of an EHR's messages, delivered in any order, and what a site knows at the end of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from integration.domain.appointment import Slot
from integration.domain.reminder import OPEN
from integration.pipeline.plan import plan_changes
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from integration.ports.store import KeptMessage
from tests.adt import adt, with_visit
from tests.messages import ANA, called, siu
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hypothesis.strategies import SearchStrategy

    from integration.ports.store import Store

NOW = local("2027-03-01T11:00")  # all of it has happened, and all of it arrives now
STARTS = [local("2027-03-11T14:30"), local("2027-03-11T16:00"), local("2027-03-15T09:00")]
TODAY = len(STARTS)  # of the starts, one within the hours in which a patient may arrive
STARTS.append(local("2027-03-01T16:00"))
PHONES = ["(617)555-0123", "(617)555-0177"]
ON_ITS_DAY = frozenset({"five_days", "two_days", "three_hours"})  # steps that precede the visit


@dataclass(frozen=True, slots=True)
class Said:
    """What one message says; when it was sent is its place in the history."""

    trigger: str
    visit: str = "A1"
    mrn: str = "MRN1"
    start: int | None = 0  # of `STARTS`; None: the message names none
    phone: int = 0
    status: str | None = None  # SCH-25; None: the one that goes with the trigger

    def at(self, minute: int) -> bytes:
        """The message, sent so many minutes after the hour."""
        sent = NOW - timedelta(hours=2) + timedelta(minutes=minute)
        person = called(ANA, mrn=self.mrn, phone=PHONES[self.phone])
        if self.trigger == "A40":
            gone = "MRN2" if self.mrn == "MRN1" else "MRN1"
            return adt("A40", at=sent, person=person, phone=None, gone=gone)
        if self.trigger.startswith("A"):
            return adt(self.trigger, at=sent, person=person, phone=None, visit=self.visit)
        message = siu(
            self.trigger,
            at=sent,
            visit=self.visit,
            start=None if self.start is None else STARTS[self.start],
            person=person,
            status=self.status,
            control_id=f"{self.trigger}-{minute}",
        )
        return with_visit(message, self.visit)


@dataclass(frozen=True, slots=True)
class Delivery:
    """In which order the messages of a history arrive, some more than once, and what is worked when."""

    order: tuple[int, ...]
    work_after: tuple[bool, ...]


def deliveries(count: int) -> SearchStrategy[Delivery]:
    """Every message at least once."""
    again = st.lists(st.integers(0, count - 1), max_size=count)
    orders = again.flatmap(lambda more: st.permutations([*range(count), *more]))
    return orders.flatmap(
        lambda order: st.lists(st.booleans(), min_size=len(order), max_size=len(order)).map(
            lambda works: Delivery(tuple(order), tuple(works))
        )
    )


def deliver(
    store: Store, history: Sequence[Said], delivery: Delivery, *, sending: bool = False, apart: bool = True
) -> Site:
    """A site that has heard the history so; its messages were sent a minute apart, or all at once."""
    site = Site(store, TurnedClock(NOW))
    payloads = [said.at(minute if apart else 0) for minute, said in enumerate(history)]
    for number, work in zip(delivery.order, delivery.work_after, strict=True):
        payload = payloads[number]
        with store.unit() as unit:
            message = KeptMessage(0, "main", "", payload, NOW)
            unit.inbox.add(message, hashlib.sha256(payload).digest())
        if work:
            _work(site, sending=sending)
    _work(site, sending=sending)
    return site


def in_order(count: int) -> Delivery:
    """As they were sent, each worked before the next comes."""
    return Delivery(tuple(range(count)), (True,) * count)


def _work(site: Site, *, sending: bool) -> None:
    while translate(site.workshop) or plan_changes(site.workshop) or (sending and send_next(site.workshop)):
        pass


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at the end; nothing of ids, slot numbers or who said it."""

    dead: int
    visits: frozenset[tuple[object, ...]]
    patients: frozenset[tuple[object, ...]]
    reminders: frozenset[tuple[object, ...]]
    """Open, of the steps that precede a visit."""

    @staticmethod
    def slot_at(start: datetime) -> Slot:
        """As it stands in `visits`."""
        return Slot(start.astimezone(UTC))


def known(site: Site) -> Known:
    """Everything a text could follow from."""
    names: dict[int, str] = {}
    visits, patients, reminders = set(), set(), set()
    with site.store.unit() as unit:
        for mrn in ("MRN1", "MRN2"):
            patient = unit.patients.find("main", [f"RIVER|MR|{mrn}"])
            if patient is not None:
                names[patient.id] = mrn
                facts = (patient.given, patient.family, patient.number, patient.birth_date, patient.language)
                patients.add((mrn, *facts, patient.silence, patient.event_time))
        for visit in ("A1", "A2"):
            found = unit.appointments.find("main", [f"SCH-2||{visit}|"])
            if found is None:
                continue
            who = frozenset(names.get(each, "?") for each in found.patients)
            where = (found.slot, found.zone, found.practice)
            visits.add((visit, found.status, *where, found.confirmed, who, found.event_time, found.held_by))
            for each in unit.reminders.of_appointment(found.id):
                if each.state in OPEN and each.step in ON_ITS_DAY:
                    reminders.add((visit, names[each.patient_id], each.number, each.step, each.due_at))
        dead = unit.inbox.count("dead")
    return Known(dead, frozenset(visits), frozenset(patients), frozenset(reminders))
