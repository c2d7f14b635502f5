"""What the pipeline asks of a store about costs: tallies, and the days whose bill is still to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from integration.domain.cost import AnswerTally, ReplyTally, TextTally
    from integration.ports.sms import Billed


@dataclass(frozen=True, slots=True)
class BillingDay:
    """One GMT day whose texts the provider prices late; unique by provider and day."""

    provider: str
    day: datetime  # its first moment, UTC
    looks: int = 0  # how often its list was read to the end
    next_look_at: datetime | None = None  # wall; None: nothing more is expected


class CostRows(Protocol):
    """What was texted and what it cost."""

    def texts(self, practice: str, start: datetime, end: datetime) -> Sequence[TextTally]:
        """Texts offered in [start, end) (calendar)."""

    def replies(self, practice: str, start: datetime, end: datetime) -> Sequence[ReplyTally]:
        """Replies heard in [start, end) (calendar)."""

    def answers(self, practice: str, start: datetime, end: datetime) -> Sequence[AnswerTally]:
        """Questions answered with a yes in [start, end) (calendar), by the text that asked."""

    def expect(self, days: Iterable[BillingDay]) -> None:
        """Write down those not known yet."""

    def claim_day(self, now: datetime, lease_until: datetime) -> BillingDay | None:
        """The earliest whose next look is due (wall); nobody else gets it before `lease_until`."""

    def settle_day(self, day: BillingDay) -> None:
        """Write looks and next_look_at; the lease ends."""

    def price(self, provider: str, billed: Iterable[Billed]) -> int:
        """Write segments, price and currency of texts and replies of these ids; how many were known."""

    def unpriced(self, provider: str, start: datetime, end: datetime) -> bool:
        """Whether a text sent in [start, end) (wall), which the provider charges for, has no price yet."""

    def tell_once(self, practice: str, month: datetime, what: str) -> bool:
        """Whether this has not been told of the practice's month before; from now on it has."""
