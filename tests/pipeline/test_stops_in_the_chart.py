"""Stories of what charts are told of a stop that no reply to us said, and of staff's lifts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.circuit import Circuit
from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.failure import Failure
from integration.domain.write_back import WriteBackKind
from integration.pipeline.write_back import write_next
from integration.stops import stop, told_anew
from integration.testing.ehr import FakeWriteBack
from tests.messages import BEN
from tests.pipeline.network import ANAS_NUMBER, book, booked_site, deliver, report, say
from tests.site import local

if TYPE_CHECKING:
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")


def told(site: Site, ehr: FakeWriteBack) -> dict[tuple[WriteBackKind, int, int], list[bool]]:
    """After all that is due: of each wish and stop, by patient, whether it was told as in force."""
    circuit = Circuit()
    while write_next(site.store, ehr, site.clock, lambda: 0.0, circuit):
        pass
    ours = {WriteBackKind.CONSENT, WriteBackKind.SUPPRESSION}
    return {key: [fact.in_force for fact in facts] for key, facts in ehr.records.items() if key[0] in ours}


def refused_by_the_carrier() -> Site:
    """Ana's first text came back: her number has opted out (21610)."""
    site = booked_site()
    report(site, "undelivered", Failure.OPTED_OUT)
    return site


def listed(site: Site, *, ago: timedelta = timedelta()) -> None:
    """A list says that the number wants no texts."""
    with site.store.unit() as unit:
        unit.numbers.lock(ANAS_NUMBER)
        since = site.clock.calendar() - ago
        stop(unit, Suppression(0, ANAS_NUMBER, SuppressionKind.OPT_OUT, ALL_SENDERS, since, "import"))


def lift(site: Site, *, await_start: bool = False) -> None:
    """Staff do."""
    with site.store.unit() as unit:
        for each in unit.numbers.suppressions(ANAS_NUMBER):
            unit.consents.lift(each, at=site.clock.calendar(), by="staff", await_start=await_start)
        told_anew(unit, ANAS_NUMBER)


def test_a_stop_that_only_the_carrier_knows_of_is_told_once() -> None:
    site = refused_by_the_carrier()
    ehr = FakeWriteBack()
    assert told(site, ehr) == {(WriteBackKind.SUPPRESSION, 1, 1): [True]}
    [fact] = ehr.records[WriteBackKind.SUPPRESSION, 1, 1]
    assert fact.stop is not None
    assert (fact.stop.number, fact.stop.source) == (ANAS_NUMBER, "carrier")
    report(site, "undelivered", Failure.OPTED_OUT)
    assert told(site, ehr) == {(WriteBackKind.SUPPRESSION, 1, 1): [True]}


def test_a_number_that_is_no_good_has_said_nothing() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.BAD_NUMBER)
    assert not told(site, FakeWriteBack())


def test_a_lists_stop_is_told_to_each_chart_that_has_the_number() -> None:
    site = booked_site()
    book(site, "A2", "2027-04-20T09:00", BEN)
    listed(site)
    kind = WriteBackKind.SUPPRESSION
    assert told(site, FakeWriteBack()) == {(kind, 1, 1): [True], (kind, 1, 2): [True]}


def test_a_start_takes_the_carriers_stop_back() -> None:
    site = refused_by_the_carrier()
    ehr = FakeWriteBack()
    told(site, ehr)
    start = say(site, "START")
    assert told(site, ehr) == {
        (WriteBackKind.SUPPRESSION, 1, 1): [True, False],
        (WriteBackKind.CONSENT, start.id, 1): [True],
    }


def test_a_stop_that_is_said_as_well_stands_for_both() -> None:
    site = refused_by_the_carrier()
    ehr = FakeWriteBack()
    told(site, ehr)
    said = say(site, "STOP")
    assert told(site, ehr) == {
        (WriteBackKind.SUPPRESSION, 1, 1): [True, False],
        (WriteBackKind.CONSENT, said.id, 1): [True],
    }


def test_what_staff_lift_is_over_in_the_chart() -> None:
    site = booked_site()
    said = say(site, "please stop texting me")
    ehr = FakeWriteBack()
    told(site, ehr)
    lift(site)
    assert told(site, ehr) == {(WriteBackKind.CONSENT, said.id, 1): [True, False]}


def test_what_awaits_start_is_in_force_in_the_chart_until_an_answer_arrives() -> None:
    site = refused_by_the_carrier()
    ehr = FakeWriteBack()
    told(site, ehr)
    lift(site, await_start=True)
    assert told(site, ehr)[WriteBackKind.SUPPRESSION, 1, 1][-1] is True
    say(site, "HELP")
    deliver(site)
    assert told(site, ehr)[WriteBackKind.SUPPRESSION, 1, 1][-1] is False


def test_a_start_before_a_lists_stop_is_in_force_no_more() -> None:
    site = booked_site()
    say(site, "STOP")
    start = say(site, "START")
    ehr = FakeWriteBack()
    told(site, ehr)
    site.until(local("2027-03-02T12:00"))
    listed(site)
    after = told(site, ehr)
    assert after[WriteBackKind.CONSENT, start.id, 1] == [True, False]
    [stops] = [states for key, states in after.items() if key[0] is WriteBackKind.SUPPRESSION]
    assert stops == [True]
