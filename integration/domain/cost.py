"""What texting costs: tallies of texts and replies added up, a plan's allowance, a month's budget.

Pure. Money is decimal and in one currency at a time. The provider names prices late; until then
they are guessed at by the practice's own price a segment. Twilio charges what it has handed to a
carrier, delivered or not, and nothing for what failed before (Twilio, "Message status").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.reply_intent import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

USED_UP: Final = "the month's budget for texts is used up"
NOTHING: Final = Decimal(0)
_NOT_DELIVERED: Final = frozenset({DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED})
_OUT: Final = frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Costs:
    """What a practice pays, and how much it means to spend."""

    price_per_segment: Decimal | None = None
    price_per_reply_segment: Decimal | None = None
    currency: str = "USD"
    allowance: int | None = None  # segments a calendar month, texts and replies, that its plan includes
    overage: Decimal | None = None  # for each segment beyond
    budget: Decimal | None = None  # a calendar month
    warn_at: float = 0.8  # of the budget
    stop: bool = False  # whether reminders wait once it is used up


@dataclass(frozen=True, slots=True)
class TextTally:
    """So many texts that are alike in all of this."""

    occasion: str
    status: DeliveryStatus
    language: str
    count: int
    segments: int  # of each
    price: Decimal | None = None  # of each; None: the provider has not named it
    currency: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class ReplyTally:
    """So many replies that are alike; what they answer is told where it is known."""

    intent: str
    count: int
    segments: int  # of each
    price: Decimal | None = None
    currency: str | None = None
    occasion: str = ""
    status: DeliveryStatus | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class AnswerTally:
    """So many visits that were confirmed by an answer to such a text."""

    occasion: str
    status: DeliveryStatus
    language: str
    count: int


@dataclass(slots=True)
class Account:
    """Figures in one currency; `estimated` is the part of the price that the provider has not named."""

    currency: str
    texts: int = 0
    delivered: int = 0
    failed: int = 0
    segments: int = 0
    price: Decimal = field(default=NOTHING)
    estimated: Decimal = field(default=NOTHING)
    sent: int = 0  # handed to a carrier
    replies: int = 0
    reply_segments: int = 0
    confirmed: int = 0  # visits
    opted_out: int = 0  # by reply, or as the carrier says

    def add_texts(self, tally: TextTally, costs: Costs) -> None:
        """Count them."""
        self.texts += tally.count
        self.sent += tally.count * (tally.status in _OUT)
        self.delivered += tally.count * (tally.status is DeliveryStatus.DELIVERED)
        self.failed += tally.count * (tally.status in _NOT_DELIVERED)
        self.opted_out += tally.count * (tally.failure is Failure.OPTED_OUT)
        self.segments += tally.count * tally.segments
        charged = tally.status is not DeliveryStatus.FAILED
        self._pay(tally, costs.price_per_segment if charged else None)

    def add_replies(self, tally: ReplyTally, costs: Costs) -> None:
        """Count them."""
        self.replies += tally.count
        self.reply_segments += tally.count * tally.segments
        self.opted_out += tally.count * (tally.intent == Intent.STOP)
        self._pay(tally, costs.price_per_reply_segment)

    def _pay(self, tally: TextTally | ReplyTally, guess: Decimal | None) -> None:
        if tally.price is not None:
            self.price += tally.price * tally.count
        elif guess is not None:
            self.price += guess * tally.segments * tally.count
            self.estimated += guess * tally.segments * tally.count


def in_its_currency(tally: TextTally | ReplyTally, costs: Costs) -> str:
    """The currency in which these are priced: the provider's, or that of our guess."""
    return costs.currency if tally.price is None else tally.currency or costs.currency


def spent(texts: Iterable[TextTally], replies: Iterable[ReplyTally], costs: Costs) -> Decimal:
    """What these cost in the practice's own currency; what is priced in another is left out."""
    account = Account(costs.currency)
    for text in texts:
        if in_its_currency(text, costs) == costs.currency:
            account.add_texts(text, costs)
    for reply in replies:
        if in_its_currency(reply, costs) == costs.currency:
            account.add_replies(reply, costs)
    return account.price


@dataclass(frozen=True, slots=True)
class Overage:
    """How a month's segments stand to what the plan includes."""

    included: int
    over: int
    price: Decimal | None  # None: the plan's price beyond is not known


def overage(segments: int, costs: Costs) -> Overage | None:
    """None where the plan includes no number of segments."""
    if costs.allowance is None:
        return None
    over = max(0, segments - costs.allowance)
    return Overage(costs.allowance, over, None if costs.overage is None else costs.overage * over)


class BudgetState(StrEnum):
    """How a month's spending stands to its budget."""

    WITHIN = "within"
    WARNED = "warned"  # `warn_at` of it is spent
    USED_UP = "used_up"


def budget_state(spending: Decimal, costs: Costs) -> BudgetState:
    """WITHIN also where there is no budget."""
    if costs.budget is None:
        return BudgetState.WITHIN
    if spending >= costs.budget:
        return BudgetState.USED_UP
    warned = spending >= costs.budget * Decimal(str(costs.warn_at))
    return BudgetState.WARNED if warned else BudgetState.WITHIN


def month_start(at: datetime, zone: ZoneInfo) -> datetime:
    """The first moment of the local month that `at` lies in; UTC."""
    local = at.astimezone(zone)
    return datetime(local.year, local.month, 1, tzinfo=zone).astimezone(UTC)


def billing_days(now: datetime, looked_back: int) -> list[datetime]:
    """The last so many whole GMT days before `now`, by their first moments, oldest first."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=back) for back in range(looked_back, 0, -1)]
