"""Hears when a feed that should speak does not: an alert, a task for staff, a reason to hold its reminders.

By the wall's time; a run whose calendar is simulated expects nothing of its feeds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from integration.aftermath import close_task, open_task
from integration.domain.feed_silence import Hearing, silence, silent_since
from integration.domain.staff_task import StaffTask, TaskKind
from integration.ports.site import FeedWatch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed

# Nobody has looked for so long: we were not there, and cannot tell whether it spoke.
AWAY: Final = timedelta(seconds=60)
LOOK_BACK: Final = 10_000  # messages that a first look goes through for a feed's last word
# PostgreSQL commits messages in another order than it numbers them: so many are looked at once more.
OVERLAP: Final = 200
_log = structlog.get_logger(__name__)


class Watching:
    """One process's looks."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._expected: Mapping[str, Feed] = {}
        if not workshop.simulated:
            feeds = workshop.settings.feeds.values()
            self._expected = {feed.name: feed for feed in feeds if feed.expected_silence is not None}
        self._tidy = False  # whether what other settings expected has been forgotten

    def look(self) -> bool:
        """Look once. Never is there more to do at once."""
        if not self._expected and self._tidy:
            return False
        with self._workshop.store.unit() as unit:
            claimed = unit.feeds.claim()
            if claimed is None:
                return False
            watches = {watch.name: watch for watch in claimed}
            for name in watches.keys() - self._expected.keys():
                unit.feeds.forget(name)
                self._close_tasks(unit, name)
            if self._expected:
                self._hear(unit, watches)
        self._tidy = True
        return False

    def _hear(self, unit: Unit, watches: Mapping[str, FeedWatch]) -> None:
        now = self._workshop.clock.wall()
        newest = unit.feeds.newest()
        new = FeedWatch("", since=now, looked_at=now, looked_up_to=max(0, newest - LOOK_BACK))
        watched = [watches.get(name) or replace(new, name=name) for name in self._expected]
        _, heard = unit.feeds.heard_since(min(watch.looked_up_to for watch in watched))
        for watch in watched:
            words = [heard[channel] for channel in (watch.name, f"fhir:{watch.name}") if channel in heard]
            known = self._brought_forward(watch, max(words, default=None), now)
            unit.feeds.save(replace(known, looked_at=now, looked_up_to=max(0, newest - OVERLAP)))
            if known.silent_since != watch.silent_since:
                self._tell(unit, known)

    def _brought_forward(self, watch: FeedWatch, heard: datetime | None, now: datetime) -> FeedWatch:
        expected = self._expected[watch.name].expected_silence
        assert expected is not None  # noqa: S101 - nothing else is watched
        words = [time for time in (watch.last_heard, heard) if time is not None]
        known = Hearing(
            since=now if now - watch.looked_at > AWAY else watch.since,
            last_heard=max(words, default=None),
            silent_since=watch.silent_since,
        )
        return replace(
            watch,
            since=known.since,
            last_heard=known.last_heard,
            silent_since=silent_since(known, expected, now),
        )

    def _tell(self, unit: Unit, watch: FeedWatch) -> None:
        """Say once that it is silent, or that it speaks again."""
        self._close_tasks(unit, watch.name)
        if watch.silent_since is None:
            _log.info("a feed speaks again", feed=watch.name)
            return
        zone = self._expected[watch.name].zone
        words = silence(watch.name, watch.silent_since, zone)
        _log.error("a feed is silent", feed=watch.name, since=watch.silent_since.isoformat())
        open_task(
            unit,
            StaffTask(
                id=0,
                kind=TaskKind.SILENT_FEED,
                practice=None,
                reason=f"{words[:1].upper()}{words[1:]}: ask whether the EHR still sends.",
                created_at=self._workshop.clock.calendar(),
                feed=watch.name,
            ),
            self._workshop.settings,
        )

    def _close_tasks(self, unit: Unit, feed: str) -> None:
        for task in unit.tasks.open():
            if task.kind is TaskKind.SILENT_FEED and task.feed == feed:
                close_task(unit, task.id, self._workshop.clock.calendar())
