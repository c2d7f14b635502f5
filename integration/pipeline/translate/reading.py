"""One kept message, read: what it says, and by which keys its appointment and patients are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from fhir_mappers.translate_message import translate as translate_message
from integration.domain.identity import appointment_key, patient_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from fhir_mappers.translation import (
        AppointmentIdentifier,
        FeedFacts,
        Identifier,
        MappedAppointment,
        MappedPatient,
        Translation,
    )
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed


@dataclass(frozen=True, slots=True)
class MergeKeys:
    """By which keys the two sides of a merge are known, best first."""

    survivor: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A message, what it says, and by which keys that is known; nothing of it when its feed is unknown."""

    message: KeptMessage
    feed: Feed | None = None
    translation: Translation | None = None
    appointment_keys: tuple[str, ...] = ()
    patient_keys: tuple[tuple[str, ...], ...] = ()  # of each patient; in ADT some may have none
    merge_keys: tuple[MergeKeys, ...] = ()


def read(workshop: Workshop, message: KeptMessage) -> Reading:
    """Translate it. Never raises for what a message says."""
    feed = workshop.settings.feeds.get(message.channel)
    if feed is None:
        return Reading(message)
    translation = translate_message(message.payload, feed.vendor, facts_for(feed, message))
    mapped = translation.appointment
    if mapped is None:
        return _read_people(message, feed, translation)
    keys = appointment_keys(mapped.identifiers, mapped.occurrence)
    patients = tuple(
        _patient_keys(patient, fallback=f"{keys[0]}#{index}")
        for index, patient in enumerate(translation.patients)
    )
    return Reading(message, feed, translation, keys, patients, _merge_keys(translation))


def facts_for(feed: Feed, message: KeptMessage) -> FeedFacts:
    """What the mapper must know of a message's feed, and when it came."""
    facts = feed.facts
    if facts.fhir is None:
        return facts
    return replace(facts, fhir=replace(facts.fhir, read_at=message.received_at))


def _read_people(message: KeptMessage, feed: Feed, translation: Translation) -> Reading:
    """A message without an appointment: persons, a visit, merges; or one that was refused."""
    visit = () if translation.visit is None else translation.visit.identifiers
    return Reading(
        message,
        feed,
        translation,
        appointment_keys(visit, ""),
        tuple(keys_of_patient(patient.identifiers) for patient in translation.patients),
        _merge_keys(translation),
    )


def _merge_keys(translation: Translation) -> tuple[MergeKeys, ...]:
    return tuple(
        MergeKeys(keys_of_patient(merge.survivor), keys_of_patient(merge.gone))
        for merge in translation.merges
    )


def read_in_zone(message: KeptMessage, feed: Feed, zone: ZoneInfo) -> MappedAppointment | None:
    """The appointment of a message that names no place, its times read in the zone of the visit."""
    facts = replace(facts_for(feed, message), visit_zone=zone)
    return translate_message(message.payload, feed.vendor, facts).appointment


def expect(unit: Unit, readings: Iterable[Reading]) -> None:
    """Let the store look up the whole batch at once: one by one is what takes long."""
    appointments: dict[str, list[str]] = {}
    patients: dict[str, list[str]] = {}
    for reading in readings:
        if reading.feed is not None:
            appointments.setdefault(reading.feed.scope, []).extend(reading.appointment_keys)
            merged = chain.from_iterable((keys.survivor, keys.gone) for keys in reading.merge_keys)
            known = chain.from_iterable((*reading.patient_keys, *merged))
            patients.setdefault(reading.feed.scope, []).extend(known)
    for scope, keys in appointments.items():
        unit.appointments.expect(scope, keys)
        unit.holds.expect(scope, keys)
    for scope, keys in patients.items():
        unit.patients.expect(scope, keys)


def appointment_keys(identifiers: Iterable[AppointmentIdentifier], occurrence: str) -> tuple[str, ...]:
    """How an appointment is known, best first.

    A visit number is enough by itself: messages that carry no other (ADT) know of no occurrence.
    """
    known = tuple(identifiers)
    bare = [each for each in known if occurrence and each.path.startswith("PV1")]
    return (
        *(appointment_key(each.path, each.value, each.namespace, occurrence) for each in known),
        *(appointment_key(each.path, each.value, each.namespace, "") for each in bare),
    )


def keys_of_patient(identifiers: Iterable[Identifier]) -> tuple[str, ...]:
    """How a patient is known, best first."""
    return tuple(patient_key(known.authority, known.type, known.value) for known in identifiers)


def _patient_keys(mapped: MappedPatient, *, fallback: str) -> tuple[str, ...]:
    """How a patient is known; one without any identifier by the visit alone."""
    return keys_of_patient(mapped.identifiers) or (patient_key("", "", fallback),)
