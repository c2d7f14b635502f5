"""Deeds are done when they are due, by a few threads, whatever becomes of one of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from integration.sandbox import timetable as module
from integration.sandbox.timetable import Timetable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def timetable() -> Iterator[Timetable]:
    kept = Timetable(threads=1)
    yield kept
    kept.stop()


def test_what_is_due_first_is_done_first_and_equals_in_order_of_entry(timetable: Timetable) -> None:
    done: list[str] = []
    gate = threading.Event()
    timetable.enter(0, lambda: gate.wait(10))
    for delay, name in ((0.2, "late"), (0.0, "first"), (0.0, "second")):
        timetable.enter(delay, lambda name=name: done.append(name))  # type: ignore[misc]
    gate.set()
    assert timetable.settle(10)
    assert done == ["first", "second", "late"]


def test_a_deed_that_fails_ends_nothing_else(timetable: Timetable, caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    timetable.enter(0, lambda: int("x"))
    timetable.enter(0, lambda: done.append(1))
    assert timetable.settle(10)
    assert done == [1]
    assert caplog.messages == ["sandbox: a deed failed with ValueError"]


def test_what_never_comes_to_rest_is_not_waited_for(timetable: Timetable) -> None:
    timetable.enter(3600, lambda: None)
    assert not timetable.settle(0.01)
    timetable.clear()
    assert timetable.settle(10)


def test_it_is_bounded_and_counts_what_it_dropped(
    timetable: Timetable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    for _ in range(5):
        timetable.enter(3600, lambda: None)
    assert timetable.dropped == 3


def test_after_it_stopped_nothing_is_done(timetable: Timetable) -> None:
    done: list[int] = []
    timetable.enter(3600, lambda: done.append(1))
    timetable.stop()
    timetable.enter(0, lambda: done.append(2))
    assert timetable.settle(0.1)
    assert done == []
