"""Why a message that could be applied causes no text: what an engineer who looks at an empty preview asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.appointment import EXPECTED, NO_SHOW, UNDER_WAY

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_mappers.translation import MappedAppointment, Translation

# A note of the inbox → the sentence for it
_NOTES = {
    "no-patient-by-definition": "it blocks or opens slots, and has no patient",
    "older-than-stored": "it is older than what another message said of the same appointment",
    "no-practice-claims-location": "no practice claims its location (locations in the feed's file)",
}


def why_silent(translation: Translation, note: str, now: datetime) -> str:
    """The first reason that applies, in a few words without a person in them.

    `note` is what the inbox says beside the applied message, `now` when it arrived.
    """
    codes = {each.split(" ")[0] for each in note.split(", ")}
    for code, sentence in _NOTES.items():
        if code in codes:
            return sentence
    if translation.request is not None:
        return "it asks for a text by itself, which goes out at its time, under all the rules"
    appointment = translation.appointment
    if appointment is None:
        return "it speaks of a patient, and of no appointment that could be texted about"
    return _of_appointment(appointment, now)


def _of_appointment(appointment: MappedAppointment, now: datetime) -> str:
    if appointment.status in {NO_SHOW, *UNDER_WAY}:
        first = f"the appointment is {appointment.status} when it is first heard of"
        return f"{first}; preview its booking before it"
    if appointment.status not in EXPECTED:
        return f"the appointment is {appointment.status}, and nobody had been told otherwise"
    if appointment.tentative:
        return "the appointment is tentative, no promise to the patient yet"
    if appointment.start is None:
        return "the appointment has no start"
    if appointment.start <= now:
        day = appointment.start.date()
        return f"the visit of {day} is over; --now with an earlier time shows what it would have caused"
    return "it changes nothing a text would be about"
