"""Whether a number and a patient may be texted: two facts, kept apart (promise 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime


class SuppressionKind(StrEnum):
    """Why a number gets no texts."""

    OPT_OUT = "opt_out"  # its holder said STOP, or the carrier says so
    WRONG_NUMBER = "wrong_number"  # its holder is not the patient
    BAD_NUMBER = "bad_number"  # it cannot receive texts


ALL_SENDERS = "*"

# What was said about texts, and what was done upon it, is kept this long at least: Virginia (2026) has STOP
# honoured for ten years, the longest of the states'. Nothing deletes consents, suppressions or the replies
# that caused them; whatever is to purge rows one day keeps away from those that are younger.
KEPT_FOR_YEARS: Final = 10

# A whole text of one of these is obeyed by the carrier too, whatever we do (Twilio, long-code defaults).
CARRIER_STOP_WORDS: Final = frozenset(
    {"stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"}
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A number that gets no texts from a sender, or from any, until lifted."""

    id: int  # 0 until stored
    number: str  # E.164
    kind: SuppressionKind
    sender: str  # our sender, or ALL_SENDERS
    since: datetime  # calendar
    source: str  # reply | keyword (a reply that the carrier obeyed too) | carrier | import
    evidence: str = ""  # the words received, or the carrier's code
    lifted_at: datetime | None = None
    lifted_by: str | None = None  # reply | staff | ehr | passed
    awaiting_start: datetime | None = None  # calendar; staff lifted it then, the carrier did not
    lift_note: str = ""  # which of the staff lifted it, and why

    @property
    def is_the_carriers_too(self) -> bool:
        """Whether the carrier blocks the number as well; only its holder's START undoes that."""
        return self.kind is SuppressionKind.OPT_OUT and self.source in {"carrier", "keyword"}


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A yes or a no to texts, of one patient, with all that shows it was said.

    What CTIA's principles (May 2023, opt-in) want kept: when, by which medium, the exact language, the
    campaign, the IP address, the number, and who.
    """

    id: int  # 0 until stored
    patient_id: int
    given: bool
    at: datetime  # when it was said: the newest counts
    source: str  # import | merge | the path or element of a message, such as PID-13
    medium: str = ""  # web form, paper, verbal ...
    number: str | None = None  # E.164, as it stood beside the consent
    wording: str = ""  # exactly what was shown or read out
    campaign: str = ""
    ip: str = ""
    recorded_by: str = ""


class ConsentPolicy(StrEnum):
    """What a practice requires before it texts a patient."""

    EXPRESS = "express"  # a recorded yes; unknown means no
    IMPLIED = "implied"  # the number was given to the practice; unknown means yes
    NOT_REQUIRED = "not_required"


def permits(policy: ConsentPolicy, *, recorded: bool | None) -> bool:
    """Whether the policy permits a text, given the patient's recorded consent (None: unknown)."""
    if policy is ConsentPolicy.NOT_REQUIRED:
        return recorded is not False
    if policy is ConsentPolicy.IMPLIED:
        return recorded is not False
    return recorded is True


def obeyed_by_the_carrier(body: str, *, keyword_handled: str | None) -> bool:
    """Whether the carrier has blocked the number on these words; it reads whole texts, in any case."""
    return keyword_handled == "stop" or body.strip().casefold() in CARRIER_STOP_WORDS
