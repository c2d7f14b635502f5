"""The page that `ehr check` prints: for our engineer, and for the EHR's team. No person's data in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from integration.adapters.ehr.choosing import WORDS
from integration.adapters.ehr.examining import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.ehr.capabilities import Abilities, Server
    from integration.adapters.ehr.examining import Examination

_ABILITIES: Final = {
    "read": "read",
    "search": "search",
    "create": "create",
    "update": "update",
    "patch": "patch",
    "conditional_create": "If-None-Exist",
    "versioned_update": "If-Match",
}
_LOOKED_FOR: Final = ("Communication", "DocumentReference", "AppointmentResponse", "Task", "Consent")


def as_page(found: Examination) -> Iterator[str]:
    """Line by line."""
    yield f"What {found.base_url} allows"
    yield ""
    if found.trouble is not None or found.server is None:
        yield f"It cannot be asked: {found.trouble}"
    else:
        yield from _server(found, found.server)
    yield ""
    yield "Authentication"
    yield from (f"  {line}" for line in found.authentication)
    if found.server is None:
        return
    yield ""
    yield "Tried just now, for somebody who is not there"
    yield from (f"  {each.resource_type} by identifier: {each.said}" for each in found.tried)
    yield ""
    known = found.server.known
    yield "Allowed, by its CapabilityStatement" if known else "Taken to be allowed until it is refused"
    yield from (f"  {name}: {_said(found.server, name)}" for name in RESOURCES)
    yield from (f"  Subscription topic: {topic}" for topic in found.server.topics)
    yield ""
    yield "What Appointment Texts will do"
    for way in found.ways.values():
        yield f"  {way.purpose}: {WORDS.get(way.mode, 'nothing')}, because {way.why}"
        yield from (f"    note: {each}" for each in way.cannot)
    wishes = list(dict.fromkeys(wish for way in found.ways.values() for wish in way.wishes))
    if wishes:
        yield ""
        yield "What the EHR's team could turn on, for more to reach the chart"
        yield from (f"  {wish}" for wish in wishes)
    if not found.is_usable:
        yield ""
        yield "As it is, no patient can be found on this server, so nothing can be written to it."


def as_json(found: Examination) -> Iterator[dict[str, Any]]:
    """One finding each."""
    server = found.server
    yield {
        "finding": "server",
        "base_url": found.base_url,
        "usable": found.is_usable,
        "trouble": found.trouble,
        "software": server and server.software,
        "version": server and server.version,
        "publisher": server and server.publisher,
        "fhir_version": server and server.fhir_version,
        "statement": server is not None and server.known,
        "recognised": found.vendor.name.lower(),
        "topics": [] if server is None else list(server.topics),
    }
    yield from ({"finding": "authentication", "text": line} for line in found.authentication)
    for each in found.tried:
        yield {
            "finding": "tried",
            "resource": each.resource_type,
            "answered": each.answered,
            "said": each.said,
        }
    if server is None:
        return
    for name in RESOURCES:
        abilities = server.of(name)
        yield {
            "finding": "resource",
            "resource": name,
            **{ability: getattr(abilities, ability) for ability in (*_ABILITIES, "find")},
        }
    for way in found.ways.values():
        yield {
            "finding": "way",
            "purpose": way.purpose,
            "mode": way.mode or None,
            "why": way.why,
            "cannot": list(way.cannot),
            "could_be_turned_on": list(way.wishes),
        }


def _server(found: Examination, server: Server) -> Iterator[str]:
    if not server.known:
        yield "Server: it shows no CapabilityStatement; what it can do is found out by trying"
        return
    software = " ".join(filter(None, (server.software, server.version))) or "not said"
    yield f"Software: {software}"
    yield f"Publisher: {server.publisher or 'not said'}"
    yield f"FHIR version: {server.fhir_version or 'not said'}"
    yield f"Treated as: {found.vendor.value}"


def _said(server: Server, name: str) -> str:
    abilities = server.of(name)
    said = [words for ability, words in _ABILITIES.items() if getattr(abilities, ability)]
    if name in _LOOKED_FOR and said and not _can_be_found(abilities):
        said.append("cannot be looked for by our identifier")
    return ", ".join(said) or "nothing"


def _can_be_found(abilities: Abilities) -> bool:
    return abilities.find or abilities.conditional_create
