"""A file of FHIR JSON → snapshots, one for each resource that is heard, as the inbox would keep them.

Read are a resource, a Bundle of any type, an array of either, and JSON Lines (FHIR Bulk Data). Each snapshot
holds what its resource refers to, and the RelatedPersons of its patients, as far as the file has them.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_mappers.from_fhir.elements import part, parts, word
from fhir_mappers.from_fhir.snapshot import HEARD, local, read_snapshot
from fhir_mappers.translation import Refusal, Resource

_BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark, and what JSON lets stand before its first sign
_MOST_STEPS = 200  # resources of one snapshot


def is_json(content: bytes) -> bool:
    """Whether it looks like JSON: no HL7 v2 message begins so."""
    return content.lstrip(_BLANK)[:1] in {b"{", b"["}


def holds_fhir(content: bytes) -> bool:
    """Whether it holds a resource that is heard."""
    return is_json(content) and not isinstance(read_snapshot(snapshots_in(content)[0]), Refusal)


def snapshots_in(content: bytes) -> list[bytes]:
    """The snapshots of one file; what cannot be read, or holds nothing that is heard, stays as it is."""
    entries = [entry for tree in _trees(content) for entry in _entries(tree)]
    present = [entry for entry in entries if part(entry, "resource")]
    index = {name: entry for entry in reversed(present) for name in _names(entry)}
    # A Patient beside Appointments is one of theirs.
    main = {word(part(entry, "resource"), "resourceType") for entry in present} & set(HEARD[:2]) or {HEARD[2]}
    found = []
    for entry in entries:
        kind = word(part(entry, "resource"), "resourceType")
        if kind in main:
            found.append([entry, *_referred(entry, index, present)])
        elif not kind and word(part(entry, "request"), "method") == "DELETE":
            found.append([entry])
    return [_written(each) for each in found] or [content]


def _trees(content: bytes) -> Iterator[Any]:
    text = content.lstrip(_BLANK)
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            yield from [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            return


def _entries(tree: Any) -> list[Resource]:
    if isinstance(tree, list):
        return [entry for each in tree for entry in _entries(each)]
    if word(tree, "resourceType") == "Bundle":
        return parts(tree, "entry")
    return [{"resource": tree}] if isinstance(tree, dict) else []


def _names(entry: Resource) -> Iterator[str]:
    resource = part(entry, "resource")
    yield f"{word(resource, 'resourceType')}/{word(resource, 'id')}"
    if word(entry, "fullUrl"):
        yield word(entry, "fullUrl")


def _referred(first: Resource, index: dict[str, Resource], present: list[Resource]) -> list[Resource]:
    """What a resource refers to, and what that does, each once."""
    known, found = [first], [first]
    while found and len(known) < _MOST_STEPS:
        names = list(_references(part(found.pop(0), "resource")))
        reached = [index[name] for name in names if name in index]
        fresh = [entry for entry in reached if not any(entry is each for each in known)]
        # Another Appointment that is named, as in a series, is a message of its own.
        fresh = [each for each in fresh if word(part(each, "resource"), "resourceType") not in HEARD[:2]]
        for entry in fresh:
            if not any(entry is each for each in known):
                known.append(entry)
                found.append(entry)
    return [*known[1:], *_related(known, present)]


def _related(known: Iterable[Resource], present: list[Resource]) -> list[Resource]:
    names = {name for entry in known for name in _names(entry)}
    return [
        entry
        for entry in present
        if word(part(entry, "resource"), "resourceType") == "RelatedPerson"
        and names & set(_references({"patient": part(part(entry, "resource"), "patient")}))
    ]


def _references(node: Any) -> Iterator[str]:
    """Every literal reference below a node, as it is written and as Type/id."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            written = word(each, "reference")
            if written:
                yield written
                yield local(written)
            waiting += reversed(each.values())
        elif isinstance(each, list):
            waiting += reversed(each)


def _written(entries: list[Resource]) -> bytes:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return json.dumps(bundle, sort_keys=True).encode()
