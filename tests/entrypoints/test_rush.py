"""When the pipeline leaves the store to the listener."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from integration.entrypoints.rush import Rush


@dataclass
class Watch:
    """Seconds that pass when asked for, as those of a thread that waits do."""

    now: float = 0.0
    step: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_more_messages_than_the_pipeline_can_follow_are_a_rush() -> None:
    watch = Watch()
    rush = Rush(watch)
    watch.now = 0.01
    rush.heard(2)
    assert not rush.is_on
    watch.now = 0.02
    rush.heard(20)
    assert rush.is_on


def test_a_rush_ends_by_itself() -> None:
    watch = Watch()
    rush = Rush(watch)
    watch.now = 0.01
    rush.heard(1000)
    assert rush.is_on
    watch.now = 1.0
    assert not rush.is_on


def test_one_message_after_a_silence_is_no_rush() -> None:
    watch = Watch()
    rush = Rush(watch)
    watch.now = 3600.0
    rush.heard(1)
    assert not rush.is_on


def test_however_long_the_rush_the_pipeline_goes_on_in_a_while() -> None:
    watch = Watch()
    rush = Rush(watch)
    watch.now = 0.01
    rush.heard(1_000_000)
    rush._until = float("inf")  # a rush without end
    watch.step = 0.01
    rush.stand_back(0.1, threading.Event())
    assert rush.is_on
    assert 0.9 <= watch.now <= 1.2  # nine times as long as it worked


def test_while_the_pipeline_could_follow_it_stands_back_a_little_only() -> None:
    watch = Watch()
    rush = Rush(watch)
    watch.now = 0.01
    rush.heard(4)
    assert rush.is_on
    rush._until = float("inf")
    watch.step = 0.01
    rush.stand_back(0.1, threading.Event())
    assert 0.2 <= watch.now <= 0.3


def test_nobody_waits_without_a_rush_or_when_told_to_stop() -> None:
    watch = Watch(step=1e-6)
    rush = Rush(watch)
    rush.stand_back(1000.0, threading.Event())
    stopping = threading.Event()
    stopping.set()
    rush._until = float("inf")
    rush.stand_back(1000.0, stopping)
    assert watch.now < 1
