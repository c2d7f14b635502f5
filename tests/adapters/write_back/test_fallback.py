"""A server that promises more than it keeps: the next fitting way takes what it refused, each fact once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.adapters.ehr.choosing import Purpose
from integration.domain.write_back import WriteBackKind, WriteBackState
from tests.adapters.ehr.charts import DELIVERED, SENT, admit
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.write_back.story import ENDS, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS = (WriteBackKind.TEXT, WriteBackKind.REPLY)
EVERYTHING = {"create", "update", "search-type", "read"}


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    ehr = StrictEhr()
    ehr.conditional_create = False
    ehr.refers_strictly = False
    for name in ("DocumentReference", "Task", "Consent"):
        ehr.offers[name] = EVERYTHING
    with listening(ehr):
        admit(ehr)
        yield ehr


def lag(ehr: StrictEhr) -> None:
    """Searches see what is new the second time only; Ana and her visit are old."""
    ehr.matches("Patient", {}, lagging=True)
    ehr.matches("Appointment", {}, lagging=True)
    ehr.search_lag = 1


@pytest.fixture
def site(ehr: StrictEhr) -> Iterator[Site]:
    site = Site(ehr.base_url)
    yield site
    site.close()


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_type_that_is_refused_gives_way_to_the_next_at_once_and_for_a_day(
    ehr: StrictEhr, site: Site, status: int
) -> None:
    assert site.way(Purpose.TEXTS) == "fhir_communication"
    ehr.faults.append(Fault("POST", "Communication", status))
    site.day()
    assert site.states() == {WriteBackState.WRITTEN}
    assert not site.open_tasks()
    assert site.way(Purpose.TEXTS) == "fhir_document"
    assert len(ehr.asked("POST", "Communication")) == 1
    assert len(ehr.all("DocumentReference")) == len(ENDS) + 3


def test_after_a_day_the_better_way_is_tried_again_and_old_facts_stay_where_they_are(
    ehr: StrictEhr, site: Site
) -> None:
    ehr.faults.append(Fault("POST", "Communication", 403))
    first = site.text(1)
    site.work(rounds=2)
    site.work(rounds=160)  # more than a day
    second = site.text(2)
    site.work()
    for text_id in (first, second):
        site.news(text_id, **DELIVERED)
    site.work(rounds=2)
    (note,) = ehr.all("DocumentReference")
    (message,) = ehr.all("Communication")
    assert (note["docStatus"], message["status"]) == ("final", "completed")


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_likes_no_communication_of_ours_is_soon_no_longer_asked(
    ehr: StrictEhr, site: Site, status: int
) -> None:
    ehr.faults.extend(Fault("POST", "Communication", status) for _ in range(20))
    site.day()
    assert site.states() == {WriteBackState.WRITTEN}
    assert len(ehr.asked("POST", "Communication")) == 3
    assert len(ehr.all("DocumentReference")) == len(ENDS) + 3


def test_one_odd_fact_among_good_ones_is_a_persons_business(ehr: StrictEhr, site: Site) -> None:
    site.text(1)
    site.work()
    ehr.faults.append(Fault("POST", "Communication", 422))
    site.text(2)
    site.work()
    assert len(site.open_tasks()) == 1
    assert not ehr.all("DocumentReference")


def test_what_may_be_there_goes_no_other_way(ehr: StrictEhr, site: Site) -> None:
    lag(ehr)
    ehr.faults.append(Fault("POST", "Communication", after_storing=True))
    site.text(1, **SENT)
    site.work()
    ehr.faults.append(Fault("GET", "Communication", 403))  # it cannot be looked for now
    site.work(rounds=4)
    assert len(ehr.all("Communication")) == 1
    assert not ehr.all("DocumentReference")


def test_notes_are_looked_for_in_a_lagging_search_before_they_are_written_again(
    ehr: StrictEhr, site: Site
) -> None:
    del ehr.offers["Communication"]
    lag(ehr)
    ehr.faults.append(Fault("POST", "DocumentReference", after_storing=True))
    site.text(1, **DELIVERED)
    site.work(rounds=5)
    assert len(ehr.all("DocumentReference")) == 1
    assert site.states() == {WriteBackState.WRITTEN}
