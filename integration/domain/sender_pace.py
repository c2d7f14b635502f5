"""How fast one sender of ours is offered texts, so that none waits for hours in the provider's queue.

Pure. Carriers pass on so many segments a second of a sender; what is offered faster waits at the provider,
where nobody looks at it again. So it waits with us, in a line: `free_at` is when the sender will have passed
on what it was given, `tail_at` when it would be the turn of whoever joins the line now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

SLACK: Final = timedelta(seconds=2)  # so much may wait at the provider
TOLL_FREE: Final = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")
# What a sender is → segments a second (Twilio's figures); of a service nobody knows how large its pool is.
LONG_CODE, TOLL_FREE_NUMBER, SHORT_CODE = 1.0, 3.0, 10.0
WAITS_ITS_TURN: Final = "waits its turn: the sender passes on so many texts a second"
NO_TURN: Final = "more texts wait for the sender than it can pass on in time"


@dataclass(frozen=True, slots=True)
class SenderPace:
    """Where one sender stands; times are the calendar's."""

    sender: str
    free_at: datetime
    tail_at: datetime


def usual_rate(sender: str) -> float | None:
    """Segments a second of a sender of this kind; None: nobody can tell."""
    if sender.startswith("+"):
        return TOLL_FREE_NUMBER if sender.startswith(TOLL_FREE) else LONG_CODE
    return SHORT_CODE if sender.isdecimal() else None


def went(pace: SenderPace, segments: int, rate: float, now: datetime) -> SenderPace:
    """After a text of so many segments was offered."""
    return replace(pace, free_at=max(pace.free_at, now) + timedelta(seconds=segments / rate))


def turn(pace: SenderPace, rate: float, now: datetime, *, waited: bool) -> tuple[datetime | None, SenderPace]:
    """When it is this text's turn (None: now), and the line with it; `waited`: it has stood in it before."""
    if pace.free_at - now <= SLACK:
        return None, pace
    if waited:
        return pace.free_at, pace
    tail = max(pace.tail_at, pace.free_at) + timedelta(seconds=1 / rate)
    return tail, replace(pace, tail_at=tail)
