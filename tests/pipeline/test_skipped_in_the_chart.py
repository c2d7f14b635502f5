"""A reminder that was due and became no text is told to the chart, with its reason, where the site asks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.circuit import Circuit
from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.write_back import WriteBackKind
from integration.pipeline.write_back import drain
from integration.settings.model import WritingBack
from integration.testing.ehr import FakeWriteBack
from tests.messages import siu
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(BOOKED_AT))


@pytest.fixture
def chart() -> FakeWriteBack:
    return FakeWriteBack()


def opted_out(site: Site, chart: FakeWriteBack, **write_back: Any) -> None:
    """A visit is booked for a number that wants no texts, and the chart is told what it is to be told."""
    with site.store.unit() as unit:
        unit.numbers.suppress(
            Suppression(0, "+16175550123", SuppressionKind.OPT_OUT, ALL_SENDERS, BOOKED_AT, "reply")
        )
    site.change(settings=replace(site.settings, write_back=WritingBack(**write_back)), write_back=chart)
    site.hear(siu("S12", at=BOOKED_AT, start=local("2027-03-11T14:30")))
    drain(site.store, chart, site.clock, lambda: 0.5, Circuit())


def test_the_chart_hears_why_it_was_not_sent(site: Site, chart: FakeWriteBack) -> None:
    opted_out(site, chart, skipped=True)
    ((fact,),) = [facts for (kind, *_), facts in chart.records.items() if kind is WriteBackKind.SKIPPED]
    assert fact.reminder is not None
    assert (fact.reminder.step, fact.reminder.reason) == ("booked", "opted out")
    assert [visit.id for visit in fact.appointments] == [fact.reminder.appointment_id]


def test_it_hears_nothing_unless_the_site_asks(site: Site, chart: FakeWriteBack) -> None:
    opted_out(site, chart)
    assert site.reminders["booked"].reason == "opted out"
    assert not chart.records
