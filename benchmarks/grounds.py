"""A site to measure: the shipped plan at any hour, a store of its own, and the product over it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from benchmarks.bookings import booking
from hl7_listener.inbox import ReceivedMessage
from integration import bootstrap
from integration.entrypoints.surroundings import the_settings
from integration.sandbox.behaviour import ACCOUNT, TOKEN, Behaviour
from integration.sandbox.emulator import Emulator
from integration.sandbox.exchange import Exchange
from integration.settings.environment import read_environment
from tests.journey.product import COMMAND, free_port
from tests.postgres import ENVIRONMENT, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from integration.adapters.store.inbox import GroupInbox
    from integration.ports.workshop import Workshop
    from integration.sandbox.texts import Text
    from integration.settings.environment import Environment
    from integration.settings.model import Settings
    from tests.postgres import Postgres

ROOT = Path(__file__).parents[1]
_SETTINGS = """
mode = "test"
allowed_numbers = []
[sending]
threads = {threads}
settle = {settle}
"""
_PRACTICE = """
[hours]
opens = "00:00"
closes = "23:59"
"""


@dataclass
class Site:
    """Configuration, folder and store of one measurement."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Environment:
        """As the product reads it."""
        return read_environment(self.variables)

    @property
    def settings(self) -> Settings:
        """As the product reads them."""
        return the_settings(self.environment)

    def workshop(self) -> Workshop:
        """The pipeline's tools; makes the store if need be."""
        return bootstrap.open_workshop(self.environment, self.settings)

    def inbox(self) -> GroupInbox:
        """The listener's door to the store."""
        return bootstrap.open_inbox(self.environment, kind="real")

    @property
    def product_variables(self) -> dict[str, str]:
        """The environment of the product's processes."""
        ours = ("TWILIO_", "EHR_", "APPOINTMENT_TEXTS_", "PUBLIC_")
        rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return rest | self.variables


@contextmanager
def site(*, postgres: Postgres | None = None, settle: int = 0, threads: int = 8) -> Iterator[Site]:
    """A fresh one, on SQLite unless a PostgreSQL server is given."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        config = directory / "config"
        (config / "practices").mkdir(parents=True)
        (config / "settings.toml").write_text(_SETTINGS.format(settle=settle, threads=threads))
        shipped = (ROOT / "config" / "practices" / "riverside.toml").read_text()
        practice = shipped.replace("texts_per_hour = 2000", "texts_per_hour = 1000000")
        assert practice != shipped
        (config / "practices" / "riverside.toml").write_text(practice + _PRACTICE)
        variables = {
            "APPOINTMENT_TEXTS_CONFIG": str(config),
            "APPOINTMENT_TEXTS_DATA": str(directory / "data"),
            "APPOINTMENT_TEXTS_MLLP_PORT": str(free_port()),
            "APPOINTMENT_TEXTS_HTTP_PORT": str(free_port()),
            "APPOINTMENT_TEXTS_OPERATOR_PORT": str(free_port()),
        }
        if postgres is not None:
            database = postgres.make_database()
            stack.callback(postgres.drop_database, database)
            variables["APPOINTMENT_TEXTS_DATABASE_URL"] = database
        yield Site(directory, variables)


@contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """The tests' server, but what it commits is on the disk, as at a site."""
    with serve() as server:
        if ENVIRONMENT not in os.environ:
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = on")
                connection.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
                connection.execute("SELECT pg_reload_conf()")
        yield server


class Noticing(Exchange):
    """The emulated telephone network, with the moment at which each number's last text was accepted."""

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(behaviour=behaviour)
        self.accepted: dict[str, float] = {}

    def create(self, form: Mapping[str, Sequence[str]]) -> Text:
        """Take a text, and look at the clock."""
        text = super().create(form)
        self.accepted[text.to] = time.perf_counter()
        return text


@contextmanager
def network(of: Site, *, latency: float = 0.0, pace: float = 0.0) -> Iterator[Noticing]:
    """A telephone network for this site."""
    exchange = Noticing(Behaviour(latency=latency, pace=pace))
    with Emulator(exchange) as running:
        of.variables |= {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_BASE_URL": running.url,
        }
        yield exchange


@dataclass
class Running:
    """The product's processes; `seconds` is how long they took to be ready."""

    processes: list[subprocess.Popen[bytes]]
    seconds: float


@contextmanager
def product(of: Site, commands: Sequence[Sequence[str]] = ((*COMMAND, "run"),)) -> Iterator[Running]:
    """The product over this site, ready; embedded unless other commands are given."""
    log = of.directory / "product.log"
    begin = time.perf_counter()
    processes: list[subprocess.Popen[bytes]] = []
    with log.open("wb") as output:
        try:
            processes.extend(
                subprocess.Popen(command, env=of.product_variables, cwd=ROOT, stdout=output, stderr=output)
                for command in commands
            )
            until(lambda: _is_ready(of), seconds=60, every=0.005)
            yield Running(processes, time.perf_counter() - begin)
        except BaseException:
            sys.stderr.write(log.read_text()[-2000:])
            raise
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(40)


def until(done: Callable[[], bool], *, seconds: float, every: float = 0.02) -> None:
    """Wait for it; TimeoutError when it does not come about."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(every)


def received(numbers: Sequence[int], *, age: timedelta = timedelta(0)) -> list[ReceivedMessage]:
    """Bookings for ten days ahead as the inbox gets them; `age`: how long ago they were sent."""
    now = datetime.now(UTC)
    start = (now + timedelta(days=10)).replace(minute=0, second=0, microsecond=0)
    payloads = (
        booking(number, at=now - age, start=start + timedelta(minutes=number % 480)) for number in numbers
    )
    return [
        ReceivedMessage("main", f"{number:012}", payload, number.to_bytes(32, "big"), now)
        for number, payload in zip(numbers, payloads, strict=True)
    ]


def _is_ready(of: Site) -> bool:
    connection = http.client.HTTPConnection(
        "127.0.0.1", int(of.variables["APPOINTMENT_TEXTS_HTTP_PORT"]), timeout=5
    )
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
