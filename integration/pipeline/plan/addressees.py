"""To which number each reminder goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from integration.domain.last_look import NO_GUARDIAN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.settings.model import Practice

NO_NUMBER = "no phone number for texts"


@dataclass(frozen=True, slots=True)
class Addressees:
    """The number of a reminder is that of whoever is texted for the patient on the day it is due."""

    patients: Mapping[int, Patient]
    practice: Practice | None

    def number(self, reminder: Reminder) -> str | None:
        """Where it goes; None when there is nowhere."""
        patient = self.patients.get(reminder.patient_id)
        return None if patient is None else patient.number_on(self._day(reminder))

    def lacks(self, reminder: Reminder) -> str:
        """Why it has no number."""
        silence = self.patients[reminder.patient_id].silence
        if silence is not None:
            return silence
        return NO_GUARDIAN if self.patients[reminder.patient_id].is_minor(self._day(reminder)) else NO_NUMBER

    def _day(self, reminder: Reminder) -> date:
        zone = UTC if self.practice is None else self.practice.plan.zone
        return reminder.due_at.astimezone(zone).date()
