"""Lets the listener go first into a SQLite store, which takes one writer at a time.

SQLite has no queue: who wants its lock looks again and again, and the pipeline's threads, one after another,
leave hardly a gap. So the listener stands in a turnstile while it wants to write, and the pipeline looks
whether it is free before each transaction. That is courtesy, not safety: the pipeline waits a moment only,
the end of the listener's process frees the turnstile, and where no such file can be had all go on without.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE: Final = 0.05  # seconds
_LOOK_AGAIN: Final = 0.0005  # seconds


class Turnstile:
    """One process's side of it: a lock on a file beside the store."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(f"{store.name}.turn")
        self._file: int | None = None

    def enter(self) -> bool:
        """Stand in it until `leave`; False when somebody is just passing."""
        return self._lock(fcntl.LOCK_EX)

    def leave(self) -> None:
        """Let others pass."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def pass_through(self) -> None:
        """Wait until it is free, but not for long."""
        give_up = time.monotonic() + _PATIENCE
        while not self._lock(fcntl.LOCK_SH) and time.monotonic() < give_up:
            time.sleep(_LOOK_AGAIN)
        self.leave()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _lock(self, kind: int) -> bool:
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True
