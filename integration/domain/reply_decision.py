"""What we do about a reply: obey what is certain, and hand everything else to a person (promise 7).

Pure. What a reply means (`reply_intent`) and which questions are open go in; deeds come out.

    stop          suppress; one confirmation; a task for every visit to come
    start         lift; answer
    help          answer
    urgent        the safe answer and an urgent task; nothing else is done
    wrong number  suppress; a task; no answer, for whoever reads it is a stranger
    confirm       confirm, if exactly one question is meant and none has been asked since; if several are,
                  ask once which; else a person
    cancel, move  a task; nothing is cancelled or moved; if several visits fit, ask once which
    1, 2, both    what was wished, for the visits chosen, if they have not changed since we asked
    the rest      a person reads it
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from integration.domain.consent import SuppressionKind
from integration.domain.conversation import MOST_OPTIONS, Option
from integration.domain.reply_intent import Intent
from integration.domain.staff_task import TaskKind
from integration.domain.wording import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.domain.conversation import Choice, Question
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
    partial: bool = False  # a part of the text did not arrive
    offered: bool = False  # it is, letter for letter, an answer that our text offered
    automatic: bool = False  # a machine's words: driving, out of office, not delivered
    visits: tuple[Option, ...] = ()  # to come, soonest first
    too_near: frozenset[int] = frozenset()  # appointments no text may cancel or change any more
    choice: Choice | None = None  # our numbered question, while it may be answered
    picked: tuple[Option, ...] = ()  # what the reply chooses of it


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
    about: tuple[Option, ...] | None = None  # the visits meant; None: as far as the visits to come tell
    ask: tuple[Option, ...] = ()  # the visits to choose among; `answer` where they cannot be asked about
    settles: int | None = None  # the reply whose tasks this one answers


def decide(heard: Heard) -> Decision:
    """What to do about a reply."""
    intent, reason = _intent(heard)
    if heard.understood.urgent and intent is not Intent.STOP:
        return _urgent(heard, intent, reason)
    if heard.choice is not None and heard.picked and intent not in _OUTRANK_A_CHOICE and _is_whole(heard):
        return _chosen(heard, heard.choice)
    return _DEEDS[intent](heard, intent, reason)


def _is_whole(heard: Heard) -> bool:
    """Whether what came is all that was written: words alone, and every part of them."""
    return not heard.media and not heard.partial


def _chosen(heard: Heard, choice: Choice) -> Decision:
    """What was wished is so of the visits chosen, if each still is what we asked about."""
    intent, reason = Intent(choice.intent), "a choice among the visits we asked about"
    now = {(visit.appointment_id, visit.patient_id, visit.slot_number) for visit in heard.visits}
    if any((each.appointment_id, each.patient_id, each.slot_number) not in now for each in heard.picked):
        task = Task(TaskKind.READ_REPLY, "A choice of a visit that has changed since. Nothing was done.")
        return Decision(
            Intent.HUMAN, reason, tasks=(task,), answer=_unless_handled(heard, Answer.OUT_OF_DATE)
        )
    if intent is not Intent.CONFIRM:
        return replace(
            _wish(replace(heard, visits=heard.picked), intent, reason, heard.picked), settles=choice.reply_id
        )
    wanted = {(each.appointment_id, each.patient_id) for each in heard.picked}
    meant = tuple(each for each in heard.questions if (each.appointment_id, each.patient_id) in wanted)
    if len(meant) < len(wanted):
        return _hand_over(heard, Intent.HUMAN, reason)
    answer = _unless_handled(heard, Answer.CONFIRMED)
    return Decision(intent, reason, confirmed=meant, answer=answer, settles=choice.reply_id)


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
    # A machine that says "in an emergency call 911" would be answered for ever.
    answer = None if heard.automatic else _unless_handled(heard, Answer.URGENT)
    return Decision(intent, reason, tasks=(task,), answer=answer)


def _start(heard: Heard, intent: Intent, reason: str) -> Decision:
    return Decision(intent, reason, lift=True, answer=_unless_handled(heard, Answer.START))


def _help(heard: Heard, intent: Intent, reason: str) -> Decision:
    return Decision(intent, reason, answer=_unless_handled(heard, Answer.HELP))


def _wrong_number(heard: Heard, intent: Intent, reason: str) -> Decision:
    del heard
    task = Task(TaskKind.WRONG_NUMBER, "A reply says that this is not the patient's number.")
    return Decision(intent, reason, suppress=SuppressionKind.WRONG_NUMBER, tasks=(task,))


def _wish(heard: Heard, intent: Intent, reason: str, chosen: tuple[Option, ...] = ()) -> Decision:
    """A person acts on it; software neither cancels nor moves."""
    kind, why, answer = _WISHES[intent]
    if not _is_whole(heard):
        return _hand_over(heard, intent, reason)
    about = chosen or _the_visit(heard)
    if about and all(each.appointment_id in heard.too_near for each in about):
        why, answer = f"{why} It is too near for a text: please call.", Answer.LATE_WISH
    ask = () if about else _worth_asking(heard, intent, heard.visits)
    if ask:
        why = f"{why} {_ASKED_WHICH}"
    task = Task(kind, why, each_visit=False)
    return Decision(
        intent, reason, tasks=(task,), answer=_if_known(heard, answer), about=about or None, ask=ask
    )


def _the_visit(heard: Heard) -> tuple[Option, ...]:
    """The one visit a wish is surely about: the only one to come, or the one our question offered it for."""
    if len(heard.visits) == 1:
        return heard.visits
    asked = {(question.appointment_id, question.patient_id) for question in the_question(heard.questions)}
    if not heard.offered or len(asked) != 1:
        return ()
    return tuple(each for each in heard.visits if (each.appointment_id, each.patient_id) in asked)


def _worth_asking(heard: Heard, intent: Intent, options: Sequence[Option]) -> tuple[Option, ...]:
    """The visits to choose among; none when they are one or too many, or we have asked already."""
    asked = heard.choice is not None and heard.choice.intent == intent
    if asked or heard.keyword_handled or not heard.known or not 1 < len(options) <= MOST_OPTIONS:
        return ()
    return tuple(options)


def _confirm(heard: Heard, intent: Intent, reason: str) -> Decision:
    meant = the_question(heard.questions)
    if meant and _is_whole(heard) and not _asked_which_since(heard, meant):
        answer = _unless_handled(heard, Answer.CONFIRMED)
        return Decision(intent, reason, confirmed=meant, answer=answer)
    if heard.outdated and not heard.questions:
        task = Task(TaskKind.READ_REPLY, "A yes to a visit that has changed since. Nothing was confirmed.")
        return Decision(intent, reason, tasks=(task,), answer=_unless_handled(heard, Answer.OUT_OF_DATE))
    given_up = _hand_over(heard, intent, reason)
    if not _is_whole(heard):
        return given_up
    waiting = [each for each in heard.questions if each.answered_at is None] or heard.questions
    options = sorted(waiting, key=lambda each: (each.visit_start, each.id))
    ask = [Option(each.appointment_id, each.patient_id, each.slot_number) for each in options]
    return replace(given_up, ask=_worth_asking(heard, intent, ask))


def _asked_which_since(heard: Heard, meant: Sequence[Question]) -> bool:
    """Whether we have asked which visit since: a yes may answer that, or our last word, or neither."""
    choice = heard.choice
    return choice is not None and any(question.asked_at <= choice.asked_at for question in meant)


def _why_not_confirmed(heard: Heard) -> str:
    if heard.media:
        return "A yes that came with a picture. Please read it."
    if heard.partial:
        return "A yes, but a part of the text did not arrive. Please read it."
    meant = the_question(heard.questions)
    if meant and _asked_which_since(heard, meant):
        return "A yes after we had asked which visit. Nothing was confirmed by it."
    if heard.questions:
        return f"A yes that several of our questions fit. {_ASKED_WHICH}"
    return "A yes to no open question. Nothing was confirmed."


def _hand_over(heard: Heard, intent: Intent, reason: str) -> Decision:
    why = "A reply that software should not act on. Please read it."
    if heard.automatic:
        why = "An automatic answer, as of a phone whose owner drives or is away. It was not answered."
    if intent is Intent.CONFIRM:
        why = _why_not_confirmed(heard)
    answer = None if heard.automatic else _if_known(heard, Answer.NOT_UNDERSTOOD)
    return Decision(intent, reason, tasks=(Task(TaskKind.READ_REPLY, why),), answer=answer)


def _unless_handled(heard: Heard, answer: Answer) -> Answer | None:
    """Two answers to one text would be one too many."""
    return None if heard.keyword_handled else answer


def _if_known(heard: Heard, answer: Answer) -> Answer | None:
    """A stranger's text is read by a person and not answered."""
    return _unless_handled(heard, answer) if heard.known else None


_ASKED_WHICH: Final = "Please ask which visit, unless the patient's next text says so."
# A choice is nothing but numbers; what is more than that goes its own way.
_OUTRANK_A_CHOICE: Final = frozenset({Intent.STOP, Intent.START, Intent.HELP, Intent.WRONG_NUMBER})
# A wish → the task, what staff read, our answer
_WISHES: Final = {
    Intent.CANCEL: (
        TaskKind.CANCEL_WISH,
        "The patient cannot come. Nothing was cancelled.",
        Answer.CANCEL_WISH,
    ),
    Intent.RESCHEDULE: (
        TaskKind.RESCHEDULE_WISH,
        "The patient asks for another time.",
        Answer.CHANGE_WISH,
    ),
}

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
