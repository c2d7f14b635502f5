"""Which reminders share one text: a family on one phone, several visits of a day, a cancel-and-rebook.

Pure. Reminders that may go now come in; the ones the next text speaks for come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from integration.domain.appointment import Appointment
    from integration.domain.plan_rules import PlanRules, Step
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reminder that may go now, with what it is about."""

    reminder: Reminder
    step: Step
    appointment: Appointment
    patient: Patient

    @property
    def start(self) -> datetime:
        """The start the reminder is about; candidates have passed the last look, so there is one."""
        start = self.appointment.slot_numbered(self.reminder.slot_number).start
        assert start is not None  # noqa: S101 - the last look skips a visit without a start
        return start


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one text will say."""

    occasion: str
    ask: bool
    visits: tuple[Candidate, ...]  # those it names, soonest first
    silent: tuple[Candidate, ...] = ()  # those it makes superfluous: the cancelled half of a move


def gather(candidates: Sequence[Candidate], rules: PlanRules, now: datetime) -> Gathered:
    """The next text for one number and practice; `candidates` is not empty.

    Bad news goes first and by itself. Everything else that says when a visit is shares a
    text, under the occasion of the soonest visit; what speaks of a visit that is over, or
    does not say when it is, shares one with its like alone, after the others.
    """
    ordered = sorted(candidates, key=lambda candidate: candidate.start)
    moved = _rebooked(ordered)
    if moved:
        visits = tuple(new for _, new in moved)
        step = rules.on(AppointmentEvent.MOVED, visits[0].appointment)
        occasion = (step or visits[0].step).occasion
        return Gathered(occasion, _asks(visits, now), visits, tuple(old for old, _ in moved))
    urgent = [candidate for candidate in ordered if candidate.step.outranks_caps]
    sharing = [c for c in ordered if c.step.names_visit and not c.step.looks_back]
    visits = _alike(urgent) if urgent else tuple(sharing) or _alike(ordered)
    return Gathered(visits[0].step.occasion, _asks(visits, now), visits)


def languages(visits: Sequence[Candidate], today: date) -> list[str]:
    """The languages of who may read the text on that day, the likeliest first.

    Of a family on one phone that is the adult whose phone it is, then whoever is texted for a child, and
    only then what is known of a child.
    """
    adults = [c.patient for c in visits if not c.patient.is_minor(today)]
    minors = [c.patient for c in visits if c.patient.is_minor(today)]
    found = [*(each.language for each in adults), *(each.guardian_language for each in minors)]
    found += [each.language for each in minors]
    return [each for each in dict.fromkeys(found) if each is not None]


def _alike(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return tuple(c for c in candidates if c.step.occasion == candidates[0].step.occasion)


def _rebooked(candidates: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Pairs of a cancelled and a newly booked visit of one patient (S15 + S12): one move, not two events."""
    pairs = []
    for old in candidates:
        if old.step.on is not AppointmentEvent.CANCELLED:
            continue
        own = [c for c in candidates if c.patient.id == old.patient.id]
        booked = [c for c in own if c.step.on is AppointmentEvent.BOOKED]
        cancelled = [c for c in own if c.step.on is AppointmentEvent.CANCELLED]
        if len(booked) == len(cancelled) == 1:
            pairs.append((old, booked[0]))
    return pairs


def _asks(visits: Sequence[Candidate], now: datetime) -> bool:
    return any(
        visit.step.asks(
            confirmed=visit.appointment.is_confirmed_by(visit.patient.id), until_visit=visit.start - now
        )
        for visit in visits
    )
