"""The fake store's numbers, texts, attempts, callbacks and write-backs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from integration.domain.consent import SuppressionKind
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.second_try import GIVEN_UP
from integration.domain.text_message import HOLDING, AttemptState, TextKind
from integration.domain.write_back import WriteBack, WriteBackKind, WriteBackState
from integration.ports.store import AlreadyAnswered, AlreadyOffered
from integration.testing.store_tables import as_stored, must_be_there

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from integration.domain.consent import Suppression
    from integration.domain.text_message import Attempt, TextMessage
    from integration.ports.store import Callback
    from integration.testing.store_tables import Tables

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_ARRIVED = frozenset({DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED})
_PARKED = frozenset({WriteBackState.REFUSED, WriteBackState.GAVE_UP})


class FakeNumberRows:
    """See `integration.ports.store.NumberRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def lock(self, number: str) -> None:
        """A unit of the fake holds every lock there is."""

    def suppressions(self, number: str) -> Sequence[Suppression]:
        """In force."""
        return [
            each
            for each in self._tables.suppressions.values()
            if each.number == number and each.lifted_at is None
        ]

    def suppress(self, suppression: Suppression) -> None:
        """Once."""
        in_force = {(each.kind, each.sender) for each in self.suppressions(suppression.number)}
        if (suppression.kind, suppression.sender) not in in_force:
            stored = as_stored(replace(suppression, id=self._tables.next_id("suppressions")))
            self._tables.suppressions[stored.id] = stored
        for each in self.suppressions(suppression.number):
            if each.kind is suppression.kind and suppression.source != "carrier":
                self._tables.suppressions[each.id] = replace(each, awaiting_start=None)

    def lift(self, number: str, kinds: Collection[SuppressionKind], *, at: datetime, by: str) -> int:
        """Kept as a record."""
        lifted = [each for each in self.suppressions(number) if each.kind in kinds]
        for each in lifted:
            self._tables.suppressions[each.id] = as_stored(replace(each, lifted_at=at, lifted_by=by))
        return len(lifted)

    def unusable(self, numbers: Collection[str]) -> Mapping[str, datetime]:
        """In force."""
        return {
            each.number: each.since
            for number in numbers
            for each in self.suppressions(number)
            if each.kind is SuppressionKind.BAD_NUMBER
        }

    def automatic_opt_outs(self, since: datetime) -> int:
        """Lifted ones included."""
        wanted = (SuppressionKind.OPT_OUT, "carrier")
        known = self._tables.suppressions.values()
        return sum((each.kind, each.source) == wanted and each.since >= since for each in known)


class FakeTextRows:
    """See `integration.ports.store.TextRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, text: TextMessage) -> TextMessage:
        """With its subjects."""
        must_be_there(self._tables.replies, text.answers_reply)
        for subject in text.subjects:
            must_be_there(self._tables.patients, subject.patient_id)
            must_be_there(self._tables.appointments, subject.appointment_id)
        answered = {each.answers_reply for each in self._all()}
        if text.answers_reply is not None and text.answers_reply in answered:
            raise AlreadyAnswered(f"reply {text.answers_reply}")
        stored = as_stored(replace(text, id=self._tables.next_id("texts")))
        self._tables.texts[stored.id] = stored
        return stored

    def get(self, text_id: int) -> TextMessage:
        """By id."""
        return self._tables.texts[text_id]

    def update(self, text: TextMessage) -> None:
        """News."""
        before = self._tables.texts[text.id]
        self._tables.texts[text.id] = as_stored(
            replace(
                text,
                number=before.number,
                kind=before.kind,
                practice=before.practice,
                subjects=before.subjects,
                created_at=before.created_at,
            )
        )

    def claim_queued(self, now: datetime) -> TextMessage | None:
        """The oldest."""
        for text in self._all():
            waits = text.not_before is not None and text.not_before > now
            if text.status is DeliveryStatus.QUEUED and not waits and not self.is_held(text.id):
                return text
        return None

    def is_held(self, text_id: int) -> bool:
        """Whether an attempt holds the text."""
        return any(attempt.state in HOLDING for attempt in self.attempts(text_id))

    def add_attempt(self, attempt: Attempt) -> Attempt:
        """Unless another holds the text."""
        must_be_there(self._tables.texts, attempt.text_id)
        token_is_taken = any(each.token == attempt.token for each in self._tables.attempts.values())
        if token_is_taken or (attempt.state in HOLDING and self.is_held(attempt.text_id)):
            raise AlreadyOffered(f"text {attempt.text_id}")
        stored = as_stored(replace(attempt, id=self._tables.next_id("attempts")))
        self._tables.attempts[stored.id] = stored
        return stored

    def update_attempt(self, attempt: Attempt, expected: Collection[str]) -> bool:
        """Compare and set."""
        stored = self._tables.attempts.get(attempt.id)
        if stored is None or stored.state not in expected:
            return False
        self._tables.attempts[attempt.id] = as_stored(attempt)
        return True

    def attempts(self, text_id: int) -> Sequence[Attempt]:
        """Of a text."""
        return [each for each in self._tables.attempts.values() if each.text_id == text_id]

    def attempt_by_token(self, token: str) -> Attempt | None:
        """By our token."""
        return next((each for each in self._tables.attempts.values() if each.token == token), None)

    def attempt_by_provider_id(self, provider: str, provider_id: str) -> Attempt | None:
        """By the provider's id."""
        for attempt in reversed(self._tables.attempts.values()):
            if attempt.provider_id == provider_id and self.get(attempt.text_id).provider == provider:
                return attempt
        return None

    def claim_overdue(self, now: datetime) -> Attempt | None:
        """Offers without an outcome first, then uncertain ones."""
        known = self._tables.attempts.values()
        offered = [each for each in known if each.state is AttemptState.OFFERED and each.deadline <= now]
        if offered:
            return min(offered, key=lambda attempt: attempt.deadline)
        looks = [
            (each.next_look_at, each.id)
            for each in known
            if each.state is AttemptState.UNCERTAIN
            and each.next_look_at is not None
            and each.next_look_at <= now
        ]
        return self._tables.attempts[min(looks)[1]] if looks else None

    def claim_stale(self, before: datetime) -> TextMessage | None:
        """The one longest unheard of."""
        stale = []
        for text in self._all():
            heard = [time for time in (text.accepted_at, text.sent_at, text.checked_at) if time is not None]
            under_way = (
                text.status in {DeliveryStatus.ACCEPTED, DeliveryStatus.SENT} and text.final_at is None
            )
            if under_way and heard and max(heard) < before:
                stale.append((max(heard), text.id))
        return self.get(min(stale)[1]) if stale else None

    def offered_to(self, number: str, since: datetime) -> Sequence[datetime]:
        """Oldest first."""
        return sorted(
            text.offered_at
            for text in self._all()
            if text.number == number
            and text.kind is not TextKind.ANSWER
            and text.offered_at is not None
            and text.offered_at >= since
            and text.status not in _NOT_ARRIVED
        )

    def failures_since(self, since: datetime, practice: str | None = None) -> Mapping[Failure, int]:
        """By kind."""
        return Counter(
            text.failure
            for text in self._all()
            if text.failure is not None
            and text.offered_at is not None
            and text.offered_at >= since
            and practice in {None, text.practice}
        )

    def unreachable_in_a_row(self, number: str) -> int:
        """Newest first, until one ended otherwise."""
        ended = sorted(
            (text.offered_at, text.id)
            for text in self._all()
            if text.number == number and text.final_at is not None and text.offered_at is not None
        )
        newest = (self.get(text_id) for _, text_id in reversed(ended[-GIVEN_UP:]))
        return len(list(takewhile(lambda text: text.failure is Failure.UNREACHABLE, newest)))

    def was_texted(self, number: str, practice: str) -> bool:
        """Ever."""
        told = (
            (text.number, text.practice, text.kind is TextKind.ANSWER)
            for text in self._all()
            if text.offered_at and text.status not in _NOT_ARRIVED
        )
        return (number, practice, False) in told

    def offered_by(self, practice: str, since: datetime) -> int:
        """Of all kinds."""
        return sum(
            text.practice == practice and text.offered_at is not None and text.offered_at >= since
            for text in self._all()
        )

    def answers_to(self, number: str, since: datetime) -> Sequence[TextMessage]:
        """Newest first."""
        answers = [
            text
            for text in self._all()
            if text.number == number and text.kind is TextKind.ANSWER and text.created_at >= since
        ]
        return sorted(answers, key=lambda text: (text.created_at, text.id), reverse=True)

    def for_slot(self, appointment_id: int, slot_number: int) -> bool:
        """Held by an attempt, and not failed."""
        return any(
            (reminder.appointment_id, reminder.slot_number) == (appointment_id, slot_number)
            and reminder.text_id is not None
            and self.get(reminder.text_id).status is not DeliveryStatus.FAILED
            and self.is_held(reminder.text_id)
            for reminder in self._tables.reminders.values()
        )

    def of_patient(self, patient_id: int, since: datetime) -> Sequence[TextMessage]:
        """Those that speak of them."""
        found = [
            text
            for text in self._all()
            if text.created_at >= since and patient_id in {each.patient_id for each in text.subjects}
        ]
        return sorted(found, key=lambda text: (text.created_at, text.id))

    def between(self, start: datetime, end: datetime, practice: str | None = None) -> Sequence[TextMessage]:
        """By the time they were offered."""
        offered = [
            (text.offered_at, text.id)
            for text in self._all()
            if practice in {None, text.practice}
            and text.offered_at is not None
            and start <= text.offered_at < end
        ]
        return [self.get(text_id) for _, text_id in sorted(offered)]

    def _all(self) -> list[TextMessage]:
        return list(self._tables.texts.values())


class FakeCallbackRows:
    """See `integration.ports.store.CallbackRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, callback: Callback) -> None:
        """As it came."""
        stored = as_stored(replace(callback, id=self._tables.next_id("callbacks")))
        self._tables.callbacks[stored.id] = stored

    def claim(self, limit: int) -> Sequence[Callback]:
        """Oldest first."""
        unread = [
            each for each in self._tables.callbacks.values() if each.id not in self._tables.callbacks_read
        ]
        return unread[:limit]

    def done(self, callback_id: int) -> None:
        """Read."""
        self._tables.callbacks_read[callback_id] = True


class FakeWriteBackRows:
    """See `integration.ports.store.WriteBackRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def want(self, kind: WriteBackKind, subject_id: int, patient_id: int) -> None:
        """Insert, or make pending again."""
        must_be_there(self._tables.patients, patient_id)
        row = self.find(kind, subject_id, patient_id)
        if row is None:
            row = WriteBack(self._tables.next_id("write_backs"), kind, subject_id, patient_id)
        elif row.state is WriteBackState.PENDING:
            row = replace(row, revision=row.revision + 1)
        else:
            row = replace(
                row,
                state=WriteBackState.PENDING,
                revision=row.revision + 1,
                tries=0,
                next_try_at=None,
                reason=None,
                words=None,
            )
        self._tables.write_backs[row.id] = row

    def renew(self, kind: WriteBackKind, subject_id: int) -> None:
        """Those wanted before."""
        for row in list(self._tables.write_backs.values()):
            if (row.kind, row.subject_id) == (kind, subject_id):
                self.want(kind, subject_id, row.patient_id)

    def claim(
        self, now: datetime, lease_until: datetime, kinds: Collection[WriteBackKind] | None = None
    ) -> WriteBack | None:
        """The one ready the longest."""
        ready = [
            (ready_at, row.id)
            for row in self._tables.write_backs.values()
            if (ready_at := self.ready_at(row)) <= now
            and row.state is WriteBackState.PENDING
            and (kinds is None or row.kind in kinds)
            and not self.waits(row)
        ]
        if not ready:
            return None
        claimed = self._tables.write_backs[min(ready)[1]]
        died = claimed.id in self._tables.leases  # a lease that ran out
        self._tables.leases[claimed.id] = lease_until
        return replace(claimed, unsettled=died)

    def ready_at(self, row: WriteBack) -> datetime:
        """When its lease ends, else when it is to be tried."""
        return self._tables.leases.get(row.id) or row.next_try_at or AT_ONCE

    def find(self, kind: WriteBackKind, subject_id: int, patient_id: int) -> WriteBack | None:
        """By what it is about."""
        wanted = (kind, subject_id, patient_id)
        for row in self._tables.write_backs.values():
            if (row.kind, row.subject_id, row.patient_id) == wanted:
                return row
        return None

    def settle(self, row: WriteBack) -> None:
        """How it went."""
        stored = self._tables.write_backs[row.id]
        grown = stored.revision != row.revision
        state = WriteBackState.PENDING if grown else row.state
        settled = replace(row, revision=stored.revision, state=state, unsettled=False)
        self._tables.write_backs[row.id] = as_stored(settled)
        self._tables.leases.pop(row.id, None)

    def reopen(self, patient_id: int) -> None:
        """Once more."""
        self.again(
            [
                row.id
                for row in self._tables.write_backs.values()
                if patient_id in {row.patient_id, self._tables.patients[row.patient_id].merged_into}
            ]
        )

    def get(self, row_id: int) -> WriteBack:
        """By its id."""
        return self._tables.write_backs[row_id]

    def listed(
        self, states: Collection[WriteBackState], *, after_id: int = 0, limit: int = 1000
    ) -> list[WriteBack]:
        """By id."""
        rows = sorted(self._tables.write_backs.values(), key=lambda row: row.id)
        return [row for row in rows if row.state in states and row.id > after_id][:limit]

    def again(self, row_ids: Collection[int]) -> int:
        """Those parked among them."""
        rows = (self._tables.write_backs.get(row_id) for row_id in row_ids)
        parked = [row for row in rows if row is not None and row.state in _PARKED]
        for row in parked:
            mode = None if row.ehr_id is None else row.mode
            self._tables.write_backs[row.id] = replace(
                row, state=WriteBackState.PENDING, reason=None, words=None, mode=mode
            )
        return len(parked)

    def count(self, state: WriteBackState) -> int:
        """How many."""
        return sum(row.state is state for row in self._tables.write_backs.values())

    def waits(self, row: WriteBack) -> bool:
        """A reply waits for the text it answers; what follows from a reply, for the reply."""
        told = self._told_first(row)
        first = None if told is None else self.find(*told, row.patient_id)
        return first is not None and first.state is WriteBackState.PENDING

    def _told_first(self, row: WriteBack) -> tuple[WriteBackKind, int] | None:
        reply_id = text_id = None
        if row.kind in {WriteBackKind.CONFIRMATION, WriteBackKind.CONSENT}:
            reply_id = row.subject_id
        elif row.kind is WriteBackKind.REPLY and row.subject_id in self._tables.replies:
            text_id = self._tables.replies[row.subject_id].text_id
        elif row.kind is WriteBackKind.TASK and row.subject_id in self._tables.tasks:
            task = self._tables.tasks[row.subject_id]
            reply_id, text_id = task.reply_id, task.text_id
        if reply_id is not None:
            return WriteBackKind.REPLY, reply_id
        return None if text_id is None else (WriteBackKind.TEXT, text_id)
