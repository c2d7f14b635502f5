"""A small, strict FHIR R4 server on loopback: refuses what the standard forbids, fails on demand."""

from __future__ import annotations

import json
import socket
from collections import deque
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next request of a kind."""

    method: str
    resource_type: str  # also `metadata`
    status: int = 0  # 0: hang up without a word
    after_storing: bool = False  # the deed is done first
    headers: dict[str, str] = field(default_factory=dict)
    body: Resource | str | None = None
    hold: bool = False  # neither answer nor hang up until the server stops


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


@dataclass(frozen=True)
class Asked:
    """One request, read."""

    method: str
    segments: list[str]
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any  # None for a GET


class StrictEhr:
    """The server's data, its manners (knobs), and the faults that wait."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.history: dict[tuple[str, str], list[Resource | None]] = {}  # None: deleted
        self.seen: list[Seen] = []
        self.faults: deque[Fault] = deque()
        self.base_url = ""
        self.released = Event()
        self.connections: list[socket.socket] = []
        # manners
        self.conditional_create = True
        self.claims_conditional_create: bool | None = None  # in the CapabilityStatement; None: the truth
        self.versioning = "versioned-update"
        self.conflict_status = 412
        self.offers = {
            "Communication": {"create", "update", "search-type"},
            "AppointmentResponse": {"create", "update", "search-type"},
        }
        self.shows_capabilities = True
        self.search_lag = 0  # how many searches do not see a new resource yet
        self.page_size = 10
        self.next_link_base: str | None = None
        self.ignores_search = False  # answers every search with everything
        self.returns_body = True
        self.refers_strictly = True
        self.relative_location = False
        self._lags: dict[tuple[str, str], int] = {}
        self._number = 0

    # what tests look at

    def all(self, resource_type: str) -> list[Resource]:
        """The newest versions of all resources of a type."""
        with self.lock:
            newest = [versions[-1] for (kind, _), versions in self.history.items() if kind == resource_type]
        return [each for each in newest if each is not None]

    def statuses(self, resource_type: str, resource_id: str) -> list[str]:
        """The status of each version, oldest first."""
        return [each["status"] if each else "deleted" for each in self.history[resource_type, resource_id]]

    def asked(self, method: str, resource_type: str) -> list[Seen]:
        """The requests of a kind."""
        return [each for each in self.seen if each.method == method and resource_type in each.path.split("/")]

    # what tests and the handler do

    def put(self, resource: Resource, resource_id: str | None = None) -> Resource:
        """Store a new version."""
        with self.lock:
            self._number += 1
            key = (resource["resourceType"], resource_id or f"r{self._number}")
            versions = self.history.setdefault(key, [])
            meta = {
                "versionId": str(len(versions) + 1),
                "lastUpdated": f"2027-01-01T00:00:00.{self._number:06d}Z",
            }
            stored = {**resource, "id": key[1], "meta": meta}
            versions.append(stored)
            return stored

    def delete(self, resource_type: str, resource_id: str) -> None:
        """It answers 410 from now on."""
        self.history[resource_type, resource_id].append(None)

    def fault_for(self, method: str, resource_type: str) -> Fault | None:
        """The first waiting fault, if it is of this kind."""
        with self.lock:
            if self.faults and (self.faults[0].method, self.faults[0].resource_type) == (
                method,
                resource_type,
            ):
                return self.faults.popleft()
        return None

    def matches(self, resource_type: str, query: dict[str, list[str]], *, lagging: bool) -> list[Resource]:
        """Resources of a type that carry every identifier asked for."""
        found = []
        for each in self.all(resource_type):
            key = (resource_type, each["id"])
            if lagging and self._lags.setdefault(key, self.search_lag) > 0:
                self._lags[key] -= 1
                continue
            ours = all(_carries(each, token) for token in query.get("identifier", []))
            theirs = all(_is_about(each, patient_id) for patient_id in query.get("patient", []))
            if self.ignores_search or (ours and theirs):
                found.append(each)
        return found

    # what a vendor's server has otherwise

    def house_rule(self, asked: Asked) -> tuple[int, Resource | str | None, dict[str, str]] | None:
        """The answer to what the vendor treats by rules of its own; None for all else."""
        del asked
        return None

    def taken(self, resource: Resource) -> Resource:
        """What the vendor keeps of a resource."""
        return resource

    def patched(self, current: Resource, steps: list[Resource]) -> Resource | None:
        """The resource after a JSON Patch; None when a step does not apply."""
        changed: Resource = deepcopy(current)
        for step in steps:
            *way, last = step["path"].strip("/").split("/")
            try:
                node: Any = changed
                for name in way:
                    node = node[int(name) if isinstance(node, list) else name]
                if step["op"] == "test" and node[last] != step["value"]:
                    return None
                if step["op"] == "replace" and last not in node:
                    return None
            except (KeyError, IndexError):
                return None
            if step["op"] != "test":
                node[last] = step["value"]
        return changed

    def missing_reference(self, node: Any) -> str | None:
        """A literal reference to something that is not here."""
        if isinstance(node, dict):
            target = node.get("reference")
            if isinstance(target, str):
                kind, _, resource_id = target.partition("/")
                versions = self.history.get((kind, resource_id))
                if not versions or versions[-1] is None:
                    return target
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return next((lost for lost in map(self.missing_reference, children) if lost), None)

    def capability_statement(self) -> Resource:
        """What it says it can do."""
        claims = self.claims_conditional_create
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "rest": [
                {
                    "mode": "server",
                    "resource": [
                        {
                            "type": name,
                            "interaction": [{"code": code} for code in sorted(codes)],
                            "conditionalCreate": self.conditional_create if claims is None else claims,
                            "versioning": self.versioning,
                        }
                        for name, codes in self.offers.items()
                    ],
                }
            ],
        }


def _is_about(resource: Resource, patient_id: str) -> bool:
    actors = [each.get("actor") or {} for each in resource.get("participant") or ()]
    named = (resource.get("subject") or {}, *actors)
    return any(each.get("reference") == f"Patient/{patient_id}" for each in named)


def _carries(resource: Resource, token: str) -> bool:
    system, separator, value = token.rpartition("|")
    return any(
        each.get("value") == value and (not separator or each.get("system") == system)
        for each in resource.get("identifier", [])
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    ehr: StrictEhr

    def setup(self) -> None:
        super().setup()
        self.ehr.connections.append(self.connection)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    def _serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        segments = [each for each in parts.path.removeprefix("/fhir").split("/") if each]
        query = parse_qs(parts.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.ehr.seen.append(Seen(method, parts.path, query, headers))
        fault = self.ehr.fault_for(method, segments[0])
        if fault is None:
            self._answer(*self._deed(method, segments, query, headers, body))
            return
        if fault.after_storing:
            self._deed(method, segments, query, headers, body)
        if fault.hold:
            self.ehr.released.wait(30)
        if fault.status:
            self._answer(fault.status, fault.body, fault.headers)
        else:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _deed(
        self,
        method: str,
        segments: list[str],
        query: dict[str, list[str]],
        headers: dict[str, str],
        body: bytes,
    ) -> tuple[int, Resource | str | None, dict[str, str]]:
        if "json" not in headers.get("accept", ""):
            return 406, outcome("not-supported"), {}
        asked = Asked(method, segments, query, headers, json.loads(body or b"null"))
        ruled = self.ehr.house_rule(asked)
        if ruled is not None:
            return ruled
        if method == "GET":
            return self._look(segments, query)
        patches = method == "PATCH"
        if headers.get("content-type") != f"application/{'json-patch' if patches else 'fhir'}+json":
            return 415, outcome("not-supported"), {}
        return self._change(method, segments, headers, asked.body)

    def _change(
        self, method: str, segments: list[str], headers: dict[str, str], resource: Any
    ) -> tuple[int, Resource | None, dict[str, str]]:
        if method == "PATCH":
            return self._patch(segments[0], segments[1], resource, headers)
        refusal = self._refusal(segments[0], resource)
        if refusal is not None:
            return refusal
        if method == "POST":
            return self._create(segments[0], resource, headers.get("if-none-exist"))
        return self._update(segments[0], segments[1], resource, headers.get("if-match"))

    def _look(
        self, segments: list[str], query: dict[str, list[str]]
    ) -> tuple[int, Resource | None, dict[str, str]]:
        if segments == ["metadata"]:
            shows = self.ehr.shows_capabilities
            return (200, self.ehr.capability_statement(), {}) if shows else (404, None, {})
        return self._search(segments[0], query) if len(segments) == 1 else self._read(*segments)

    def _refusal(self, kind: str, resource: Resource) -> tuple[int, Resource | None, dict[str, str]] | None:
        if resource.get("resourceType") != kind:
            return 400, outcome("invalid"), {}
        try:
            get_fhir_model_class(kind).model_validate(resource)
        except ValidationError:
            return 422, outcome("structure"), {}
        lost = self.ehr.missing_reference(resource) if self.ehr.refers_strictly else None
        return (422, outcome("not-found"), {}) if lost else None

    def _search(self, kind: str, query: dict[str, list[str]]) -> tuple[int, Resource | None, dict[str, str]]:
        found = self.ehr.matches(kind, query, lagging=True)
        start = int(query.get("_offset", ["0"])[0])
        page = found[start : start + self.ehr.page_size]
        links = []
        if start + self.ehr.page_size < len(found):
            base = self.ehr.next_link_base or self.ehr.base_url
            identifier = query.get("identifier", [""])[0]
            url = f"{base}/{kind}?identifier={identifier}&_offset={start + self.ehr.page_size}"
            links.append({"relation": "next", "url": url})
        entries = [{"resource": each, "search": {"mode": "match"}} for each in page]
        return 200, {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}, {}

    def _read(self, kind: str, resource_id: str) -> tuple[int, Resource | None, dict[str, str]]:
        versions = self.ehr.history.get((kind, resource_id))
        if not versions:
            return 404, outcome("not-found"), {}
        if versions[-1] is None:
            return 410, outcome("deleted"), {}
        return 200, versions[-1], self._version_headers(versions[-1])

    def _create(
        self, kind: str, resource: Resource, condition: str | None
    ) -> tuple[int, Resource | None, dict[str, str]]:
        if "create" not in self.ehr.offers.get(kind, ()):
            return 405, outcome("not-supported"), {}
        if condition and self.ehr.conditional_create:
            there = self.ehr.matches(kind, parse_qs(condition), lagging=False)
            if len(there) > 1:
                return 412, outcome("multiple-matches"), {}
            if there:
                return 200, self._shown(there[0]), self._version_headers(there[0])
        return self._written(201, self.ehr.put({**self.ehr.taken(resource), "id": None}))

    def _update(
        self, kind: str, resource_id: str, resource: Resource, if_match: str | None
    ) -> tuple[int, Resource | None, dict[str, str]]:
        if "update" not in self.ehr.offers.get(kind, ()):
            return 405, outcome("not-supported"), {}
        versions = self.ehr.history.get((kind, resource_id))
        if not versions:
            return 404, outcome("not-found"), {}
        current = versions[-1]
        if self.ehr.versioning == "versioned-update" and (
            current is None or if_match != f'W/"{current["meta"]["versionId"]}"'
        ):
            return self.ehr.conflict_status, outcome("conflict"), {}
        if current is None:
            return 410, outcome("deleted"), {}
        return self._written(200, self.ehr.put(self.ehr.taken(resource), resource_id))

    def _patch(
        self, kind: str, resource_id: str, steps: list[Resource], headers: dict[str, str]
    ) -> tuple[int, Resource | None, dict[str, str]]:
        """A JSON Patch (RFC 6902) as far as anybody sends one here."""
        if "patch" not in self.ehr.offers.get(kind, ()):
            return 405, outcome("not-supported"), {}
        versions = self.ehr.history.get((kind, resource_id)) or [None]
        current = versions[-1]
        if current is None:
            return 404, outcome("not-found"), {}
        matches = headers.get("if-match") == f'W/"{current["meta"]["versionId"]}"'
        if self.ehr.versioning == "versioned-update" and not matches:
            return self.ehr.conflict_status, outcome("conflict"), {}
        changed = self.ehr.patched(current, steps)
        if changed is None:
            return 422, outcome("business-rule"), {}
        refusal = self._refusal(kind, changed)
        return refusal or self._written(200, self.ehr.put(changed, resource_id))

    def _written(self, status: int, stored: Resource) -> tuple[int, Resource | None, dict[str, str]]:
        headers = self._version_headers(stored)
        version = stored["meta"]["versionId"]
        place = f"{stored['resourceType']}/{stored['id']}"
        whole = f"{self.ehr.base_url}/{place}/_history/{version}"
        headers["Location"] = place if self.ehr.relative_location else whole
        return status, self._shown(stored), headers

    def _shown(self, resource: Resource) -> Resource | None:
        return resource if self.ehr.returns_body else None

    def _version_headers(self, resource: Resource) -> dict[str, str]:
        if self.ehr.versioning == "no-version":
            return {}
        return {"ETag": f'W/"{resource["meta"]["versionId"]}"'}

    def _answer(self, status: int, body: Resource | str | None, headers: dict[str, str]) -> None:
        content = (
            body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
        )
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if content:
            kind = "text/html" if isinstance(body, str) else "application/fhir+json; charset=utf-8"
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def outcome(code: str) -> Resource:
    """A refusal that quotes a person, as real servers do."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": code,
                "diagnostics": "Ana Secret, MRN 12345, +12025550123",
                "expression": ["Communication.payload[0]", "Patient.where(name='Ana Secret')"],
            }
        ],
    }


@contextmanager
def listening(ehr: StrictEhr, port: int = 0) -> Iterator[StrictEhr]:
    """Serve `ehr` on loopback while the block runs; the same port again lets it come back after an outage."""
    handler = type("Handler", (_Handler,), {"ehr": ehr})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    ehr.base_url = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield ehr
    finally:
        ehr.released.set()
        server.shutdown()
        for connection in ehr.connections:
            with suppress(OSError):  # it has ended already
                connection.shutdown(socket.SHUT_RDWR)
        ehr.connections.clear()
        server.server_close()
        thread.join()
