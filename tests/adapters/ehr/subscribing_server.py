"""Small, strict FHIR servers that take Subscriptions, each in its own dialect, and refuse every other."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

from fhir.resources.R4B.subscription import Subscription as R4Subscription
from fhir.resources.subscription import Subscription as R5Subscription
from pydantic import ValidationError

from tests.adapters.ehr.on_loopback import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]
Dialect = Literal["classic", "topic", "r5", "medplum", "none"]

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
ANY = "http://example.org/SubscriptionTopic/appointment-any"
BOOKED = "http://example.org/SubscriptionTopic/appointment-booked"


@dataclass
class Server:
    """One server's data and manners."""

    dialect: Dialect
    resources: dict[str, Resource] = field(default_factory=dict)  # Subscriptions by id
    counts: dict[str, int] = field(default_factory=dict)
    past: dict[int, str] | None = None  # event number → focus
    searches: bool = True
    changes: bool = True  # PUT is allowed
    deletes: bool = True
    hides_headers: bool = False
    drops_answer: bool = False  # of the next POST, after it was stored
    asked: list[tuple[str, str]] = field(default_factory=list)
    base_url: str = ""
    numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def fhir_version(self) -> str:
        return "5.0.0" if self.dialect == "r5" else "4.0.1"

    def statement(self) -> Resource:
        kinds = ["Appointment", "Patient", *([] if self.dialect == "none" else ["Subscription"])]
        if self.dialect in {"topic", "r5"}:
            kinds.append("SubscriptionTopic" if self.dialect == "r5" else "Basic")
        codes = ["read", "create", "update", "search-type"]
        resources: list[Resource] = [
            {"type": kind, "interaction": [{"code": code} for code in codes]} for kind in kinds
        ]
        if self.dialect in {"topic", "r5"}:
            url = f"{_BACKPORT}capabilitystatement-subscriptiontopic-canonical"
            resources[2]["extension"] = [{"url": url, "valueCanonical": each} for each in (ANY, BOOKED)]
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": self.fhir_version,
            "software": {"name": "Medplum" if self.dialect == "medplum" else "Strict", "version": "1"},
            "rest": [{"mode": "server", "resource": resources}],
        }

    def refusal(self, resource: Resource) -> str | None:
        """Why it is not taken; a word that no answer repeats."""
        if self.dialect == "none":
            return "not-supported"
        model = R5Subscription if self.dialect == "r5" else R4Subscription
        try:
            model.model_validate(resource)
        except ValidationError:
            return "structure"
        channel = resource.get("channel", {})
        content = channel.get("_payload", {}).get("extension", [{}])[0]
        profiles = resource.get("meta", {}).get("profile", [])
        by_topic = self.dialect in {"topic", "r5"}
        topic = resource.get("topic", resource.get("criteria"))
        wrong = {
            "status": resource["status"]
            not in {"active" if self.dialect == "medplum" else "requested", "off"},
            "criteria": not by_topic and not str(resource.get("criteria")).endswith("?"),
            "profile": self.dialect == "topic"
            and (f"{_BACKPORT}backport-subscription" not in profiles or "valueCode" not in content),
            "topic": by_topic and topic not in {ANY, BOOKED},
        }
        return next((word for word, is_so in wrong.items() if is_so), None)

    def keep(self, resource: Resource, resource_id: str) -> Resource:
        """Take it; the handshake is over at once."""
        status = "off" if resource["status"] == "off" else "active"
        kept = {**resource, "id": resource_id, "status": status, "meta": {**resource.get("meta", {})}}
        self.resources[resource_id] = kept
        return kept

    def shown(self, resource: Resource) -> Resource:
        if not self.hides_headers:
            return resource
        channel = {name: value for name, value in resource.get("channel", {}).items() if name != "header"}
        return {**resource, "channel": channel}

    def topics(self, kind: str) -> list[Resource]:
        """What the topics tell of, as R5 says it or as an R4 server's Basics do."""
        r5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
        conditions = {ANY: None, BOOKED: "%current.status = 'booked'"}
        found: list[Resource] = []
        for url, condition in conditions.items():
            said = [] if condition is None else [("fhirPathCriteria", "valueString", condition)]
            if kind == "SubscriptionTopic":
                trigger = {"resource": "Appointment", "supportedInteraction": ["create", "update"]}
                trigger |= {name: value for name, _, value in said}
                found.append({"resourceType": kind, "url": url, "resourceTrigger": [trigger]})
                continue
            parts = [
                {"url": "resource", "valueUri": "http://hl7.org/fhir/StructureDefinition/Appointment"},
                *({"url": "supportedInteraction", "valueCode": each} for each in ("create", "update")),
                *({"url": name, key: value} for name, key, value in said),
            ]
            extensions = [
                {"url": f"{r5}url", "valueUri": url},
                {"url": f"{r5}resourceTrigger", "extension": parts},
            ]
            found.append({"resourceType": kind, "extension": extensions})
        return found


class _Handler(BaseHTTPRequestHandler):
    server_here: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        here, (kind, *rest), query = self.server_here, *self._asked("GET")
        if kind == "metadata":
            self._say(200, here.statement())
        elif kind in {"SubscriptionTopic", "Basic"}:
            self._say_all(here.topics(kind))
        elif kind != "Subscription" or here.dialect == "none":
            self._say(404, None)
        elif not rest:
            found = [here.shown(each) for each in here.resources.values()]
            self._say_all(found) if here.searches else self._say(403, None)
        elif rest[0] not in here.resources:
            self._say(404, None)
        elif len(rest) == 1:
            self._say(200, here.shown(here.resources[rest[0]]))
        elif rest[1] == "$status" and here.dialect in {"topic", "r5"}:
            self._say_all([self._status(rest[0], {})])
        elif rest[1] == "$events" and here.past is not None:
            first, last = (int(query[f"events{each}Number"][0]) for each in ("Since", "Until"))
            told = {number: focus for number, focus in here.past.items() if first <= number <= last}
            self._say_all([self._status(rest[0], told)], "history")
        else:
            self._say(404, None)

    def do_POST(self) -> None:
        here = self.server_here
        self._asked("POST")
        resource = self._body()
        refusal = here.refusal(resource)
        if refusal is not None:
            self._say(422, None)
            return
        made = here.keep(resource, f"s{next(here.numbers)}")
        if here.drops_answer:
            here.drops_answer = False
            self.close_connection = True
            return
        self._say(201, here.shown(made))

    def do_PUT(self) -> None:
        here, (_, resource_id), _ = self.server_here, *self._asked("PUT")
        resource = self._body()
        if not here.changes:
            self._say(405, None)
        elif here.refusal(resource) is not None:
            self._say(422, None)
        else:
            self._say(200, here.shown(here.keep(resource, resource_id)))

    def do_DELETE(self) -> None:
        here, (_, resource_id), _ = self.server_here, *self._asked("DELETE")
        if not here.deletes:
            self._say(405, None)
            return
        here.resources.pop(resource_id, None)
        self._say(204, None)

    def _asked(self, method: str) -> tuple[list[str], dict[str, list[str]]]:
        parts = urlsplit(self.path)
        segments = parts.path.removeprefix("/fhir/").split("/")
        self.server_here.asked.append((method, "/".join(segments)))
        return segments, parse_qs(parts.query)

    def _body(self) -> Resource:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(body, dict)
        return body

    def _status(self, resource_id: str, events: dict[int, str]) -> Resource:
        here = self.server_here
        subscription = {"reference": f"Subscription/{resource_id}"}
        since = str(here.counts.get(resource_id, 0))
        status = here.resources[resource_id]["status"]
        if here.dialect == "r5":
            told = [{"eventNumber": str(n), "focus": {"reference": f}} for n, f in events.items()]
            return {
                "resourceType": "SubscriptionStatus",
                "status": status,
                "type": "query-event" if events else "query-status",
                "eventsSinceSubscriptionStart": since,
                "notificationEvent": told,
                "subscription": subscription,
            }
        parameters: list[Resource] = [
            {"name": "subscription", "valueReference": subscription},
            {"name": "status", "valueCode": status},
            {"name": "type", "valueCode": "query-event" if events else "query-status"},
            {"name": "events-since-subscription-start", "valueString": since},
        ]
        for number, focus in events.items():
            parts = [
                {"name": "event-number", "valueString": str(number)},
                {"name": "focus", "valueReference": {"reference": focus}},
            ]
            parameters.append({"name": "notification-event", "part": parts})
        return {"resourceType": "Parameters", "parameter": parameters}

    def _say_all(self, resources: list[Resource], kind: str = "searchset") -> None:
        entries = [{"resource": each} for each in resources]
        self._say(200, {"resourceType": "Bundle", "type": kind, "entry": entries})

    def _say(self, status: int, body: Resource | None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server at its base URL."""
    handler = type("Handler", (_Handler,), {"server_here": server})
    with on_loopback(handler) as root:
        server.base_url = f"{root}/fhir"
        yield server
