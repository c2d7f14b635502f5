"""Why a text did not reach the patient, and whether we may try again.

A provider's error codes are data (`config/error_codes.toml`): each names one
of these. A code nobody listed is `UNKNOWN`: not sent again, shown to staff.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Failure(StrEnum):
    """The kinds of failure that call for different deeds."""

    BAD_NUMBER = "bad_number"  # cannot receive texts: no further text until the number changes
    OPTED_OUT = "opted_out"  # the carrier or provider holds a STOP: record it as ours
    UNREACHABLE = "unreachable"  # handset off or out of reach: once more later the same day, then staff call
    RETRY_LATER = "retry_later"  # nobody says why, or it passes by itself: once more in an hour
    FILTERED = "filtered"  # the carrier judged the text: wording or registration
    EXPIRED = "expired"  # its validity ran out in the queue: look anew, once
    SLOW_DOWN = "slow_down"  # a queue is full or a rate reached: again in a while
    DAILY_CAP = "daily_cap"  # a carrier's cap is used up until midnight, Pacific time: again then
    ACCOUNT = "account"  # our account, sender or registration: stop all, tell the operator, go on later
    OUR_FAULT = "our_fault"  # a request we should never have made: tell the operator
    UNKNOWN = "unknown"  # anything else: not sent again, staff call


class WrongErrorCodes(ValueError):
    """A table of error codes names a kind of failure that does not exist."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        self.mistakes = mistakes  # the code, and what is wrong with its line
        super().__init__("; ".join(f"{code}: {what}" for code, what in mistakes.items()))


def failures(table: Mapping[str, object]) -> Mapping[str, Failure]:
    """The kinds of failure that one provider's table of `code = kind` names.

    Raises `WrongErrorCodes` with every mistake in it, not only the first.
    """
    known = {str(kind): kind for kind in Failure}
    mistakes = {
        code: f"{kind!r} is none of {', '.join(known)}" for code, kind in table.items() if kind not in known
    }
    if mistakes:
        raise WrongErrorCodes(mistakes)
    return {code: known[str(kind)] for code, kind in table.items()}
