"""What `run --demo` adds: the sandbox's phones and EHR, and a sample feed through the real MLLP port."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from datetime import time, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

import structlog

from fhir_mappers.translate_message import translate
from integration import bootstrap
from integration.domain.quiet_hours import DecentHours
from integration.domain.surprise import describe
from integration.entrypoints.receiving import mounted
from integration.entrypoints.troubles import Refused
from integration.sandbox.behaviour import Account, Behaviour
from integration.sandbox.ehr import DemoEhr, seed
from integration.sandbox.exchange import Exchange
from integration.sandbox.feed import SampleFeed
from integration.sandbox.server import LoopbackServer
from integration.sandbox.twilio import create_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIApplication

    from integration.domain.clock import Clock
    from integration.settings.environment import Environment
    from integration.settings.model import Feed, Settings

SETTLE = timedelta(seconds=3)  # a person is waiting to see something
_log = structlog.get_logger(__name__)


class Demo:
    """The sandbox of one process; the product is to run with its `environment` and `settings`."""

    def __init__(self, environment: Environment, settings: Settings, *, simulated: bool) -> None:
        self._ehr: DemoEhr | None = None
        ehr_url = None
        if find_spec("sekmet") is not None:
            self._ehr = DemoEhr(environment.data / "ehr", _free_port())
            ehr_url = self._ehr.expected_url
        self.environment = bootstrap.for_demo(environment, ehr_url)
        self._simulated = simulated
        self.settings = self.dressed(settings)
        over_mllp = {name: feed for name, feed in self.settings.feeds.items() if feed.fhir is None}
        if not over_mllp:
            raise Refused("--demo plays HL7 v2 messages, and no feed of this configuration hears them")
        self._feed = over_mllp.get("main") or next(iter(over_mllp.values()))
        reply_url = f"{self.environment.public_base_url}/sms/twilio/reply"
        self._exchange = Exchange(Account(), Behaviour(reply_url=reply_url))
        self._server: LoopbackServer | None = None
        self._port_is_open = threading.Event()
        self._stopping = threading.Event()

    def dressed(self, settings: Settings) -> Settings:
        """The settings as the demo runs with them."""
        return settings if self._simulated else _at_any_hour(settings)

    def start(self, clock: Clock, pages: Mapping[str, WSGIApplication]) -> None:
        """Serve the sandbox, and `pages` beside it, on the operator port. Raises Refused."""
        port = self.environment.operator_port
        try:
            self._server = LoopbackServer(mounted(pages, create_app(self._exchange)), port=port)
        except OSError as error:
            raise Refused(
                f"127.0.0.1:{port} cannot be listened on ({error.strerror}); "
                "set APPOINTMENT_TEXTS_OPERATOR_PORT"
            ) from None
        for name, target in (
            ("sandbox", self._server.serve_forever),
            ("sample feed", lambda: self._play(clock)),
        ):
            threading.Thread(target=target, name=name, daemon=True).start()

    def play(self) -> None:
        """The MLLP port is open: let the sample feed come."""
        self._port_is_open.set()

    def stop(self) -> None:
        """End all of it."""
        self._stopping.set()
        self._port_is_open.set()
        if self._ehr is not None:
            self._ehr.stop()
        self._exchange.stop()
        if self._server is not None:
            self._server.close()

    def places(self) -> list[str]:
        """Where to look."""
        base = f"http://127.0.0.1:{self.environment.operator_port}/sandbox"
        ehr = self.environment.ehr_fhir_base_url
        return [
            f"Phones, to read the texts and answer them:  {base}/phone",
            f"EHR, where texts and answers are filed:     {ehr}/Communication"
            if ehr
            else "EHR: none; pip install 'appointment-texts[demo]' brings one",
        ]

    def _play(self, clock: Clock) -> None:
        """Put the sample people into the EHR, then let their appointments arrive."""
        sample = SampleFeed(clock.calendar(), self._feed.zone)
        try:
            if self._ehr is not None:
                seed(self._ehr.start(), *_charts(sample, self._feed))
            self._port_is_open.wait()
            port = self._feed.port or self.environment.mllp_port
            for code in sample.play("127.0.0.1", port, self._stopping.wait):
                _log.info("sample feed", answer=code)
        except Exception as surprise:  # noqa: BLE001 - the product runs on without its sample
            if not self._stopping.is_set():
                _log.error("the sample feed ended early", surprise=describe(surprise))


def _charts(sample: SampleFeed, feed: Feed) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The Patients and Appointments that the sample's EHR has in its own charts."""
    patients, appointments = [], []
    for message in sample.booked():
        translation = translate(message, feed.vendor, feed.facts)
        patients += [patient.resource for patient in translation.patients]
        if translation.appointment is not None:
            appointments.append(translation.appointment.resource)
    return patients, appointments


def _at_any_hour(settings: Settings) -> Settings:
    """The same site, but whoever tries it out at night need not wait for the morning."""
    always = DecentHours(time.min, time.max)
    return replace(
        settings,
        practices={
            name: replace(practice, plan=replace(practice.plan, hours=always, settle=SETTLE))
            for name, practice in settings.practices.items()
        },
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
