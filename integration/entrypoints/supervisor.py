"""Keeps child processes running: starts, restarts with growing pauses, relays their facts, and drains them.

Each child holds one end of a `Lifeline`. What a child says is a fact that every other child is told, now
and when it starts. A child that dies before the whole was ever ready ends the whole: that is a mistake to
mend, and restarting would hide it.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from integration.entrypoints.lifeline import Lifeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from integration.entrypoints.lifeline import Facts

READY: Final = "ready"  # the fact that says the whole product is
_FIRST_PAUSE, _LONGEST_PAUSE, _HEALTHY_AFTER = 0.5, 30.0, 60.0  # seconds
_DRAIN = 25.0  # seconds; then what is left is killed: everything durable is in the store
_LASTING = frozenset({"store", "began"})  # facts that outlive the child that said them


@dataclass(slots=True)
class Child:
    """One child process, again and again."""

    name: str
    command: Sequence[str]  # the number of its end of the lifeline is appended
    environment: Mapping[str, str]
    fds: tuple[int, ...] = ()  # what else it inherits
    again: Sequence[str] = ()  # what its later lives are told besides: they are not the first
    process: subprocess.Popen[bytes] | None = None
    lifeline: Lifeline | None = None
    facts: Facts = field(default_factory=dict)
    born: float = 0.0
    pause: float = _FIRST_PAUSE
    next_start: float | None = None

    def start(self) -> Lifeline:
        """Start it with a new lifeline."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [*self.command, *(self.again if self.born else ()), str(theirs.fileno())],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *self.fds),
                process_group=0,  # Ctrl-C is for the supervisor, which tells its children
            )
        self.born, self.next_start = time.monotonic(), None
        self.facts.clear()
        self.lifeline = Lifeline(ours)
        return self.lifeline


class Supervisor:
    """Runs until told to stop; `on_ready` is called once, with the words of the child that said so."""

    def __init__(
        self,
        children: Sequence[Child],
        on_ready: Callable[[Sequence[str]], None],
        warn: Callable[[str], None],
    ) -> None:
        self._children = children
        self._on_ready = on_ready
        self._warn = warn
        self._facts: Facts = {}
        self._was_ready = False
        self._stopping = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """The exit status: 0 when it was told to stop, 1 when it could not start."""
        waking, waked = socket.socketpair()
        waking.setblocking(False)
        waked.setblocking(False)
        signal.set_wakeup_fd(waked.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._told_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # it only has to wake the loop
        self._selector.register(waking, selectors.EVENT_READ)
        try:
            return self._loop(waking)
        finally:
            self._end()

    def _told_to_stop(self, *_: object) -> None:
        self._stopping = True

    def _loop(self, waking: socket.socket) -> int:
        for child in self._children:
            self._start(child)
        while not self._stopping:
            for key, _ in self._selector.select(self._until_next_start()):
                if key.fileobj is waking:
                    while self._drained(waking):
                        pass
                else:
                    self._hear(key.data)
            for child in self._children:
                if child.process is not None and child.process.poll() is not None and not self._buried(child):
                    return 1
                if child.next_start is not None and child.next_start <= time.monotonic():
                    self._start(child)
        return 0

    @staticmethod
    def _drained(waking: socket.socket) -> bool:
        try:
            return bool(waking.recv(4096))
        except BlockingIOError:
            return False

    def _until_next_start(self) -> float | None:
        starts = [child.next_start for child in self._children if child.next_start is not None]
        return max(0.0, min(starts) - time.monotonic()) if starts else None

    def _start(self, child: Child) -> None:
        lifeline = child.start()
        self._selector.register(lifeline, selectors.EVENT_READ, child)
        if self._facts:
            lifeline.tell(**self._facts)

    def _hear(self, child: Child) -> None:
        assert child.lifeline is not None  # noqa: S101 - it is registered
        said = child.lifeline.hear()
        if said is None:  # it is ending; its death follows
            self._let_go(child)
            return
        for facts in said:
            child.facts |= facts
            self._tell(child, facts)
            if READY in facts and not self._was_ready:
                self._was_ready = True
                self._on_ready(facts[READY])

    def _tell(self, teller: Child, facts: Facts) -> None:
        self._facts |= facts
        for other in self._children:
            if other is not teller and other.lifeline is not None:
                other.lifeline.tell(**facts)

    def _let_go(self, child: Child) -> None:
        if child.lifeline is not None:
            self._selector.unregister(child.lifeline)
            child.lifeline.close()
            child.lifeline = None

    def _buried(self, child: Child) -> bool:
        """Take note of a death and plan the next birth; False when there will be none."""
        assert child.process is not None  # noqa: S101 - it has died
        status = child.process.returncode
        child.process = None
        if child.lifeline is not None:
            self._let_go(child)
        gone = set(child.facts) - _LASTING
        if gone:
            self._tell(child, dict.fromkeys(gone, False))
        if not self._was_ready:
            return False
        if time.monotonic() - child.born > _HEALTHY_AFTER:
            child.pause = _FIRST_PAUSE
        self._warn(f"{child.name} ended with {status}; it starts again in {child.pause:g} s")
        child.next_start = time.monotonic() + child.pause
        child.pause = min(child.pause * 2, _LONGEST_PAUSE)
        return True

    def _end(self) -> None:
        """Let every child drain, and wait for it."""
        alive = [child.process for child in self._children if child.process is not None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + _DRAIN
        for process in alive:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
