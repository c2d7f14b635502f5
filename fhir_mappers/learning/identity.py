"""Which fields identify an appointment: always there, the same from message to message, nobody else's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from fhir_mappers.datatypes import plain
from fhir_mappers.v2_message import SegmentRun

_FEW: Final = 3  # messages from which nothing can be said


@dataclass(slots=True)
class Tally:
    """What one field is like as an identifier."""

    valued: int = 0  # messages
    again: int = 0  # messages whose value an earlier message of the same patient had
    shared: int = 0  # messages whose value an earlier message of another patient had
    owners: dict[int, int | None] = field(default_factory=dict)  # hash of the value → of the patient

    @property
    def distinct(self) -> int:
        """How many values there are."""
        return len(self.owners)

    @property
    def is_a_counter(self) -> bool:
        """Whether it is another one in every message."""
        return self.valued > _FEW and self.distinct == self.valued


class Identities:
    """All that is known of the fields that may identify an appointment."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.tallies: dict[str, Tally] = {path: Tally() for path in paths}
        self.messages = 0

    def add(self, message: SegmentRun, others: Sequence[str]) -> None:
        """Count one message; `others` are fields of Z segments, which may identify it too."""
        self.messages += 1
        named = plain(message.get("PID-3.1")) or message.text("PID-5")
        patient = hash(named) if named and message.count("PID") == 1 else None
        for path in dict.fromkeys((*self.tallies, *others)):
            value = plain(message.get(path))
            if not value:
                continue
            tally = self.tallies.setdefault(path, Tally())
            tally.valued += 1
            seen = hash(value) in tally.owners
            owner = tally.owners.setdefault(hash(value), patient)
            if seen and patient is not None and owner is not None:
                tally.shared += owner != patient
                tally.again += owner == patient

    def best(self, order: Sequence[str]) -> list[str] | None:
        """A better order than this one, None when it serves.

        What several patients share comes last, what changes from message to message too if another field
        stays; of a Z segment comes what is always there, if nothing in `order` is.
        """
        valued = [path for path in order if self.tallies[path].valued]
        stays = any(self.tallies[path].again and not self.tallies[path].shared for path in valued)

        def is_bad(path: str) -> bool:
            tally = self.tallies[path]
            return tally.shared > 0 or (stays and tally.is_a_counter)

        if self.messages <= _FEW:
            return None
        if any(self.tallies[path].valued == self.messages for path in valued):
            better = sorted(order, key=is_bad)
            return None if not valued or better == list(order) else better
        always = [
            path
            for path, tally in self.tallies.items()
            if path not in order and tally.valued == self.messages and not tally.shared and tally.again
        ]
        return [*sorted(order, key=is_bad), *always[:1]] if always else None
