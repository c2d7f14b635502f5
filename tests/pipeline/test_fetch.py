"""What somebody said has changed is read at the EHR and kept, once, whatever the EHR does meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.write_back import TELL_STAFF_AFTER
from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import NotReadable, Reference
from tests.pipeline.reading_site import ANA, HOUR, MINUTE, NOW, ReadingSite, appointment

if TYPE_CHECKING:
    from integration.ports.store import Store

VISIT, PERSON = Reference("Appointment", "v1"), Reference("Patient", "ana")
AWAY = TryLater("no connection to the EHR (ConnectError)")


@pytest.fixture
def site(story_store: Store) -> ReadingSite:
    made = ReadingSite(story_store)
    made.ehr.put(appointment(), at=NOW)
    return made


def test_what_was_told_of_is_read_kept_and_translated_at_once(site: ReadingSite) -> None:
    site.tell(VISIT, PERSON)
    assert site.fetching.drain() == 2
    assert sorted(site.kept) == [("Appointment/v1", False), ("Patient/ana", False)]
    assert site.knocks == ["translate", "translate"]
    assert (site.count("read"), site.count("pending")) == (2, 0)
    assert site.fetching.drain() == 0


def test_what_reads_as_before_is_kept_once_and_a_state_that_returns_anew(site: ReadingSite) -> None:
    for start in (7, 7, 8, 7, 7):
        site.ehr.put(appointment(days=start))  # of an EHR that counts no versions
        site.tell(VISIT)
        site.fetching.drain()
    assert site.kept == [("Appointment/v1", False)] * 3


def test_a_person_who_changes_is_news_of_the_appointment_too(site: ReadingSite) -> None:
    site.tell(VISIT)
    site.fetching.drain()
    site.ehr.put({**ANA, "telecom": [{"system": "phone", "value": "+12025550123"}]})
    site.tell(VISIT)
    site.fetching.drain()
    assert len(site.kept) == 2


def test_a_surprise_in_one_answer_is_tried_again(site: ReadingSite) -> None:
    site.tell(VISIT, PERSON)
    site.ehr.will(RuntimeError("quotes Ana"))
    site.fetching.drain()
    assert len(site.kept) == 1
    site.later(MINUTE)
    assert site.fetching.drain() == 1
    assert sorted(site.kept) == [("Appointment/v1", False), ("Patient/ana", False)]


def test_what_is_told_while_it_is_read_is_read_again(site: ReadingSite) -> None:
    site.tell(VISIT)
    with site.store.unit() as unit:
        want = unit.wants.claim(site.now, site.now + MINUTE)
    assert want is not None
    site.tell(VISIT)
    with site.store.unit() as unit:
        unit.wants.settle(replace(want, state="read"))
    assert site.fetching.drain() == 1
    assert site.kept == [("Appointment/v1", False)]


def test_a_deleted_one_is_kept_as_deleted(site: ReadingSite) -> None:
    site.tell(VISIT)
    site.fetching.drain()
    site.ehr.delete("Appointment", "v1")
    site.tell(VISIT)
    site.fetching.drain()
    assert site.kept == [("Appointment/v1", False), ("-Appointment/v1", False)]


@pytest.mark.parametrize("said", [True, False])
def test_one_the_ehr_knows_no_more_is_gone_if_it_was_said_to_be_or_was_there(
    site: ReadingSite, *, said: bool
) -> None:
    if not said:
        site.tell(VISIT)
        site.fetching.drain()
    site.ehr.lose("Appointment", "v1")
    site.tell(VISIT, deleted=said)
    site.fetching.drain()
    assert site.kept[-1] == ("-Appointment/v1", False)
    assert site.count("read") == 1


def test_one_said_to_be_gone_that_is_there_is_read_as_it_is(site: ReadingSite) -> None:
    site.tell(VISIT, deleted=True)
    site.fetching.drain()
    assert site.kept == [("Appointment/v1", False)]


def test_one_that_is_not_there_yet_is_looked_for_again_and_found(site: ReadingSite) -> None:
    site.tell(Reference("Appointment", "v2"))
    site.fetching.drain()
    assert site.kept == []
    site.ehr.put(appointment(2), at=NOW)
    site.later(MINUTE)
    site.fetching.drain()
    assert site.kept == [("Appointment/v2", False)]


def test_one_that_never_was_there_is_given_up_without_a_task(site: ReadingSite) -> None:
    site.tell(Reference("Appointment", "v2"))
    for _ in range(10):
        site.fetching.drain()
        site.later(10 * MINUTE)
    assert len(site.reads) == 4
    assert site.count("refused") == 1
    assert (site.kept, site.tasks) == ([], [])


def test_what_the_ehr_refuses_is_one_task_a_feed_and_can_be_read_when_it_is_mended(
    site: ReadingSite,
) -> None:
    site.tell(VISIT, PERSON)
    site.ehr.will(*[NotReadable("Patient: the EHR refused it: HTTP 403")] * 2)
    site.fetching.drain()
    assert site.count("refused") == 2
    (task,) = site.tasks
    assert task == "The EHR does not show what feed ehr needs: Patient: the EHR refused it: HTTP 403"
    site.restart()
    site.polling.expect()
    site.fetching.drain()
    assert len(site.kept) == 2
    assert (site.count("refused"), site.tasks) == (0, [])


def test_what_the_ehr_never_manages_to_show_is_a_persons_business_in_the_end(site: ReadingSite) -> None:
    site.tell(VISIT)
    site.ehr.will(*[TryLater("the EHR failed: HTTP 500", away=False)] * TELL_STAFF_AFTER)
    for tries in range(TELL_STAFF_AFTER):
        assert site.tasks == []
        site.fetching.drain()
        site.later(15 * MINUTE)
        assert site.count("pending") == 1, tries
    assert site.tasks == ["The EHR does not show what feed ehr needs: the EHR failed: HTTP 500"]
    site.fetching.drain()
    assert (site.kept, site.tasks) == ([("Appointment/v1", False)], [])


def test_an_ehr_that_is_away_costs_few_requests_and_nothing_is_lost(site: ReadingSite) -> None:
    site.tell(VISIT, PERSON, *(Reference("Appointment", f"v{number}") for number in range(3, 30)))
    site.ehr.will(*[AWAY] * 1000)
    for _ in range(60):
        site.fetching.drain()
        site.later(timedelta(seconds=10))
    assert len(site.reads) < 20
    assert site.count("pending") == 29
    site.ehr._next.clear()
    site.later(HOUR)
    for _ in range(10):
        site.fetching.drain()
        site.later(10 * MINUTE)
    assert {about for about, _ in site.kept} == {"Appointment/v1", "Patient/ana"}
    assert site.count("pending") == 0


def test_an_ehr_that_asks_for_a_rest_gets_it(site: ReadingSite) -> None:
    site.tell(VISIT)
    site.ehr.will(TryLater("HTTP 429", timedelta(minutes=30), away=False))
    site.fetching.drain()
    site.later(29 * MINUTE)
    assert site.fetching.drain() == 0
    site.later(2 * MINUTE)
    assert site.fetching.drain() == 1


def test_a_process_that_dies_leaves_its_want_to_another(site: ReadingSite) -> None:
    site.tell(VISIT)
    with site.store.unit() as unit:
        assert unit.wants.claim(site.now, site.now + 2 * MINUTE) is not None
    assert site.fetching.drain() == 0
    site.later(2 * MINUTE)
    assert site.fetching.drain() == 1
    assert site.kept == [("Appointment/v1", False)]


def test_guardians_are_asked_for_where_the_feed_says_so(story_store: Store) -> None:
    site = ReadingSite(story_store, guardians=("MTH",))
    site.ehr.put(appointment(), at=NOW)
    site.tell(VISIT)
    site.fetching.drain()
    assert site.ehr.guardians_asked == {True}


def test_what_was_told_by_a_feed_that_is_configured_no_more_is_laid_aside(site: ReadingSite) -> None:
    with site.store.unit() as unit:
        unit.wants.tell("gone", [VISIT], site.now)
    site.fetching.drain()
    assert (site.reads, site.count("refused")) == ([], 1)


def test_without_an_ehr_nothing_is_read_and_nothing_is_lost(site: ReadingSite) -> None:
    site.tell(VISIT)
    site.site.change(reader=None)
    site.restart()
    assert site.fetching.drain() == 0
    assert site.count("pending") == 1
