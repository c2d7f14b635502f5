"""News of a text, from whatever source, laid over what we know of it (promise 5).

The answer to our offer, a status callback, the provider's list: each is news.
Early, late, twice, in any order or not at all, the same end state comes out;
only two different final words disagree, and then the first one stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.delivery_status import DeliveryStatus, advance
from integration.domain.failure import Failure

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.text_message import TextMessage

_HANDED_TO_THE_CARRIER = frozenset(
    {DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED}
)
_NOT_ARRIVED = frozenset({DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED})


@dataclass(frozen=True, slots=True)
class DeliveryNews:
    """What a provider said of a text."""

    provider: str
    provider_id: str
    word: str  # the provider's own
    status: DeliveryStatus | None  # None: a word we do not know; it still proves that the provider has it
    at: datetime  # wall; when we heard it
    error_code: str | None = None
    failure: Failure | None = None
    sender: str | None = None
    segments: int | None = None
    price: str | None = None
    currency: str | None = None
    taken_at: datetime | None = None  # wall; when the provider took it, if it says so
    sent_at: datetime | None = None  # wall; when the provider handed it to the carrier, likewise


def bring_forward(text: TextMessage, news: DeliveryNews, *, now: datetime) -> TextMessage:
    """The text after the news; `now` is the calendar's.

    A failure is taken from final words only, and from the one that made the status.
    """
    said = news.status or DeliveryStatus.ACCEPTED
    status = advance(text.status, said)
    moved = status is not text.status
    failed = moved and status in _NOT_ARRIVED
    return replace(
        text,
        status=status,
        word=news.word if moved or text.word is None else text.word,
        provider=text.provider or news.provider,
        provider_id=text.provider_id or news.provider_id or None,
        sender=news.sender or text.sender,
        error_code=news.error_code if failed else text.error_code,
        failure=(news.failure or Failure.UNKNOWN) if failed else text.failure,
        unresolved=False,
        segments=news.segments or text.segments,
        price=news.price or text.price,
        currency=news.currency or text.currency,
        accepted_at=_earliest(text.accepted_at, news.taken_at or news.at),
        sent_at=(
            _earliest(text.sent_at, news.sent_at or news.at)
            if said in _HANDED_TO_THE_CARRIER
            else text.sent_at
        ),
        delivered_at=(
            _earliest(text.delivered_at, news.at)
            if said is status is DeliveryStatus.DELIVERED
            else text.delivered_at
        ),
        final_at=now if moved and status.is_final else text.final_at,
    )


def _earliest(known: datetime | None, told: datetime) -> datetime:
    return told if known is None else min(known, told)
