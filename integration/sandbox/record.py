"""What must never happen, counted: the same text twice, a text after STOP, at night, or of two segments.

Tests read it; so may anybody who lets the product run against the sandbox.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, time
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from integration.domain.quiet_hours import DecentHours

if TYPE_CHECKING:
    from integration.sandbox.texts import Text


@dataclass(slots=True)
class Hours:
    """The hours outside of which a text counts as sent at night: the law's, unless told otherwise."""

    zone: str = "America/New_York"
    opens: str = "08:00"
    closes: str = "21:00"

    def allow(self, at: datetime) -> bool:
        """Whether a text may arrive at this moment."""
        decent = DecentHours(time.fromisoformat(self.opens), time.fromisoformat(self.closes))
        return decent.allow(at, ZoneInfo(self.zone))


@dataclass(slots=True)
class Record:
    """Every accepted create since the last reset, and what was wrong with it. Its owner holds a lock."""

    keep: int
    accepted: int = 0
    segments: int = 0
    refused: Counter[int] = field(default_factory=Counter)  # by code
    creates: deque[dict[str, Any]] = field(init=False)
    copies: Counter[tuple[str, str]] = field(default_factory=Counter)  # by number and body digest
    stopped: set[str] = field(default_factory=set)  # numbers whose last keyword was STOP
    after_stop: list[str] = field(default_factory=list)  # SIDs, as are the next two
    outside_hours: list[str] = field(default_factory=list)
    over_one_segment: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.creates = deque(maxlen=self.keep)

    def create(self, text: Text, hours: Hours) -> None:
        """Remember an accepted create."""
        digest = sha256(text.body.encode("utf-8", "surrogatepass")).hexdigest()
        self.accepted += 1
        self.segments += text.weight.segments
        self.copies[text.to, digest] += 1
        if len(self.copies) > self.keep:
            del self.copies[next(iter(self.copies))]
        self.creates.append(
            {
                "sid": text.sid,
                "to": text.to,
                "body": text.body,
                "digest": digest,
                "created_at": text.created_at.isoformat(),
                "shown_at": text.shown_at.isoformat(),
                "segments": text.weight.segments,
                "encoding": text.weight.encoding,
            }
        )
        if text.to in self.stopped:
            self._note(self.after_stop, text)
        if not hours.allow(text.shown_at):
            self._note(self.outside_hours, text)
        if text.weight.segments > 1:
            self._note(self.over_one_segment, text)

    def _note(self, where: list[str], text: Text) -> None:
        if len(where) < self.keep:
            where.append(text.sid)

    def refuse(self, code: int) -> None:
        """Remember a refused create."""
        self.refused[code] += 1

    def keyword(self, number: str, kind: str) -> None:
        """Remember that a patient wrote STOP or START."""
        (self.stopped.add if kind == "STOP" else self.stopped.discard)(number)

    def listed(self, *, creates: bool) -> dict[str, Any]:
        """The record, as JSON has it; `doubles` are texts of the same words to the same number."""
        doubles = [
            {"to": number, "digest": digest, "count": count}
            for (number, digest), count in self.copies.items()
            if count > 1
        ]
        listed: dict[str, Any] = {
            "accepted": self.accepted,
            "segments": self.segments,
            "numbers": len({number for number, _ in self.copies}),
            "refused": {str(code): count for code, count in sorted(self.refused.items())},
            "doubles": doubles,
            "after_stop": self.after_stop,
            "outside_hours": self.outside_hours,
            "over_one_segment": self.over_one_segment,
        }
        if creates:
            listed["creates"] = list(self.creates)
        return listed
