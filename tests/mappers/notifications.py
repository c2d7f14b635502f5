"""Invented notifications, as each kind of server sends them."""

from __future__ import annotations

import json
from typing import Any

from fhir_mappers.subscription import Received

BASE = "https://ehr.example.org/fhir/r4"
TOPIC = "https://ehr.example.org/topics/appointment-changed"


def post(body: Any = None, *, path: str = "", method: str = "POST", **headers: str) -> Received:
    """A request; header names are written with _ for -."""
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    return Received(method, path, {name.replace("_", "-"): value for name, value in headers.items()}, text)


def parameter(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, **said}


def r4_event(number: str | None, reference: str | None, **said: Any) -> dict[str, Any]:
    """A notification-event of the Backport IG in R4."""
    parts = [] if number is None else [parameter("event-number", valueString=number)]
    parts.append(parameter("timestamp", valueInstant="2026-11-23T14:30:00Z"))
    if reference is not None:
        parts.append(parameter("focus", valueReference={"reference": reference}))
    return parameter("notification-event", part=[*parts, *said.get("more", [])])


def r4_status(
    *events: dict[str, Any], kind: str = "event-notification", since: str = "1", **said: Any
) -> dict[str, Any]:
    """Parameters; `said` replaces a parameter by name, with _ for -, None leaves it out."""
    parameters: dict[str, Any] = {
        "subscription": {"valueReference": {"reference": f"{BASE}/Subscription/sub-1"}},
        "topic": {"valueCanonical": TOPIC},
        "status": {"valueCode": "active"},
        "type": {"valueCode": kind},
        "events-since-subscription-start": {"valueString": since},
    } | {name.replace("_", "-"): value for name, value in said.items()}
    return {
        "resourceType": "Parameters",
        "parameter": [
            *(parameter(name, **value) for name, value in parameters.items() if value is not None),
            *events,
        ],
    }


def status_entry(status: dict[str, Any], *, request: bool = True) -> dict[str, Any]:
    """entry[0] of a notification."""
    entry: dict[str, Any] = {"fullUrl": "urn:uuid:7a0b41b4-3e1e-4a58-9d14-6f0b1d1f0a01", "resource": status}
    if request:
        entry["request"] = {"method": "GET", "url": f"{BASE}/Subscription/sub-1/$status"}
        entry["response"] = {"status": "200"}
    return entry


def bundle(*entries: dict[str, Any], kind: str = "history", **said: Any) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "id": "note-1",
        "type": kind,
        "timestamp": "2026-11-23T14:30:01Z",
        "entry": list(entries),
        **said,
    }


def r4(*events: dict[str, Any], **said: Any) -> dict[str, Any]:
    """A whole notification of the Backport IG in R4."""
    return bundle(status_entry(r4_status(*events, **said)))


def r5(*events: dict[str, Any], kind: str = "event-notification", **said: Any) -> dict[str, Any]:
    """A SubscriptionStatus Bundle, as R4B and R5 have it."""
    status = {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": kind,
        "eventsSinceSubscriptionStart": "1",
        "notificationEvent": list(events),
        "subscription": {"reference": "Subscription/sub-1"},
        "topic": TOPIC,
        **said,
    }
    return bundle(status_entry(status, request=False), kind="subscription-notification")


def r5_event(number: object, reference: str | None, **said: Any) -> dict[str, Any]:
    focus = {} if reference is None else {"focus": {"reference": reference}}
    return {"eventNumber": number, "timestamp": "2026-11-23T14:30:00Z", **focus, **said}
