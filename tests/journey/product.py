"""The product as a site runs it: processes of its own, a telephone network, an EHR, any HL7 client."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from hl7_listener.client import send
from integration.sandbox.behaviour import ACCOUNT, TOKEN, Behaviour
from integration.sandbox.ehr import DemoEhr
from integration.sandbox.emulator import Emulator
from integration.sandbox.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "integration.entrypoints.cli"]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, look: Callable[[], Any], *, seconds: float = 60) -> Any:
    """What `look` finds, as soon as it finds something; AssertionError when it never does."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.05)


@dataclass
class Product:
    """One running product and what surrounds it."""

    exchange: Exchange
    environment: dict[str, str]
    mllp_port: int
    http_port: int
    ehr_url: str
    log: Path
    ehr_token: str | None = None  # for who looks into the chart
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *commands: Sequence[str]) -> None:
        """Start these commands as processes and wait until the product says it is ready."""
        with self.log.open("ab") as log:
            for command in commands:
                self.processes.append(
                    subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)
                )
        until("ready", self.is_ready)

    def is_ready(self) -> bool:
        """Whether `/health/ready` answers 200; AssertionError when a process has died."""
        dead = [process.args for process in self.processes if process.poll() is not None]
        assert not dead, f"{dead} ended:\n{self.log.read_text()[-2000:]}"
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.http_port}/health/ready", trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    def stop(self) -> None:
        """End every process as an operator would."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=40)
        self.processes.clear()

    def children(self) -> list[psutil.Process]:
        """Every process the product started."""
        return [
            child
            for process in self.processes
            if process.poll() is None
            for child in psutil.Process(process.pid).children(recursive=True)
        ]

    def hear(self, *messages: bytes) -> None:
        """Send messages as an EHR does; each must be acknowledged AA."""
        codes = [answer.code for answer in send("127.0.0.1", self.mllp_port, messages, timeout=30)]
        assert codes == ["AA"] * len(messages)

    @property
    def texts(self) -> list[dict[str, Any]]:
        """Every text the network took, oldest first."""
        with self.exchange.lock:
            return list(self.exchange.record.creates)

    def texts_arrived(self, count: int, *, seconds: float = 60) -> list[dict[str, Any]]:
        """The texts, once there are so many."""
        return list(
            until(f"{count} texts", lambda: self.texts if len(self.texts) >= count else None, seconds=seconds)
        )

    def chart(self, kind: str) -> list[dict[str, Any]]:
        """Every resource of one kind in the EHR."""
        headers = {} if self.ehr_token is None else {"Authorization": f"Bearer {self.ehr_token}"}
        url = f"{self.ehr_url}/{kind}"
        bundle = httpx.get(url, params={"_count": 1000}, headers=headers, trust_env=False).json()
        return [entry["resource"] for entry in bundle.get("entry", ())]


@contextmanager
def product(
    directory: Path,
    *,
    surroundings: Mapping[str, str] | None = None,
    pace: float = 0.0,
    clients: Callable[[str], Sequence[Mapping[str, Any]]] | None = None,
) -> Iterator[Product]:
    """A product ready to be started, with the sandbox's network and EHR around it.

    `clients` are those the EHR lets in, by the address where the product will show its public keys.
    """
    mllp, http, operator = free_port(), free_port(), free_port()
    reply_url = f"http://127.0.0.1:{http}/sms/twilio/reply"
    with ExitStack() as stack:
        jwks_url = f"http://127.0.0.1:{http}/.well-known/jwks.json"
        ehr = DemoEhr(directory / "ehr", clients=clients(jwks_url) if clients else None)
        ehr_url = ehr.start()
        stack.callback(ehr.stop)
        exchange = Exchange(behaviour=Behaviour(reply_url=reply_url, pace=pace))
        emulator = stack.enter_context(Emulator(exchange))
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TWILIO_", "EHR_", "APPOINTMENT_TEXTS_", "PUBLIC_"))
        }
        environment |= {
            "APPOINTMENT_TEXTS_DATA": str(directory / "data"),
            "APPOINTMENT_TEXTS_MLLP_PORT": str(mllp),
            "APPOINTMENT_TEXTS_HTTP_PORT": str(http),
            "APPOINTMENT_TEXTS_OPERATOR_PORT": str(operator),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_BASE_URL": emulator.url,
            "EHR_FHIR_BASE_URL": ehr_url,
            **(surroundings or {}),
        }
        running = Product(exchange, environment, mllp, http, ehr_url, directory / "product.log")
        try:
            yield running
        finally:
            for process in running.processes:
                process.kill()
                process.wait()
