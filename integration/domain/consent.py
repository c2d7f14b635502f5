"""Whether a number and a patient may be texted: two facts, kept apart (promise 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class SuppressionKind(StrEnum):
    """Why a number gets no texts."""

    OPT_OUT = "opt_out"  # its holder said STOP, or the carrier says so
    WRONG_NUMBER = "wrong_number"  # its holder is not the patient
    BAD_NUMBER = "bad_number"  # it cannot receive texts


ALL_SENDERS = "*"


@dataclass(frozen=True, slots=True)
class Suppression:
    """A number that gets no texts from a sender, or from any, until lifted."""

    id: int  # 0 until stored
    number: str  # E.164
    kind: SuppressionKind
    sender: str  # our sender, or ALL_SENDERS
    since: datetime  # calendar
    source: str  # reply | carrier | staff
    evidence: str = ""  # the words received, or the carrier's code
    lifted_at: datetime | None = None
    lifted_by: str | None = None  # reply | staff | ehr


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
