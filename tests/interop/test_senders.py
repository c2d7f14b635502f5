"""Other people's senders deliver to the product without special handling, get their AA, and are believed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journey.product import COMMAND, Product, product, until
from tests.messages import siu
from tests.services import PEERS, need, need_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.slow

MESSAGES = 5


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Product]:
    with product(tmp_path) as stopped:
        stopped.start([*COMMAND, "run"])
        yield stopped
        stopped.stop()


def bookings() -> list[bytes]:
    """Bookings of so many visits next week."""
    now = datetime.now(UTC)
    return [siu("S12", at=now, visit=f"V{n}", start=now + timedelta(days=7)) for n in range(MESSAGES)]


def control_ids(messages: Sequence[bytes]) -> list[str]:
    """MSH-10 of each."""
    return [message.split(b"|", 10)[9].decode() for message in messages]


def done(running: Product) -> list[str]:
    """The control ids of the messages that were kept and worked on, in order of arrival."""
    command = [*COMMAND, "inbox", "list", "--json"]
    listed = subprocess.run(command, env=running.environment, check=True, capture_output=True, text=True)
    kept = [json.loads(line) for line in listed.stdout.splitlines()]
    return [message["control_id"] for message in kept if message["state"] == "done"]


def kept_in_order(running: Product, messages: Sequence[bytes]) -> None:
    """Each of these is in the store, and becomes an appointment."""
    until("all are applied", lambda: done(running) == control_ids(messages))


def test_node_hl7_client_delivers(running: Product, tmp_path: Path) -> None:
    node, messages = need("node"), bookings()
    need_module("node-hl7-client")
    file = tmp_path / "messages.json"
    file.write_text(json.dumps([message.decode() for message in messages]))
    sent = subprocess.run(
        [node, str(PEERS / "deliver.js"), str(running.mllp_port), str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.splitlines() == [f"AA {control_id}" for control_id in control_ids(messages)]
    kept_in_order(running, messages)


def test_python_hl7_mllp_send_delivers(running: Product, tmp_path: Path) -> None:
    messages = bookings()
    file = tmp_path / "messages.hl7"
    file.write_bytes(b"".join(b"\x0b" + message + b"\x1c\r" for message in messages))
    command = Path(sys.executable).with_name("mllp_send")
    sent = subprocess.run(
        [command, "--port", str(running.mllp_port), "--file", file, "127.0.0.1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert sent.returncode == 0, sent.stderr
    answers = [line for line in sent.stdout.replace("\r", "\n").splitlines() if line.startswith("MSA|")]
    assert answers == [f"MSA|AA|{control_id}" for control_id in control_ids(messages)]
    kept_in_order(running, messages)
