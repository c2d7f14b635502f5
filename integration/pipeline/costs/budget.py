"""Holds each practice's spending of the month against its budget: tells staff, and stops if the site says so.

Looked at once a minute, so a budget may be passed by what a minute sends. A stop is a breaker: it ends by
itself with the month or a higher budget, or when a person releases it, who is believed until the month ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from integration.aftermath import open_task
from integration.domain.consequences import budget_breaker
from integration.domain.cost import USED_UP, BudgetState, budget_state, month_start, spent
from integration.domain.staff_task import StaffTask, TaskKind

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from integration.ports.workshop import Workshop
    from integration.settings.model import Practice

EVERY: Final = 60  # seconds, wall
_log = structlog.get_logger(__name__)


class Budgets:
    """One process's looks at the budgets."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._looked_at: datetime | None = None

    def look(self) -> None:
        """Look, if the last look is a minute ago."""
        now = self._workshop.clock.wall()
        if self._looked_at is not None and (now - self._looked_at).total_seconds() < EVERY:
            return
        self._looked_at = now
        for practice in self._workshop.settings.practices.values():
            self._look_at(practice)

    def _look_at(self, practice: Practice) -> None:
        store, now = self._workshop.store, self._workshop.clock.calendar()
        name, month = budget_breaker(practice.name), month_start(now, practice.plan.zone)
        state = BudgetState.WITHIN
        if practice.costs.budget is not None:
            with store.reading() as unit:
                texts = unit.costs.texts(practice.name, month, now)
                spending = spent(texts, unit.costs.replies(practice.name, month, now), practice.costs)
            state = budget_state(spending, practice.costs)
            if state is not BudgetState.WITHIN:
                self._tell(practice, state, spending, month)
        stops = state is BudgetState.USED_UP and practice.costs.stop
        is_open = name in store.breakers()
        let_go = store.released().get(name)
        if stops and not is_open and (let_go is None or let_go <= month):
            store.open_breaker(name, USED_UP)
            _log.warning("a budget is used up: reminders wait", practice=practice.name)
        elif is_open and not stops:
            # As of the month's beginning: only a person's release is believed for the rest of it.
            store.release(name, month)

    def _tell(self, practice: Practice, state: BudgetState, spending: Decimal, month: datetime) -> None:
        costs = practice.costs
        reason = (
            f"Texts of this month cost {spending:.2f} {costs.currency} so far, "
            f"of a budget of {costs.budget:.2f} {costs.currency}."
        )
        if state is BudgetState.USED_UP and costs.stop:
            reason += " Reminders wait until the month ends, the budget is raised or somebody releases them."
        now = self._workshop.clock.calendar()
        with self._workshop.store.unit() as unit:
            if unit.costs.tell_once(practice.name, month, state.value):
                task = StaffTask(
                    id=0, kind=TaskKind.BUDGET, practice=practice.name, reason=reason, created_at=now
                )
                open_task(unit, task, self._workshop.settings)
