"""What the pipeline asks of a partner's HL7 v2 port; the MLLP sender and its fake answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Taken:
    """The partner has it, as far as the line lets us know."""

    answer: str  # table 0008: CA or AA; `commit` for MLLP release 2; empty when none was asked for


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """The partner answered, and does not have it."""

    reason: str  # for an engineer; no person's data
    again: bool  # whether the same may be taken later (CE, AR, a negative commit)


@dataclass(frozen=True, slots=True)
class NotHeard:
    """No connection, or no answer that can be understood: the partner may have it or not."""

    reason: str


Delivery = Taken | TurnedDown | NotHeard


class Hl7Sender(Protocol):
    """One partner's port: messages go one at a time, each answered before the next."""

    def send(self, message: bytes) -> Delivery:
        """Hand over one message, unframed, in bounded time. Never raises for what the partner does.

        After `NotHeard` the same bytes are to be sent again: the partner knows them by their MSH-10.
        """

    def rest(self) -> None:
        """There is nothing more to send for now: the connection may be closed."""
