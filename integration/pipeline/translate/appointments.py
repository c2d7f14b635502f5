"""What a message says of its appointment, laid over what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fhir_mappers.from_fhir.participants import accepted_keys, has_accepted, with_patients_of
from integration.domain.appointment import CALLED_OFF, Appointment, AppointmentEvent, Fact
from integration.domain.appointment_report import News, Report, hear
from integration.domain.identity import contradict
from integration.domain.who_confirmed import with_yes
from integration.pipeline.translate.hearing import NOT_CREATED
from integration.pipeline.translate.holding import still_held
from integration.pipeline.translate.merges import hear_merge
from integration.pipeline.translate.patients import plan_other_visits, save_patients
from integration.pipeline.translate.placing import place
from integration.pipeline.translate.reading import read_in_zone
from integration.pipeline.translate.series import end_parts, ended_with_parent, parents_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from fhir_mappers.translation import MappedAppointment, Resource
    from integration.pipeline.translate.hearing import Hearing


def hear_appointment(hearing: Hearing, mapped: MappedAppointment) -> list[str]:
    """Store the appointment and its patients, and write down what happened; returns notes."""
    unit, stored = hearing.unit, _known(hearing)
    if stored is None and hearing.reconciles:
        return [NOT_CREATED]
    for merge, sides in zip(hearing.translation.merges, hearing.reading.merge_keys, strict=True):
        hear_merge(hearing, merge, sides)
    if stored is not None and mapped.place is None and mapped.zone.key != stored.zone:
        mapped = read_in_zone(hearing.message, hearing.feed, ZoneInfo(stored.zone)) or mapped
    # Of a patient it may be the newest, whatever it is of the visit.
    saved_patients, renumbered = save_patients(hearing)
    patients = tuple(patient.id for patient in saved_patients)
    if len(patients) < len(hearing.translation.patients):
        patients = ()  # somebody is not known to the feed that creates: whose visit it is stands
    news = _news(hearing, stored, mapped, patients)
    if news.is_stale:
        plan_other_visits(hearing, renumbered)
        return [hearing.is_stale_note]
    saved = unit.appointments.save(still_held(unit, stored, news.appointment))
    if news.event is not AppointmentEvent.IGNORED:
        hearing.ask_for_planning(
            saved.id,
            news.event,
            before=None if stored is None else stored.slot,
            quiet=hearing.is_quiet or news.first_contact,
            patients_before=_patients_before(stored, saved),
        )
    if not mapped.occurrence:
        end_parts(hearing, news.appointment)
    plan_other_visits(hearing, renumbered, but=saved.id)
    if saved.practice is not None:
        return []
    path = "AIL-3" if hearing.feed.fhir is None else "Appointment.participant"
    return [f"no-practice-claims-location {path}"]


def _patients_before(stored: Appointment | None, saved: Appointment) -> tuple[int, ...] | None:
    """Whose visit it was, if it was another's; what was called off was nobody's any more.

    But who had a cancelled visit, and has no part in it now, may not have been told so yet.
    """
    if stored is None or stored.patients == saved.patients:
        return None
    if stored.status == "cancelled" and set(stored.patients).isdisjoint(saved.patients):
        return stored.patients
    return () if stored.status in CALLED_OFF else stored.patients


def _known(hearing: Hearing) -> Appointment | None:
    """The appointment the message is about, by the best of its identifiers that is no coincidence."""
    keys = hearing.reading.appointment_keys
    for key in keys:
        found = hearing.unit.appointments.find(hearing.feed.scope, [key])
        if found is not None and not contradict(found.identifiers, keys):
            return found
    return None


def _news(
    hearing: Hearing, stored: Appointment | None, mapped: MappedAppointment, patients: tuple[int, ...]
) -> News:
    """What it means beside what is stored."""
    shown = _shown(hearing, stored, mapped, patients)
    report = Report(
        event=AppointmentEvent(hearing.translation.event),
        appointment=shown,
        says=_said(hearing, stored, mapped, shown),
        latest=hearing.heard_by,
    )
    if stored is not None:
        return hear(stored, report, lambda number: hearing.unit.texts.for_slot(stored.id, number))
    news = hear(None, report, lambda _: False)
    ended = ended_with_parent(hearing, news.appointment)
    return news if ended is None else News(AppointmentEvent.IGNORED, ended, first_contact=True)


def _shown(
    hearing: Hearing, stored: Appointment | None, mapped: MappedAppointment, patients: tuple[int, ...]
) -> Appointment:
    """The appointment as the message shows it.

    A feed that corrects another leaves it the other's, by whose settings it is texted about, and the way
    to meet as that one reads it.
    """
    placed = place(hearing.workshop.settings, hearing.feed, mapped)
    corrected = stored if hearing.reconciles else None
    slot = placed.slot if corrected is None else replace(placed.slot, modality=corrected.slot.modality)
    shown = Appointment(
        id=0,
        scope=hearing.feed.scope,
        feed=hearing.feed.name if corrected is None else corrected.feed,
        identifiers=hearing.reading.appointment_keys,
        patients=tuple(dict.fromkeys(patients)),
        # A tentative booking (HL7 table 0277) is no promise to the patient.
        status="proposed" if mapped.tentative and mapped.status == "booked" else mapped.status,
        slot=slot,
        zone=placed.zone,
        practice=placed.practice,
        confirmed=mapped.confirmed and not patients and not _had_accepted(stored),
        event_time=hearing.heard_at,
        resource=_resource(stored, mapped),
        slot_from=None if mapped.start is None else hearing.message.id,
        parents=parents_of(mapped),
        ehr_id=mapped.ehr_id or None,
    )
    return with_yes(shown, _said_yes(hearing, stored, mapped, patients)) if patients else shown


def _had_accepted(stored: Appointment | None) -> bool:
    return stored is not None and has_accepted(stored.resource)


def _resource(stored: Appointment | None, mapped: MappedAppointment) -> Resource:
    """What it is as FHIR; of one that was deleted the EHR says no more than that."""
    if stored is not None and mapped.ehr_id and mapped.status == "entered-in-error" and not mapped.start:
        return {**stored.resource, "status": mapped.status}
    if stored is not None and not mapped.ehr_id and stored.ehr_id and accepted_keys(stored.resource):
        # HL7 v2 does not speak of it: the old yes is still old
        return with_patients_of(mapped.resource, stored.resource)
    return mapped.resource


def _said_yes(
    hearing: Hearing, stored: Appointment | None, mapped: MappedAppointment, patients: tuple[int, ...]
) -> Collection[int]:
    """The patients whose yes is news: the one that was heard before is no answer to another slot."""
    if hearing.feed.fhir is None:
        return patients if mapped.confirmed else ()
    if stored is not None and _had_accepted(stored) and set(patients) <= set(stored.patients):
        return ()
    before = frozenset[str]() if stored is None else accepted_keys(stored.resource)
    answered = zip(patients, mapped.accepted, strict=True)
    return {patient for patient, key in answered if key and key not in before}


def _said(
    hearing: Hearing, stored: Appointment | None, mapped: MappedAppointment, shown: Appointment
) -> Collection[Fact]:
    """Of what the message speaks. One that names no place moves nobody: MSH-4 alone is not where it is."""
    practices = hearing.workshop.settings.practices
    elsewhere = stored is not None and (
        (shown.practice is not None and stored.practice not in {None, shown.practice})
        or (stored.practice is not None and stored.practice not in practices)
    )
    if hearing.reconciles:
        elsewhere = False
    said = {
        Fact.STATUS: mapped.status_said,
        Fact.START: mapped.start is not None or _has_no_time_yet(hearing, shown),
        Fact.PLACE: _names_place(hearing, mapped) or elsewhere,
    }
    return [fact for fact, is_said in said.items() if is_said]


def _has_no_time_yet(hearing: Hearing, shown: Appointment) -> bool:
    """A resource is the whole: a visit that is expected and has no time now is not at its former one."""
    return hearing.feed.fhir is not None and not hearing.reconciles and shown.is_expected


def _names_place(hearing: Hearing, mapped: MappedAppointment) -> bool:
    """Whether it says where; of a feed that corrects another only a place that its settings name."""
    if hearing.reconciles:
        return any(location.code in hearing.feed.locations for location in mapped.locations)
    return mapped.place is not None
