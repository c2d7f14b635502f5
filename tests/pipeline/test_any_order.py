"""An EHR's messages in any order, some of them twice: the same visit, the same patient, the same reminders.

What is compared is what a text could follow from; `reorderings.Known` lists it. Where the end may depend on
the order, and rightly so, a story says it:

- What is told at once (booked, moved, cancelled) is about what was news when it was heard: who hears of a
  visit late, by a message that moves it, is not told that it was booked.
  On the day of the visit the news and the step of that day are one text, sent at the time of the news.
- Of two messages with the same MSH-7 the later one counts that came later.
- A confirmation is of the slot it names: one that comes after the visit has left that slot is not kept for
  the day it may return, nor one that comes after the visit was called off and booked anew.
- Messages are taken to be snapshots of a patient, as ADT and SIU are: what an older one tells and a newer
  one leaves out of a patient is known only when they come in order. Of a visit, status, start and place
  each have their own time, so they may be left out.
- An arrival (A04), one taken back (A11) and a deletion (A23) are of the visit as it is known then: before it
  is announced they are of none, and they apply only to what stands.
- What is sent under an identifier after it was merged away tells what the survivor lacks; whether it lacks
  it may depend on what came before. Late messages, sent before the merge, end alike.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.testing.store import FakeStore
from tests.pipeline.reorderings import (
    STARTS,
    TODAY,
    Delivery,
    Known,
    Said,
    deliver,
    deliveries,
    in_order,
    known,
)
from tests.stores import StorePlace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

SCHEDULING = ["S12", "S13", "S14", "S15", "S16", "S17", "S26"]
PERSONS = ["A08", "A31", "A28", "A05"]


def saying(triggers: Sequence[str], **changes: SearchStrategy[object]) -> SearchStrategy[Said]:
    """Messages with one of these triggers, any of the starts and any of the telephone numbers."""
    usual = {"start": st.integers(0, TODAY - 1), "phone": st.integers(0, 1)}
    return st.builds(Said, st.sampled_from(triggers), **{**usual, **changes})


def both_ways(history: Sequence[Said], delivery: Delivery, *, sending: bool = False) -> tuple[Known, Known]:
    """What is known after this delivery, and after the messages came as they were sent."""
    came = deliver(FakeStore(), history, delivery, sending=sending)
    as_sent = deliver(FakeStore(), history, in_order(len(history)), sending=sending)
    return known(came), known(as_sent)


def histories(messages: SearchStrategy[Said], most: int = 5) -> SearchStrategy[list[Said]]:
    return st.lists(messages, min_size=1, max_size=most)


KINDS = {
    "scheduling": saying(SCHEDULING),
    "statuses that are left out, or say something else": saying(
        SCHEDULING, status=st.sampled_from([None, "", "Booked", "Cancelled", "Arrived"])
    ),
    "times that are left out": saying(
        SCHEDULING, start=st.sampled_from([None, 0, 1]), status=st.sampled_from([None, ""])
    ),
    "parts of a visit, and broadcasts": saying(
        [*SCHEDULING, "S18", "S20", "S22", "S27"], status=st.sampled_from(["Booked", "Cancelled", ""])
    ),
    "two visits": saying(SCHEDULING, visit=st.sampled_from(["A1", "A2"])),
    "a visit that is given to another patient": saying(SCHEDULING, mrn=st.sampled_from(["MRN1", "MRN2"])),
    "a person": saying([*SCHEDULING[:4], *PERSONS]),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(st.data())
def test_any_order_ends_alike(kind: str, data: st.DataObject) -> None:
    history = data.draw(histories(KINDS[kind]))
    came, as_sent = both_ways(history, data.draw(deliveries(len(history))))
    assert came == as_sent


@settings(max_examples=30)
@given(st.data())
def test_two_records_become_one_in_any_order(data: st.DataObject) -> None:
    ours, theirs = saying([*SCHEDULING[:4], "A08"]), st.just("MRN2")
    lost = saying([*SCHEDULING[:4], "A08"], mrn=theirs, visit=st.just("A2"))
    before = data.draw(histories(st.one_of(ours, lost), most=3))
    after = data.draw(st.lists(ours, max_size=2))
    history = [*before, Said("A40"), *after]
    came, as_sent = both_ways(history, data.draw(deliveries(len(history))))
    assert came == as_sent


@settings(max_examples=30)
@given(st.data())
def test_any_order_ends_alike_while_texts_go_out(data: st.DataObject) -> None:
    history = data.draw(histories(saying([*SCHEDULING, "A08"])))
    came, as_sent = both_ways(history, data.draw(deliveries(len(history))), sending=True)
    assert came == as_sent


@settings(max_examples=30)
@given(st.data())
def test_arrivals_at_a_visit_that_was_announced_end_alike(data: st.DataObject) -> None:
    messages = saying(["S12", "S13", "S14", "A04", "A08"], start=st.just(TODAY))
    history = [Said("S12", start=TODAY), *data.draw(histories(messages, most=4))]
    rest = data.draw(deliveries(len(history)))
    first = Delivery((0, *rest.order), (True, *rest.work_after))
    came, as_sent = (replace(state, reminders=whose(state)) for state in both_ways(history, first))
    assert came == as_sent


def whose(state: Known) -> frozenset[tuple[object, ...]]:
    """The reminders without their times."""
    return frozenset(reminder[:-1] for reminder in state.reminders)


@settings(max_examples=30)
@given(st.data())
def test_a_visit_that_keeps_its_slot_is_confirmed_in_any_order(data: st.DataObject) -> None:
    messages = saying(["S12", "S14"], start=st.just(0), status=st.sampled_from(["Booked", "Confirmed", ""]))
    history = data.draw(histories(messages))
    came, as_sent = both_ways(history, data.draw(deliveries(len(history))))
    assert came == as_sent
    assert any(said.status == "Confirmed" for said in history) == is_confirmed(came)


def is_confirmed(state: Known) -> bool:
    (visit,) = state.visits
    return True in visit


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_ends_alike_on_sqlite_and_as_in_memory(
    empty_sqlite_store: Path, tmp_path: Path, data: st.DataObject
) -> None:
    history = data.draw(histories(st.one_of(*KINDS.values()).filter(lambda said: said.mrn == "MRN1")))
    delivery = data.draw(deliveries(len(history)))
    place = StorePlace.on_sqlite(tmp_path)
    shutil.copy(empty_sqlite_store, place.file)
    store = place.open()
    try:
        found = known(deliver(store, history, delivery, sending=True))
    finally:
        store.close()
        place.file.unlink()
    assert found == known(deliver(FakeStore(), history, delivery, sending=True))
    assert found == known(deliver(FakeStore(), history, in_order(len(history)), sending=True))


# Where the order counts.


def told(history: Sequence[Said], *order: int) -> list[str]:
    """The occasions of what went out at once."""
    site = deliver(FakeStore(), history, Delivery(order, (True,) * len(order)), sending=True)
    return [occasion for _, occasion in site.sent]


def test_a_booking_heard_of_after_the_move_is_not_told_and_the_move_is_no_news_of_a_visit_unknown() -> None:
    history = [Said("S12", start=0), Said("S13", start=1)]
    assert told(history, 0, 1) == ["booked", "moved"]
    assert told(history, 1, 0) == []


def test_an_arrival_before_its_visit_is_announced_is_of_none() -> None:
    history = [Said("S12", start=TODAY), Said("A04", start=TODAY)]
    came, as_sent = both_ways(history, Delivery((1, 0), (True, True)))
    assert [sorted(state.reminders) == [] for state in (came, as_sent)] == [False, True]


def test_of_two_messages_of_the_same_second_the_one_counts_that_came_later() -> None:
    twins = [Said("S12", start=0), Said("S13", start=1)]

    def ends_at(*order: int) -> set[object]:
        site = deliver(FakeStore(), twins, Delivery(order, (True, True)), apart=False)
        return {slot for visit in known(site).visits for slot in visit if slot in SLOTS}

    assert ends_at(0, 1) == {SLOTS[1]}
    assert ends_at(1, 0) == {SLOTS[0]}


@pytest.mark.parametrize(
    ("history", "late"),
    [
        # moved there, confirmed, moved away and back again
        (
            [Said("S12"), Said("S12", start=1, status="Confirmed"), Said("S13"), Said("S13", start=1)],
            (2, 1, 0, 3),
        ),
        # confirmed, cancelled, booked anew
        ([Said("S12"), Said("S12", status="Confirmed"), Said("S15"), Said("S12")], (0, 1, 3, 2)),
    ],
)
def test_a_confirmation_of_a_slot_that_was_left_depends_on_what_was_known(
    history: list[Said], late: tuple[int, ...]
) -> None:
    came, as_sent = both_ways(history, Delivery(late, (True,) * len(late)))
    assert came.reminders == as_sent.reminders
    assert is_confirmed(came) != is_confirmed(as_sent)


SLOTS = [*map(Known.slot_at, STARTS)]
