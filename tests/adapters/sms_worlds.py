"""The worlds an SMS provider is tried in: Twilio's adapter on the emulator, and the shipped fake."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import parse_qsl

from integration.adapters.sms.twilio import TwilioAccount, build
from integration.domain.failure import Failure
from integration.domain.line_type import LineType
from integration.ports.sms import OutgoingText
from integration.sandbox.behaviour import ACCOUNT, SENDER, TOKEN, Behaviour
from integration.sandbox.exchange import Exchange
from integration.sandbox.faults import Fault
from integration.sandbox.lifecycles import LIFECYCLES, script
from integration.sandbox.server import LoopbackServer
from integration.testing.sms import FakeSmsProvider, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from integration.ports.sms import SmsProvider
    from integration.sandbox.emulator import Emulator

PATIENT = "+12025550123"
OTHER = "+12025550188"
PATIENCE = 10.0  # seconds a test waits for what must come
CODES = {"21610": Failure.OPTED_OUT, "30006": Failure.BAD_NUMBER, "21211": Failure.BAD_NUMBER}


@dataclass(frozen=True)
class Heard:
    """One webhook as it came in."""

    url: str  # raw: as it stood in the request line
    form: dict[str, str]
    signature: str
    headers: dict[str, str] = field(default_factory=dict)


class Receiver:
    """A web server that hears webhooks and answers with the next of `answers` (204 when there is none)."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[int] = []
        self.held = threading.Event()  # while cleared, no answer leaves
        self.held.set()
        self._news = threading.Condition()
        self._server = LoopbackServer(self._take)
        self.url = self._server.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.held.set()
        self._server.close()
        self._thread.join()

    def wait_for(self, count: int) -> list[Heard]:
        """What was heard, once there is so much of it."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.heard) >= count, PATIENCE), len(self.heard)
            return list(self.heard)

    def _take(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read().decode()
        headers = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
        url = f"{self.url}{environ['REQUEST_URI']}"
        form = dict(parse_qsl(body, keep_blank_values=True))
        with self._news:
            self.heard.append(Heard(url, form, headers.get("X_TWILIO_SIGNATURE", ""), headers))
            status = self.answers.pop(0) if self.answers else 204
            self._news.notify_all()
        self.held.wait(PATIENCE)
        start_response(f"{status} -", [])
        return []


class World(Protocol):
    """A provider and the hands of the network behind it."""

    provider: SmsProvider

    def text(self, body: str = "Your visit is Tue Dec 1 at 2:30 PM.", to: str = PATIENT) -> OutgoingText: ...
    def happens(self, trouble: Trouble) -> None: ...
    def lag(self, *, on: bool) -> None: ...
    def told(self, words: list[str], failure: Failure | None = None) -> list[Heard]: ...
    def patient_writes(self, body: str, *, media: int = 0, handled: bool = False) -> Heard: ...
    def goes_down(self) -> None: ...
    def has_a_landline(self, number: str) -> None: ...


class FakeWorld:
    """The fake shipped with the product."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 23, 15, 0, 0, 500_000, tzinfo=UTC)
        self.fake = FakeSmsProvider(now=lambda: self._now)
        self.provider: SmsProvider = self.fake

    def text(self, body: str = "Your visit is Tue Dec 1 at 2:30 PM.", to: str = PATIENT) -> OutgoingText:
        return OutgoingText(to, body, "http://127.0.0.1/sms/fake/status/abc", timedelta(hours=1))

    def happens(self, trouble: Trouble) -> None:
        self.fake.troubles.append(trouble)

    def lag(self, *, on: bool) -> None:
        if on:
            self.fake.list_lag = timedelta(seconds=30)
        else:
            self._now += timedelta(seconds=30)

    def told(self, words: list[str], failure: Failure | None = None) -> list[Heard]:
        assert self.provider.send(self.text())
        provider_id = self.fake.texts()[-1].provider_id
        ends = {"undelivered", "failed"}
        hooks = [self.fake.tell(provider_id, word, failure if word in ends else None) for word in words]
        return [Heard(hook.url, dict(hook.form), hook.signature) for hook in hooks]

    def patient_writes(self, body: str, *, media: int = 0, handled: bool = False) -> Heard:
        hook = self.fake.reply(PATIENT, body, media=media, handled="stop" if handled else None)
        return Heard(hook.url, dict(hook.form), hook.signature)

    def goes_down(self) -> None:
        self.fake.is_down = True

    def has_a_landline(self, number: str) -> None:
        self.fake.lines[number] = LineType.LANDLINE


# what happens to an offer → how the emulator is told
ORDERS = {
    Trouble.THROTTLED: {"kind": "throttle"},
    Trouble.LOST: {"kind": "drop"},
    Trouble.KEPT: {"kind": "drop", "when": "after"},
}


class TwilioWorld:
    """The real adapter and library, over HTTP, to the emulator; its callbacks come back over HTTP too."""

    def __init__(self, receiver: Receiver, emulator: Emulator) -> None:
        self.receiver = receiver
        self.emulator = emulator
        self.exchange = emulator.exchange
        self.provider: SmsProvider = build(account(emulator.url))

    def text(self, body: str = "Your visit is Tue Dec 1 at 2:30 PM.", to: str = PATIENT) -> OutgoingText:
        return OutgoingText(to, body, f"{self.receiver.url}/sms/twilio/status/abc", timedelta(hours=1))

    def happens(self, trouble: Trouble) -> None:
        if trouble is Trouble.NO_CONNECTION:
            self.provider = build(account("http://127.0.0.1:1"))  # nobody listens there
        else:
            self.orders(**ORDERS[trouble])

    def orders(self, **order: Any) -> None:
        self.exchange.faults.order(Fault.read(order))

    def lag(self, *, on: bool) -> None:
        self.exchange.behaviour.list_lag = 60.0 if on else 0.0

    def told(self, words: list[str], failure: Failure | None = None) -> list[Heard]:
        code = next((int(code) for code, kind in CODES.items() if kind is failure), None)
        self.exchange.choose(script({"words": words, "code": code}), PATIENT)
        already = len(self.receiver.heard)
        assert self.provider.send(self.text())
        return self.receiver.wait_for(already + len(words))[already:]

    def patient_writes(self, body: str, *, media: int = 0, handled: bool = False) -> Heard:
        self.exchange.behaviour.advanced_opt_out = handled
        already = len(self.receiver.heard)
        self.exchange.reply(PATIENT, body, media=["http://127.0.0.1/picture"] * media)
        return self.receiver.wait_for(already + 1)[already]

    def goes_down(self) -> None:
        self.emulator.stop()

    def has_a_landline(self, number: str) -> None:
        self.exchange.choose(LIFECYCLES["landline"], number)


def account(url: str, **changes: Any) -> TwilioAccount:
    """The sandbox's account at this address."""
    facts = {
        "account_sid": ACCOUNT,
        "auth_tokens": (TOKEN,),
        "sender": SENDER,
        "messaging_service_sid": None,
        "api_base_url": url,
        "error_codes": CODES,
    }
    return TwilioAccount(**(facts | changes))


def exchange_for(receiver: Receiver, **behaviour: Any) -> Exchange:
    """A network without pauses that posts patients' texts to the receiver."""
    return Exchange(behaviour=Behaviour(reply_url=f"{receiver.url}/sms/twilio/reply", pace=0.0, **behaviour))
