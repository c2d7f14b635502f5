"""The status of a Subscription, as notifications say it: Parameters (R4), else SubscriptionStatus.

Sources: Subscriptions R5 Backport IG 1.1, StructureDefinition backport-subscription-status-r4;
hl7.org/fhir/R5/subscriptionstatus.html.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_mappers.findings import warn
from fhir_mappers.notification import Event, Focus
from fhir_mappers.reference import by_identifier, is_foreign, literal, subscription_id
from fhir_mappers.translation import MapWarning

_LARGEST: Final = 2**63 - 1  # integer64
_DIGITS: Final = 19
# name in Parameters (R4) → how its value should come
_VALUES: Final = {
    "subscription": "valueReference",
    "topic": "valueCanonical",
    "status": "valueCode",
    "type": "valueCode",
    "events-since-subscription-start": "valueString",
    "event-number": "valueString",
    "timestamp": "valueInstant",
    "focus": "valueReference",
    "error": "valueCodeableConcept",
}
# A path may name these; whatever else an object holds is not repeated.
_KNOWN: Final = frozenset(
    {
        *_VALUES.values(),
        "valueUri",
        "valueUrl",
        "valueId",
        "valueInteger",
        "valueInteger64",
        "valueUnsignedInt",
    }
)
_STATUSES: Final = frozenset({"requested", "active", "error", "off", "entered-in-error"})
_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
# name in Parameters (R4) → name in SubscriptionStatus
_NAMES: Final = {
    "events-since-subscription-start": "eventsSinceSubscriptionStart",
    "event-number": "eventNumber",
}


@dataclass(frozen=True, slots=True)
class Status:
    """What it says; `type` as it stands there."""

    type: str
    subscription: str
    topic: str
    status: str
    events_since_start: int | None
    events: tuple[Event, ...]
    errors: tuple[str, ...]


@dataclass(slots=True)
class _Reader:
    """One status being read; `paths` tells where each of its elements stood."""

    base: str
    warnings: list[MapWarning]
    topic: str = ""
    paths: dict[str, str] = field(default_factory=dict)

    def status(self, said: Mapping[str, Any], path: str) -> Status:
        self.topic = text(said.get("topic"))
        subscription = self._subscription(said.get("subscription"), path)
        restarts = "eventsInNotification" in said
        if restarts:
            self._note(f"{path}.eventsInNotification", "numbers-restart")
        events = tuple(
            self._event(event, self._at(event_path), restarts=restarts)
            for event, event_path in mappings(said.get("notificationEvent"), f"{path}.notificationEvent")
        )
        since = said.get("eventsSinceSubscriptionStart")
        return Status(
            type=text(said.get("type")),
            subscription=subscription,
            topic=self.topic,
            status=status if (status := text(said.get("status"))) in _STATUSES else "",
            events_since_start=None
            if restarts or since is None
            else self._count(since, self._at(f"{path}.eventsSinceSubscriptionStart")),
            events=events,
            errors=tuple(_codes(said.get("error"))),
        )

    def _subscription(self, said: object, path: str) -> str:
        where = self._at(f"{path}.subscription")
        reference = said.get("reference") if isinstance(said, dict) else said
        found = subscription_id(text(reference))
        if not found:
            self._note(where, "no-subscription")
        return found

    def _event(self, said: Mapping[str, Any], path: str, *, restarts: bool) -> Event:
        number = said.get("eventNumber")
        if number is None:
            self._note(path, "no-event-number")
        count = None if number is None else self._count(number, self._at(f"{path}.eventNumber"))
        focus = said.get("focus")
        where = self._at(f"{path}.focus")
        return Event(
            number=None if restarts else count,
            focus=None if focus is None else self._focus(focus, where),
        )

    def _focus(self, said: object, path: str) -> Focus | None:
        reference = said if isinstance(said, dict) else {"reference": said}
        written = text(reference.get("reference"))
        found = literal(written, self.base) if written else None
        found = found or by_identifier(reference, _type_of_topic(self.topic))
        if found is None:
            self._note(path, "foreign-reference" if is_foreign(written, self.base) else "not-a-reference")
        return found

    def _count(self, said: object, path: str) -> int | None:
        written = str(said) if isinstance(said, int | str) and not isinstance(said, bool) else ""
        if written.isascii() and written.isdigit() and len(written) <= _DIGITS and int(written) <= _LARGEST:
            return int(written)
        self._note(path, "not-a-number")
        return None

    def _at(self, path: str) -> str:
        return self.paths.get(path, path)

    def _note(self, path: str, code: str) -> None:
        self.warnings.append(warn(path, code))

    def as_status(self, parameters: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Parameters, written as the SubscriptionStatus that says the same; remembers where it stood."""
        said: dict[str, Any] = {"notificationEvent": [], "error": []}
        for parameter, where in mappings(parameters.get("parameter"), f"{path}.parameter"):
            name = text(parameter.get("name"))
            if name == "notification-event":
                self._add_event(said["notificationEvent"], parameter, path, where)
            elif name == "error":
                said["error"].append(self._value(name, parameter, where))
            elif name in _VALUES:
                key = _NAMES.get(name, name)
                said[key] = self._value(name, parameter, where)
                self.paths[f"{path}.{key}"] = where
        return said

    def _add_event(
        self, events: list[dict[str, Any]], parameter: Mapping[str, Any], path: str, where: str
    ) -> None:
        at = f"{path}.notificationEvent[{len(events)}]"
        self.paths[at] = where
        event: dict[str, Any] = {}
        for part, part_path in mappings(parameter.get("part"), f"{where}.part"):
            name = text(part.get("name"))
            if name in _VALUES:
                key = _NAMES.get(name, name)
                event[key] = self._value(name, part, part_path)
                self.paths[f"{where}.{key}"] = part_path
        events.append(event)

    def _value(self, name: str, parameter: Mapping[str, Any], path: str) -> Any:
        kind, value = next(
            ((key, value) for key, value in parameter.items() if key.startswith("value")), ("", None)
        )
        if kind and kind != _VALUES[name]:
            self._note(f"{path}.{kind}" if kind in _KNOWN else path, "other-value-type")
        return value


def is_status(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is the status of a Subscription."""
    if resource.get("resourceType") == "SubscriptionStatus":
        return True
    names = {text(each.get("name")) for each, _ in mappings(resource.get("parameter"), "")}
    return resource.get("resourceType") == "Parameters" and bool(
        names & {"subscription", "notification-event"}
    )


def read_status(resource: Mapping[str, Any], path: str, base: str, warnings: list[MapWarning]) -> Status:
    """Read it; what is odd is noted among `warnings`."""
    reader = _Reader(base, warnings)
    said = reader.as_status(resource, path) if resource.get("resourceType") == "Parameters" else resource
    return reader.status(said, path)


def text(value: object) -> str:
    """A text, '' for anything else."""
    return value if isinstance(value, str) else ""


def mappings(value: object, path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The objects of a list, each with its path; an object alone is a list of one, anything else is none."""
    listed: Iterable[object] = value if isinstance(value, list) else [value]
    for place, each in enumerate(listed):
        if isinstance(each, dict):
            yield each, f"{path}[{place}]"


def _type_of_topic(topic: str) -> str:
    """As in athenahealth's topics: `…/SubscriptionTopic/Appointment.create`."""
    return topic.rpartition("/")[2].partition(".")[0]


def _codes(said: object) -> Iterator[str]:
    for concept, path in mappings(said, ""):
        for coding, _ in mappings(concept.get("coding"), path):
            if _CODE.fullmatch(code := text(coding.get("code"))):
                yield code
