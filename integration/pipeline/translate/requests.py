"""A chart's request for a text, laid over what is stored of it: it waits, changes, or is withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from integration.domain.identity import appointment_key
from integration.domain.text_request import RequestState, TextRequest
from integration.pipeline.translate.hearing import NOT_CREATED, Unusable
from integration.pipeline.translate.patients import plan_other_visits, save_patients

if TYPE_CHECKING:
    from fhir_mappers.translation import MappedRequest
    from integration.domain.appointment import Appointment
    from integration.pipeline.translate.hearing import Hearing

USEFUL: Final = timedelta(days=1)  # after it was to go, unless it says until when
NO_LONGER: Final = "the chart asks for it no more"
_ANSWERED: Final = frozenset({RequestState.SENT, RequestState.REFUSED})


def hear_request(hearing: Hearing, mapped: MappedRequest) -> list[str]:
    """Store what it asks for; returns notes. One that has become a text, or was refused, is done with."""
    how = hearing.feed.fhir
    if how is None or not how.text_requests:
        return ["text-requests-off"]
    rows = hearing.unit.requests
    stored = rows.find(hearing.feed.name, mapped.ehr_id)
    if not mapped.wanted:
        if stored is not None and stored.state is RequestState.WAITING:
            rows.save(replace(stored, state=RequestState.WITHDRAWN, reason=NO_LONGER))
        return []
    if not all(hearing.reading.patient_keys):
        raise Unusable("no-patient-identifier CommunicationRequest.subject")
    patients, otherwise = save_patients(hearing)
    if not patients:
        return [NOT_CREATED]
    plan_other_visits(hearing, otherwise)
    if stored is not None and stored.state in _ANSWERED:
        return ["request-answered CommunicationRequest.id"]
    hearing.workshop.knock("send")
    asked = _asked(hearing, mapped, patients[0].id)
    if stored is None and (
        asked.not_after <= hearing.workshop.clock.calendar() or _may_be_old(hearing, mapped)
    ):
        return ["request-too-old CommunicationRequest.occurrence"]
    if stored is None:
        rows.save(asked)
    elif _is_other(stored, asked, at_its_time=mapped.start is not None):
        rows.save(replace(asked, id=stored.id))
    else:  # told again: what holds it goes on
        rows.save(replace(stored, practice=asked.practice, state=RequestState.WAITING, reason=_kept(stored)))
    return []


def _may_be_old(hearing: Hearing, mapped: MappedRequest) -> bool:
    """Whether nothing tells when it was asked for, and it was found by reading all there is (no blast)."""
    said = mapped.start or mapped.authored or hearing.translation.occurred_at
    return said is None and hearing.message.replayed


def _is_other(stored: TextRequest, asked: TextRequest, *, at_its_time: bool) -> bool:
    """Whether it asks for something else than before, so that what held it holds no more."""
    if (stored.body, stored.not_after) != (asked.body, asked.not_after):
        return True
    return at_its_time and asked.due_at > stored.due_at


def _kept(stored: TextRequest) -> str | None:
    return stored.reason if stored.state is RequestState.WAITING else None


def _asked(hearing: Hearing, mapped: MappedRequest, patient_id: int) -> TextRequest:
    now = hearing.workshop.clock.calendar()
    begins = mapped.start or hearing.placed(mapped.authored or hearing.translation.occurred_at)
    visit = _visit(hearing, mapped, patient_id)
    return TextRequest(
        id=0,
        feed=hearing.feed.name,
        ehr_id=mapped.ehr_id,
        patient_id=patient_id,
        body=mapped.body,
        due_at=max(begins, now) if mapped.start else now,
        not_after=mapped.end or begins + USEFUL,
        practice=_practice(hearing, mapped, patient_id),
        author=mapped.author,
        appointment_id=None if visit is None else visit.id,
        slot_number=None if visit is None else visit.slot_number,
        to_related=mapped.to_related,
        asked_at=now,
    )


def _visit(hearing: Hearing, mapped: MappedRequest, patient_id: int) -> Appointment | None:
    """The patient's own visit that it is about; another's says nothing (promise 12)."""
    for ehr_id in mapped.visits:
        key = appointment_key("Appointment.id", ehr_id, "", "")
        visit = hearing.unit.appointments.find(hearing.feed.scope, [key])
        if visit is not None and patient_id in visit.patients:
            return visit
    return None


def _practice(hearing: Hearing, mapped: MappedRequest, patient_id: int) -> str | None:
    """Who texts: the practice of the visit it is about, of the next visit, or the only one there is."""
    rows, scope = hearing.unit.appointments, hearing.feed.scope
    for ehr_id in mapped.visits:
        visit = rows.find(scope, [appointment_key("Appointment.id", ehr_id, "", "")])
        if visit is not None:
            return visit.practice
    coming = [rows.get(each) for each in rows.to_come(patient_id, hearing.workshop.clock.calendar())]
    expected = sorted(
        (visit.slot.start, visit.practice)
        for visit in coming
        if visit.is_expected and visit.slot.start is not None and visit.practice is not None
    )
    if expected:
        return expected[0][1]
    practices = list(hearing.workshop.settings.practices)
    if len(practices) == 1:
        return practices[0]
    return hearing.workshop.settings.practice_of(hearing.feed, ())[0]
