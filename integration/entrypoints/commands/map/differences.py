"""What another mapping makes of the same message: which facts differ, old and new, each with its source."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from integration.entrypoints.printing import facts as print_facts
from integration.entrypoints.printing import say
from integration.entrypoints.terminal import Paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fhir_mappers.fact import Fact
    from fhir_mappers.translation import Translation

_HEAD = ("fact", "old", "from", "new", "from")
# Elements of the resources that facts tell of already.
_TOLD = frozenset(
    {"resourceType", "identifier", "status", "start", "end", "minutesDuration", "name", "birthDate"}
    | {"telecom", "communication", "deceasedBoolean", "deceasedDateTime"}
)


class Difference(NamedTuple):
    """One fact that the two mappings see otherwise; '' where one does not see it."""

    fact: str
    old: str
    old_path: str
    new: str
    new_path: str


def compare(
    old: tuple[Translation, Sequence[Fact]], new: tuple[Translation, Sequence[Fact]]
) -> list[Difference]:
    """The facts that differ, in the order they are told; an identifier from elsewhere is another one."""
    before, after = _seen(*old), _seen(*new)
    found = []
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, ("", "")), after.get(name, ("", ""))
        by_place = name.endswith((".identifier", "warning"))
        if was != now if by_place else was[0] != now[0]:
            found.append(Difference(name, *was, *now))
    return found


def _seen(translation: Translation, facts: Sequence[Fact]) -> dict[str, tuple[str, str]]:
    """Value and path of every fact, and what else a mapping decides; a name that repeats is numbered."""
    rows = [(fact.name, fact.value, fact.path) for fact in facts]
    if translation.refusal is not None:
        rows.append(("refusal", translation.refusal.code, translation.refusal.path))
    rows += [(f"warning {each.code}", each.text, each.path) for each in translation.warnings]
    if translation.appointment is not None:
        rows += _elements("Appointment", translation.appointment.resource)
    for number, patient in enumerate(translation.patients, start=1):
        rows += _elements("Patient" if number == 1 else f"Patient[{number}]", patient.resource)
    counts: Counter[str] = Counter()
    seen = {}
    for name, value, path in rows:
        counts[name] += 1
        seen[name if counts[name] == 1 else f"{name}[{counts[name]}]"] = (value, path)
    return seen


def _elements(name: str, resource: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, value in resource.items():
        if key not in _TOLD:
            yield f"{name}.{key}", orjson.dumps(value).decode(), ""


def as_json(file: str, control_id: str, trigger: str, found: Sequence[Difference]) -> dict[str, Any]:
    """One message that differs, as `map --diff --json` tells it."""
    return {
        "file": file,
        "control_id": control_id,
        "trigger": trigger,
        "differences": [each._asdict() for each in found],
    }


def show(file: str, control_id: str, trigger: str, found: Iterable[Difference]) -> None:
    """One message that differs, for a person."""
    say(f"{file}  {control_id or '(no control id)'}  {trigger}", paint=Paint.STRONG)
    print_facts(_HEAD, [(d.fact, d.old or "none", d.old_path, d.new or "none", d.new_path) for d in found])
    say("")


class Summary:
    """How many messages differ, and in which facts."""

    def __init__(self) -> None:
        self.messages = self.differ = 0
        self._facts: Counter[str] = Counter()

    def add(self, found: Sequence[Difference]) -> None:
        """Count one message."""
        self.messages += 1
        self.differ += bool(found)
        self._facts.update({each.fact for each in found})

    def as_json(self) -> dict[str, Any]:
        """The last line of `map --diff --json`."""
        return {"messages": self.messages, "differ": self.differ, "by_fact": dict(self._facts.most_common())}

    def show(self) -> None:
        """The last lines for a person."""
        if not self.differ:
            say(f"The {self.messages} messages become the same.", paint=Paint.STRONG)
            return
        say(f"{self.differ} of {self.messages} messages become something else:", paint=Paint.STRONG)
        print_facts(("fact", "messages"), [(fact, str(n)) for fact, n in self._facts.most_common()])
