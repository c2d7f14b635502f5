"""Tries other settings on appointments to come and undoes it, to say what would change (design: no blast)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.reminder import OPEN
from integration.entrypoints.trial import Stage, Undo
from integration.pipeline.plan import plan_changes
from integration.pipeline.translate.anew import WIDEST, think_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.reminder import Reminder
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.differences import Scope

TOGETHER = 50  # appointments in one transaction


@dataclass(frozen=True, slots=True)
class Consequences:
    """What other settings would make of appointments to come and their reminders."""

    appointments: int = 0  # that are looked at
    starts: int = 0  # that begin at another time
    places: int = 0  # with another public place, or met otherwise
    practices: int = 0  # that belong to another practice
    added: int = 0  # reminders; several may share a text
    withdrawn: int = 0
    moved: int = 0  # reminders that fall due at another time

    def __add__(self, other: Consequences) -> Consequences:
        return Consequences(
            *(getattr(self, name) + getattr(other, name) for name in Consequences.__dataclass_fields__)
        )


def try_settings(workshop: Workshop, scope: Scope, looked_at: Callable[[int], None]) -> Consequences:
    """What the workshop's settings would make of what is stored; `looked_at` hears how far it has come.

    Nothing is written, and nobody waits for long: each few appointments have a transaction of their own.
    """
    total, after_id = Consequences(), 0
    since = workshop.clock.calendar() - WIDEST
    while scope:
        part, up_to = _try(workshop, scope, after_id, since)
        total += part
        looked_at(total.appointments)
        if up_to is None:
            break
        after_id = up_to
    return total


def _try(workshop: Workshop, scope: Scope, after_id: int, since: datetime) -> tuple[Consequences, int | None]:
    found, up_to = Consequences(), None
    try:
        with workshop.store.unit() as unit:
            ids, up_to = unit.appointments.touched(scope, after_id=after_id, since=since, limit=TOGETHER)
            before = {each: _seen(unit, each) for each in ids}
            stage = Stage(unit, [])
            tried = replace(
                workshop,
                store=stage,  # type: ignore[arg-type] # of a store, the planning uses `unit`
                knock=lambda step: None,  # noqa: ARG005 - nobody is to hear of it
            )
            with stage.unit() as shown:
                think_over(shown, tried, ids, scope)
            while plan_changes(tried):
                pass
            for each in ids:
                found += _between(before[each], _seen(unit, each))
            raise Undo  # noqa: TRY301 - it ends the transaction here
    except Undo:
        return found, up_to


_Seen = tuple["Appointment", dict[tuple[int, str], "Reminder"]]


def _seen(unit: Unit, appointment_id: int) -> _Seen:
    reminders = unit.reminders.of_appointment(appointment_id)
    return unit.appointments.get(appointment_id), _open(reminders)


def _open(reminders: Iterable[Reminder]) -> dict[tuple[int, str], Reminder]:
    return {(each.patient_id, each.step): each for each in reminders if each.state in OPEN}


def _between(before: _Seen, after: _Seen) -> Consequences:
    (was, had), (now, has) = before, after
    return Consequences(
        appointments=1,
        starts=was.slot.start != now.slot.start,
        places=(was.slot.place, was.slot.modality) != (now.slot.place, now.slot.modality),
        practices=was.practice != now.practice,
        added=len(has.keys() - had.keys()),
        withdrawn=len(had.keys() - has.keys()),
        moved=sum(had[key].due_at != has[key].due_at for key in had.keys() & has.keys()),
    )
