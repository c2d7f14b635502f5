"""The power fails, again and again: nothing acknowledged is lost, nobody is texted twice or forgotten."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hl7_listener.client import AnswerError, send
from integration.sandbox.faults import Fault
from tests.journey.product import COMMAND, Product, product, until
from tests.journey.test_one_appointment import always_open
from tests.messages import Person, siu

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

APPOINTMENTS = 500
KILLS = 6
AREAS = ("202", "212", "312", "415", "617")  # 555-0100 to 555-0199 of each are nobody's


def impatient(directory: Path) -> Path:
    """A configuration that looks for an uncertain text after seconds instead of minutes."""
    config = always_open(directory)
    settings = config / "settings.toml"
    text = settings.read_text()
    for shipped, wanted in (
        ("offer_deadline = 30", "offer_deadline = 12"),
        ("uncertain_looks = [15, 60, 180]", "uncertain_looks = [13, 15, 17]"),
    ):
        assert shipped in text
        text = text.replace(shipped, wanted)
    settings.write_text(text)
    return config


def bookings(start: datetime) -> list[bytes]:
    """One booking for each of so many numbers."""
    return [
        siu(
            "S12",
            at=datetime.now(UTC),
            visit=f"V{n}",
            start=start,
            person=Person(mrn=f"M{n}", phone=f"({AREAS[n // 100]})555-01{n % 100:02}"),
        )
        for n in range(APPOINTMENTS)
    ]


def deliver(running: Product, waiting: list[bytes]) -> None:
    """Send as an EHR does: resend what was not acknowledged, for ever."""
    while waiting:
        try:
            for answer in send("127.0.0.1", running.mllp_port, tuple(waiting), timeout=10):
                assert answer.code == "AA"
                waiting.pop(0)
        except (OSError, AnswerError):
            time.sleep(0.1)  # a sender's pause before it tries again


def make_trouble(running: Product, chance: random.Random) -> None:
    """Slow answers, lost answers, lost requests, for a few of the next texts."""
    kinds = (
        Fault("slow", when="after", seconds=2),
        Fault("drop", when="after"),
        Fault("drop", when="before"),
        Fault("error", when="after", status=502),
        Fault("truncate", when="after"),
    )
    with running.exchange.lock:
        for _ in range(3):
            running.exchange.faults.order(chance.choice(kinds))


@pytest.mark.parametrize("seed", [1])
def test_kill_9_at_any_moment(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    start = (datetime.now(UTC) + timedelta(days=10)).replace(minute=30, second=0, microsecond=0)
    messages = bookings(start)
    surroundings = {"APPOINTMENT_TEXTS_CONFIG": str(impatient(tmp_path))}
    with product(tmp_path, surroundings=surroundings) as running:
        running.exchange.behaviour.list_lag = 2.0
        running.exchange.behaviour.latency = 0.2  # so that offers are under way when it happens
        running.start([*COMMAND, "run"])
        waiting = list(messages)
        sender = threading.Thread(target=deliver, args=(running, waiting), daemon=True)
        sender.start()
        for _ in range(KILLS):
            make_trouble(running, chance)
            kill_and_restart(running, min(len(running.texts) + chance.randrange(1, 30), APPOINTMENTS))
        sender.join(timeout=60)
        assert not waiting
        running.texts_arrived(APPOINTMENTS, seconds=120)
        # An uncertain text that would be sent again has been, once its last look is past.
        until("every uncertain text is settled", lambda: settled(running), seconds=90)
        copies = Counter(text["to"] for text in running.texts)
        assert [number for number, count in copies.items() if count > 1] == []
        assert len(copies) == APPOINTMENTS
        running.stop()


def kill_and_restart(running: Product, texts: int) -> None:
    """Kill the parent once there are so many texts; no child may outlive it."""
    until("some more texts", lambda: len(running.texts) >= texts, seconds=30)
    children = running.children()
    running.processes[0].send_signal(signal.SIGKILL)
    running.processes.pop().wait()
    until("no orphan", lambda: not any(child.is_running() for child in children), seconds=30)
    running.start([*COMMAND, "run"])


def settled(running: Product) -> bool:
    """Whether the newest text is older than any uncertain offer can wait."""
    newest = max(datetime.fromisoformat(text["created_at"]) for text in running.texts)
    return datetime.now(UTC) - newest > timedelta(seconds=25)
