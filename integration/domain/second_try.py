"""Whether what a failed text would have said is tried once more, and when.

Pure. Only the provider's own final word that the text did not arrive leads here, never silence. The second
try is a new text, decided anew by the last look; there is never a third.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from integration.domain.failure import Failure

# What failed → how long until it is worth another try
PAUSES: Final = {
    Failure.UNREACHABLE: timedelta(hours=3),
    Failure.RETRY_LATER: timedelta(hours=1),
    Failure.SLOW_DOWN: timedelta(minutes=15),
    Failure.EXPIRED: timedelta(0),  # it has waited already
    Failure.ACCOUNT: timedelta(0),  # the breaker holds it until a person releases it
}
# US carriers' daily caps end at midnight there, wherever the patient is.
CAPS_END_IN: Final = ZoneInfo("America/Los_Angeles")
GIVEN_UP: Final = 3  # texts in a row that could not reach a handset: one more would not either
TRIED_AGAIN: Final = "the first text did not arrive; it is tried once more"


def second_try(failure: Failure, *, now: datetime, unreachable_in_a_row: int) -> datetime | None:
    """When to try once more (calendar); None: not at all.

    `unreachable_in_a_row` counts the number's newest texts that could not reach the handset, with this one.
    """
    if failure is Failure.DAILY_CAP:
        return after_the_cap(now)
    if failure is Failure.UNREACHABLE and unreachable_in_a_row >= GIVEN_UP:
        return None
    pause = PAUSES.get(failure)
    return None if pause is None else now + pause


def after_the_cap(now: datetime) -> datetime:
    """The next midnight of US carriers."""
    tomorrow = now.astimezone(CAPS_END_IN).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), CAPS_END_IN).astimezone(UTC)
