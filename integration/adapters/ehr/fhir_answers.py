"""What a FHIR server's answer means for us.

    answered      Held | Unnamed | Found | Missing | Conflict
    refused       NotWritable     4xx: asking again would not help
                  ├ NoPlace       it takes no such resource at all (403, 404, 405, 501 to a write)
                  └ Unfit         it does not take this one (400, 422 to a write)
    unanswered    TryLater        never processed (no connection, 429), or only a read
                  └ Uncertain     a create or update that may have been done all the same

A server's words about an error may quote what we sent, so of an OperationOutcome
only issue codes and plain element paths are told to everybody; what it says of a
refusal is kept apart (`NotWritable.words`), for a person who may see charts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson

from fhir_mappers.from_fhir.elements import part, parts, word
from integration.ports.ehr import LeftOut, NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Resource = dict[str, Any]

LONGEST_REST: Final = timedelta(hours=1)  # whatever Retry-After asks
_MOST_WORDS: Final = 4000  # characters of what a server says

# Not about what we sent: ask again later. A 401 is a token that ran out.
_LATER: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.LOCKED,  # Oracle, while somebody edits it
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_CONFLICT: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})  # Oracle says 409

_NO_PLACE: Final = frozenset(
    {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)
_UNFIT: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})

_ISSUE_CODE: Final = re.compile(r"[a-z][a-z-]{1,40}")
_ELEMENT_PATH: Final = re.compile(r"[A-Za-z]{1,64}(\.[A-Za-z0-9]{1,64}(\[\d{1,4}\])?){0,12}")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LOCATION: Final = re.compile(
    r"(?:^|/)([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([^/?#]+))?/?(?:[?#]|$)"
)


@dataclass(frozen=True, slots=True)
class Held:
    """The server holds this resource."""

    id: str
    version: str | None  # what If-Match wants, without W/ and quotes
    resource: Resource | None  # None when the server did not show it
    created: bool = False  # 201: by this very request


@dataclass(frozen=True, slots=True)
class Unnamed:
    """The server holds it, but did not say under which id."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought; `complete` is False when there was more than we would read."""

    resources: tuple[Resource, ...]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Unchanged:
    """304: the version that was named is still the newest."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search: what matched, and what was included with it."""

    matches: tuple[Resource, ...]
    included: tuple[Resource, ...] = ()
    at: datetime | None = None  # the server's clock when it answered (Date)


@dataclass(frozen=True, slots=True)
class Missing:
    """No such resource: 404, or 410 when it has been deleted."""

    deleted: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """409 or 412: the version is not the newest, or a condition met more than one resource."""


@dataclass(frozen=True, slots=True)
class Uncertain(TryLater):
    """A write left us and nobody said what became of it: it may have been done."""

    doubtful: bool = True


@dataclass(frozen=True, slots=True)
class NoPlace(NotWritable):
    """The server takes no such resource from us: 403 (often without a word), 404, 405, 501."""

    resource_type: str = ""


@dataclass(frozen=True, slots=True)
class Unfit(NotWritable):
    """The server understood it and will not have it so: 400, 422."""

    resource_type: str = ""


@dataclass(frozen=True, slots=True)
class NoEncounter(LeftOut):
    """The EHR takes it only for the encounter of a visit, and there is none."""


Trouble = NotWritable | TryLater


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    to_write: bool  # whether it answers a POST or PUT

    @property
    def resource(self) -> Resource | None:
        """The body, when it is a JSON object."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, dict) else None

    @property
    def is_page_of_refusal(self) -> bool:
        """Whether it refuses (4xx) in words that are no FHIR, as gateways do."""
        refuses = HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return refuses and self.status not in _LATER and bool(self.body.strip()) and self.resource is None


def judge(response: Response, now: datetime) -> Response | Missing | Conflict | Trouble:
    """The response itself when it is a success."""
    status = response.status
    said = f"HTTP {status}{_issues(response.resource)}"
    rest = retry_after(response.headers.get("retry-after", ""), now)
    outcome: Response | Missing | Conflict | Trouble = response
    if status == HTTPStatus.NOT_IMPLEMENTED:
        outcome = _refused(f"the EHR cannot do it: {said}", response)
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        outcome = unanswered(f"the EHR failed: {said}", to_write=response.to_write, after=rest)
    elif status in _LATER:
        outcome = TryLater(f"the EHR is not taking it now: {said}", rest)
    elif status in _GONE:
        outcome = Missing(deleted=status == HTTPStatus.GONE)
    elif status in _CONFLICT:
        outcome = Conflict()
    elif status >= HTTPStatus.BAD_REQUEST:
        outcome = _refused(f"the EHR refused it: {said}", response)
    elif status >= HTTPStatus.MULTIPLE_CHOICES:
        outcome = TryLater(f"the EHR pointed elsewhere, which is not followed: {said}")
    elif response.resource is None and not (response.to_write and not response.body):
        outcome = unanswered("the EHR's answer is not FHIR JSON", to_write=response.to_write)
    return outcome


def _refused(reason: str, response: Response) -> NotWritable:
    words = server_words(response.resource)
    if response.to_write and response.status in _NO_PLACE:
        return NoPlace(reason, words=words)
    if response.to_write and response.status in _UNFIT:
        return Unfit(reason, words=words)
    return NotWritable(reason, words=words)


def server_words(outcome: Resource | None) -> str | None:
    """What an OperationOutcome says, an issue a line; None when it says nothing. It may quote a person."""
    lines = []
    for issue in _listed(outcome, "issue"):
        if not isinstance(issue, dict):
            continue
        details = issue.get("details")
        where = [*_listed(issue, "expression"), *_listed(issue, "location")]
        said = (
            issue.get("severity"),
            issue.get("code"),
            details.get("text") if isinstance(details, dict) else None,
            issue.get("diagnostics"),
            f"at {', '.join(map(str, where))}" if where else None,
        )
        lines.append(": ".join(str(each) for each in said if each))
    return "\n".join(line for line in lines if line)[:_MOST_WORDS] or None


def _listed(thing: Resource | None, name: str) -> list[Any]:
    """The objects and texts under a name, whatever odd server wrote it."""
    found = thing.get(name) if isinstance(thing, dict) else None
    return [each for each in found if isinstance(each, (dict, str))] if isinstance(found, list) else []


def unanswered(reason: str, *, to_write: bool, after: timedelta | None = None) -> TryLater:
    """Nobody said what became of it."""
    return Uncertain(reason, after) if to_write else TryLater(reason, after)


def held(response: Response, resource_type: str, resource_id: str) -> Held:
    """What a success says the server holds under an id we knew."""
    told = created(response, resource_type)
    if isinstance(told, Unnamed):
        return Held(resource_id, _version(response, None, None), None)
    return replace(told, id=resource_id)


def created(response: Response, resource_type: str) -> Held | Unnamed:
    """What a success says the server holds: from the body, else from Location and ETag."""
    shown = response.resource or {}
    body = shown if shown.get("resourceType") == resource_type else None
    location = _LOCATION.search(response.headers.get("location", ""))
    told = location if location and location[1] == resource_type else None
    resource_id = (body or {}).get("id") or (told[2] if told else None)
    if not isinstance(resource_id, str) or not _ID.fullmatch(resource_id):
        return Unnamed()
    version = _version(response, body, told)
    return Held(resource_id, version, body, created=response.status == HTTPStatus.CREATED)


def _version(response: Response, body: Resource | None, location: re.Match[str] | None) -> str | None:
    return (
        response.headers.get("etag", "").strip().removeprefix("W/").strip('"')
        or word(part(body, "meta"), "versionId")
        or (location[3] if location else None)
        or None
    )


def entries(bundle: Resource, resource_type: str) -> list[Resource]:
    """The resources of one type in a searchset; outcomes and includes of other types are left."""
    shown = (entry.get("resource") for entry in parts(bundle, "entry"))
    return [each for each in shown if isinstance(each, dict) and each.get("resourceType") == resource_type]


def search_page(response: Response, bundle: Resource, resource_type: str) -> SearchPage:
    """What a searchset holds; outcomes are left."""
    found = parts(bundle, "entry")
    matches: list[Resource] = []
    included: list[Resource] = []
    for entry in found:
        resource, search = entry.get("resource"), entry.get("search")
        if isinstance(resource, dict) and resource.get("resourceType") != "OperationOutcome":
            mode = search.get("mode") if isinstance(search, dict) else None
            asked = resource.get("resourceType") == resource_type and mode != "include"
            (matches if asked else included).append(resource)
    return SearchPage(tuple(matches), tuple(included), _date(response.headers.get("date", "")))


def retry_after(header: str, now: datetime) -> timedelta | None:
    """Retry-After: seconds or a date (RFC 9110 10.2.3), an hour at most."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        return min(timedelta(seconds=min(int(header), 10**6)), LONGEST_REST)
    moment = _date(header)
    return None if moment is None else min(max(moment - now, timedelta(0)), LONGEST_REST)


def _date(header: str) -> datetime | None:
    """An HTTP date (RFC 9110 5.6.7)."""
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _issues(outcome: Resource | None) -> str:
    """Of an OperationOutcome, what cannot quote a person."""
    if not outcome or outcome.get("resourceType") != "OperationOutcome":
        return ""
    said = []
    for issue in outcome.get("issue") or ():
        if isinstance(issue, dict) and issue.get("severity") in {"error", "fatal"}:
            code = str(issue.get("code"))
            paths = [str(path) for path in issue.get("expression") or ()]
            plain = [path for path in paths if _ELEMENT_PATH.fullmatch(path)][:3]
            said.append(" ".join(([code] if _ISSUE_CODE.fullmatch(code) else []) + plain))
    words = "; ".join(dict.fromkeys(each for each in said[:5] if each))
    return f" ({words})" if words else ""
