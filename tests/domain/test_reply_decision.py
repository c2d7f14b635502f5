"""What we do about a reply, as tables: intent, surroundings, deeds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integration.domain.consent import SuppressionKind
from integration.domain.conversation import Choice, Option, Question
from integration.domain.reply_decision import Heard, decide, the_question
from integration.domain.reply_intent import Intent, Understood
from integration.domain.staff_task import TaskKind
from integration.domain.wording import Answer

NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)


def question(number: int, *, text: int, answered: bool = False) -> Question:
    return Question(
        id=number,
        text_id=text,
        number="+16175550123",
        appointment_id=number,
        patient_id=number,
        slot_number=1,
        visit_start=NOON + timedelta(days=2),
        asked_at=NOON,
        expires_at=NOON + timedelta(days=3),
        answered_at=NOON if answered else None,
    )


def heard(intent: Intent, *, urgent: bool = False) -> Heard:
    return Heard(Understood(intent, urgent, "a rule"), questions=(question(1, text=10),))


def which(asked_at: datetime) -> Choice:
    """Our numbered question about two visits."""
    return Choice(
        id=1,
        number="+16175550123",
        sender="+12025550199",
        intent=Intent.CANCEL.value,
        reply_id=1,
        options=(Option(1, 1, 1), Option(2, 2, 1)),
        asked_at=asked_at,
        expires_at=NOON + timedelta(hours=2),
    )


@pytest.mark.parametrize(("handled", "picked"), [(None, True), ("stop", False), ("help", False)])
def test_what_the_provider_acted_upon_is_no_choice(handled: str | None, *, picked: bool) -> None:
    asked = which(NOON)
    known = replace(heard(Intent.HUMAN), choice=asked, picked=asked.options[:1], visits=asked.options)
    decision = decide(replace(known, keyword_handled=handled))

    assert [task.kind for task in decision.tasks if task.kind is TaskKind.CANCEL_WISH] == (
        [TaskKind.CANCEL_WISH] if picked else []
    )
    assert (decision.suppress is SuppressionKind.OPT_OUT) is (handled == "stop")


@pytest.mark.parametrize(("after", "stands"), [(timedelta(minutes=-1), True), (timedelta(minutes=1), False)])
def test_a_yes_is_to_the_last_that_was_asked(after: timedelta, *, stands: bool) -> None:
    decision = decide(replace(heard(Intent.CONFIRM), choice=which(NOON + after)))

    assert bool(decision.confirmed) is stands
    assert [task.kind for task in decision.tasks] == ([] if stands else [TaskKind.READ_REPLY])


@pytest.mark.parametrize(
    ("intent", "tasks", "answer"),
    [
        (Intent.CONFIRM, [], Answer.CONFIRMED),
        (Intent.CANCEL, [TaskKind.CANCEL_WISH], Answer.CANCEL_WISH),
        (Intent.RESCHEDULE, [TaskKind.RESCHEDULE_WISH], Answer.CHANGE_WISH),
        (Intent.STOP, [TaskKind.OPTED_OUT], Answer.STOP),
        (Intent.START, [], Answer.START),
        (Intent.HELP, [], Answer.HELP),
        (Intent.WRONG_NUMBER, [TaskKind.WRONG_NUMBER], None),
        (Intent.HUMAN, [TaskKind.READ_REPLY], Answer.NOT_UNDERSTOOD),
    ],
)
def test_each_intent_has_its_deed(intent: Intent, tasks: list[TaskKind], answer: Answer | None) -> None:
    decision = decide(heard(intent))

    assert [task.kind for task in decision.tasks] == tasks
    assert decision.answer is answer
    assert bool(decision.confirmed) is (intent is Intent.CONFIRM)
    assert decision.lift is (intent is Intent.START)


@pytest.mark.parametrize("intent", list(Intent))
def test_only_stop_and_a_wrong_number_suppress(intent: Intent) -> None:
    wanted = {Intent.STOP: SuppressionKind.OPT_OUT, Intent.WRONG_NUMBER: SuppressionKind.WRONG_NUMBER}

    assert decide(heard(intent)).suppress is wanted.get(intent)


@pytest.mark.parametrize("intent", [intent for intent in Intent if intent is not Intent.STOP])
def test_an_emergency_comes_before_everything_but_an_opt_out(intent: Intent) -> None:
    decision = decide(heard(intent, urgent=True))

    assert [task.kind for task in decision.tasks] == [TaskKind.URGENT_REPLY]
    assert decision.answer is Answer.URGENT
    assert (decision.confirmed, decision.lift, decision.suppress) == ((), False, None)


def test_an_opt_out_with_an_emergency_is_both() -> None:
    decision = decide(heard(Intent.STOP, urgent=True))

    assert decision.suppress is SuppressionKind.OPT_OUT
    assert [task.kind for task in decision.tasks] == [TaskKind.OPTED_OUT, TaskKind.URGENT_REPLY]


@pytest.mark.parametrize("intent", list(Intent))
@pytest.mark.parametrize("handled", ["stop", "start", "help"])
def test_what_the_provider_has_answered_is_not_answered_again(intent: Intent, handled: str) -> None:
    assert decide(replace(heard(intent), keyword_handled=handled)).answer is None


@pytest.mark.parametrize(
    ("handled", "intent", "obeyed"),
    [
        ("stop", Intent.CONFIRM, Intent.STOP),
        ("help", Intent.HUMAN, Intent.HELP),
        ("help", Intent.STOP, Intent.STOP),
        ("start", Intent.CONFIRM, Intent.CONFIRM),
        ("start", Intent.HUMAN, Intent.HUMAN),
        ("start", Intent.START, Intent.START),
    ],
)
def test_the_providers_stop_is_ours_and_its_start_is_not(
    handled: str, intent: Intent, obeyed: Intent
) -> None:
    assert decide(replace(heard(intent), keyword_handled=handled)).intent is obeyed


@pytest.mark.parametrize(
    ("changes", "why", "answer"),
    [
        ({"questions": ()}, "no open question", Answer.NOT_UNDERSTOOD),
        ({"questions": (), "outdated": True}, "changed", Answer.OUT_OF_DATE),
        ({"questions": (), "known": False}, "no open question", None),
        ({"media": 1}, "picture", Answer.NOT_UNDERSTOOD),
        (
            {"questions": (question(1, text=10), question(2, text=11))},
            "several",
            Answer.NOT_UNDERSTOOD,
        ),
    ],
    ids=["none-open", "outdated", "stranger", "picture", "two-questions"],
)
def test_a_yes_that_is_not_certain_confirms_nothing(
    changes: dict[str, object], why: str, answer: Answer | None
) -> None:
    decision = decide(replace(heard(Intent.CONFIRM), **changes))  # type: ignore[arg-type]

    assert not decision.confirmed
    [task] = decision.tasks
    assert task.kind is TaskKind.READ_REPLY
    assert why in task.reason
    assert decision.answer is answer


@pytest.mark.parametrize(
    ("questions", "meant"),
    [
        ((), ()),
        ((question(1, text=10),), (1,)),
        ((question(1, text=10), question(2, text=10)), (1, 2)),
        ((question(1, text=10), question(2, text=11)), ()),
        ((question(1, text=10, answered=True), question(2, text=11)), (2,)),
        ((question(1, text=10, answered=True),), (1,)),
        ((question(1, text=10, answered=True), question(2, text=11, answered=True)), ()),
        ((question(1, text=10), question(2, text=10), question(3, text=11)), ()),
    ],
)
def test_one_text_is_one_question_and_what_is_answered_waits_behind(
    questions: tuple[Question, ...], meant: tuple[int, ...]
) -> None:
    assert tuple(one.id for one in the_question(questions)) == meant


def test_a_bare_cancel_says_so_to_whoever_reads_the_task() -> None:
    plain, bare = (decide(replace(heard(Intent.STOP), bare_cancel=bare)).tasks[0] for bare in (False, True))

    assert plain.each_visit
    assert bare.each_visit
    assert "Nothing was cancelled" in bare.reason
    assert plain.reason != bare.reason
