"""Why a text did not reach the patient, and whether we may try again.

A provider's error codes are data (`config/error_codes.toml`): each names one
of these. A code nobody listed is `UNKNOWN`: not sent again, shown to staff.
"""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """The kinds of failure that call for different deeds."""

    BAD_NUMBER = "bad_number"  # cannot receive texts: no further text until the number changes
    OPTED_OUT = "opted_out"  # the carrier or provider holds a STOP: record it as ours
    UNREACHABLE = "unreachable"  # handset off or out of reach: staff may call
    FILTERED = "filtered"  # the carrier judged the text: wording or registration
    EXPIRED = "expired"  # its validity ran out in the queue
    SLOW_DOWN = "slow_down"  # queue full or daily cap: later may work
    ACCOUNT = "account"  # our account, sender or registration: stop all, tell the operator
    OUR_FAULT = "our_fault"  # a request we should never have made
    UNKNOWN = "unknown"  # anything else
