"""What is due when, done by a few threads in the background: statuses, callbacks, inbound texts."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 100_000  # deeds that may wait at once; beyond it the newest is dropped and counted
_log = logging.getLogger(__name__)


class Timetable:
    """A heap of deeds and the threads that do them. Deeds of equal time are done in order of entry."""

    def __init__(self, threads: int = 8) -> None:
        self._wanted = threads
        self._threads: list[threading.Thread] = []
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._running = 0
        self._stopped = False
        self._change = threading.Condition()
        self.dropped = 0

    def enter(self, delay: float, deed: Callable[[], object]) -> None:
        """Do this `delay` seconds from now."""
        with self._change:
            if self._stopped:
                return
            if len(self._due) >= MOST:
                self.dropped += 1
                return
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), deed))
            if len(self._threads) < self._wanted:
                thread = threading.Thread(target=self._work, name="sandbox-timetable", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._change.notify_all()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is due, ever; False if that did not come in time."""
        with self._change:
            return self._change.wait_for(lambda: not self._due and not self._running, seconds)

    def clear(self) -> None:
        """Forget what was to come."""
        with self._change:
            self._due.clear()
            self._change.notify_all()

    def stop(self) -> None:
        """Forget what was to come and wait for what is being done."""
        with self._change:
            self._stopped = True
            self._due.clear()
            self._change.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(2)

    def _work(self) -> None:
        while True:
            deed = self._next()
            if deed is None:
                return
            try:
                deed()
            except Exception as surprise:  # noqa: BLE001 - one failed deed must not end the others
                _log.warning("sandbox: a deed failed with %s", type(surprise).__name__)
            with self._change:
                self._running -= 1
                self._change.notify_all()

    def _next(self) -> Callable[[], object] | None:
        with self._change:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._running += 1
                    return heapq.heappop(self._due)[2]
                self._change.wait(wait)
            return None
