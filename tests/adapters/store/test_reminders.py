"""Reminders, and what forbids or allows texting a number, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.consent import ALL_SENDERS, SuppressionKind
from integration.domain.reminder import ReminderState
from tests.adapters.store.records import (
    ADA,
    BEN,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    add_visit,
    reminder,
    suppression,
    text,
)

if TYPE_CHECKING:
    from integration.ports.store import Store


def test_a_reminder_comes_back_as_added(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        wanted = reminder(
            visit, whose, state=ReminderState.HELD, reason="quiet-hours", inbox_id=4, decided_at=NOW
        )
        unit.reminders.add([wanted])
    with store.unit() as unit:
        (added,) = unit.reminders.of_appointment(visit)
    assert added == replace(wanted, id=added.id)


def test_a_reminder_exists_once_whatever_else_is_said_of_it(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.reminders.add([reminder(visit, whose)])
        unit.reminders.add(
            [reminder(visit, whose, due_at=NOW + DAY), reminder(visit, whose, step="two_days")]
        )
        unit.reminders.add([reminder(visit, whose, slot_number=2), reminder(visit, whose, number=BEN)])
        unit.reminders.add([])
        stored = unit.reminders.of_appointment(visit)
    assert [(each.step, each.slot_number, each.number) for each in stored] == [
        ("five_days", 1, ADA),
        ("two_days", 1, ADA),
        ("five_days", 2, ADA),
        ("five_days", 1, BEN),
    ]
    assert stored[0].due_at == NOW


def test_an_update_changes_what_was_decided_and_nothing_else(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.reminders.add([reminder(visit, whose)])
        (before,) = unit.reminders.of_appointment(visit)
        sent = unit.texts.add(text(whose))
        decided = replace(
            before,
            practice="another",
            state=ReminderState.SENT,
            reason="with two_days",
            due_at=NOW + HOUR,
            not_after=NOW + 2 * HOUR,
            text_id=sent.id,
            decided_at=NOW + MINUTE,
        )
        unit.reminders.update([replace(decided, slot_number=9, step="another")])
        unit.reminders.update([])
    with store.unit() as unit:
        assert unit.reminders.of_text(sent.id) == [decided]
        assert unit.reminders.get(decided.id) == decided
        with pytest.raises(KeyError):
            unit.reminders.get(decided.id + 1000)


def test_the_number_due_first_is_claimed_and_only_while_something_is_due(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.reminders.add(
            [
                reminder(visit, whose, number=BEN, due_at=NOW + HOUR),
                reminder(visit, whose, due_at=NOW + 2 * HOUR),
                reminder(visit, whose, step="two_days", due_at=NOW + 3 * HOUR),
            ]
        )
        assert unit.reminders.next_due() == NOW + HOUR
        awaiting = unit.reminders.awaiting(NOW + 2 * HOUR)
        assert [each.number for each in awaiting] == [BEN, ADA]
        assert unit.reminders.claim_number(NOW) is None
        assert unit.reminders.claim_number(NOW + HOUR) == BEN
        assert unit.reminders.claim_numbers(NOW + DAY, 10) == [BEN, ADA]
        assert unit.reminders.claim_numbers(NOW + DAY, 1) == [BEN]


def test_only_open_reminders_without_a_text_are_due(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.reminders.add([reminder(visit, whose, step=state.value, state=state) for state in ReminderState])
        for state in (ReminderState.PLANNED, ReminderState.HELD):
            assert unit.reminders.claim_number(NOW) == ADA
            (open_one,) = [each for each in unit.reminders.open_of_number(ADA) if each.state is state]
            written = unit.texts.add(text(whose))
            unit.reminders.update([replace(open_one, text_id=written.id)])
        assert unit.reminders.claim_number(NOW + DAY) is None
        assert unit.reminders.next_due() is None
        assert list(unit.reminders.awaiting(NOW + DAY)) == []


def test_the_open_reminders_of_a_number_come_by_due_time(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        unit.reminders.add(
            [
                reminder(visit, whose, step="late", due_at=NOW + DAY),
                reminder(visit, whose, step="held", state=ReminderState.HELD),
                reminder(visit, whose, step="skipped", state=ReminderState.SKIPPED),
                reminder(visit, whose, number=BEN),
            ]
        )
        assert [each.step for each in unit.reminders.open_of_number(ADA)] == ["held", "late"]


def test_a_practice_can_be_asked_what_it_planned(store: Store) -> None:
    with store.unit() as unit:
        visit, whose = add_visit(unit)
        steps = [
            reminder(visit, whose, step="cancelled", due_at=NOW),
            reminder(visit, whose, step="cancelled", number=BEN, due_at=NOW - 2 * HOUR, decided_at=NOW),
            reminder(visit, whose, step="moved", due_at=NOW - 3 * HOUR, decided_at=NOW - 3 * HOUR),
            reminder(visit, whose, step="booked", practice="hillside", due_at=NOW),
        ]
        unit.reminders.add(steps)
        assert unit.reminders.count_planned("riverside", "cancelled", NOW - HOUR) == 1
        assert unit.reminders.count_planned("riverside", "cancelled", NOW - DAY) == 2
        assert unit.reminders.count_planned("hillside", "cancelled", NOW - DAY) == 0
        read = unit.reminders.states_of_practice("riverside", NOW - HOUR)
        assert [(each.step, each.number) for each in read] == [("cancelled", BEN), ("cancelled", ADA)]


def test_a_suppression_stands_once_until_it_is_lifted(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.lock(ADA)
        unit.numbers.suppress(suppression())
        unit.numbers.suppress(suppression(since=NOW + DAY, evidence="STOP"))
        unit.numbers.suppress(suppression(sender="+16175550199"))
        unit.numbers.suppress(suppression(kind=SuppressionKind.BAD_NUMBER))
        unit.numbers.suppress(suppression(number=BEN))
    with store.unit() as unit:
        in_force = unit.numbers.suppressions(ADA)
        assert in_force[0] == replace(suppression(), id=in_force[0].id)
        assert [(each.kind, each.sender) for each in in_force] == [
            (SuppressionKind.OPT_OUT, ALL_SENDERS),
            (SuppressionKind.OPT_OUT, "+16175550199"),
            (SuppressionKind.BAD_NUMBER, ALL_SENDERS),
        ]
        opt_out = [SuppressionKind.OPT_OUT, SuppressionKind.WRONG_NUMBER]
        assert unit.numbers.lift(ADA, opt_out, at=NOW + DAY, by="reply") == 2
        assert unit.numbers.lift(ADA, opt_out, at=NOW + DAY, by="reply") == 0
        assert [each.kind for each in unit.numbers.suppressions(ADA)] == [SuppressionKind.BAD_NUMBER]
        assert len(unit.numbers.suppressions(BEN)) == 1
        unit.numbers.suppress(suppression())
        assert len(unit.numbers.suppressions(ADA)) == 2


def test_opt_outs_by_the_carrier_alone_are_counted_lifted_or_not(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.suppress(suppression(source="carrier", since=NOW))
        unit.numbers.lift(ADA, [SuppressionKind.OPT_OUT], at=NOW + HOUR, by="staff")
        unit.numbers.suppress(suppression(source="carrier", since=NOW + HOUR))
        unit.numbers.suppress(suppression(number=BEN, since=NOW + HOUR))
        unit.numbers.suppress(suppression(number=BEN, kind=SuppressionKind.BAD_NUMBER, source="carrier"))
        assert unit.numbers.automatic_opt_outs(NOW) == 2
        assert unit.numbers.automatic_opt_outs(NOW + HOUR) == 1
