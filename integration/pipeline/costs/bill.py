"""Reads each day's list of texts and replies at the provider: it names prices and segments late, if at all.

A GMT day is read to its end, page by page, once it is over, and again on the following days while a text
of it has no price. The provider is asked outside any transaction, under a lease.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from integration.domain.cost import billing_days
from integration.ports.cost_store import BillingDay
from integration.ports.sms import ProviderUnavailable

if TYPE_CHECKING:
    from integration.ports.sms import SmsProvider
    from integration.ports.workshop import Workshop

LOOKED_BACK: Final = 7  # days; a site that was away for longer has its prices guessed at
AFTER_MIDNIGHT: Final = timedelta(hours=6)  # GMT; by then a day's last texts have been priced, mostly
LEASE: Final = timedelta(minutes=10)
WHEN_AWAY: Final = timedelta(minutes=15)
MOST_LOOKS: Final = 4
MOST_PAGES: Final = 2000  # of a day
_A_DAY: Final = timedelta(days=1)
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_log = structlog.get_logger(__name__)


class Billing:
    """One process's reading of bills."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._expected = _EVER

    def expect(self) -> None:
        """Write down, once a day, the days whose bill is to be read."""
        workshop = self._workshop
        days = billing_days(workshop.clock.wall(), LOOKED_BACK)
        if workshop.sms is None or days[-1] == self._expected:
            return
        with workshop.store.unit() as unit:
            unit.costs.expect(
                BillingDay(workshop.sms.name, day, next_look_at=day + _A_DAY + AFTER_MIDNIGHT) for day in days
            )
        self._expected = days[-1]

    def read(self) -> bool:
        """Read one day's list; whether there was one to read."""
        workshop, sms = self._workshop, self._workshop.sms
        now = workshop.clock.wall()
        if sms is None:
            return False
        with workshop.store.unit() as unit:
            day = unit.costs.claim_day(now, now + LEASE)
        if day is None:
            return False
        if day.provider != sms.name:  # another provider's, that is configured no more
            with workshop.store.unit() as unit:
                unit.costs.settle_day(replace(day, next_look_at=None))
            return True
        self._read_list(sms, day)
        return True

    def _read_list(self, sms: SmsProvider, day: BillingDay) -> None:
        store, now = self._workshop.store, self._workshop.clock.wall()
        page: str | None = None
        known = 0
        for _ in range(MOST_PAGES):
            try:
                bill = sms.bill(day.day, page)
            except ProviderUnavailable as why:
                _log.warning("the provider could not be asked for its prices", why=str(why))
                with store.unit() as unit:
                    unit.costs.settle_day(replace(day, next_look_at=now + WHEN_AWAY))
                return
            with store.unit() as unit:
                known += unit.costs.price(sms.name, bill.billed)
            page = bill.more
            if page is None:
                break
        with store.unit() as unit:
            lacking = unit.costs.unpriced(sms.name, day.day, day.day + _A_DAY)
            ended = not lacking or day.looks + 1 >= MOST_LOOKS
            unit.costs.settle_day(
                replace(day, looks=day.looks + 1, next_look_at=None if ended else now + _A_DAY)
            )
        if known or not ended:
            _log.info(
                "a day's prices were read", day=day.day.date().isoformat(), known=known, again=not ended
            )
