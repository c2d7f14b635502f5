"""Replies, questions and staff tasks, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.conversation import Choice, Option
from integration.domain.staff_task import Done, TaskKind, TaskOutcome
from tests.adapters.store.records import ADA, BEN, DAY, HOUR, NOW, add_visit, question, reply, task, text

if TYPE_CHECKING:
    from integration.ports.store import Store


def test_a_reply_is_heard_once_however_often_it_is_delivered(store: Store) -> None:
    with store.unit() as unit:
        assert unit.replies.add(reply(1))
        assert not unit.replies.add(reply(1, body="the same text, delivered again"))
        assert unit.replies.add(reply(1, provider="another"))
    with store.unit() as unit:
        heard = unit.replies.claim()
        assert heard is not None
        assert heard == replace(reply(1), id=heard.id) == unit.replies.get(heard.id)


def test_replies_of_a_number_are_acted_upon_in_their_order(store: Store) -> None:
    with store.unit() as unit:
        for number, whose in enumerate((ADA, BEN, ADA)):
            unit.replies.add(reply(number, number=whose))
    order = []
    for _ in range(3):
        with store.unit() as unit:
            heard = unit.replies.claim()
            assert heard is not None
            assert unit.replies.claim() == heard  # until it is done
            order.append(heard.provider_id)
            unit.replies.update(replace(heard, done=True))
    assert order == ["SM0", "SM1", "SM2"]
    with store.unit() as unit:
        assert unit.replies.claim() is None


def test_a_number_waits_to_be_heard_until_its_last_reply_is_done(store: Store) -> None:
    with store.unit() as unit:
        for number, whose in enumerate((ADA, BEN, ADA)):
            unit.replies.add(reply(number, number=whose))
    for waits in ([True, True], [True, True], [True, False]):
        with store.unit() as unit:
            assert [unit.replies.waits(number) for number in (ADA, BEN)] == waits
            heard = unit.replies.claim()
            assert heard is not None
            unit.replies.update(replace(heard, done=True))
    with store.unit() as unit:
        assert not unit.replies.waits(ADA)
        assert not unit.replies.waits(BEN)


def test_what_was_understood_is_written_and_nothing_else(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        asked = unit.texts.add(text(whose))
        unit.replies.add(reply())
        heard = unit.replies.claim()
        assert heard is not None
        understood = replace(
            heard,
            intent="confirm",
            urgent=True,
            reason="the whole text is a yes",
            practice="riverside",
            text_id=asked.id,
            patient_id=whose,
            appointment_id=visit,
            done=True,
        )
        unit.replies.update(replace(understood, body="never said", number=BEN))
    with store.unit() as unit:
        assert unit.replies.get(heard.id) == understood
        with pytest.raises(KeyError):
            unit.replies.get(404)


def test_what_a_number_wrote_lately_comes_newest_first(store: Store) -> None:
    with store.unit() as unit:
        for hour, whose in enumerate((ADA, ADA, BEN, ADA)):
            unit.replies.add(reply(hour, number=whose, heard_at=NOW + hour * HOUR, done=hour == 1))
        assert [each.provider_id for each in unit.replies.heard_since(ADA, NOW + HOUR)] == ["SM3", "SM1"]


def test_a_newer_question_about_the_same_visit_replaces_the_older(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit, 1)
        other_visit, other = add_visit(unit, 2)
        asked = unit.texts.add(text(whose)).id
        for wanted in (
            question(asked, visit, whose),
            question(asked, other_visit, other),
            question(asked, visit, whose, slot_number=2, asked_at=NOW + HOUR),
            question(asked, visit, other, number=BEN),
        ):
            unit.replies.ask(wanted)
    with store.unit() as unit:
        newest, older = unit.replies.questions(ADA)
        assert newest == replace(
            question(asked, visit, whose, slot_number=2, asked_at=NOW + HOUR), id=newest.id
        )
        assert older.appointment_id == other_visit
        unit.replies.answered(newest.id, NOW + DAY)
        assert unit.replies.questions(ADA)[0] == replace(newest, answered_at=NOW + DAY)
        assert len(unit.replies.questions(BEN)) == 1


def test_a_task_is_on_the_list_once_until_it_is_done(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        wanted = task(kind=TaskKind.CALL_PATIENT, patient_id=whose, appointment_id=visit, due_at=NOW + DAY)
        opened = unit.tasks.add(wanted)
        assert opened is not None
        assert unit.tasks.get(opened) == replace(wanted, id=opened)
        assert unit.tasks.add(wanted) is None
        for each in (
            replace(wanted, reason="said in other words"),
            replace(wanted, kind=TaskKind.CANCEL_WISH),
            replace(wanted, appointment_id=None),
            task(practice="hillside"),
            task(practice="hillside"),
        ):
            unit.tasks.add(each)
    with store.unit() as unit:
        first, *others = unit.tasks.open()
        assert first == replace(wanted, id=first.id)
        assert [(each.kind, each.appointment_id) for each in others] == [
            (TaskKind.CANCEL_WISH, visit),
            (TaskKind.CALL_PATIENT, None),
            (TaskKind.READ_REPLY, None),
        ]
        assert [each.kind for each in unit.tasks.open("hillside")] == [TaskKind.READ_REPLY]
        unit.tasks.close(first.id, NOW + HOUR)
        assert unit.tasks.open("riverside") == others[:2]
        assert unit.tasks.get(first.id).done_at == NOW + HOUR
        with pytest.raises(KeyError):
            unit.tasks.get(999)
        unit.tasks.add(wanted)
        assert len(unit.tasks.open("riverside")) == 3


def test_what_is_to_be_done_about_one_reply_is_found_by_it(store: Store) -> None:
    with store.unit() as unit:
        for number in (1, 2):
            unit.replies.add(reply(number))
        first, second = (each.id for each in reversed(unit.replies.heard_since(ADA, NOW)))
        kinds = (TaskKind.READ_REPLY, TaskKind.CALL_PATIENT, TaskKind.CANCEL_WISH)
        mine = [unit.tasks.add(task(kind=kind, reply_id=second)) for kind in kinds]
        unit.tasks.add(task(reply_id=first))
        unit.tasks.add(task())
        unit.tasks.close(mine[1] or 0, NOW)
    with store.unit() as unit:
        assert [each.id for each in unit.tasks.of_reply(second)] == [mine[0], mine[2]]
        assert unit.tasks.of_reply(999) == []


def test_what_was_done_is_found_by_when_with_what_came_of_it(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        kinds = (TaskKind.CALL_PATIENT, TaskKind.CANCEL_WISH, TaskKind.READ_REPLY)
        ids = [unit.tasks.add(task(kind=kind, patient_id=whose)) for kind in kinds]
        first, second, third = [each for each in ids if each is not None]
        unit.tasks.assign(second, "Front desk")
        unit.tasks.close(second, NOW, Done(TaskOutcome.REACHED, "Rosa", "will come"))
        unit.tasks.close(first, NOW + HOUR)
        unit.tasks.assign(first, "too late")
    with store.unit() as unit:
        assert [each.id for each in unit.tasks.open()] == [third]
        assert [each.id for each in unit.tasks.done(NOW)] == [second, first]
        assert [each.id for each in unit.tasks.done(NOW + HOUR)] == [first]
        assert unit.tasks.done(NOW, "another practice") == []
        done, closed = unit.tasks.done(NOW, "riverside")
        assert (done.owner, done.outcome, done.done_by, done.note) == (
            "Front desk",
            TaskOutcome.REACHED,
            "Rosa",
            "will come",
        )
        assert (closed.owner, closed.outcome) == (task().owner, None)


def test_the_newest_numbered_question_of_a_number_and_sender_counts_until_it_expires(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.replies.add(reply())
        heard = unit.replies.claim()
        assert heard is not None
        option = Option(visit, whose, 1)
        older = Choice(0, ADA, heard.to_number, "confirm", heard.id, (option, option), NOW, NOW + 2 * HOUR)
        unit.choices.offer(older)
        newer = replace(older, intent="cancel", options=(option,), expires_at=NOW + HOUR)
        kept = unit.choices.offer(newer)
    with store.unit() as unit:
        assert unit.choices.newest(ADA, heard.to_number, NOW) == replace(newer, id=kept)
        assert unit.choices.newest(ADA, heard.to_number, NOW + HOUR) is None  # nor does the older one again
        assert unit.choices.newest(ADA, "+12025550199", NOW) is None
        assert unit.choices.newest(BEN, heard.to_number, NOW) is None
