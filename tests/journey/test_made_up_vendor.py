"""A vendor nobody has heard of, over its own connection: one new file, and the patient's telephone rings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.configuration.test_made_up_vendor import FEED, VENDOR, message
from tests.journey.product import COMMAND, product
from tests.journey.test_one_appointment import always_open
from tests.settings import ZONE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_its_messages_are_kept_and_answered_and_become_texts(tmp_path: Path) -> None:
    config = always_open(tmp_path)
    (config / "vendors" / "zephyr.toml").write_text(VENDOR)
    (config / "feeds" / "main.toml").unlink()
    (config / "feeds" / "zephyr.toml").write_text(FEED)
    now = datetime.now(UTC).astimezone(ZONE)
    booking = message(0)
    for written, today in (
        ("20270301110000", now.strftime("%Y%m%d%H%M%S")),
        ("202703111430", (now + timedelta(days=10)).strftime("%Y%m%d1430")),
    ):
        assert written in booking
        booking = booking.replace(written, today)
    with product(tmp_path, surroundings={"APPOINTMENT_TEXTS_CONFIG": str(config)}) as running:
        running.start([*COMMAND, "run"])
        running.hear(booking.encode())
        (text,) = running.texts_arrived(1)
        assert text["to"] == "+16175550123"
        assert "2:30" in text["body"]
        running.stop()
