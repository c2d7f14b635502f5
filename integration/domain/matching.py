"""Finds, among the texts a provider lists, the one that an offer of ours became.

The provider's list knows neither our ids nor our tokens: only the number, the
words and the time tell its texts apart. A text that another offer owns is not
a candidate; of several, the one created nearest to the offer is taken, so that
two offers of the same words find their texts in order.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

# The provider's clock and ours differ by seconds, and it cuts its times to whole ones. Rather too
# wide than too narrow: a text not found would be sent again.
MARGIN = timedelta(seconds=60)


def match(
    candidates: Iterable[tuple[str, str, datetime]],
    *,
    body: str,
    offered_at: datetime,
    window: tuple[datetime, datetime],
    taken: Collection[str],
) -> str | None:
    """The provider's id of the text that an offer became, or None when it is not among the candidates.

    A candidate is (provider's id, body, created at). `window` is when it can have been created, by our
    clock; `taken` are the ids that other offers own.
    """
    first, last = window[0] - MARGIN, window[1] + MARGIN
    fitting = [
        (abs(created_at - offered_at), created_at, provider_id)
        for provider_id, said, created_at in candidates
        if said == body and first <= created_at <= last and provider_id not in taken
    ]
    return min(fitting)[2] if fitting else None
