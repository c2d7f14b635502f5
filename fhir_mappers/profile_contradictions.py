"""What a vendor's profile says against itself: found in the data as written, whatever else is wrong.

Each finding is a place in the profile and a sentence. What has a wrong shape is passed over: the shape tells.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fhir_mappers.adt_triggers import ADT_TRIGGERS
from fhir_mappers.tables import TRIGGERS

_TRIGGER = re.compile(r"(?:[A-Za-z0-9]{1,10}\^)?[A-Za-z0-9_]{1,10}")
# Tables of words, each of which may have one meaning only: where they stand → the keys that count, () for all
_MEANINGS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("statuses",): (),
    ("languages",): (),
    ("phones",): ("mobile", "home", "work", "never"),
    ("durations",): ("seconds", "minutes", "hours", "days"),
}


class Contradiction(NamedTuple):
    """One of them."""

    where: tuple[str | int, ...]  # ("times", 1, "start")
    text: str


def contradictions(profile: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Find them all; `profile` is complete, with what it extends filled in."""
    for where, keys in _MEANINGS.items():
        yield from _word_twice(where, _table(profile, *where), keys)
    yield from _confirmed(profile)
    yield from _triggers(_table(profile, "triggers"))
    yield from _times(profile.get("times"))
    yield from _lengths(_table(profile, "durations"))
    yield from _sources(_table(profile, "phones").get("sources"), ("phones", "sources"))
    yield from _guardians(_table(profile, "guardian"))


def _table(data: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    found: Any = data
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def as_compared(value: str) -> str:
    """Return a word as it is compared: without regard to case or outer and doubled blanks."""
    return " ".join(value.split()).casefold()


def _meanings(table: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for meaning, words in table.items():
        for each in _list(words) if not keys or meaning in keys else ():
            if isinstance(each, str):
                yield as_compared(each), meaning


def _word_twice(
    where: tuple[str, ...], table: Mapping[str, Any], keys: tuple[str, ...]
) -> Iterator[Contradiction]:
    found: dict[str, str] = {}
    for each, meaning in _meanings(table, keys):
        first = found.setdefault(each, meaning)
        if first != meaning:
            yield Contradiction(
                (*where, meaning), f"{each!r} stands under {first!r}, too; take one of them out"
            )


def _confirmed(profile: Mapping[str, Any]) -> Iterator[Contradiction]:
    status_of = dict(_meanings(_table(profile, "statuses"), ()))
    for place, each in enumerate(_list(profile.get("confirmed"))):
        status = status_of.get(as_compared(each), "booked") if isinstance(each, str) else "booked"
        if status != "booked":
            text = f"{as_compared(each)!r} stands under statuses.{status}, too; who has confirmed is booked"
            yield Contradiction(("confirmed", place), text)


def _triggers(triggers: Mapping[str, Any]) -> Iterator[Contradiction]:
    known = [*TRIGGERS, *ADT_TRIGGERS]
    for own, stands_for in triggers.items():
        if not _TRIGGER.fullmatch(own):
            yield Contradiction(
                ("triggers", own), "write MSH-9.2 as in Z14, or MSH-9.1^MSH-9.2 as in ZSI^UPD"
            )
        if isinstance(stands_for, str) and stands_for not in known:
            text = f"{stands_for} is no trigger event that is mapped; allowed: {', '.join(known)}"
            yield Contradiction(("triggers", own), text)


def _times(times: Any) -> Iterator[Contradiction]:
    starts = [source.get("start") if isinstance(source, Mapping) else None for source in _list(times)]
    for place, start in enumerate(starts):
        if start is not None and start in starts[:place]:
            text = f"times.{starts.index(start)} begins there already; this one is never reached"
            yield Contradiction(("times", place, "start"), text)


def _lengths(durations: Mapping[str, Any]) -> Iterator[Contradiction]:
    shortest, longest = durations.get("shortest_minutes"), durations.get("longest_minutes")
    if isinstance(shortest, int) and isinstance(longest, int) and shortest > longest:
        yield Contradiction(
            ("durations", "shortest_minutes"), f"is above longest_minutes, which is {longest}"
        )


def _sources(sources: Any, where: tuple[str, ...]) -> Iterator[Contradiction]:
    """A number and the word for its kind stand in one segment."""
    for place, source in enumerate(_list(sources)):
        kind = source.get("kind_path") if isinstance(source, Mapping) else None
        path = source.get("path") if isinstance(source, Mapping) else None
        if isinstance(kind, str) and isinstance(path, str) and kind[:3] != path[:3]:
            yield Contradiction(
                (*where, place, "kind_path"), f"must lie in {path[:3]}, where the number stands"
            )


def _guardians(guardian: Mapping[str, Any]) -> Iterator[Contradiction]:
    sources = _table(guardian, "sources")
    for place, name in enumerate(_list(guardian.get("order"))):
        if isinstance(name, str) and name not in sources:
            text = f"{name!r} is none of the sources; allowed: {', '.join(sources) or 'nothing'}"
            yield Contradiction(("guardian", "order", place), text)
    for name in sources:
        yield from _guardian(("guardian", "sources", name), _table(sources, name))


def _guardian(where: tuple[str, ...], source: Mapping[str, Any]) -> Iterator[Contradiction]:
    """One person is told of in one segment."""
    phones = [phone.get("path") for phone in _list(source.get("phones")) if isinstance(phone, Mapping)]
    yield from _sources(source.get("phones"), (*where, "phones"))
    segment = next((path[:3] for path in phones if isinstance(path, str)), None)
    for key, paths in source.items():
        for place, path in enumerate(phones if key == "phones" else _list(paths)):
            if segment is not None and isinstance(path, str) and path[:3] != segment:
                yield Contradiction(
                    (*where, key, place), f"must lie in {segment}, as the first of its phones does"
                )
