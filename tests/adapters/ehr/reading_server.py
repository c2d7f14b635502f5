"""A FHIR server of the tests that is read: it answers searches as strictly, or as loosely, as real ones."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.adapters.ehr.on_loopback import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]
Query = list[tuple[str, str]]
Answer = tuple[int, Resource | None, dict[str, str]]  # status, body, headers

ALL: Final = frozenset(
    {"date", "location", "_lastUpdated", "_count", "_include", "identifier", "patient", "status", "sent"}
)


@dataclass
class ReadingServer:
    """Its data, its manners, and what it was asked."""

    resources: dict[tuple[str, str], Resource | None] = field(default_factory=dict)  # None: deleted
    asked: list[str] = field(default_factory=list)  # paths with queries, from the base
    conditions: list[str] = field(default_factory=list)  # If-None-Match
    faults: deque[int] = field(default_factory=deque)  # statuses of the next answers; 0: as it should be
    understands: frozenset[str] = ALL
    lists: frozenset[str] = ALL  # in its CapabilityStatement
    lists_for_all: frozenset[str] = frozenset()  # there, beside its types
    refuses_what_it_does_not_understand: bool = True
    refuses_a_date_alone: bool = False  # as Oracle does
    refused: frozenset[str] = frozenset()  # types it answers 403 for
    broken: frozenset[str] = frozenset()  # Type/id of what it answers 500 for
    page_size: int = 2
    repeats: bool = False  # each page begins with the last one's end, as Oracle's do
    next_at: str | None = None  # another base in its next links
    turns: bool = False  # its pages lead in a circle
    etag: bool = True
    offers_requests: bool = False  # search of CommunicationRequest
    shows_capabilities: bool = True
    date: str = "Mon, 01 Mar 2027 14:00:00 GMT"
    base_url: str = ""
    outside: list[str] = field(default_factory=list)  # requests that came below another path

    def put(self, resource: Resource, version: int | None = 1) -> Resource:
        """It holds this now."""
        stored = dict(resource)
        if version is not None:
            stored["meta"] = {"versionId": str(version), "lastUpdated": f"2027-03-01T12:00:{version:02d}Z"}
        self.resources[resource["resourceType"], resource["id"]] = stored
        return stored

    def searches(self) -> list[Query]:
        """What it was asked to search for Appointments."""
        queries = (each.partition("?") for each in self.asked)
        return [parse_qsl(query) for path, mark, query in queries if path == "/Appointment" and mark]

    def answer(self, path: str, query: Query, headers: dict[str, str]) -> Answer:
        """Status, body and headers."""
        parts = path.strip("/").split("/")
        fault = self.faults.popleft() if self.faults else 0
        if fault:
            return fault, None, {"Retry-After": "7"} if fault == 429 else {}
        if parts == ["metadata"]:
            return (200, self._statement(), {}) if self.shows_capabilities else (404, None, {})
        if "/".join(parts) in self.broken:
            return 500, None, {}
        if parts[0] in self.refused:
            return 403, None, {}
        if len(parts) == 1:
            return self._search(parts[0], query, strict="handling=strict" in headers.get("prefer", ""))
        return self._read(parts[0], parts[1], headers.get("if-none-match"))

    def _read(self, kind: str, resource_id: str, condition: str | None) -> Answer:
        if (kind, resource_id) not in self.resources:
            return 404, None, {}
        resource = self.resources[kind, resource_id]
        if resource is None:
            return 410, None, {}
        meta = resource.get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        tag = f'W/"{version}"' if self.etag and version else None
        if condition is not None:
            self.conditions.append(condition)
        if tag and condition == tag:
            return 304, None, {"ETag": tag}
        return 200, resource, {"ETag": tag} if tag else {}

    def _search(self, kind: str, query: Query, *, strict: bool) -> Answer:
        unknown = {name for name, _ in query} - self.understands - {"_offset"}
        if unknown and strict and self.refuses_what_it_does_not_understand:
            return 400, {"resourceType": "OperationOutcome", "issue": []}, {}
        known = [(name, value) for name, value in query if name not in unknown]
        if kind == "Appointment" and self.refuses_a_date_alone and "location" not in dict(known):
            return 400, None, {}
        found = [
            each
            for (each_kind, _), each in sorted(self.resources.items())
            if each_kind == kind and each is not None and all(_meets(each, *part) for part in known)
        ]
        start = int(dict(query).get("_offset", "0"))
        shown = found[max(0, start - (1 if self.repeats else 0)) : start + self.page_size]
        entries = [{"resource": each, "search": {"mode": "match"}} for each in shown]
        included = self._included(shown, [value for name, value in known if name == "_include"])
        entries += [{"resource": each, "search": {"mode": "include"}} for each in included]
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        following = start + self.page_size
        if following < len(found) or self.turns:
            again = [(name, value) for name, value in query if name != "_offset"]
            again.append(("_offset", str(0 if self.turns else following)))
            url = f"{self.next_at or self.base_url}/{kind}?{urlencode(again)}"
            bundle["link"] = [{"relation": "next", "url": url}]
        return 200, bundle, {}

    def _included(self, shown: list[Resource], wanted: list[str]) -> list[Resource]:
        kinds = {each.partition(":")[2].title() for each in wanted}
        names = {
            tuple(name.split("/")): None
            for each in shown
            for participant in each.get("participant", ())
            if (name := participant["actor"].get("reference", "/")).split("/")[0] in kinds
        }
        return [each for name in names if (each := self.resources.get((name[0], name[-1]))) is not None]

    def _statement(self) -> Resource:
        parameters = [{"name": each} for each in sorted(self.lists)]
        includes = ["Appointment:patient", "Appointment:location"] if "_include" in self.lists else []
        appointment = {
            "type": "Appointment",
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": parameters,
            "searchInclude": includes,
        }
        request = {**appointment, "type": "CommunicationRequest"}
        rest = {
            "mode": "server",
            "resource": [appointment, *([request] if self.offers_requests else [])],
            "searchParam": [{"name": each} for each in sorted(self.lists_for_all)],
        }
        return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [rest]}


def _meets(resource: Resource, name: str, value: str) -> bool:
    if name in {"date", "sent", "_lastUpdated"}:
        asked_of = resource.get("meta", {}) if name == "_lastUpdated" else resource
        told = asked_of.get({"date": "start", "_lastUpdated": "lastUpdated"}.get(name, name))
        if told is None:
            return True
        moment, wanted = datetime.fromisoformat(told), datetime.fromisoformat(value[2:])
        return moment >= wanted if value.startswith("ge") else moment < wanted
    if name == "identifier":
        system, bar, wanted_value = value.rpartition("|")
        return any(
            each.get("value") == wanted_value and (not bar or each.get("system", "") == system)
            for each in resource.get("identifier", ())
        )
    if name == "location":
        named = (each["actor"].get("reference") for each in resource.get("participant", ()))
        return f"Location/{value}" in named
    found = {"status": resource.get("status"), "patient": resource.get("patient", {}).get("reference")}
    return name not in found or found[name] in {value, f"Patient/{value}"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    ehr: ReadingServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the base class's
        """By its own clock."""
        return self.ehr.date

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if not parts.path.startswith("/fhir/"):
            self.ehr.outside.append(self.path)
        self.ehr.asked.append(self.path.removeprefix("/fhir"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = parts.path.removeprefix("/fhir")
        status, body, more = self.ehr.answer(path, parse_qsl(parts.query), headers)
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def reading(ehr: ReadingServer) -> Iterator[ReadingServer]:
    """Serve it on loopback while the block runs."""
    handler = type("Handler", (_Handler,), {"ehr": ehr})
    with on_loopback(handler) as root:
        ehr.base_url = f"{root}/fhir"
        yield ehr
