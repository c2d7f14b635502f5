"""Which scopes we need of an EHR, how they are spelled, and which of them were not granted (SMART 2.2).

A need is a resource type with letters of `cruds`: create, read, update, delete, search. Version 1 spells
`rs` as `.read` and `cud` as `.write`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from integration.settings.model import FhirHearing, Settings, WritingBack

LETTERS: Final = "cruds"
_V1: Final = {"read": "rs", "write": "cud", "*": "cruds"}  # SMART v1's word → v2's letters
# FHIR's interaction → SMART's letter
_INTERACTIONS: Final = {
    "create": "c",
    "read": "r",
    "vread": "r",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search-type": "s",
}
_TEXTS: Final = {
    "communication": {"Communication": "crus"},
    "communication_once": {"Communication": "crs"},
    "document": {"DocumentReference": "crs"},
}
_ANSWERS: Final = {
    "appointment_response": {"AppointmentResponse": "crus"},
    "participant": {"Appointment": "rus"},
    "task": {"Task": "crus"},
}
_CONSENT: Final = {"consent": {"Consent": "crus"}}
_TASKS: Final = {"task": {"Task": "crus"}, "communication": {"Communication": "crus"}}


class Needs:
    """What we do on the EHR: for certain, or (`auto`) only where it can be done."""

    def __init__(self) -> None:
        self.certain: defaultdict[str, set[str]] = defaultdict(set)
        self.perhaps: defaultdict[str, set[str]] = defaultdict(set)

    def letters(self, offers: Mapping[str, frozenset[str]] | None) -> dict[str, str]:
        """Resource type → letters, of a server that offers these (None: not known)."""
        found = {name: set(letters) for name, letters in self.certain.items()}
        for name, letters in self.perhaps.items():
            there = letters if offers is None else letters & offers.get(name, frozenset())
            if offers is None or "c" not in letters or "c" in there or name in found:
                found[name] = found.get(name, set()) | there
        return {
            name: "".join(each for each in LETTERS if each in letters)
            for name, letters in sorted(found.items())
            if letters
        }


def needs(settings: Settings) -> Needs:
    """By how the EHR is heard and written to. Patients and visits are always looked up."""
    found = Needs()
    _add(found.certain, {"Patient": "rs", "Appointment": "rs"})
    for feed in settings.feeds.values():
        if feed.fhir is not None:
            _hearing(found, feed.fhir)
    _writing(found, settings.write_back)
    return found


def _hearing(found: Needs, how: FhirHearing) -> None:
    _add(found.certain, {"Location": "rs"})
    if how.guardians:
        _add(found.certain, {"RelatedPerson": "rs"})
    _add(found.perhaps, {"Subscription": LETTERS})
    if how.text_requests:
        _add(found.perhaps, {"CommunicationRequest": "rus"})


def _writing(found: Needs, how: WritingBack) -> None:
    families: tuple[tuple[str, Mapping[str, Mapping[str, str]]], ...] = (
        (how.texts, _TEXTS),
        (how.answers, _ANSWERS),
        (how.consent, _CONSENT),
        (how.tasks, _TASKS),
    )
    for chosen, ways in families:
        if chosen == "auto":
            for way in ways.values():
                _add(found.perhaps, way)
        else:
            _add(found.certain, ways.get(chosen, {}))
    if how.texts in {"auto", "document"}:
        _add(found.perhaps, {"DocumentReference": "u"})  # a note is brought forward where that can be done
        if how.document.encounter:
            _add(found.certain, {"Encounter": "rs"})


def spelled(letters: Mapping[str, str], version: Literal["v1", "v2"]) -> str:
    """The `scope` of a request."""
    if version == "v2":
        return " ".join(f"system/{name}.{each}" for name, each in letters.items())
    words = {
        f"system/{name}.{word}": None
        for name, each in letters.items()
        for word in ("read", "write")
        if set(each) & set(_V1[word])
    }
    return " ".join(words)


def missing_scopes(granted: str, wanted: Mapping[str, str] | str) -> tuple[str, ...]:
    """What of `wanted` was not granted, spelled as version 2 does; empty when all was.

    `wanted` is resource type → letters, or scopes as they are written. A scope for part of the resources
    (`?category=…`) counts as granted.
    """
    has = _read(granted)
    wants = _read(wanted) if isinstance(wanted, str) else wanted
    everything = has.get("*", frozenset())
    lacking = {
        name: "".join(each for each in LETTERS if each in set(letters) - has.get(name, set()) - everything)
        for name, letters in wants.items()
    }
    return tuple(f"system/{name}.{letters}" for name, letters in lacking.items() if letters)


def _read(scopes: str) -> dict[str, frozenset[str]]:
    """Resource type → letters, of the system scopes."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for scope in scopes.split():
        context, _, rest = scope.partition("/")
        name, _, permission = rest.partition("?")[0].partition(".")
        if context == "system" and permission:
            found[name] |= set(_V1.get(permission, permission))
    return {name: frozenset(letters) for name, letters in found.items()}


def offered(statement: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Resource type → letters, of a CapabilityStatement."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for rest in statement.get("rest") or ():
        for resource in rest.get("resource") or ():
            codes = {each.get("code") for each in resource.get("interaction") or ()}
            letters = {letter for code, letter in _INTERACTIONS.items() if code in codes}
            found[str(resource.get("type"))] |= letters
    return {name: frozenset(letters) for name, letters in found.items()}


def _add(to: defaultdict[str, set[str]], more: Mapping[str, Iterable[str]]) -> None:
    for name, letters in more.items():
        to[name] |= set(letters)
