"""Lets the pipeline stand back while the listener is busy: a little, or much when it could not follow anyway.

Both write to one SQLite file, which takes one writer at a time, and share the processors of one machine. Who
sends waits for an acknowledgment; what was acknowledged waits in the inbox without harm.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

# messages a second → how many times as long as it worked the pipeline stands back; 1,000 are more than it can
_IDLE_SHARES: Final = ((1000, 9), (250, 2))
_LASTS: Final = 0.05  # seconds after its last sign
_SHORTEST, _LONGEST = 0.02, 1.0  # seconds to stand back
_LOOK: Final = 0.005  # seconds between two looks


class Rush:
    """Told by who hears the listener, asked by the pipeline's threads; `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard = clock()
        self._until = self._heard
        self._idle_share = 0

    @property
    def is_on(self) -> bool:
        """Whether the listener is in a rush."""
        return self._clock() < self._until

    def heard(self, messages: int) -> None:
        """So many messages were kept since this was said last."""
        now = self._clock()
        for rate, share in _IDLE_SHARES:
            if messages > rate * (now - self._heard):
                self._until, self._idle_share = now + _LASTS, share
                break
        self._heard = now

    def stand_back(self, worked: float, stopping: threading.Event) -> None:
        """Wait while the rush lasts, but no longer than what `worked` seconds of work are worth."""
        if not self.is_on:
            return
        end = self._clock() + min(max(worked * self._idle_share, _SHORTEST), _LONGEST)
        while self.is_on and self._clock() < end and not stopping.wait(_LOOK):
            pass
