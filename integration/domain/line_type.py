"""What kind of line a telephone number is, and whether texts can arrive there.

Only the network knows: an offline list cannot tell an American landline from a mobile number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.last_look import SOON, Hold, Skip, Verdict

if TYPE_CHECKING:
    from datetime import datetime

LANDLINE: Final = "the number is a landline"
BEING_ASKED: Final = "the provider is being asked what kind of line the number is"
PATIENCE: Final = timedelta(seconds=30)  # a text waits no longer for the answer
ASK_AGAIN: Final = timedelta(hours=1)  # when no answer came


class LineType(StrEnum):
    """The kind of a line, as far as texts are concerned."""

    MOBILE = "mobile"
    VOIP = "voip"  # many of them take texts
    LANDLINE = "landline"
    PAYPHONE = "payphone"
    INVALID = "invalid"  # no such number can exist
    UNKNOWN = "unknown"  # the provider cannot say, or names a kind that may take texts
    UNANSWERED = "unanswered"  # the provider could not be asked


_WITHOUT_TEXTS = frozenset({LineType.LANDLINE, LineType.PAYPHONE, LineType.INVALID})


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of a number's line."""

    number: str  # E.164
    asked_at: datetime  # wall
    type: LineType | None = None  # None: it is being asked


def is_to_be_asked(line: Line | None, now: datetime, again_after: timedelta) -> bool:
    """Whether the provider is to be asked before a text goes there (`now`: wall)."""
    if line is None:
        return True
    answered = line.type not in {None, LineType.UNANSWERED}
    return now - line.asked_at >= (again_after if answered else ASK_AGAIN)


def of_line(line: Line, *, wall: datetime, calendar: datetime) -> Verdict:
    """Whether a text may go there, by what is known; what nobody can say keeps no text back."""
    if line.type is None and wall - line.asked_at < PATIENCE:
        return Hold(calendar + SOON, BEING_ASKED)
    return Skip(LANDLINE) if line.type in _WITHOUT_TEXTS else None
