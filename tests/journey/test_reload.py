"""A running product takes a changed configuration: no restart, no blast, as a whole or not at all."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from hl7_listener.client import send
from integration.bootstrap import open_existing_store
from integration.settings.environment import read_environment
from tests.journey.brokers import redis
from tests.journey.product import COMMAND, ROOT, Product, free_port, product, until
from tests.journey.test_one_appointment import always_open, booking
from tests.messages import BEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import Postgres

pytestmark = pytest.mark.slow

START = (datetime.now(UTC) + timedelta(days=10)).replace(minute=30, second=0, microsecond=0)


def reload(running: Product, *options: str) -> subprocess.CompletedProcess[str]:
    """As the integration engineer types it."""
    return subprocess.run(
        [*COMMAND, "reload", *options],
        env=running.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def starts(running: Product) -> list[timedelta]:
    """By how much each stored visit starts later than it was first understood to."""
    store = open_existing_store(read_environment(running.environment))
    found = []
    try:
        with store.unit() as unit, suppress(KeyError):
            for appointment_id in range(1, 100):
                start = unit.appointments.get(appointment_id).slot.start
                assert start is not None
                found.append(start - START)
    finally:
        store.close()
    return found


def kill_web(running: Product) -> None:
    """Kill the process that does the work, and wait for the next."""
    web = next(child for child in running.children() if "integration.entrypoints.web" in child.cmdline())
    web.kill()
    until("the web process is another", lambda: not web.is_running() and not psutil.pid_exists(web.pid))
    until("ready again", running.is_ready)


HOUR = timedelta(hours=1)


def test_embedded_a_zone_and_a_feed_without_a_restart(tmp_path: Path) -> None:
    config = always_open(tmp_path)
    main = config / "feeds" / "main.toml"
    with product(tmp_path, surroundings={"APPOINTMENT_TEXTS_CONFIG": str(config)}) as running:
        running.start([*COMMAND, "run"])
        running.hear(booking(START))
        running.texts_arrived(1)
        family = {child.pid for child in running.children()}

        # Refused as a whole: the second feed's port is taken, so the first feed's zone stays as it is.
        change(main, 'zone = "America/New_York"', 'zone = "America/Chicago"')
        second = config / "feeds" / "second.toml"
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            second.write_text(f'vendor = "generic"\nzone = "America/Chicago"\nregion = "US"\nport = {port}\n')
            refused = reload(running, "--yes")
        assert refused.returncode == 1, refused.stderr
        assert f"feed second: 127.0.0.1:{port} cannot be listened on" in refused.stdout
        assert starts(running) == [timedelta()]

        # A mistake refuses it too, before anything is asked of anybody.
        second.write_text('vendor = "genric"\n')
        assert reload(running, "--yes").returncode == 1

        # A child that dies meanwhile does not fall into the half-edited folder.
        kill_web(running)
        running.hear(booking(START, visit="B1", person=BEN))
        until("the second visit is stored as before", lambda: starts(running) == [timedelta()] * 2)
        family = {child.pid for child in running.children()}
        port = free_port()

        second.write_text(f'vendor = "generic"\nzone = "America/Chicago"\nregion = "US"\nport = {port}\n')
        done = reload(running, "--yes")
        assert done.returncode == 0, done.stderr + done.stdout
        assert "2 appointments to come would be thought over: 2 start at another time" in done.stdout
        assert "1 process runs with it" in done.stdout
        (answer,) = send("127.0.0.1", port, [booking(START, visit="C1")], timeout=30)
        assert answer.code == "AA"
        until("stored starts follow", lambda: starts(running)[:2] == [HOUR, HOUR])
        assert {child.pid for child in running.children()} == family
        assert running.is_ready()
        assert "Nothing differs" in reload(running).stdout
        until("the new feed's visit is read by its zone", lambda: starts(running) == [HOUR] * 3)
        occasions = [text["body"] for text in running.texts]
        assert not any("moved" in body or "new time" in body for body in occasions)

        # A restart with other settings leads where a reload would have led, killed on the way or not.
        running.stop()
        change(main, 'zone = "America/Chicago"', 'zone = "America/Denver"')
        running.start([*COMMAND, "run"])
        kill_web(running)
        until("stored starts follow the restart", lambda: starts(running) == [2 * HOUR, 2 * HOUR, HOUR])
        assert len(running.texts) == len(occasions)
        running.stop()


def test_distributed_every_process_takes_it(tmp_path: Path, postgres: Postgres) -> None:
    config = always_open(tmp_path)
    with redis(tmp_path) as broker_url:
        surroundings = {
            "APPOINTMENT_TEXTS_CONFIG": str(config),
            "APPOINTMENT_TEXTS_DATABASE_URL": postgres.make_database(),
            "APPOINTMENT_TEXTS_BROKER_URL": broker_url,
        }
        celery = [sys.executable, "-m", "celery", "-A", "integration.entrypoints.worker"]
        with product(tmp_path, surroundings=surroundings) as running:
            running.start(
                [*COMMAND, "web"],
                [*COMMAND, "listen"],
                [*celery, "worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "WARNING"],
                [*celery, "beat", "--schedule", str(tmp_path / "beat"), "--loglevel", "WARNING"],
            )
            until("the listener listens", lambda: listens(running.mllp_port))
            running.hear(booking(START))
            running.texts_arrived(1)
            change(config / "feeds" / "main.toml", "America/New_York", "America/Chicago")
            done = reload(running, "--yes")
            assert done.returncode == 0, done.stderr + done.stdout
            assert "2 processes run with it" in done.stdout
            until("stored starts follow", lambda: starts(running) == [HOUR])
            running.hear(booking(START, visit="B1", person=BEN))
            until("what comes now is read alike", lambda: starts(running) == [HOUR, HOUR])
            metrics = httpx.get(
                f"http://127.0.0.1:{running.environment['APPOINTMENT_TEXTS_OPERATOR_PORT']}/metrics",
                trust_env=False,
            )
            assert "appointment_texts_store_up 1.0" in metrics.text
            running.stop()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
