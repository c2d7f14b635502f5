"""Speaks FHIR R4 over HTTP to one configured server; what the answers mean stands in `fhir_answers`.

The token goes to the configured origin and nowhere else: redirects are not
followed, and next links only within that origin. A token the server does not
take (401) is replaced once and the request sent again: it was not processed.
Every exchange is bounded in time and bytes.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin, urlsplit

import httpx
import orjson

from fhir_mappers.from_fhir.elements import parts
from integration.adapters.ehr.authorization import FixedToken
from integration.adapters.ehr.fhir_answers import (
    Conflict,
    Found,
    Held,
    Missing,
    NoPlace,
    Resource,
    Response,
    SearchPage,
    Trouble,
    Unchanged,
    Unfit,
    Unnamed,
    created,
    entries,
    held,
    judge,
    search_page,
    unanswered,
)
from integration.domain.clock import wall_now
from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from integration.adapters.ehr.authorization import Authorization

_FHIR_JSON: Final = "application/fhir+json"
_TIMEOUT: Final = httpx.Timeout(connect=5, read=20, write=10, pool=5)  # seconds
_TOTAL_SECONDS: Final = 60.0  # for one answer, however slowly it drips
_LARGEST_ANSWER: Final = 16 * 1024 * 1024  # bytes
_MOST_PAGES: Final = 5
_MOST_PAGES_OF_A_WINDOW: Final = 10_000
# HAPI answers a repeated search from a cache for a minute unless asked not to.
_SEARCHING: Final = {"Cache-Control": "no-cache", "Prefer": "handling=strict"}
_PORTS: Final = {"http": 80, "https": 443}
_UNAUTHORIZED: Final = 401


class FhirClient:
    """One FHIR server; threads may share it."""

    def __init__(
        self,
        base_url: str,
        *,
        authorization: Authorization | None = None,
        timeout: httpx.Timeout = _TIMEOUT,
        wall: Callable[[], datetime] = wall_now,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._wall = wall
        self.authorization = authorization or FixedToken(None)
        self._has_stated = False  # it has shown its CapabilityStatement
        # httpx logs whole URLs, and ours name patients by identifier.
        for chatty in ("httpx", "httpcore"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        headers = {"Accept": _FHIR_JSON, "User-Agent": "appointment-texts"}
        self._http = httpx.Client(headers=headers, timeout=timeout, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Let go of all connections."""
        self._http.close()

    def capabilities(self) -> Resource | Missing | Trouble:
        """GET the CapabilityStatement."""
        asked = self._under_token("GET", self._metadata, None, {})
        answer = judge(asked, self._wall()) if isinstance(asked, Response) else asked
        if isinstance(answer, Conflict):
            return NotWritable("the EHR shows no CapabilityStatement")
        self._has_stated = self._has_stated or _is_statement(answer)
        return (answer.resource or {}) if isinstance(answer, Response) else answer

    def read(self, resource_type: str, resource_id: str) -> Held | Missing | Trouble:
        """GET one resource."""
        answer = self._get(self._url(resource_type, resource_id))
        if isinstance(answer, Conflict):
            return TryLater("the EHR will not show it now")
        return held(answer, resource_type, resource_id) if isinstance(answer, Response) else answer

    def search(self, resource_type: str, parameters: Mapping[str, str]) -> Found | Trouble:
        """GET a search, all its pages within reason."""
        url = f"{self._url(resource_type)}?{httpx.QueryParams(dict(parameters))}"
        found: list[Resource] = []
        for _ in range(_MOST_PAGES):
            answer = self._get(url, _SEARCHING)
            if isinstance(answer, NotWritable | TryLater):
                return answer
            bundle = answer.resource if isinstance(answer, Response) else None
            if not bundle or bundle.get("resourceType") != "Bundle":
                return NotWritable(f"the EHR does not search {resource_type}")
            found += entries(bundle, resource_type)
            link = _next_link(bundle)
            if link is None:
                return Found(tuple(found))
            followed = self._followed(url, link)
            if followed is None:
                break
            url = followed
        return Found(tuple(found), complete=False)

    def reread(
        self, resource_type: str, resource_id: str, version: str
    ) -> Held | Unchanged | Missing | Trouble:
        """GET one resource unless this version is still the newest (If-None-Match)."""
        url, headers = self._url(resource_type, resource_id), {"If-None-Match": f'W/"{version}"'}
        answer = self._ask("GET", url, None, headers)
        if isinstance(answer, Response) and answer.status == HTTPStatus.NOT_MODIFIED:
            return Unchanged()
        judged = judge(answer, self._wall()) if isinstance(answer, Response) else answer
        if isinstance(judged, Conflict):
            return TryLater("the EHR will not show it now")
        return held(judged, resource_type, resource_id) if isinstance(judged, Response) else judged

    def pages(
        self, resource_type: str, parameters: Sequence[tuple[str, str]]
    ) -> Iterator[SearchPage | Trouble]:
        """GET a search page by page, however many there are; trouble comes last.

        A parameter may be given several times. A next link that leads off the configured origin, or back, is
        trouble: what follows it is unknown.
        """
        url = f"{self._url(resource_type)}?{httpx.QueryParams(list(parameters))}"
        asked = {url}
        while True:
            answer = self._get(url, _SEARCHING)
            if isinstance(answer, NotWritable | TryLater):
                yield answer
                return
            bundle = answer.resource if isinstance(answer, Response) else None
            if not isinstance(answer, Response) or not bundle or bundle.get("resourceType") != "Bundle":
                yield NotWritable(f"the EHR does not search {resource_type}")
                return
            yield search_page(answer, bundle, resource_type)
            link = _next_link(bundle)
            if link is None:
                return
            followed = self._followed(url, link)
            if followed is None or followed in asked or len(asked) >= _MOST_PAGES_OF_A_WINDOW:
                yield NotWritable(_no_next_page(resource_type, followed, asked))
                return
            url = followed
            asked.add(url)

    def create(
        self, resource: Resource, *, if_none_exist: Mapping[str, str] | None = None
    ) -> Held | Unnamed | Conflict | Trouble:
        """POST; with `if_none_exist` (search parameters) only unless one is there: that is then held."""
        condition = {"If-None-Exist": str(httpx.QueryParams(dict(if_none_exist)))} if if_none_exist else {}
        resource_type = resource["resourceType"]
        answer = self._send("POST", self._url(resource_type), resource, condition)
        if isinstance(answer, Missing):
            return NoPlace(f"the EHR has no place for {resource_type}", resource_type=resource_type)
        if isinstance(answer, NoPlace | Unfit):
            return replace(answer, resource_type=resource_type)
        return created(answer, resource_type) if isinstance(answer, Response) else answer

    def update(
        self, resource: Resource, resource_id: str, version: str | None
    ) -> Held | Missing | Conflict | Trouble:
        """PUT, only over `version` when one is given (If-Match)."""
        condition = {"If-Match": f'W/"{version}"'} if version else {}
        resource_type = resource["resourceType"]
        whole = {**resource, "id": resource_id}
        answer = self._send("PUT", self._url(resource_type, resource_id), whole, condition)
        return held(answer, resource_type, resource_id) if isinstance(answer, Response) else answer

    def patch(
        self,
        resource_type: str,
        resource_id: str,
        operations: Sequence[Mapping[str, Any]],
        version: str | None,
    ) -> Held | Missing | Conflict | Trouble:
        """PATCH by a JSON Patch (RFC 6902), only over `version` when one is given (If-Match)."""
        headers = {"Content-Type": "application/json-patch+json", "Prefer": "return=representation"}
        if version:
            headers["If-Match"] = f'W/"{version}"'
        url = self._url(resource_type, resource_id)
        answer = self._exchange("PATCH", url, orjson.dumps(list(operations)), headers)
        return held(answer, resource_type, resource_id) if isinstance(answer, Response) else answer

    def delete(self, resource_type: str, resource_id: str) -> Response | Missing | Conflict | Trouble:
        """DELETE one resource."""
        return self._exchange("DELETE", self._url(resource_type, resource_id), None, {})

    def operation(
        self, resource_type: str, resource_id: str, name: str, parameters: Mapping[str, str] | None = None
    ) -> Resource | Missing | Trouble:
        """GET an operation on one resource, such as $status."""
        query = f"?{httpx.QueryParams(dict(parameters))}" if parameters else ""
        answer = self._get(f"{self._url(resource_type, resource_id)}/${name}{query}")
        if isinstance(answer, Conflict):
            return TryLater("the EHR will not tell it now")
        return (answer.resource or {}) if isinstance(answer, Response) else answer

    @property
    def _metadata(self) -> str:
        return f"{self.base_url}/metadata"

    def _url(self, resource_type: str, resource_id: str | None = None) -> str:
        tail = f"/{quote(resource_id, safe='')}" if resource_id else ""
        return f"{self.base_url}/{resource_type}{tail}"

    def _followed(self, url: str, link: str) -> str | None:
        """Where a link leads, None when that is off the configured origin."""
        try:
            target = urljoin(url, link)
            return target if _origin(target) == _origin(self.base_url) else None
        except ValueError:
            return None

    def _get(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> Response | Missing | Conflict | Trouble:
        return self._exchange("GET", url, None, dict(headers or {}))

    def _send(
        self, method: str, url: str, resource: Resource, condition: Mapping[str, str]
    ) -> Response | Missing | Conflict | Trouble:
        headers = {"Content-Type": _FHIR_JSON, "Prefer": "return=representation", **condition}
        return self._exchange(method, url, orjson.dumps(resource), headers)

    def _exchange(
        self, method: str, url: str, content: bytes | None, headers: dict[str, str]
    ) -> Response | Missing | Conflict | Trouble:
        answer = self._ask(method, url, content, headers)
        return judge(answer, self._wall()) if isinstance(answer, Response) else answer

    def _ask(
        self, method: str, url: str, content: bytes | None, headers: dict[str, str]
    ) -> Response | TryLater:
        """The EHR's answer; the page of a proxy that has lost the EHR behind it is none."""
        answer = self._under_token(method, url, content, headers)
        if not isinstance(answer, Response) or not self._has_stated or not answer.is_page_of_refusal:
            return answer
        if _is_statement(self._under_token("GET", self._metadata, None, {})):
            return answer
        return TryLater(f"what answers there is not the EHR: HTTP {answer.status} without FHIR")

    def _under_token(
        self, method: str, url: str, content: bytes | None, headers: dict[str, str]
    ) -> Response | TryLater:
        """The answer under a token that the server takes, if one can be had."""
        token = self.authorization.token()
        if isinstance(token, TryLater):
            return token
        answer = self._once(method, url, content, headers, token)
        if not _is_unauthorized(answer) or token is None or not self.authorization.refused(token):
            return answer
        another = self.authorization.token()
        if another is None or isinstance(another, TryLater):
            return answer if another is None else another
        return self._once(method, url, content, headers, another)

    def _once(
        self, method: str, url: str, content: bytes | None, headers: dict[str, str], token: str | None
    ) -> Response | TryLater:
        to_write = method != "GET"
        signed = headers if token is None else {**headers, "Authorization": f"Bearer {token}"}
        try:
            with self._http.stream(method, url, content=content, headers=signed) as response:
                body = _bounded(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return TryLater(f"no connection to the EHR ({type(error).__name__})")  # nothing left us
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return unanswered(f"no answer from the EHR ({type(error).__name__})", to_write=to_write)
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, lowered, body, to_write)


def _is_statement(answer: object) -> bool:
    shown = answer.resource if isinstance(answer, Response) and answer.status == HTTPStatus.OK else None
    return shown is not None and shown.get("resourceType") == "CapabilityStatement"


def _is_unauthorized(answer: Response | TryLater) -> bool:
    return isinstance(answer, Response) and answer.status == _UNAUTHORIZED


def _bounded(response: httpx.Response) -> bytes:
    """The body, read to its end unless it is too long or too slow; raises httpx errors."""
    deadline = time.monotonic() + _TOTAL_SECONDS
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise httpx.ReadError("the answer is too large")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer is too slow")
    return bytes(body)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    split = urlsplit(url)
    return split.scheme, split.hostname, split.port or _PORTS.get(split.scheme)


def _no_next_page(resource_type: str, followed: str | None, asked: Collection[str]) -> str:
    if followed is None:
        return f"the EHR's next page of {resource_type} lies at another origin than EHR_FHIR_BASE_URL"
    if followed in asked:
        return f"the EHR's pages of {resource_type} lead in a circle"
    return f"the EHR's pages of {resource_type} do not end: {len(asked)} were read"


def _next_link(bundle: Resource) -> str | None:
    links = parts(bundle, "link")
    url = next((each.get("url") for each in links if each.get("relation") == "next"), None)
    return url if isinstance(url, str) else None
