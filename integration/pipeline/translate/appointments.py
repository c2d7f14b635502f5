"""What a message says of its appointment, laid over what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.appointment import Appointment, AppointmentEvent, Report, hear
from integration.domain.identity import contradict
from integration.pipeline.translate.holding import still_held
from integration.pipeline.translate.patients import plan_other_visits, save_patients
from integration.pipeline.translate.placing import place

if TYPE_CHECKING:
    from fhir_mappers.translation import MappedAppointment
    from integration.pipeline.translate.hearing import Hearing


def hear_appointment(hearing: Hearing, mapped: MappedAppointment) -> list[str]:
    """Store the appointment and its patients, and write down what happened; returns notes."""
    unit, keys = hearing.unit, hearing.reading.appointment_keys
    stored = unit.appointments.find(hearing.feed.scope, keys)
    if stored is not None and contradict(stored.identifiers, keys):
        stored = None
    if stored is not None and stored.event_time is not None and hearing.heard_at < stored.event_time:
        return ["older-than-stored MSH-7"]
    patients, renumbered = save_patients(hearing)
    shown = _shown(hearing, mapped, keys, tuple(patient.id for patient in patients))
    if stored is not None and mapped.place is None:
        shown = _where_it_was(hearing, stored, shown)
    news = hear(stored, Report(AppointmentEvent(hearing.translation.event), shown))
    saved = unit.appointments.save(still_held(unit, stored, news.appointment))
    if news.event is not AppointmentEvent.IGNORED:
        hearing.ask_for_planning(
            saved.id,
            news.event,
            before=None if stored is None else stored.slot,
            quiet=hearing.message.replayed or news.first_contact or hearing.is_old_news,
        )
    plan_other_visits(hearing, renumbered, but=saved.id)
    return [] if saved.practice is not None else ["no-practice-claims-location AIL-3"]


def _shown(
    hearing: Hearing, mapped: MappedAppointment, keys: tuple[str, ...], patients: tuple[int, ...]
) -> Appointment:
    """The appointment as the message shows it."""
    placed = place(hearing.workshop.settings, hearing.feed, mapped)
    return Appointment(
        id=0,
        scope=hearing.feed.scope,
        feed=hearing.feed.name,
        identifiers=keys,
        patients=tuple(dict.fromkeys(patients)),
        # A tentative booking (HL7 table 0277) is no promise to the patient.
        status="proposed" if mapped.tentative and mapped.status == "booked" else mapped.status,
        slot=placed.slot,
        zone=placed.zone,
        practice=placed.practice,
        confirmed=mapped.confirmed,
        event_time=hearing.heard_at,
        resource=mapped.resource,
        slot_from=None if mapped.start is None else hearing.message.id,
    )


def _where_it_was(hearing: Hearing, stored: Appointment, shown: Appointment) -> Appointment:
    """A message that names no place moves nobody: MSH-4 alone is not where the visit is."""
    practices = hearing.workshop.settings.practices
    elsewhere = shown.practice is not None and stored.practice not in {None, shown.practice}
    if elsewhere or (stored.practice is not None and stored.practice not in practices):
        return shown
    return replace(shown, practice=stored.practice, slot=replace(shown.slot, place=stored.slot.place))
