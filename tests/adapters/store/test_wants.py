"""What is to be read at the EHR, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.ports.ehr_reading import Reference
from integration.ports.ehr_store import Want
from tests.adapters.store.records import DAY, HOUR, MINUTE, NOW

if TYPE_CHECKING:
    from integration.ports.store import Store, Unit

VISIT = Reference("Appointment", id="a-1")
OTHER = Reference("Appointment", id="a-2")
PERSON = Reference("Patient", identifier="urn:oid:1.2.36|1001")


def claim(unit: Unit) -> Want:
    want = unit.wants.claim(NOW, NOW + MINUTE)
    assert want is not None
    return want


def test_a_resource_is_told_of_claimed_and_read(store: Store) -> None:
    with store.unit() as unit:
        assert unit.wants.claim(NOW, NOW + DAY) is None
        unit.wants.tell("ehr", [VISIT], NOW, inbox_id=7)
        assert unit.wants.waits(["ehr"], [VISIT])
    with store.unit() as unit:
        want = claim(unit)
        assert want == Want(want.id, "ehr", VISIT, NOW, inbox_id=7)
        assert unit.wants.waits(["ehr"], [VISIT])
    with store.unit() as unit:
        unit.wants.settle(replace(want, state="read", tries=1))
        assert not unit.wants.waits(["ehr"], [VISIT])
        assert unit.wants.claim(NOW + DAY, NOW + DAY) is None
        assert (unit.wants.count("pending"), unit.wants.count("read")) == (0, 1)


def test_what_was_refused_is_waited_for_too(store: Store) -> None:
    with store.unit() as unit:
        unit.wants.tell("ehr", [VISIT], NOW)
        unit.wants.settle(replace(claim(unit), state="refused"))
    with store.unit() as unit:
        assert unit.wants.waits(["ehr"], [VISIT])


def test_told_again_while_it_waits_it_is_read_once(store: Store) -> None:
    with store.unit() as unit:
        unit.wants.tell("ehr", [VISIT, VISIT], NOW, inbox_id=1)
        unit.wants.tell("ehr", [VISIT], NOW + MINUTE, deleted=True, inbox_id=2)
        want = claim(unit)
        assert want == Want(want.id, "ehr", VISIT, NOW + MINUTE, revision=2, deleted=True, inbox_id=2)
        assert unit.wants.claim(NOW, NOW + DAY) is None


def test_told_again_while_it_is_read_it_is_read_once_more_and_not_by_two_at_once(store: Store) -> None:
    with store.unit() as unit:
        unit.wants.tell("ehr", [VISIT], NOW)
        want = claim(unit)
    with store.unit() as unit:
        unit.wants.tell("ehr", [VISIT], NOW + MINUTE)
        assert unit.wants.claim(NOW, NOW + DAY) is None
    with store.unit() as unit:
        unit.wants.settle(replace(want, state="read"))
        again = claim(unit)
        assert again == replace(want, revision=2, told_at=NOW + MINUTE)
        unit.wants.settle(replace(again, state="read"))
        assert unit.wants.count("read") == 1


def test_nobody_else_gets_it_before_its_lease_ends(store: Store) -> None:
    with store.unit() as unit:
        unit.wants.tell("ehr", [VISIT], NOW)
        want = claim(unit)
    with store.unit() as unit:
        assert unit.wants.claim(NOW, NOW + DAY) is None
        assert unit.wants.claim(NOW + MINUTE, NOW + DAY) == want


def test_put_off_it_comes_back_at_its_time_unless_it_is_told_of_again(store: Store) -> None:
    with store.unit() as unit:
        unit.wants.tell("ehr", [VISIT, OTHER], NOW)
        for _ in range(2):
            unit.wants.settle(replace(claim(unit), tries=3, next_try_at=NOW + HOUR, reason="connection"))
        assert unit.wants.claim(NOW + MINUTE, NOW + DAY) is None
        unit.wants.tell("ehr", [OTHER], NOW + MINUTE)
        hurried = unit.wants.claim(NOW + MINUTE, NOW + DAY)
        late = unit.wants.claim(NOW + HOUR, NOW + DAY)
    assert hurried is not None
    assert (hurried.reference, hurried.tries, hurried.reason) == (OTHER, 0, None)
    assert late is not None
    assert (late.reference, late.tries, late.next_try_at) == (VISIT, 3, NOW + HOUR)


def test_the_oldest_comes_first(store: Store) -> None:
    with store.unit() as unit:
        for each in (OTHER, PERSON, VISIT):
            unit.wants.tell("ehr", [each], NOW)
        assert [claim(unit).reference for _ in range(3)] == [OTHER, PERSON, VISIT]


def test_what_waits_is_told_by_feed_and_by_the_whole_reference(store: Store) -> None:
    with store.unit() as unit:
        unit.wants.tell("ehr", [VISIT, PERSON], NOW)
        assert unit.wants.waits(["main", "ehr"], [OTHER, PERSON])
        assert not unit.wants.waits(["main"], [VISIT, PERSON])
        assert not unit.wants.waits(["ehr"], [OTHER, Reference("Patient", id="a-1")])
        assert not unit.wants.waits(["ehr"], [])
        assert not unit.wants.waits([], [VISIT])


def test_feeds_that_name_a_resource_alike_mean_their_own(store: Store) -> None:
    with store.unit() as unit:
        unit.wants.tell("north", [VISIT], NOW)
        unit.wants.tell("south", [VISIT], NOW)
        assert {claim(unit).feed, claim(unit).feed} == {"north", "south"}


def test_what_was_refused_is_read_again_when_it_is_told_of_and_when_a_person_says_so(store: Store) -> None:
    with store.unit() as unit:
        for feed in ("north", "south"):
            unit.wants.tell(feed, [VISIT, OTHER], NOW)
        for _ in range(4):
            unit.wants.settle(replace(claim(unit), state="refused", tries=2, reason="HTTP 403"))
        unit.wants.tell("north", [VISIT], NOW)
        told = claim(unit)
        assert (told.state, told.tries, told.reason) == ("pending", 0, None)
        assert unit.wants.count("refused") == 3
        assert unit.wants.reopen("south") == 2
        assert {claim(unit).reference, claim(unit).reference} == {VISIT, OTHER}
        assert unit.wants.reopen() == 1
        reopened = claim(unit)
    assert (reopened.feed, reopened.reference, reopened.tries, reopened.reason) == ("north", OTHER, 0, None)
