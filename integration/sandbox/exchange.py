"""The emulated telephone network: takes texts, plays their lives, hears patients, tells the product.

All state of the sandbox is here, under one lock, and bounded: the newest
`keep` texts and what belongs to them. Nothing is written to disk.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag
from uuid import uuid4

from integration.domain.clock import RealClock
from integration.domain.sms_segments import measure
from integration.sandbox.admission import ApiError, Senders, admit
from integration.sandbox.behaviour import SENDER, TOLL_FREE, Account, Behaviour
from integration.sandbox.faults import Faults
from integration.sandbox.forms import inbound_form, status_form
from integration.sandbox.keywords import Keywords, keyword
from integration.sandbox.lifecycles import LIFECYCLES, Lifecycle, Step
from integration.sandbox.record import Record
from integration.sandbox.texts import RANK, Shelf, Text, Webhook
from integration.sandbox.timetable import Timetable
from integration.sandbox.webhooks import deliver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from integration.domain.clock import Clock
    from integration.sandbox.admission import Request


class Exchange:
    """The network. Public methods take the lock; none blocks for longer than a few milliseconds."""

    def __init__(
        self,
        account: Account | None = None,
        behaviour: Behaviour | None = None,
        senders: Senders | None = None,
        clock: Clock | None = None,
        keep: int = 50_000,
        *,
        timetable: Timetable | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account or Account()
        self.behaviour = behaviour or Behaviour()
        self.senders = senders or Senders()
        self.clock = clock or RealClock()
        self.skew = timedelta(0)  # Twilio's clock minus ours
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.timetable = timetable or Timetable()
        self.seconds = seconds  # what the timetable's delays are counted in
        self.version = 0  # grows with every change that a phone would show
        self._keep = keep
        self._number = 0
        self._empty()

    def _empty(self) -> None:
        self.texts = Shelf(self._keep)
        self.faults = Faults()
        self.keywords = Keywords()
        self.record = Record(self._keep)
        self.webhooks: deque[Webhook] = deque(maxlen=self._keep)
        self.plays: dict[str, Lifecycle] = {}  # by number
        self.usual = LIFECYCLES["normal"]
        self._sticky: dict[tuple[str, str], str] = {}  # service and handset → sender

    def reset(self) -> None:
        """Forget every text, order, block and note; the settings stay."""
        self.timetable.clear()
        with self.lock:
            self._empty()
            self.version += 1

    def stop(self) -> None:
        """Let nothing more happen."""
        self.stopping.set()
        self.timetable.stop()

    def choose(self, play: Lifecycle, number: str | None) -> None:
        """Play this to one number's texts from now on, or to those of all that have none of their own."""
        with self.lock:
            if number is None:
                self.usual = play
            else:
                self.plays[number] = play
            self.version += 1

    def now(self) -> datetime:
        """Twilio's time: the wall's, and its skew."""
        return self.clock.wall() + self.skew

    # --- The product's side ---------------------------------------------------------------------

    def create(self, form: Mapping[str, Sequence[str]]) -> Text:
        """Take a text. Raises `ApiError`."""
        with self.lock:
            try:
                request = admit(form, self.senders, self.now(), redaction=self.behaviour.redaction)
                self._refuse_if_blocked(request)
            except ApiError as refusal:
                self.record.refuse(refusal.code)
                raise
            text = self._keep_text(self._outgoing(request))
            self.record.create(text, self.behaviour.hours)
            self._play(text, request.send_at)
            return text

    def _refuse_if_blocked(self, request: Request) -> None:
        scope = request.service or request.sender or ""
        if self._filters and self.keywords.blocks(scope, request.to):
            raise ApiError(21610)

    @property
    def _filters(self) -> bool:
        return self.behaviour.keyword_blocking and not self.behaviour.redaction

    def _outgoing(self, request: Request) -> Text:
        status = "accepted" if request.service else "queued"
        return Text(
            **self._born("MM" if request.media else "SM", request.body),
            to=request.to,
            direction="outbound-api",
            status="scheduled" if request.send_at else status,
            sender=request.sender,
            service=request.service,
            callback=request.callback,
            validity=request.validity,
            media=request.media,
            counted=request.service is None,
            discard=request.discard,
        )

    def _born(self, prefix: str, body: str) -> dict[str, Any]:
        self._number += 1
        return {
            "sid": f"{prefix}{uuid4().hex}",
            "number": self._number,
            "body": body,
            "weight": measure(body),
            "created_at": self.now().replace(microsecond=0),
            "shown_at": self.clock.calendar(),
            "stored_at": self.seconds(),
        }

    def _keep_text(self, text: Text) -> Text:
        self.texts.add(text)
        self.version += 1
        return text

    def _play(self, text: Text, send_at: datetime | None) -> None:
        steps = self.plays.get(text.to, self.usual).steps
        if text.service:
            steps = (Step("queued"), *steps)
        head_start = max((send_at - self.now()).total_seconds(), 0.0) if send_at else 0.0
        text.validity += head_start
        self._next_step(text, steps, head_start)

    def _next_step(self, text: Text, steps: Sequence[Step], delay: float = 0.0) -> None:
        if steps:
            delay += steps[0].wait * self.behaviour.pace
            self.timetable.enter(delay, lambda: self._take_step(text, steps[0], steps[1:]))

    def _take_step(self, text: Text, step: Step, rest: Sequence[Step]) -> None:
        with self.lock:
            if text.status == "canceled" or self.texts.get(text.sid) is None:
                return
            waited = self.seconds() - text.stored_at
            if waited > text.validity and RANK[text.status] < RANK["sent"]:
                step, rest = Step("failed", 30036), ()
            text.sender = text.sender or self._choose_sender(text)
            text.counted = True
            text.advance(step.word, self.now(), step.code)
            self.version += 1
            form = status_form(text, step, self.account.sid, self.now())
            told = self._tell(text, step.word, text.callback, form, times=step.told)
        for deed in told:
            deed()
        self._next_step(text, rest)

    def _choose_sender(self, text: Text) -> str:
        """A service's pool: the sender that this handset knows already, else the next one."""
        service = text.service or ""
        pool = tuple((self.senders.services or {}).get(service, ())) or (SENDER,)
        return self._sticky.setdefault((service, text.to), pool[text.number % len(pool)])

    def _tell(
        self, text: Text, word: str, url: str | None, form: dict[str, str], *, times: int = 1
    ) -> list[Callable[[], None]]:
        """The posts that tell the product this: none when nobody listens, twice when ordered so."""
        if url is None or not times:
            return []
        fault = self.faults.take("webhook", text.handset)
        times *= {"twice": 2, "silent": 0}.get(fault.kind if fault else "", 1)
        bare, fragment = urldefrag(url)
        webhook = Webhook(text.sid, word, bare, str(uuid4()))
        text.webhooks.append(webhook)
        self.webhooks.append(webhook)
        return [lambda: self._deliver(webhook, form | self.behaviour.extra, fragment)] * times

    def _deliver(self, webhook: Webhook, form: Mapping[str, str], fragment: str) -> None:
        if not self.stopping.is_set():
            deliver(webhook, form, self.account.tokens[0], fragment)
            with self.lock:
                self.version += 1

    def cancel(self, text: Text) -> None:
        """Take a text back before it is sent. Raises `ApiError`."""
        with self.lock:
            if text.status not in {"scheduled", "accepted", "queued"}:
                raise ApiError(30409, 409)
            text.advance("canceled", self.now())
            self.version += 1
            form = status_form(text, Step("canceled"), self.account.sid, self.now())
            for deed in self._tell(text, "canceled", text.callback, form):
                self.timetable.enter(0, deed)

    # --- The patient's side ---------------------------------------------------------------------

    def reply(self, number: str, body: str, to: str | None = None, media: Sequence[str] = ()) -> Text:
        """A patient writes; the product hears of it through the inbound webhook."""
        with self.lock:
            last = self._last_to(number, to)
            ours = to or (last.sender if last else None) or SENDER
            service = last.service if last else None
            text = Text(
                **self._born("MM" if media else "SM", body),
                to=ours,
                direction="inbound",
                status="received",
                sender=number,
                service=service,
                media=tuple(media),
                counted=True,
            )
            self._keep_text(text)
            kind = self._hear_keyword(text, service or ours)
            form = inbound_form(text, self.account.sid, kind)
            for deed in self._tell(text, "received", self.behaviour.reply_url, form):
                self.timetable.enter(0, deed)
            return text

    def _last_to(self, number: str, sender: str | None) -> Text | None:
        for text in self.texts.newest(number):
            if text.direction == "outbound-api" and text.sender and sender in (None, text.sender):
                return text
        return None

    def _hear_keyword(self, text: Text, scope: str) -> str | None:
        number = text.sender or ""
        toll_free = self.behaviour.toll_free or text.to.startswith(TOLL_FREE)
        kind = keyword(text.body, toll_free=toll_free)
        if kind in {"STOP", "START"}:
            self.record.keyword(number, kind)
        if kind is None or not self._filters:
            return None
        answer = self.keywords.obey(kind, scope, number, text.body, toll_free=toll_free)
        if answer:
            born = self._born("SM", answer)
            self._keep_text(Text(**born, to=number, direction="network", status="delivered", sender=text.to))
        return kind if self.behaviour.advanced_opt_out else None
