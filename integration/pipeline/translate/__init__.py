"""Step 2: kept messages become appointments and patients, one channel at a time, in order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from integration.domain.surprise import describe
from integration.pipeline.translate.answering import owe_acknowledgment
from integration.pipeline.translate.appointments import hear_appointment
from integration.pipeline.translate.hearing import Hearing, Unusable
from integration.pipeline.translate.holding import hold_its_appointment, is_of_a_known_visit, let_go
from integration.pipeline.translate.notifications import hear_notification, is_notification
from integration.pipeline.translate.numbers import free_numbers
from integration.pipeline.translate.opt_ins import hear_opt_ins
from integration.pipeline.translate.people import hear_people
from integration.pipeline.translate.reading import expect, read
from integration.pipeline.translate.requests import hear_request
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_mappers.translation import Refusal
    from integration.pipeline.translate.reading import Reading
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed

BATCH = 100
# S23, S24: slots blocked and opened; ADT about beds, leaves, allergies …
NOTHING_TO_APPLY = frozenset({"no-patient-by-definition", "irrelevant-trigger", "no-text-request"})
_log = structlog.get_logger(__name__)


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
        if workshop.partners:
            workshop.knock("acknowledge")
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
            hold_its_appointment(unit, workshop, message)
    except StoreUnavailable:
        raise
    except Exception as another:  # noqa: BLE001 - it must be laid aside all the same
        _log.error("its appointment cannot be held", message=message.id, surprise=describe(another))
    with workshop.store.unit() as unit:
        unit.inbox.dead(message.id, f"surprise {surprise}")
        owe_acknowledgment(unit, workshop, message, "surprise")
    _log.error("message is dead", message=message.id, surprise=surprise)


def _apply_batch(workshop: Workshop, limit: int, seen: list[KeptMessage]) -> int:
    with workshop.store.unit() as unit:
        messages = unit.inbox.claim(limit)
        seen.extend(messages)
        readings = [read(workshop, message) for message in messages]
        expect(unit, readings)
        numbers_given: dict[str, datetime] = {}
        for reading in readings:
            message = reading.message
            if message.replayed:
                let_go(unit, message.id)
            try:
                unit.inbox.done(message.id, _apply(unit, workshop, reading, numbers_given))
                owe_acknowledgment(unit, workshop, message)
            except Unusable as why:
                hold_its_appointment(unit, workshop, message)
                unit.inbox.dead(message.id, str(why))
                owe_acknowledgment(unit, workshop, message, str(why))
                _log.warning("message is dead", message=message.id, channel=message.channel, reason=str(why))
        free_numbers(unit, workshop, numbers_given)
    return len(messages)


def _apply(
    unit: Unit, workshop: Workshop, reading: Reading, numbers_given: dict[str, datetime]
) -> str | None:
    """Apply one message; returns what an engineer may want to read beside it."""
    message, feed, translation = reading.message, reading.feed, reading.translation
    if is_notification(message):
        return hear_notification(unit, workshop, message)
    if feed is None or translation is None:
        raise Unusable(f"unknown-feed {message.channel}")
    refusal = translation.refusal
    if refusal is not None and refusal.code in NOTHING_TO_APPLY:
        return f"{refusal.code} {refusal.path}"
    if refusal is not None and _is_no_visit(unit, feed, message, refusal):
        return f"{refusal.code} {refusal.path}"
    if refusal is not None:
        raise Unusable(f"{refusal.code} {refusal.path}")
    if workshop.settings.mode == "live" and translation.processing_id != feed.processing_id:
        raise Unusable(f"wrong-processing-id {'MSH-11' if feed.fhir is None else 'meta.tag'}")
    notes = [f"{warning.code} {warning.path}" for warning in translation.warnings]
    # A FHIR resource of one version comes again whenever what it refers to has changed.
    if feed.fhir is None and unit.inbox.same_control_id(message):
        notes.append("control-id-used-before MSH-10")
    hearing = Hearing(unit, workshop, feed, reading, translation, numbers_given)
    notes += _hear(hearing)
    hear_opt_ins(hearing)
    return ", ".join(notes) or None


def _hear(hearing: Hearing) -> list[str]:
    """What it is about decides who hears it; returns notes."""
    translation = hearing.translation
    if translation.appointment is not None:
        return hear_appointment(hearing, translation.appointment)
    if translation.visit is not None:
        return hear_people(hearing, translation.visit)
    return [] if translation.request is None else hear_request(hearing, translation.request)


def _is_no_visit(unit: Unit, feed: Feed, message: KeptMessage, refusal: Refusal) -> bool:
    """Whether it is an Appointment that is nobody's visit: a meeting, a slot kept free; and never was."""
    is_nobodys = feed.fhir is not None and refusal.code == "no-patient"
    return is_nobodys and not is_of_a_known_visit(unit, feed, message)
