"""A FHIR notification becomes wants: what it names is read from the EHR, what it leaves out is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

from fhir_mappers.subscription import read_kept
from integration.pipeline.translate.hearing import Unusable
from integration.pipeline.translate.subscription_news import note_notification
from integration.ports.ehr_reading import Heard, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhir_mappers.notification import Event, Notification
    from integration.ports.store import KeptMessage, Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import FhirHearing

PREFIX: Final = "fhir:"  # of the channels in which notifications are kept; a feed's name follows
_HEARD: Final = frozenset(get_args(Heard))
_TELLING: Final = frozenset(
    {"event", "query-event", "resource", "empty"}
)  # the others say only how things are


def is_notification(message: KeptMessage) -> bool:
    """Whether it came by the webhook of a feed, and not from a feed itself."""
    return message.channel.startswith(PREFIX)


def hear_notification(unit: Unit, workshop: Workshop, message: KeptMessage) -> str | None:
    """Want what it tells of; returns what an engineer may want to read beside it. Raises Unusable."""
    feed = workshop.settings.feeds.get(message.channel.removeprefix(PREFIX))
    if feed is None or feed.fhir is None:
        raise Unusable(f"unknown-feed {message.channel}")
    notification = read_kept(message.payload, "" if workshop.ehr is None else workshop.ehr.base_url)
    if notification.refusal is not None:
        # Something has changed all the same: the EHR is asked what.
        unit.polls.want(feed.name, "", workshop.clock.wall())
        workshop.knock("poll")
        raise Unusable(f"{notification.refusal.code} {notification.refusal.path}".rstrip())
    if not message.replayed:  # a sign of life once only
        note_notification(unit, feed.name, notification, message.received_at)
    notes = [f"{warning.code} {warning.path}" for warning in notification.warnings]
    if notification.kind not in _TELLING:
        return ", ".join(notes) or None
    now = workshop.clock.wall()
    for deleted in (False, True):
        wanted = list(_references(notification, feed.fhir, deleted=deleted))
        unit.wants.tell(feed.name, wanted, now, deleted=deleted, inbox_id=message.id)
    if _says_too_little(notification):
        unit.polls.want(feed.name, "", now)
        notes.append("asked what changed")
    elif not any(_is_heard(event, feed.fhir) for event in notification.events):
        notes.append("nothing a text could depend on")
    workshop.knock("fetch")
    workshop.knock("poll")
    return ", ".join(notes) or None


def _references(notification: Notification, how: FhirHearing, *, deleted: bool) -> Iterable[Reference]:
    for event in notification.events:
        if event.focus is not None and event.deleted is deleted and _is_heard(event, how):
            yield Reference(cast("Heard", event.focus.type), event.focus.id, event.focus.identifier)


def _is_heard(event: Event, how: FhirHearing) -> bool:
    """Whether texts may depend on it."""
    if event.focus is None or event.focus.type not in _HEARD:
        return False
    return how.text_requests or event.focus.type != "CommunicationRequest"


def _says_too_little(notification: Notification) -> bool:
    """Whether something changed that it does not name, or that lies where we may not look."""
    return not notification.events or any(event.focus is None for event in notification.events)
