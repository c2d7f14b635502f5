"""Which kept messages depend on one another: they speak of the same appointments or patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_mappers.translate_message import identity_keys
from fhir_mappers.translate_message import translate as translate_message
from integration.domain.identity import appointment_key, patient_key
from integration.pipeline.translate.reading import appointment_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from integration.ports.store import KeptMessage
    from integration.ports.workshop import Workshop

_AT_ONCE = 200  # messages read in one look


def families(workshop: Workshop, message_ids: Sequence[int]) -> list[list[int]]:
    """The messages in families, each in order, the families by their first message."""
    elders: dict[int, int] = {}
    owners: dict[tuple[str, ...], int] = {}

    def eldest(message_id: int) -> int:
        while elders[message_id] != message_id:
            elders[message_id] = elders[elders[message_id]]
            message_id = elders[message_id]
        return message_id

    for start in range(0, len(message_ids), _AT_ONCE):
        with workshop.store.reading() as unit:
            for message_id in message_ids[start : start + _AT_ONCE]:
                elders[message_id] = message_id
                message = unit.inbox.get(message_id)
                for key in () if message is None else _names(workshop, message):
                    relative, own = eldest(owners.setdefault(key, message_id)), eldest(message_id)
                    elders[max(relative, own)] = min(relative, own)
    found: dict[int, list[int]] = {}
    for message_id in message_ids:
        found.setdefault(eldest(message_id), []).append(message_id)
    return list(found.values())


def _names(workshop: Workshop, message: KeptMessage) -> Iterator[tuple[str, ...]]:
    """Whatever the message names an appointment or a patient by, within its scope."""
    feed = workshop.settings.feeds.get(message.channel)
    if feed is None:
        return
    keys = identity_keys(message.payload, feed.vendor, feed.facts)
    yield from ((feed.scope, "visit", key) for key in appointment_keys(keys.appointment, keys.occurrence))
    translation = translate_message(message.payload, feed.vendor, feed.facts)
    visit = translation.visit
    if visit is not None:
        yield from ((feed.scope, "visit", key) for key in appointment_keys(visit.identifiers, ""))
    for change in translation.visit_changes:
        for number in (*change.identifiers, *change.gone):
            yield feed.scope, "visit", appointment_key(number.path, number.value, number.namespace, "")
        for who in (*change.patient, *change.taken_from):
            yield feed.scope, "patient", patient_key(who.authority, who.type, who.value)
    merged = (known for merge in translation.merges for known in (*merge.survivor, *merge.gone))
    for known in (*keys.patients, *merged):
        yield feed.scope, "patient", patient_key(known.authority, known.type, known.value)
