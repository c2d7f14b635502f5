"""Whether news of an appointment or its patient has come, and is not applied yet (promise 4).

News goes one way: notification, want, message, change. It is looked for in that order, so that none slips
by from a place that is still to be looked at to one that has been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fhir_mappers.subscription import read_kept
from fhir_mappers.translate_message import identity_keys
from integration.domain.identity import appointment_key, ehr_ids, patient_key
from integration.ports.ehr_reading import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhir_mappers.translation import IdentityKeys
    from integration.domain.appointment import Appointment
    from integration.domain.recipient import Patient
    from integration.domain.text_request import TextRequest
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop

MOST_WAITING: Final = 200  # unread messages looked into for one text; behind more than that, texts wait
_NOTIFICATIONS: Final = "fhir:"  # of channels; a feed's name follows


def is_waiting(unit: Unit, workshop: Workshop, appointment: Appointment, patient: Patient) -> bool:
    """Whether what is known of them may be overtaken by what lies here unread."""
    feeds = workshop.settings.feeds
    of_scope = [feed for feed in feeds.values() if feed.scope == appointment.scope]
    hearing = [feed.name for feed in of_scope if feed.fhir is not None]
    if hearing and _is_told_of(unit, workshop, hearing, set(_references(appointment, patient))):
        return True
    messages = unit.inbox.waiting([feed.name for feed in of_scope], MOST_WAITING)
    # Messages first: one that is applied after this line leaves a change before the next.
    if len(messages) >= MOST_WAITING or unit.changes.waits([appointment.id]):
        return True
    known = {*appointment.identifiers, *appointment.parents, *patient.identifiers}
    for message in messages:
        feed = feeds[message.channel]
        if known & set(_keys(identity_keys(message.payload, feed.vendor, feed.facts))):
            return True
    return False


def is_request_waiting(unit: Unit, workshop: Workshop, request: TextRequest, patient: Patient) -> bool:
    """Whether what a chart asked for may be asked for otherwise by now, or its patient be another."""
    feeds = workshop.settings.feeds
    ours = {Reference("CommunicationRequest", request.ehr_id), *_references_of(patient)}
    if _is_told_of(unit, workshop, [request.feed], ours):
        return True
    scope = feeds[request.feed].scope
    channels = [feed.name for feed in feeds.values() if feed.scope == scope]
    messages = unit.inbox.waiting(channels, MOST_WAITING)
    if len(messages) >= MOST_WAITING:
        return True
    named = request.ehr_id.encode()
    for message in messages:
        feed = feeds[message.channel]
        if message.channel == request.feed and named in message.payload:
            return True
        if set(patient.identifiers) & set(_keys(identity_keys(message.payload, feed.vendor, feed.facts))):
            return True
    return False


def _is_told_of(unit: Unit, workshop: Workshop, feeds: list[str], ours: set[Reference]) -> bool:
    """Whether a FHIR server has said that one of these changed, and it has not been read since."""
    unread = unit.inbox.waiting([_NOTIFICATIONS + feed for feed in feeds], MOST_WAITING)
    if len(unread) >= MOST_WAITING:
        return True
    base_url = "" if workshop.ehr is None else workshop.ehr.base_url
    for message in unread:
        for event in read_kept(message.payload, base_url).events:
            focus = event.focus
            if focus is not None and any(
                (focus.type, focus.id, focus.identifier) == (each.type, each.id, each.identifier)
                for each in ours
            ):
                return True
    return unit.wants.waits(feeds, ours)


def _references(appointment: Appointment, patient: Patient) -> Iterator[Reference]:
    """How a notification may name them."""
    for known in {*ehr_ids(appointment.identifiers), appointment.ehr_id or ""} - {""}:
        yield Reference("Appointment", known)
    for identifier in _identifiers(appointment.resource):
        yield Reference("Appointment", identifier=identifier)
    yield from _references_of(patient)


def _references_of(patient: Patient) -> Iterator[Reference]:
    for known in {*ehr_ids(patient.identifiers), patient.ehr_id or ""} - {""}:
        yield Reference("Patient", known)
    for identifier in _identifiers(patient.resource):
        yield Reference("Patient", identifier=identifier)


def _identifiers(resource: Mapping[str, Any]) -> Iterator[str]:
    for each in resource.get("identifier", ()):
        yield f"{each.get('system', '')}|{each.get('value', '')}"


def _keys(shown: IdentityKeys) -> Iterator[str]:
    for each in shown.appointment:
        yield appointment_key(each.path, each.value, each.namespace, shown.occurrence)
        # A child may name its parent without the authority.
        yield appointment_key(each.path, each.value, "", "")
    for known in shown.patients:
        yield patient_key(known.authority, known.type, known.value)
