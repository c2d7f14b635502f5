"""The parts of a message catalogue: occasions, answers, and the forms in which a text may come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from integration.domain.text_template import Template


class Occasion(StrEnum):
    """Why we write first: the occasions every language has. A site may add its own, for steps of its own."""

    BOOKED = "booked"
    FIVE_DAYS = "five_days"
    TWO_DAYS = "two_days"
    THREE_HOURS = "three_hours"
    MOVED = "moved"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    THANK_YOU = "thank_you"


class Answer(StrEnum):
    """What we answer to a patient's own text."""

    CONFIRMED = "confirmed"  # the visit is confirmed
    CANCEL_WISH = "cancel_wish"  # a person will call; nothing is cancelled yet
    CHANGE_WISH = "change_wish"  # a person will call about another time
    NOT_UNDERSTOOD = "not_understood"  # a person reads it; call if it cannot wait
    OUT_OF_DATE = "out_of_date"  # it answers a text whose visit has changed since
    URGENT = "urgent"  # call the emergency number
    STOP = "stop"  # the one confirmation of an opt-out; the visit stands
    START = "start"  # texts come again
    HELP = "help"  # programme, contact, frequency, STOP, rates (CTIA)
    WHICH_OF_TWO = "which_of_two"  # two visits fit: which of them, or both
    WHICH_VISIT = "which_visit"  # more than two do: which of them, or all
    LATE_WISH = "late_wish"  # too near the visit for a text to cancel or change it: please call


# Those that name the visits to choose among, numbered, and are not asked when they do not fit.
CHOOSING: Final = frozenset({Answer.WHICH_OF_TWO, Answer.WHICH_VISIT})
TIMELESS: Final = frozenset({Occasion.THANK_YOU})  # says no time
NEVER_ASK: Final = frozenset(
    {Occasion.CANCELLED, Occasion.NO_SHOW, Occasion.THANK_YOU}
)  # whatever the plan says
MODALITIES: Final = ("in_person", "video", "phone")


class FreeForm(StrEnum):
    """What a person at the practice may send by hand."""

    OWN_WORDS = "own_words"  # what stands around words of their own
    RUNNING_LATE = "running_late"
    PLEASE_CALL = "please_call"
    REMINDER = "reminder"  # of one visit
    CONFIRMATION = "confirmation"  # that one visit is set
    THANK_YOU = "thank_you"


OF_A_VISIT: Final = frozenset({FreeForm.REMINDER, FreeForm.CONFIRMATION})  # says when one visit is


@dataclass(frozen=True, slots=True)
class VisitNouns:
    """What a language calls a visit of one modality."""

    a: str  # an appointment
    one: str  # appointment
    many: str  # appointments
    tag: str  # said beside a time when one text speaks of several kinds; "" says nothing


@dataclass(frozen=True, slots=True)
class Joints:
    """What stands between the parts of a list."""

    between: str
    last: str
    days: str  # between days, where one day has several times


@dataclass(frozen=True, slots=True)
class TextForms:
    """The ways to write on one occasion, the fullest first: the first that fits is sent."""

    one: tuple[Template, ...]  # of one visit
    several: tuple[Template, ...]  # of several visits, or patients, in one text
    first: tuple[Template, ...] = ()  # the first text of a relationship, with the programme's words


@dataclass(frozen=True, slots=True)
class AnswerForms:
    """The ways to answer, the fullest first."""

    plain: tuple[Template, ...]
    visit: tuple[Template, ...] = ()  # when the answer can name the visit
    closed: tuple[Template, ...] = ()  # while the practice is closed: it says when it opens
