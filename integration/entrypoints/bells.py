"""Knocks within one process: a bell for each step, which whoever has made work for it rings."""

from __future__ import annotations

import threading

from integration.entrypoints.rush import Rush
from integration.ports.store import STEPS


class Bell:
    """Ringing twice is ringing once; one waiter takes a ring."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = False

    def ring(self) -> None:
        """Wake one waiter, or the next that comes to wait."""
        with self._condition:
            self._rung = True
            self._condition.notify()

    def rouse(self) -> None:
        """Wake every waiter without a ring, to let it see what else has changed."""
        with self._condition:
            self._condition.notify_all()

    def wait(self, seconds: float) -> bool:
        """Whether it rang within so long."""
        with self._condition:
            if not self._rung:
                self._condition.wait(seconds)
            rung, self._rung = self._rung, False
            return rung


class Bells:
    """All of them, and one for the sweep."""

    def __init__(self) -> None:
        self.steps = {step: Bell() for step in STEPS}
        self.sweep = Bell()
        self.rush = Rush()

    def knock(self, step: str) -> None:
        """There may be work for this step, now or soon."""
        self.steps[step].ring()  # type: ignore[index] # a KeyError tells of a step that does not exist
        if step == "send":
            self.sweep.ring()  # what was planned may fall due before the next sweep

    def rouse(self) -> None:
        """Wake everybody."""
        for bell in (*self.steps.values(), self.sweep):
            bell.rouse()
