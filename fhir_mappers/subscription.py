"""Understands what a FHIR server tells a subscriber, in every shape that servers use.

HAPI: PUT and DELETE below the endpoint, a POST without a body, a transaction Bundle. Medplum: the bare
resource, `{}` when it was deleted. By topic (Backport IG in R4 and R4B, R5, fhir-candle, athenahealth): a
Bundle that begins with the status of the Subscription. Only which resources changed is taken from it: a
notification is a hint, and what it speaks of is read from the EHR.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fhir_mappers.findings import refuse, warn
from fhir_mappers.notification import Event, Focus, Kind, Notification
from fhir_mappers.reference import literal, subscription_id
from fhir_mappers.subscription_status import Status, is_status, mappings, read_status, text
from fhir_mappers.translation import MapWarning

# Headers that say what the body does not; no other is kept.
HEADERS: Final = (
    "content-type",
    "x-medplum-subscription",
    "x-medplum-interaction",
    "x-medplum-deleted-resource",
)
_UNREADABLE: Final = (ValueError, RecursionError)
# SubscriptionStatus.type → ours
_KINDS: Final[Mapping[str, Kind]] = {
    "handshake": "handshake",
    "heartbeat": "heartbeat",
    "event-notification": "event",
    "query-status": "query-status",
    "query-event": "query-event",
}
_TRANSACTIONS: Final = {"transaction", "batch"}  # as HAPI sends them
_NOTIFICATIONS: Final = {"history", "subscription-notification", "searchset"}  # the last answers $status


@dataclass(frozen=True, slots=True)
class Received:
    """A notification as it came; what the inbox keeps of it."""

    method: str
    path: str  # below the source, without a leading slash and without any secret
    headers: Mapping[str, str]  # of HEADERS, in small letters
    body: str

    def to_bytes(self) -> bytes:
        """As it is kept; the same for the same notification."""
        kept = {"method": self.method, "path": self.path, "headers": dict(self.headers), "body": self.body}
        return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Received | None":
        """What was kept; None when it is no notification."""
        try:
            kept = json.loads(payload)
        except _UNREADABLE:
            return None
        if not isinstance(kept, dict) or not isinstance(kept.get("headers"), dict):
            return None
        parts = [kept.get(name) for name in ("method", "path", "body")]
        if not all(isinstance(part, str) for part in parts):
            return None
        headers = {str(name).lower(): text(value) for name, value in kept["headers"].items()}
        return cls(text(kept["method"]), text(kept["path"]), headers, text(kept["body"]))


def read_kept(payload: bytes, base: str) -> Notification:
    """Understand a notification as the inbox keeps it. Never raises."""
    received = Received.from_bytes(payload)
    if received is None:
        return Notification("unreadable", refusal=refuse("", "not-a-notification"))
    return read_notification(received, base)


def read_notification(received: Received, base: str) -> Notification:
    """Understand a notification. Never raises.

    `base`: the EHR's base URL without a trailing slash, "" when there is none.
    """
    body = None
    if received.body.strip():
        try:
            body = json.loads(received.body)
        except _UNREADABLE:
            return Notification("unreadable", refusal=refuse("body", "not-json"))
        if not isinstance(body, dict):
            return Notification("unreadable", refusal=refuse("body", "not-a-resource"))
    notification = _of_request(received, body, base)
    sender = received.headers.get("x-medplum-subscription", "")
    if sender and not notification.subscription:
        notification = replace(notification, subscription=subscription_id(sender) or sender.strip())
    return notification


def read_bundle(resource: Mapping[str, Any], base: str) -> Notification:
    """Understand a Bundle, or a status by itself: a notification's, or the answer to $status or $events."""
    warnings: list[MapWarning] = []
    if is_status(resource):
        kind = text(resource.get("resourceType"))
        warnings.append(warn(kind, "no-bundle"))
        return _by_topic(read_status(resource, kind, base, warnings), (), "", warnings)
    bundle_type = text(resource.get("type"))
    entries = list(mappings(resource.get("entry"), "Bundle.entry"))
    for place, (entry, path) in enumerate(entries):
        found = entry.get("resource")
        if isinstance(found, dict) and is_status(found):
            if place:
                warnings.append(warn(path, "status-not-first"))
            _check(bundle_type, entries, warnings)
            status = read_status(found, f"{path}.resource", base, warnings)
            return _by_topic(
                status, _changed([*entries[:place], *entries[place + 1 :]], base), bundle_type, warnings
            )
    if bundle_type not in _TRANSACTIONS:
        warnings.append(warn("Bundle", "no-status"))
    events = _changed(entries, base)
    return Notification("resource" if events else "empty", events=events, warnings=tuple(warnings))


def _of_request(received: Received, body: Mapping[str, Any] | None, base: str) -> Notification:
    """By header, by method and path, by body; in this order of trust."""
    gone = literal(received.headers.get("x-medplum-deleted-resource", ""), base)
    there = gone or literal(received.path, base)
    if there is not None and (gone or body is None or received.method in {"PUT", "DELETE"}):
        named = _own_name(body or {})
        warnings = (warn("body.id", "path-disagrees"),) if named not in {None, there} else ()
        event = Event(focus=there, deleted=gone is not None or received.method == "DELETE")
        return Notification("resource", events=(event,), warnings=warnings)
    if not body:
        return Notification("empty", warnings=() if body is None else (warn("body", "nothing-said"),))
    if text(body.get("resourceType")) == "Bundle" or is_status(body):
        return read_bundle(body, base)
    return _of_resource(body)


def _of_resource(resource: Mapping[str, Any]) -> Notification:
    """What changed, as it is now."""
    if not text(resource.get("resourceType")):
        return Notification("unreadable", refusal=refuse("body", "not-a-resource"))
    named = _own_name(resource)
    if named is None:
        return Notification("empty", warnings=(warn("body.id", "no-id"),))
    return Notification("resource", events=(Event(focus=named),))


def _by_topic(
    status: Status, changed: tuple[Event, ...], bundle_type: str, warnings: list[MapWarning]
) -> Notification:
    """By the status, and by what the other entries name."""
    gone = {event.focus for event in changed if event.deleted}
    events = tuple(replace(event, deleted=event.focus in gone) for event in status.events)
    kind = _KINDS.get(status.type)
    if kind is None:
        kind = "event" if events else "heartbeat"
        warnings.append(warn("type", "unknown-notification-type"))
    if kind == "event" and bundle_type == "searchset":
        kind = "query-status"  # some answer $status with the type of the last notification
    if kind == "event" and changed and all(event.focus is None for event in events):
        warnings.append(warn("Bundle.entry", "no-focus"))
        events += changed
    if kind == "event" and not events:
        warnings.append(warn("Bundle.entry", "no-events"))
        events = (Event(),)
    return Notification(
        kind,
        subscription=status.subscription,
        topic=status.topic,
        events=events,
        status=status.status,
        events_since_start=status.events_since_start,
        errors=status.errors,
        warnings=tuple(warnings),
    )


def _check(
    bundle_type: str, entries: Sequence[tuple[Mapping[str, Any], str]], warnings: list[MapWarning]
) -> None:
    """Note where a notification's Bundle is not as the standard has it."""
    if bundle_type not in _NOTIFICATIONS:
        warnings.append(warn("Bundle.type", "not-history"))
    if bundle_type == "history":
        warnings += [
            warn(f"{path}.request", "no-request") for entry, path in entries if not entry.get("request")
        ]


def _changed(entries: Iterable[tuple[Mapping[str, Any], str]], base: str) -> tuple[Event, ...]:
    """What the entries of a Bundle name, each once."""
    found: dict[Focus, Event] = {}
    for entry, _ in entries:
        request, resource = entry.get("request"), entry.get("resource")
        asked = request if isinstance(request, dict) else {}
        named = [
            None if not isinstance(resource, dict) else _own_name(resource),
            literal(text(entry.get("fullUrl")), base),
            literal(text(asked.get("url")), base),
        ]
        focus = next(filter(None, named), None)
        if focus is not None:
            found[focus] = Event(focus=focus, deleted=text(asked.get("method")).upper() == "DELETE")
    return tuple(found.values())


def _own_name(resource: Mapping[str, Any]) -> Focus | None:
    """Type and id, as the resource calls itself."""
    return literal(f"{text(resource.get('resourceType'))}/{text(resource.get('id'))}", "")
