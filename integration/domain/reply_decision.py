"""What we do about a reply: obey what is certain, and hand everything else to a person (promise 7).

Pure. What a reply means (`reply_intent`) and which questions are open go in; deeds come out.

    stop          suppress; one confirmation; a task for every visit to come
    start         lift; answer
    help          answer
    urgent        the safe answer and an urgent task; nothing else is done
    wrong number  suppress; a task; no answer, for whoever reads it is a stranger
    confirm       confirm, if exactly one question is meant; else a person reads it
    cancel, move  a task; nothing is cancelled or moved
    the rest      a person reads it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from integration.domain.consent import SuppressionKind
from integration.domain.reply_intent import Intent
from integration.domain.staff_task import TaskKind
from integration.domain.wording import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.domain.conversation import Question
    from integration.domain.reply_intent import Understood


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply and what is known around it."""

    understood: Understood
    questions: tuple[Question, ...] = ()  # open when it was heard
    outdated: bool = False  # a question was open until its visit changed
    known: bool = True  # we have texted the number, or a patient has it
    media: int = 0
    keyword_handled: str | None = None  # stop | start | help: the provider has answered
    bare_cancel: bool = False  # an opt-out by a word that may mean the visit
    opted_out: bool = False  # already, before this reply


@dataclass(frozen=True, slots=True)
class Task:
    """A task to open; `each_visit`: one for every visit to come."""

    kind: TaskKind
    reason: str
    each_visit: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do."""

    intent: Intent
    reason: str  # why it was understood so; no word of the patient's
    confirmed: tuple[Question, ...] = ()
    suppress: SuppressionKind | None = None
    lift: bool = False
    tasks: tuple[Task, ...] = ()
    answer: Answer | None = None


def decide(heard: Heard) -> Decision:
    """What to do about a reply."""
    intent, reason = _intent(heard)
    if heard.understood.urgent and intent is not Intent.STOP:
        return _urgent(heard, intent, reason)
    return _DEEDS[intent](heard, intent, reason)


def the_question(questions: Sequence[Question]) -> tuple[Question, ...]:
    """The one question a plain yes can mean, as the visits one text asked about; empty when none or several.

    What has been answered is meant only when nothing else is open.
    """
    waiting = [question for question in questions if question.answered_at is None] or list(questions)
    return tuple(waiting) if len({question.text_id for question in waiting}) == 1 else ()


def _intent(heard: Heard) -> tuple[Intent, str]:
    """What the provider has acted on is so; but a START of its making lifts nothing of ours."""
    if heard.keyword_handled == "stop":
        return Intent.STOP, "the provider took it for an opt-out"
    if heard.keyword_handled == "help" and heard.understood.intent is not Intent.STOP:
        return Intent.HELP, "the provider took it for a call for help"
    return heard.understood.intent, heard.understood.reason


def _stop(heard: Heard, intent: Intent, reason: str) -> Decision:
    why = "The number stopped our texts; a visit is coming."
    if heard.bare_cancel:
        why = "The number stopped our texts by a word that may mean the visit. Nothing was cancelled."
    tasks = [Task(TaskKind.OPTED_OUT, why, each_visit=True)]
    if heard.understood.urgent:
        tasks.append(Task(TaskKind.URGENT_REPLY, "An opt-out speaks of an emergency. Please read it now."))
    return Decision(
        intent,
        reason,
        suppress=SuppressionKind.OPT_OUT,
        tasks=tuple(tasks),
        answer=None if heard.opted_out else _unless_handled(heard, Answer.STOP),
    )


def _urgent(heard: Heard, intent: Intent, reason: str) -> Decision:
    task = Task(TaskKind.URGENT_REPLY, "A reply speaks of an emergency. Please read it now.")
    return Decision(intent, reason, tasks=(task,), answer=_unless_handled(heard, Answer.URGENT))


def _start(heard: Heard, intent: Intent, reason: str) -> Decision:
    return Decision(intent, reason, lift=True, answer=_unless_handled(heard, Answer.START))


def _help(heard: Heard, intent: Intent, reason: str) -> Decision:
    return Decision(intent, reason, answer=_unless_handled(heard, Answer.HELP))


def _wrong_number(heard: Heard, intent: Intent, reason: str) -> Decision:
    del heard
    task = Task(TaskKind.WRONG_NUMBER, "A reply says that this is not the patient's number.")
    return Decision(intent, reason, suppress=SuppressionKind.WRONG_NUMBER, tasks=(task,))


def _wish(heard: Heard, intent: Intent, reason: str) -> Decision:
    """A person acts on it; software neither cancels nor moves."""
    if intent is Intent.CANCEL:
        task = Task(TaskKind.CANCEL_WISH, "The patient cannot come. Nothing was cancelled.")
        answer = Answer.CANCEL_WISH
    else:
        task = Task(TaskKind.RESCHEDULE_WISH, "The patient asks for another time.")
        answer = Answer.CHANGE_WISH
    return Decision(intent, reason, tasks=(task,), answer=_if_known(heard, answer))


def _confirm(heard: Heard, intent: Intent, reason: str) -> Decision:
    meant = the_question(heard.questions)
    if meant and not heard.media:
        answer = _unless_handled(heard, Answer.CONFIRMED)
        return Decision(intent, reason, confirmed=meant, answer=answer)
    if heard.outdated and not heard.questions:
        task = Task(TaskKind.READ_REPLY, "A yes to a visit that has changed since. Nothing was confirmed.")
        return Decision(intent, reason, tasks=(task,), answer=_unless_handled(heard, Answer.OUT_OF_DATE))
    return _hand_over(heard, intent, reason)


def _why_not_confirmed(heard: Heard) -> str:
    if heard.media:
        return "A yes that came with a picture. Please read it."
    if heard.questions:
        return "A yes that several of our questions fit. Please ask which visit."
    return "A yes to no open question. Nothing was confirmed."


def _hand_over(heard: Heard, intent: Intent, reason: str) -> Decision:
    why = "A reply that software should not act on. Please read it."
    if intent is Intent.CONFIRM:
        why = _why_not_confirmed(heard)
    answer = _if_known(heard, Answer.NOT_UNDERSTOOD)
    return Decision(intent, reason, tasks=(Task(TaskKind.READ_REPLY, why),), answer=answer)


def _unless_handled(heard: Heard, answer: Answer) -> Answer | None:
    """Two answers to one text would be one too many."""
    return None if heard.keyword_handled else answer


def _if_known(heard: Heard, answer: Answer) -> Answer | None:
    """A stranger's text is read by a person and not answered."""
    return _unless_handled(heard, answer) if heard.known else None


# Intent → what we do about it
_DEEDS: Final = {
    Intent.STOP: _stop,
    Intent.START: _start,
    Intent.HELP: _help,
    Intent.WRONG_NUMBER: _wrong_number,
    Intent.CANCEL: _wish,
    Intent.RESCHEDULE: _wish,
    Intent.CONFIRM: _confirm,
    Intent.HUMAN: _hand_over,
}
