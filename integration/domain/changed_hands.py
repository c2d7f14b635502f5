"""A visit that is another patient's now: who was taken off it is told so, and who is new to it of a booking.

Pure. A message shows all patients of its appointment; whoever it no longer shows is taken off. The same
person under another record is nobody new.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent
from integration.domain.reminder import ReminderState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.domain.appointment import Appointment
    from integration.domain.plan_rules import PlanRules
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.reminder_plan import Situation


# Upon these, who was taken off the visit is told so; a deletion is silent, and so is a visit under way.
_SAID = frozenset(
    {
        AppointmentEvent.BOOKED,
        AppointmentEvent.MOVED,
        AppointmentEvent.CHANGED,
        AppointmentEvent.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class Hands:
    """The patients of a visit before a change (None: the same) and now, and what they were told."""

    appointment: Appointment
    before: tuple[int, ...] | None
    patients: Mapping[int, Patient]  # all of both, and whoever was told
    stored: Sequence[Reminder]  # of the appointment
    rules: PlanRules

    def situations(self, situation: Situation) -> dict[int, Situation]:
        """How things stand for each patient of the visit."""
        present = self.appointment.patients
        new = () if self.before is None else self._without_the_same(present, self.before)
        expected = self.appointment.is_expected
        return {
            patient: self._new_to_it(patient, situation)
            if patient in new and expected
            else self._if_told(patient, situation)
            for patient in present
        }

    def farewells(self, situation: Situation) -> dict[int, Situation]:
        """How things stand for each who was taken off the visit and had been told of it."""
        # What came of the visit since does not matter: they have no part in it.
        if self.before is None or situation.event not in _SAID:
            return {}
        gone = self._without_the_same(self.before, self.appointment.patients)
        told = {patient: self._told_slot(patient) for patient in gone}
        return {
            patient: replace(
                situation,
                event=AppointmentEvent.CANCELLED,
                told=True,
                told_slot=slot,
                old_start=self.appointment.slot_numbered(slot).start,
            )
            for patient, slot in told.items()
            if slot is not None
        }

    def _if_told(self, patient: int, situation: Situation) -> Situation:
        """As this patient knows it: what another was told of the visit, this one was not."""
        told = {each.patient_id for each in self.stored if each.state is ReminderState.SENT}
        is_told = any(
            other == patient or _are_the_same(self.patients[patient], self.patients[other]) for other in told
        )
        return situation if is_told else replace(situation, told=False, told_this_slot=False)

    def _new_to_it(self, patient: int, situation: Situation) -> Situation:
        """A booking, for all this patient knows, or a move of what they knew before they were taken off."""
        slot = self._told_slot(patient)
        return replace(
            situation,
            event=AppointmentEvent.MOVED,
            told=slot is not None,
            told_this_slot=slot == self.appointment.slot_number,
            told_slot=slot,
        )

    def _told_slot(self, patient: int) -> int | None:
        """The number of the slot the patient was told of last; None when of none, or that it is cancelled."""
        sent = [
            each for each in self.stored if each.patient_id == patient and each.state is ReminderState.SENT
        ]
        if not sent:
            return None
        newest = max(sent, key=lambda reminder: (reminder.text_id or 0, reminder.id))
        cancelled = self.rules.follows(newest.step, AppointmentEvent.CANCELLED)
        return None if cancelled else newest.slot_number

    def _without_the_same(self, some: tuple[int, ...], others: tuple[int, ...]) -> list[int]:
        """Those of `some` who are none of the others, by record or by name and birth date."""
        return [
            each
            for each in some
            if each not in others
            and not any(_are_the_same(self.patients[each], self.patients[other]) for other in others)
        ]


def _are_the_same(one: Patient, other: Patient) -> bool:
    names = [(each.given.casefold(), each.family.casefold()) for each in (one, other)]
    births = {each.birth_date for each in (one, other)} - {None}
    return names[0] == names[1] and any(names[0]) and len(births) <= 1
