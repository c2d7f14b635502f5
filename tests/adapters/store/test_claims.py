"""What one unit has claimed no other gets, whoever asks at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from integration.domain.reminder import ReminderState
from integration.domain.text_message import AttemptState
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.ports.store import Overtaken
from tests.adapters.store.records import (
    ADA,
    BEN,
    HOUR,
    MINUTE,
    NOW,
    add_visit,
    attempt,
    callback,
    change,
    digest,
    kept,
    reminder,
    reply,
    text,
)
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from integration.ports.store import Store, Unit
    from tests.stores import StorePlace

WORKERS = 4
ROUNDS = 200  # far more than any story needs; only a claim that never ends reaches it


def work_off(store: Store, claim: Callable[[Unit], Iterable[Hashable] | None]) -> list[Hashable]:
    """Claim in several threads until nothing is left; what was claimed, in the order of commits of each."""
    claimed: list[Hashable] = []

    def worker() -> None:
        for _ in range(ROUNDS):
            with store.unit() as unit:
                found = claim(unit)
                mine = None if found is None else list(found)
            if mine is None and not store.has_work(NOW, NOW):
                return
            claimed.extend(mine or ())

    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(worker) for _ in range(WORKERS)]:
            done.result()
    return claimed


def test_each_message_is_applied_once_and_each_channel_in_order(store: Store) -> None:
    with store.unit() as unit:
        for number in range(60):
            message = kept(number, channel=f"feed{number % 3}")
            unit.inbox.add(message, digest(message))
    at_work: Counter[str] = Counter()

    def claim(unit: Unit) -> list[tuple[str, int]] | None:
        messages = unit.inbox.claim(4)
        if not messages:
            return None
        channel = messages[0].channel
        at_work[channel] += 1
        assert at_work[channel] == 1, "two units work on one channel"
        for message in messages:
            unit.inbox.done(message.id)
        at_work[channel] -= 1
        return [(channel, message.id) for message in messages]

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 60
    with store.unit() as unit:
        assert unit.inbox.count("done") == 60


def test_each_change_is_planned_once(store: Store) -> None:
    with store.unit() as unit:
        for number in range(10):
            visit, _ = add_visit(unit, number)
            for _ in range(3):
                unit.changes.add(change(visit))

    def claim(unit: Unit) -> list[int] | None:
        changes = unit.changes.claim(2)
        unit.changes.done([each.id for each in changes])
        return [each.id for each in changes] or None

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 30


def test_each_due_number_is_decided_once(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.reminders.add(
            [
                reminder(visit, whose, number=f"+120255501{number:02}", step=step)
                for number in range(20)
                for step in ("five_days", "two_days")
            ]
        )

    def claim(unit: Unit) -> list[str] | None:
        number = unit.reminders.claim_number(NOW)
        if number is None:
            return None
        due = unit.reminders.open_of_number(number)
        assert len(due) == 2
        unit.reminders.update([replace(each, state=ReminderState.SENT) for each in due])
        return [number]

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 20


def test_each_text_is_offered_once(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for number in range(20):
            unit.texts.add(text(whose, number=f"+120255501{number:02}"))

    def claim(unit: Unit) -> list[int] | None:
        queued = unit.texts.claim_queued(NOW)
        if queued is None:
            return None
        unit.texts.add_attempt(attempt(queued.id, deadline=NOW + HOUR))
        return [queued.id]

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 20


def test_each_uncertain_attempt_is_looked_up_once(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for _ in range(20):
            unit.texts.add_attempt(attempt(unit.texts.add(text(whose)).id, deadline=NOW - MINUTE))

    def claim(unit: Unit) -> list[int] | None:
        overdue = unit.texts.claim_overdue(NOW)
        if overdue is None:
            return None
        later = replace(overdue, state=AttemptState.UNCERTAIN, next_look_at=NOW + HOUR)
        assert unit.texts.update_attempt(later, {AttemptState.OFFERED})
        return [overdue.id]

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 20


def test_each_callback_is_read_once(store: Store) -> None:
    with store.unit() as unit:
        for number in range(20):
            unit.callbacks.add(callback(number))

    def claim(unit: Unit) -> list[int] | None:
        callbacks = unit.callbacks.claim(3)
        for each in callbacks:
            unit.callbacks.done(each.id)
        return [each.id for each in callbacks] or None

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 20


def test_each_reply_is_acted_upon_once_and_each_number_in_order(store: Store) -> None:
    with store.unit() as unit:
        for number in range(20):
            unit.replies.add(reply(number, number=(ADA, BEN)[number % 2]))
    acted: dict[str, list[int]] = {ADA: [], BEN: []}

    def claim(unit: Unit) -> list[int] | None:
        heard = unit.replies.claim()
        if heard is None:
            return None
        acted[heard.number].append(heard.id)
        unit.replies.update(replace(heard, done=True))
        return [heard.id]

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 20
    assert all(ids == sorted(ids) for ids in acted.values())


def test_each_fact_is_written_once(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for subject in range(20):
            unit.write_backs.want(WriteBackKind.TEXT, subject, whose)

    def claim(unit: Unit) -> list[int] | None:
        row = unit.write_backs.claim(NOW, NOW + HOUR)
        return None if row is None else [row.id]

    claimed = work_off(store, claim)
    assert len(claimed) == len(set(claimed)) == 20
    with store.unit() as unit:
        assert unit.write_backs.count(WriteBackState.PENDING) == 20  # leased, not written


def test_postgres_passes_over_what_another_unit_holds(postgres_place: StorePlace) -> None:
    store = postgres_place.open()
    with store.unit() as unit:
        one, ada = add_visit(unit, 1)
        two, ben = add_visit(unit, 2, number=BEN)
        for message in (kept(1), kept(2, channel="other")):
            unit.inbox.add(message, digest(message))
        for visit, whose, number in ((one, ada, ADA), (two, ben, BEN)):
            unit.changes.add(change(visit))
            unit.reminders.add([reminder(visit, whose, number=number)])
            unit.texts.add(text(whose, number=number))
            unit.callbacks.add(callback())
            unit.replies.add(reply(whose, number=number))
            unit.write_backs.want(WriteBackKind.TEXT, 1, whose)
    with store.unit() as mine, store.unit() as theirs:
        assert [each.channel for each in mine.inbox.claim(9)] == ["main"]
        assert [each.channel for each in theirs.inbox.claim(9)] == ["other"]
        assert mine.inbox.claim(9) != theirs.inbox.claim(9)
        assert [each.appointment_id for each in mine.changes.claim(1)] == [one]
        assert [each.appointment_id for each in theirs.changes.claim(9)] == [two]
        assert mine.reminders.claim_number(NOW) == ADA
        assert theirs.reminders.claim_numbers(NOW, 9) == [BEN]
        queued = theirs.texts.claim_queued(NOW)
        assert queued is not None
        assert queued.number == BEN  # Ada's number is locked
        heard = theirs.replies.claim()
        assert heard is not None
        assert heard.number == BEN
        assert len(mine.callbacks.claim(1)) == len(theirs.callbacks.claim(9)) == 1
        rows = [each.write_backs.claim(NOW, NOW + HOUR) for each in (mine, theirs)]
        assert len({row.id for row in rows if row}) == 2
    store.close()


def test_a_record_that_another_unit_wrote_meanwhile_is_not_overwritten(postgres_place: StorePlace) -> None:
    store = postgres_place.open()
    with store.unit() as unit:
        visit, whose = add_visit(unit)

    def overtaken(mine: Unit) -> None:
        appointment, patient = mine.appointments.get(visit), mine.patients.get(whose)
        with store.unit() as theirs:
            theirs.appointments.save(replace(theirs.appointments.get(visit), slot_number=2))
            theirs.patients.link(whose, "chart-1")
        with pytest.raises(Overtaken):
            mine.appointments.save(replace(appointment, confirmed=True))
        with pytest.raises(Overtaken):
            mine.patients.save(replace(patient, language="en"))

    with store.unit() as unit:
        overtaken(unit)
    with store.unit() as unit:
        unit.appointments.save(replace(unit.appointments.get(visit), confirmed=True))
        unit.appointments.save(replace(unit.appointments.get(visit), status="cancelled"))
    with store.unit() as unit:
        appointment = unit.appointments.get(visit)
        assert (appointment.slot_number, appointment.confirmed, appointment.status) == (2, True, "cancelled")
        assert unit.patients.get(whose).ehr_id == "chart-1"
    store.close()


def test_the_last_look_stays_true_until_the_text_is_written(postgres_place: StorePlace) -> None:
    """While a unit that asked whether changes wait is at work, none is written and none is planned."""
    store = postgres_place.open()
    with store.unit() as unit:
        visit, _ = add_visit(unit)
        unit.changes.add(change(visit))
    order: list[str] = []

    def apply_a_message() -> None:
        with store.unit() as translating:
            translating.appointments.find("main", ["SCH-2||1|"])
            translating.changes.add(change(visit))
        order.append("message applied")

    with ThreadPoolExecutor(1) as pool:
        with store.unit() as sending:
            assert sending.changes.waits([visit])
            with store.unit() as planning:
                assert planning.changes.claim(1) == []
            applying = pool.submit(apply_a_message)
            until(
                "the message waits for its appointment",
                lambda: applying.done() or waits_for_a_lock(postgres_place),
            )
            order.append("text written")
        applying.result()
    assert order == ["text written", "message applied"]
    store.close()


def waits_for_a_lock(place: StorePlace) -> bool:
    with psycopg.connect(place.url) as connection:
        return connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None


def test_the_lock_on_a_number_is_waited_for(store_place: StorePlace) -> None:
    store = store_place.open()
    order: list[str] = []
    has_it, may_go = threading.Event(), threading.Event()

    def holder() -> None:
        with store.unit() as unit:
            unit.numbers.lock(ADA)
            has_it.set()
            may_go.wait(30)
            order.append("holder")

    def waiter() -> None:
        has_it.wait(30)
        may_go.set()
        with store.unit() as unit:
            unit.numbers.lock(ADA)
            order.append("waiter")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(holder), pool.submit(waiter)]:
            done.result()
    assert order == ["holder", "waiter"]
    store.close()
