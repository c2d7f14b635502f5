"""A feed that should speak and does not: staff are told, reminders wait, and all ends with its next word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.pipeline.watch import Watching
from tests.messages import siu
from tests.settings import feed, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from typing import Any

    from integration.ports.store import Store
    from integration.settings.model import Settings

BOOKED = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")


def expecting(hours: int | None = 2, **changes: Any) -> Settings:
    silence = None if hours is None else timedelta(hours=hours)
    return settings(feeds={"main": feed(expected_silence=silence, **changes)})


class Scene:
    """A site whose feed is looked at every minute."""

    def __init__(self, store: Store, hours: int | None = 2, **changes: Any) -> None:
        self.site = Site(store, TurnedClock(BOOKED), settings=expecting(hours, **changes))
        self.watching = Watching(self.site.workshop)

    def wait(self, duration: timedelta) -> None:
        """Let time pass as it does while the product runs: looked at every minute."""
        end = self.site.clock.now + duration
        while self.site.clock.now < end:
            self.site.clock.now = min(end, self.site.clock.now + timedelta(seconds=55))
            self.watching.look()

    def is_silent(self) -> bool:
        with self.site.store.unit() as unit:
            watch = unit.feeds.get("main")
        return watch is not None and watch.silent_since is not None

    @property
    def asked(self) -> list[str]:
        return [task.reason for task in self.site.tasks if task.kind is TaskKind.SILENT_FEED]


def test_staff_are_told_once_and_no_more_when_it_speaks_again(store: Store) -> None:
    scene = Scene(store)
    scene.site.hear(siu("S12", at=BOOKED, start=VISIT))
    with capture_logs() as log:
        scene.wait(timedelta(hours=2))
        assert not scene.is_silent()
        scene.wait(timedelta(minutes=5))
    assert scene.is_silent()
    assert [entry["event"] for entry in log if entry["log_level"] == "error"] == ["a feed is silent"]
    assert scene.asked == [
        "Nothing has been heard from feed main since 2027-03-01 11:00: ask whether the EHR still sends."
    ]
    scene.site.hear(siu("S14", at=scene.site.clock.now, start=VISIT))
    scene.watching.look()
    assert not scene.is_silent()
    assert scene.asked == []


def test_a_message_kept_and_not_yet_applied_is_a_word(store: Store) -> None:
    scene = Scene(store)
    scene.wait(timedelta(hours=1, minutes=59))
    scene.site.receive(siu("S12", at=BOOKED, start=VISIT))
    scene.wait(timedelta(hours=1))
    assert not scene.is_silent()


def test_one_that_never_spoke_counts_from_when_it_was_first_expected_to(store: Store) -> None:
    scene = Scene(store)
    scene.wait(timedelta(hours=1, minutes=59))
    assert not scene.is_silent()
    scene.wait(timedelta(minutes=2))
    assert scene.is_silent()


def test_while_we_were_away_nobody_could_hear_it(store: Store) -> None:
    scene = Scene(store)
    scene.wait(timedelta(hours=1))
    scene.site.clock.now += timedelta(days=1)
    scene.wait(timedelta(hours=1, minutes=59))
    assert not scene.is_silent()
    scene.wait(timedelta(minutes=2))
    assert scene.is_silent()


def test_a_simulated_run_expects_nothing(store: Store) -> None:
    scene = Scene(store)
    scene.site.change(simulated=True)
    scene.watching = Watching(scene.site.workshop)
    scene.wait(timedelta(hours=3))
    assert not scene.is_silent()


def test_what_is_expected_no_more_is_forgotten_with_its_task(store: Store) -> None:
    scene = Scene(store)
    scene.wait(timedelta(hours=3))
    assert scene.asked
    scene.site.change(settings=expecting(None))
    Watching(scene.site.workshop).look()
    assert scene.asked == []
    assert not scene.is_silent()


def a_morning_without_a_word(store: Store, **changes: Any) -> Scene:
    """Booked days ago, nothing heard since, and a reminder due at ten."""
    scene = Scene(store, **changes)
    scene.site.hear(siu("S12", at=BOOKED, start=VISIT))
    scene.watching.look()
    scene.site.clock.now = local("2027-03-06T07:50")
    scene.wait(timedelta(hours=2, minutes=5))
    assert scene.is_silent()
    return scene


def test_its_reminders_wait_with_a_reason_until_it_speaks(store: Store) -> None:
    scene = a_morning_without_a_word(store, hold_when_silent=True)
    site = scene.site
    site.until(local("2027-03-06T10:01"))
    held = site.reminders["five_days"]
    assert held.state is ReminderState.HELD
    assert held.reason == "nothing has been heard from feed main since 2027-03-01 11:00"
    site.hear(siu("S14", at=site.clock.now, start=VISIT, control_id="2"))
    scene.watching.look()
    site.until(local("2027-03-06T10:20"))
    assert site.reminders["five_days"].state is ReminderState.SENT


def test_what_became_useless_meanwhile_is_not_sent_late(store: Store) -> None:
    site = a_morning_without_a_word(store, hold_when_silent=True).site
    site.clock.now = local("2027-03-08T18:00")
    site.work()
    site.clock.now = local("2027-03-11T13:00")
    site.work()
    assert "five_days" not in {occasion for _, occasion in site.sent}
    assert site.reminders["five_days"].reason == "too late to be useful"


def test_unless_the_site_asks_for_it_nothing_waits(store: Store) -> None:
    scene = a_morning_without_a_word(store)
    scene.site.until(local("2027-03-06T10:01"))
    assert scene.site.reminders["five_days"].state is ReminderState.SENT
