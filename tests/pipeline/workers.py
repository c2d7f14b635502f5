"""Several threads at every step of one site, as several hosts would be."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from integration.pipeline.plan import plan_changes
from integration.pipeline.reply import hear
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from integration.ports.store import KeptMessage, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.site import Site

ROUNDS = 4000  # of one worker; far more than it takes


class Workers:
    """Threads that work every step until nothing has been left to do for a while."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.all_said = threading.Event()
        self.surprises: list[BaseException] = []
        workshop = site.workshop
        steps: list[Callable[[], object]] = [
            *[lambda: translate(workshop)] * 2,
            *[lambda: plan_changes(workshop)] * 2,
            *[lambda: send_next(workshop)] * 3,
            lambda: hear(workshop),
        ]
        self.threads = [threading.Thread(target=self._work, args=(step,)) for step in steps]

    def start(self) -> None:
        """Begin; what is kept from now on is worked at."""
        for thread in self.threads:
            thread.start()

    def finish(self) -> None:
        """No more comes: every step ends when nothing is left, and none was surprised."""
        self.all_said.set()
        for thread in self.threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in self.threads)
        assert self.surprises == []

    def _work(self, step: Callable[[], object]) -> None:
        idle = 0
        for _ in range(ROUNDS):
            try:
                idle = 0 if step() else idle + 1
            except StoreUnavailable:
                idle = 0  # a deadlock broken, or overtaken: again
            except BaseException as surprise:
                self.surprises.append(surprise)
                raise
            if idle > 20 and self.all_said.is_set() and not self._work_left():
                return

    def _work_left(self) -> bool:
        now = self.site.clock.now
        return bool(self.site.store.has_work(now, now) - {"write_back"})


def keep(site: Site, feed: str, payload: bytes, serial: Iterator[int]) -> None:
    with site.store.unit() as unit:
        message = KeptMessage(0, feed, "", payload, site.clock.wall())
        unit.inbox.add(message, next(serial).to_bytes(32, "big"))
