"""What the supervisor and its children tell each other: facts, one JSON object a line, over a socket pair.

When one end closes, however its process ended, the other sees it: a child without its parent ends too.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Facts = dict[str, Any]
_CHUNK = 65536


class Lifeline:
    """One end of it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._partial = b""
        self._guard = threading.Lock()

    @classmethod
    def from_fd(cls, fd: int) -> Lifeline:
        """The child's end, inherited as a file descriptor."""
        return cls(socket.socket(fileno=fd))

    def fileno(self) -> int:
        """For a selector."""
        return self._end.fileno()

    def tell(self, **facts: Any) -> None:
        """Say something to the other end; it may have gone."""
        line = json.dumps(facts).encode() + b"\n"
        with self._guard, suppress(OSError):
            self._end.sendall(line)

    def hear(self) -> list[Facts] | None:
        """What was said since, None when the other end has gone. Waits for something."""
        try:
            data = self._end.recv(_CHUNK)
        except OSError:
            return None
        if not data:
            return None
        *lines, self._partial = (self._partial + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def listen(self, heard: Callable[[Facts], None], ended: Callable[[], None]) -> None:
        """Hear in a thread of its own until the other end has gone."""

        def ears() -> None:
            while (said := self.hear()) is not None:
                for facts in said:
                    heard(facts)
            ended()

        threading.Thread(target=ears, name="lifeline", daemon=True).start()

    def close(self) -> None:
        """Let go."""
        self._end.close()
