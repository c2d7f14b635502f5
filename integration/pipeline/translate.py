"""Step 2: kept messages become appointments and patients, one channel at a time, in order of arrival."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

import structlog

from fhir_mappers.siu_to_bundle import identity_keys
from fhir_mappers.siu_to_bundle import translate as translate_message
from integration.domain.appointment import Appointment, AppointmentEvent, Modality, News, Report, Slot, hear
from integration.domain.identity import appointment_key, contradict, patient_key
from integration.domain.recipient import Patient
from integration.domain.surprise import describe
from integration.ports.store import Change, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from fhir_mappers.translation import AppointmentIdentifier, MappedAppointment, MappedPatient, Translation
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed

BATCH = 100
NOTHING_TO_APPLY = "no-patient-by-definition"  # S23, S24: slots blocked and opened
_log = structlog.get_logger(__name__)


class Unusable(Exception):
    """A message that cannot be applied; its words name a path and a code, never a person."""


def translate(workshop: Workshop) -> int:
    """Apply one batch of waiting messages; returns how many were looked at.

    A surprise undoes the batch and the messages are taken one by one, so that
    only the one that surprises is marked dead.
    """
    try:
        worked = _apply_batch(workshop, BATCH, [])
    except StoreUnavailable:
        raise
    except Exception as surprise:  # noqa: BLE001 - whatever it is, the neighbours must not suffer
        _log.error("a batch surprised; taking its messages one by one", surprise=describe(surprise))
        worked = _apply_one(workshop)
    if worked:
        workshop.knock("plan")
    return worked


def _apply_one(workshop: Workshop) -> int:
    seen: list[KeptMessage] = []
    try:
        return _apply_batch(workshop, 1, seen)
    except StoreUnavailable:
        raise
    except Exception as surprise:  # noqa: BLE001 - whatever it is, the message waits for a person
        for message in seen:
            _lay_aside(workshop, message, describe(surprise))
        return len(seen)


def _lay_aside(workshop: Workshop, message: KeptMessage, surprise: str) -> None:
    """Mark a message dead that surprised, and hold its appointment, if as much can be read of it."""
    try:
        with workshop.store.unit() as unit:
            _hold_its_appointment(unit, workshop, message)
    except StoreUnavailable:
        raise
    except Exception as another:  # noqa: BLE001 - it must be laid aside all the same
        _log.error("its appointment cannot be held", message=message.id, surprise=describe(another))
    with workshop.store.unit() as unit:
        unit.inbox.dead(message.id, f"surprise {surprise}")
    _log.error("message is dead", message=message.id, surprise=surprise)


def _apply_batch(workshop: Workshop, limit: int, seen: list[KeptMessage]) -> int:
    with workshop.store.unit() as unit:
        messages = unit.inbox.claim(limit)
        seen.extend(messages)
        readings = [_read(workshop, message) for message in messages]
        _expect(unit, readings)
        for reading in readings:
            message = reading.message
            try:
                unit.inbox.done(message.id, _apply(unit, workshop, reading))
            except Unusable as why:
                _hold_its_appointment(unit, workshop, message)
                unit.inbox.dead(message.id, str(why))
                _log.warning("message is dead", message=message.id, channel=message.channel, reason=str(why))
    return len(messages)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A message, what it says, and by which keys that is known; nothing of it when its feed is unknown."""

    message: KeptMessage
    feed: Feed | None = None
    translation: Translation | None = None
    appointment_keys: tuple[str, ...] = ()
    patient_keys: tuple[tuple[str, ...], ...] = ()


def _read(workshop: Workshop, message: KeptMessage) -> _Reading:
    feed = workshop.settings.feeds.get(message.channel)
    if feed is None:
        return _Reading(message)
    translation = translate_message(message.payload, feed.vendor, feed.facts)
    mapped = translation.appointment
    if mapped is None:
        return _Reading(message, feed, translation)
    keys = _appointment_keys(mapped.identifiers, mapped.occurrence)
    patients = tuple(
        _patient_keys(patient, fallback=f"{keys[0]}#{index}")
        for index, patient in enumerate(translation.patients)
    )
    return _Reading(message, feed, translation, keys, patients)


def _expect(unit: Unit, readings: Iterable[_Reading]) -> None:
    """Let the store look up the whole batch at once: one by one is what takes long."""
    appointments: dict[str, list[str]] = {}
    patients: dict[str, list[str]] = {}
    for reading in readings:
        if reading.feed is not None:
            appointments.setdefault(reading.feed.scope, []).extend(reading.appointment_keys)
            patients.setdefault(reading.feed.scope, []).extend(chain.from_iterable(reading.patient_keys))
    for scope, keys in appointments.items():
        unit.appointments.expect(scope, keys)
    for scope, keys in patients.items():
        unit.patients.expect(scope, keys)


def _apply(unit: Unit, workshop: Workshop, reading: _Reading) -> str | None:
    """Apply one message; returns what an engineer may want to read beside it."""
    message, feed, translation = reading.message, reading.feed, reading.translation
    if feed is None or translation is None:
        raise Unusable(f"unknown-feed {message.channel}")
    refusal = translation.refusal
    if refusal is not None and refusal.code == NOTHING_TO_APPLY:
        return f"{refusal.code} {refusal.path}"
    if refusal is not None:
        raise Unusable(f"{refusal.code} {refusal.path}")
    if workshop.settings.mode == "live" and translation.processing_id != feed.processing_id:
        raise Unusable("wrong-processing-id MSH-11")
    notes = [f"{warning.code} {warning.path}" for warning in translation.warnings]
    if unit.inbox.same_control_id(message):
        notes.append("control-id-used-before MSH-10")
    notes += _Application(unit, workshop, feed, reading, translation).record()
    return ", ".join(notes) or None


def _hold_its_appointment(unit: Unit, workshop: Workshop, message: KeptMessage) -> None:
    """A dead message lets later ones pass but holds its appointment's reminders (promise 3)."""
    feed = workshop.settings.feeds.get(message.channel)
    if feed is None:
        return
    keys = identity_keys(message.payload, feed.vendor, feed.facts)
    stored = unit.appointments.find(feed.scope, _appointment_keys(keys.appointment, keys.occurrence))
    if stored is not None:
        unit.appointments.save(replace(stored, held_by=message.id))


def _appointment_keys(identifiers: Iterable[AppointmentIdentifier], occurrence: str) -> tuple[str, ...]:
    return tuple(
        appointment_key(known.path, known.value, known.namespace, occurrence) for known in identifiers
    )


def _patient_keys(mapped: MappedPatient, *, fallback: str) -> tuple[str, ...]:
    """How a patient is known; one without any identifier by the visit alone."""
    keys = tuple(patient_key(known.authority, known.type, known.value) for known in mapped.identifiers)
    return keys or (patient_key("", "", fallback),)


@dataclass(frozen=True, slots=True)
class _Application:
    """One readable message about to change what is stored."""

    unit: Unit
    workshop: Workshop
    feed: Feed
    reading: _Reading
    translation: Translation
    renumbered: list[int] = field(default_factory=list)  # patients who have another number now

    def record(self) -> list[str]:
        """Store the appointment and its patients, and write down what happened; returns notes."""
        mapped = self.translation.appointment
        assert mapped is not None  # noqa: S101 - no refusal, so there is one
        keys = self.reading.appointment_keys
        stored = self.unit.appointments.find(self.feed.scope, keys)
        if stored is not None and contradict(stored.identifiers, keys):
            stored = None
        if stored is not None and stored.held_by == self.reading.message.id:
            stored = replace(stored, held_by=None)
        if stored is not None and stored.event_time is not None and self.heard_at < stored.event_time:
            self.unit.appointments.save(stored)
            return ["older-than-stored MSH-7"]
        patients = [
            self._save_patient(patient, patient_keys)
            for patient, patient_keys in zip(
                self.translation.patients, self.reading.patient_keys, strict=True
            )
        ]
        shown = self._shown(mapped, keys, tuple(patient.id for patient in patients))
        if stored is not None and mapped.place is None:
            shown = self._where_it_was(stored, shown)
        news = hear(stored, Report(AppointmentEvent(self.translation.event), shown))
        saved = self.unit.appointments.save(news.appointment)
        if news.event is not AppointmentEvent.IGNORED:
            self._ask_for_planning(stored, replace(news, appointment=saved))
        self._ask_for_other_visits(saved)
        return [] if saved.practice is not None else ["no-practice-claims-location AIL-3"]

    @property
    def heard_at(self) -> datetime:
        """The event time: MSH-7, but never much later than the receipt (promise 3)."""
        receipt = self.reading.message.received_at
        if self.workshop.simulated:
            receipt = max(receipt, self.workshop.clock.calendar())
        occurred_at = self.translation.occurred_at
        return receipt if occurred_at is None else min(occurred_at, receipt + self.feed.clock_tolerance)

    @property
    def is_old_news(self) -> bool:
        """Whether the event is too old to speak of (no blast).

        Under a simulated calendar a sender may live by either clock.
        """
        nows = [self.reading.message.received_at]
        if self.workshop.simulated:
            nows.append(self.workshop.clock.calendar())
        return all(now - self.heard_at > self.feed.oldest_event for now in nows)

    def _ask_for_planning(self, stored: Appointment | None, news: News) -> None:
        """Write down what happened, so that the reminders are thought over."""
        self.unit.changes.add(
            Change(
                id=0,
                appointment_id=news.appointment.id,
                event=news.event,
                at=self.workshop.clock.calendar(),
                before=None if stored is None else stored.slot,
                quiet=self.reading.message.replayed or news.first_contact or self.is_old_news,
                inbox_id=self.reading.message.id,
            )
        )

    def _ask_for_other_visits(self, saved: Appointment) -> None:
        """A new number is that of all the patient's visits, not only of the one the message is about."""
        now = self.workshop.clock.calendar()
        visits = {
            visit for patient in self.renumbered for visit in self.unit.appointments.to_come(patient, now)
        }
        for visit in sorted(visits - {saved.id}):
            self.unit.changes.add(
                Change(
                    id=0,
                    appointment_id=visit,
                    event=AppointmentEvent.CHANGED,
                    at=now,
                    quiet=True,
                    inbox_id=self.reading.message.id,
                )
            )

    def _shown(
        self, mapped: MappedAppointment, keys: tuple[str, ...], patients: tuple[int, ...]
    ) -> Appointment:
        """The appointment as the message shows it."""
        settings = self.workshop.settings
        codes = tuple(location.code for location in mapped.locations)
        practice, location = settings.practice_of(self.feed, codes)
        if location is not None and location.sensitive:
            owner = settings.practices.get(location.practice)
            practice = practice if owner is not None and owner.sensitive_texts else None
        zone = location.zone if location is not None and location.zone is not None else mapped.zone
        return Appointment(
            id=0,
            scope=self.feed.scope,
            feed=self.feed.name,
            identifiers=keys,
            patients=tuple(dict.fromkeys(patients)),
            # A tentative booking (HL7 table 0277) is no promise to the patient.
            status="proposed" if mapped.tentative and mapped.status == "booked" else mapped.status,
            slot=Slot(mapped.start, "" if location is None else location.place, Modality(mapped.modality)),
            zone=zone.key,
            practice=practice,
            confirmed=mapped.confirmed,
            event_time=self.heard_at,
            resource=mapped.resource,
        )

    def _where_it_was(self, stored: Appointment, shown: Appointment) -> Appointment:
        """A message that names no place moves nobody: MSH-4 alone is not where the visit is."""
        practices = self.workshop.settings.practices
        elsewhere = shown.practice is not None and stored.practice not in {None, shown.practice}
        if elsewhere or (stored.practice is not None and stored.practice not in practices):
            return shown
        return replace(shown, practice=stored.practice, slot=replace(shown.slot, place=stored.slot.place))

    def _save_patient(self, mapped: MappedPatient, keys: tuple[str, ...]) -> Patient:
        """Insert or bring forward one patient."""
        stored = self.unit.patients.find(self.feed.scope, keys)
        if stored is not None and contradict(stored.identifiers, keys):
            stored = None
        if stored is not None and stored.event_time is not None and self.heard_at < stored.event_time:
            return stored
        shown = Patient(
            id=0,
            scope=self.feed.scope,
            identifiers=keys,
            given=mapped.given,
            family=mapped.family,
            number=mapped.text_to,
            birth_date=mapped.birth_date,
            language=mapped.language,
            deceased=mapped.deceased,
            suppressed=mapped.no_publicity,
            event_time=self.heard_at,
            resource=mapped.resource,
        )
        if stored is None:
            return self.unit.patients.save(shown)
        merged = _lay_over(stored, shown, forget_number=bool(mapped.cleared))
        if merged.number != stored.number:
            self.renumbered.append(stored.id)
        unchanged = replace(merged, event_time=stored.event_time) == stored
        return stored if unchanged else self.unit.patients.save(merged)


def _lay_over(stored: Patient, shown: Patient, *, forget_number: bool) -> Patient:
    """The stored patient with what a message shows; what it leaves empty stays (HL7: empty is no change)."""
    deceased = shown.deceased or stored.deceased
    return replace(
        shown,
        id=stored.id,
        identifiers=tuple(dict.fromkeys((*stored.identifiers, *shown.identifiers))),
        given=shown.given or stored.given,
        family=shown.family or stored.family,
        number=shown.number or (None if forget_number or deceased else stored.number),
        birth_date=shown.birth_date or stored.birth_date,
        language=shown.language or stored.language,
        deceased=deceased,
        ehr_id=stored.ehr_id,
    )
