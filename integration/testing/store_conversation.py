"""The fake store's replies, questions and staff tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.text_message import TextKind
from integration.testing.store_tables import as_stored, must_be_there

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from integration.domain.conversation import Choice, Question, Reply
    from integration.domain.staff_task import Done, StaffTask
    from integration.domain.text_message import TextMessage
    from integration.testing.store_tables import Tables


class FakeReplyRows:
    """See `integration.ports.store.ReplyRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, reply: Reply) -> bool:
        """Once."""
        known = {(each.provider, each.provider_id) for each in self._tables.replies.values()}
        if (reply.provider, reply.provider_id) in known:
            return False
        self._write(replace(reply, id=self._tables.next_id("replies")))
        return True

    def claim(self) -> Reply | None:
        """The oldest."""
        return next((reply for reply in self._tables.replies.values() if not reply.done), None)

    def waits(self, number: str) -> bool:
        """Not yet done."""
        return any(reply.number == number and not reply.done for reply in self._tables.replies.values())

    def update(self, reply: Reply) -> None:
        """What was understood."""
        self._write(
            replace(
                self.get(reply.id),
                intent=reply.intent,
                urgent=reply.urgent,
                reason=reply.reason,
                practice=reply.practice,
                text_id=reply.text_id,
                patient_id=reply.patient_id,
                appointment_id=reply.appointment_id,
                done=reply.done,
            )
        )

    def get(self, reply_id: int) -> Reply:
        """By id."""
        return self._tables.replies[reply_id]

    def heard_since(self, number: str, since: datetime) -> Sequence[Reply]:
        """Newest first."""
        heard = [
            each for each in self._tables.replies.values() if each.number == number and each.heard_at >= since
        ]
        return sorted(heard, key=lambda reply: (reply.heard_at, reply.id), reverse=True)

    def ask(self, question: Question) -> None:
        """In the place of an older one."""
        must_be_there(self._tables.texts, question.text_id)
        must_be_there(self._tables.patients, question.patient_id)
        must_be_there(self._tables.appointments, question.appointment_id)
        about = (question.appointment_id, question.patient_id)
        for older in list(self._tables.questions.values()):
            if (older.appointment_id, older.patient_id) == about:
                del self._tables.questions[older.id]
        stored = as_stored(replace(question, id=self._tables.next_id("questions")))
        self._tables.questions[stored.id] = stored

    def questions(self, number: str) -> Sequence[Question]:
        """Newest first."""
        return [
            replace(each, sender=self._tables.texts[each.text_id].sender)
            for each in reversed(self._tables.questions.values())
            if each.number == number
        ]

    def answered(self, question_id: int, at: datetime) -> None:
        """The newest answer's time."""
        question = self._tables.questions[question_id]
        self._tables.questions[question_id] = as_stored(replace(question, answered_at=at))
        self._tables.answered[question_id] = self._tables.questions[question_id]

    def hand_over(self, appointment_ids: Collection[int], gone_id: int, survivor_id: int) -> None:
        """Those that stand."""
        asked = {(each.appointment_id, each.patient_id) for each in self._tables.questions.values()}
        for question in list(self._tables.questions.values()):
            if question.patient_id != gone_id or question.appointment_id not in appointment_ids:
                continue
            if (question.appointment_id, survivor_id) in asked:
                del self._tables.questions[question.id]
            else:
                self._tables.questions[question.id] = replace(question, patient_id=survivor_id)

    def last_text_to(self, number: str) -> TextMessage | None:
        """Newest by the time it was offered."""
        offered = [
            (text.offered_at, text.id)
            for text in self._tables.texts.values()
            if text.number == number and text.kind is not TextKind.ANSWER and text.offered_at is not None
        ]
        return self._tables.texts[max(offered)[1]] if offered else None

    def _write(self, reply: Reply) -> None:
        must_be_there(self._tables.texts, reply.text_id)
        must_be_there(self._tables.patients, reply.patient_id)
        must_be_there(self._tables.appointments, reply.appointment_id)
        self._tables.replies[reply.id] = as_stored(reply)


class FakeChoiceRows:
    """See `integration.ports.conversation_store.ChoiceRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def offer(self, choice: Choice) -> int:
        """Beside the earlier ones."""
        must_be_there(self._tables.replies, choice.reply_id)
        stored = as_stored(replace(choice, id=self._tables.next_id("choices")))
        self._tables.choices[stored.id] = stored
        return stored.id

    def newest(self, number: str, sender: str, now: datetime) -> Choice | None:
        """Whatever came before it is over."""
        theirs = [
            each for each in self._tables.choices.values() if (each.number, each.sender) == (number, sender)
        ]
        return theirs[-1] if theirs and theirs[-1].expires_at > now else None


class FakeTaskRows:
    """See `integration.ports.store.TaskRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, task: StaffTask) -> int | None:
        """Unless it is there."""
        must_be_there(self._tables.patients, task.patient_id)
        must_be_there(self._tables.appointments, task.appointment_id)
        must_be_there(self._tables.replies, task.reply_id)
        must_be_there(self._tables.texts, task.text_id)
        if _about(task) in {_about(each) for each in self.open()}:
            return None
        stored = as_stored(replace(task, id=self._tables.next_id("tasks")))
        self._tables.tasks[stored.id] = stored
        return stored.id

    def get(self, task_id: int) -> StaffTask:
        """By our id."""
        return self._tables.tasks[task_id]

    def open(self, practice: str | None = None) -> Sequence[StaffTask]:
        """Oldest first."""
        return [
            task
            for task in self._tables.tasks.values()
            if task.done_at is None and practice in {None, task.practice}
        ]

    def of_reply(self, reply_id: int) -> Sequence[StaffTask]:
        """Oldest first."""
        return [task for task in self.open() if task.reply_id == reply_id]

    def done(self, since: datetime, practice: str | None = None) -> Sequence[StaffTask]:
        """The earliest first."""
        found = [
            (task.done_at, task.id, task)
            for task in self._tables.tasks.values()
            if task.done_at is not None and task.done_at >= since and practice in {None, task.practice}
        ]
        return [task for _, _, task in sorted(found)]

    def close(self, task_id: int, at: datetime, done: Done | None = None) -> None:
        """Once."""
        task = self._tables.tasks.get(task_id)
        if task is not None and task.done_at is None:
            closed = replace(task, done_at=at)
            if done is not None:
                closed = replace(closed, outcome=done.outcome, done_by=done.by, note=done.note)
            self._tables.tasks[task_id] = as_stored(closed)

    def assign(self, task_id: int, owner: str | None) -> None:
        """What is open."""
        task = self._tables.tasks.get(task_id)
        if task is not None and task.done_at is None:
            self._tables.tasks[task_id] = replace(task, owner=owner)

    def hand_over(self, gone_id: int, survivor_id: int, at: datetime) -> Sequence[int]:
        """One by one."""
        twins = []
        for task in self.open():
            theirs = replace(task, patient_id=survivor_id)
            if task.patient_id != gone_id:
                continue
            if _about(theirs) in {_about(each) for each in self.open()}:
                self.close(task.id, at)
                twins.append(task.id)
            else:
                self._tables.tasks[task.id] = theirs
        return twins


def _about(task: StaffTask) -> tuple[object, ...]:
    people = (task.practice, task.patient_id, task.appointment_id, task.reply_id)
    return (task.kind, *people, task.text_id, task.feed)
