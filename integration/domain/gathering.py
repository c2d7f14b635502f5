"""Which reminders share one text: a family on one phone, several visits of a day, a cancel-and-rebook.

Pure. Reminders that may go now come in; the ones the next text speaks for come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.reminder_plan import PlanRules, Step


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

    Bad news goes first and by itself; everything else shares a text, under the
    occasion of the soonest visit.
    """
    ordered = sorted(candidates, key=lambda candidate: candidate.start)
    moved = _rebooked(ordered)
    if moved:
        visits = tuple(new for _, new in moved)
        step = rules.on(AppointmentEvent.MOVED)
        occasion = step.name if step is not None else visits[0].step.name
        return Gathered(occasion, _asks(visits, now), visits, tuple(old for old, _ in moved))
    urgent = [candidate for candidate in ordered if candidate.step.outranks_caps]
    visits = tuple(c for c in urgent if c.step.name == urgent[0].step.name) if urgent else tuple(ordered)
    return Gathered(visits[0].step.name, _asks(visits, now), visits)


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
        visit.step.asks(confirmed=visit.appointment.confirmed, until_visit=visit.start - now)
        for visit in visits
    )
