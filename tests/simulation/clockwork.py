"""The stepped time of a simulation: a clock that stands where it is put, and a network that runs by it."""

from __future__ import annotations

import heapq
import io
from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from integration.sandbox.exchange import Exchange
from integration.sandbox.faults import Faults
from integration.sandbox.timetable import Timetable
from integration.sandbox.webhooks import signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from wsgiref.types import WSGIApplication

    from integration.sandbox.behaviour import Account, Behaviour
    from integration.sandbox.faults import Fault
    from integration.sandbox.lifecycles import Step
    from integration.sandbox.texts import Text, Webhook


class SteppedClock:
    """Both clocks stand where the simulation puts them."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def calendar(self) -> datetime:
        """The simulated time."""
        return self.now

    def wall(self) -> datetime:
        """The same."""
        return self.now

    def seconds(self) -> float:
        """The same, as a number."""
        return self.now.timestamp()


class SteppedTimetable(Timetable):
    """The emulator's deeds, done by whoever steps the clock; it has no threads."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__(threads=0)
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._turn = count()

    def enter(self, delay: float, deed: Callable[[], object]) -> None:
        """Do this `delay` seconds from now."""
        heapq.heappush(self._heap, (self._clock.seconds() + delay, next(self._turn), deed))

    def next(self) -> float | None:
        """When the next deed is due."""
        return self._heap[0][0] if self._heap else None

    def run(self) -> bool:
        """Do all that is due; whether anything was."""
        found = False
        while self._heap and self._heap[0][0] <= self._clock.seconds():
            found = True
            heapq.heappop(self._heap)[2]()
        return found


class NotedFaults(Faults):
    """Faults, and whom they struck."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = note

    def take(self, on: str, to: str | None) -> Fault | None:
        """The first order that fits; a text that it keeps from us is noted."""
        fault = super().take(on, to)
        if fault is not None and on == "create" and to is not None:
            self._tell(to)
        return fault


class SteppedExchange(Exchange):
    """The emulated network, whose webhooks are handed to the product's own application without a wire."""

    def __init__(self, clock: SteppedClock, account: Account, behaviour: Behaviour) -> None:
        self.stepped = SteppedTimetable(clock)
        super().__init__(
            account, behaviour, clock=clock, keep=4000, timetable=self.stepped, seconds=clock.seconds
        )
        self.faults = NotedFaults(self._note)
        self.receiver: WSGIApplication | None = None
        self.on_accepted: Callable[[Text], None] = lambda _: None
        self.on_heard: Callable[[Mapping[str, str]], None] = lambda _: None
        # When what was meant for a number met a fault; its own list, kept for who judges.
        self.lost: defaultdict[str, list[datetime]] = defaultdict(list)

    def _note(self, number: str) -> None:
        self.lost[number].append(self.clock.calendar())

    def create(self, form: Mapping[str, Sequence[str]]) -> Text:
        """Take a text, and let the oracle see it."""
        text = super().create(form)
        self.on_accepted(text)
        return text

    def _take_step(self, text: Text, step: Step, rest: Sequence[Step]) -> None:
        super()._take_step(text, step, rest)
        text.webhooks.clear()

    def _deliver(self, webhook: Webhook, form: Mapping[str, str], fragment: str) -> None:
        del fragment
        assert self.receiver is not None
        answer = post(self.receiver, webhook.url, form, self.account.tokens[0])
        webhook.answers.append(answer)
        if answer.startswith("2"):
            self.on_heard(form)


def post(app: WSGIApplication, url: str, form: Mapping[str, str], token: str) -> str:
    """Post a signed form to an application; its HTTP status."""
    body = urlencode(form).encode()
    path = urlsplit(url).path
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "REQUEST_URI": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_TWILIO_SIGNATURE": signature(url, form, token),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }

    def start_response(status: str, headers: object, *_: object) -> Callable[[bytes], object]:
        del headers
        said.append(status[:3])
        return lambda _: None

    answer = app(environ, start_response)
    b"".join(answer)
    getattr(answer, "close", lambda: None)()
    return said[0]
