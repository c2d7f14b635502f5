"""Waiting for something to happen: looked at again and again for a bounded time, never slept through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

LONGEST = 60.0  # seconds; generous, since only a failure waits so long


def until(
    what: str,
    happened: Callable[[], bool],
    *,
    alive: subprocess.Popen[bytes] | None = None,
    longest: float = LONGEST,
) -> None:
    """Return once it has happened; fail when it does not, or when the program it waits for has ended."""
    deadline = time.monotonic() + longest
    while not happened():
        if alive is not None and alive.poll() is not None:
            pytest.fail(f"ended with {alive.returncode} before: {what}")
        if time.monotonic() > deadline:
            pytest.fail(f"not within {longest:g} s: {what}")
        time.sleep(0.02)
