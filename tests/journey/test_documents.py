"""An EHR that takes HL7 v2 alone: text, receipt and reply reach its port as documents, a yes as a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.adapters.ehr.partner import Partner
from tests.adapters.ehr.partners_chart import documents, words
from tests.journey.product import COMMAND, Product, product, until
from tests.journey.test_one_appointment import NUMBER, always_open, booking

if TYPE_CHECKING:
    from pathlib import Path

    from fhir_mappers.v2_message import V2Message

pytestmark = pytest.mark.slow

WRITE_BACK = """
[write_back]
texts = "mdm"
answers = "srm"

[write_back.hl7]
host = "127.0.0.1"
port = {port}
version = "2.3"
receiving_application = "EPIC"
"""


def told(partner: Partner, count: int) -> list[V2Message]:
    """What the port has heard, once there is so much."""
    return list(
        until(
            f"{count} messages",
            lambda: heard if len(heard := documents(list(partner.heard))) >= count else None,
        )
    )


def story(running: Product, partner: Partner) -> None:
    """One visit, its text and the patient's yes."""
    start = (datetime.now(UTC) + timedelta(days=3)).replace(minute=30, second=0, microsecond=0)
    message = booking(start)
    running.hear(message)
    (text,) = running.texts_arrived(1)
    original, outcome = told(partner, 2)
    assert (original["MSH-9.2"], outcome["MSH-9.2"], original["MSH-12"]) == ("T02", "T06", "2.3")
    assert words(original)[1:] == text["body"].splitlines()
    assert words(outcome)[1].startswith("Delivered ")
    assert original["PID-5.1"] == "Sample"
    running.exchange.reply(NUMBER, "C")
    heard = told(partner, 6)
    requests = [each for each in heard if each["MSH-9.1"] == "SRM"]
    assert [(each["MSH-9.2"], each["ARQ-6.1"], each["ARQ-2.1"]) for each in requests] == [
        ("S03", "CONFIRMED", "A1")
    ]
    replies = [each for each in heard if words(each)[1:2] == ["C"]]
    assert [each["TXA-13.1"] for each in replies] == [original["TXA-12.1"]]
    assert len(running.texts) == 2
    assert not running.chart("Communication")


def test_the_chart_over_hl7_alone(tmp_path: Path) -> None:
    config = always_open(tmp_path)
    with Partner() as partner:
        with (config / "settings.toml").open("a") as settings:
            settings.write(WRITE_BACK.format(port=partner.port))
        with product(tmp_path, surroundings={"APPOINTMENT_TEXTS_CONFIG": str(config)}) as running:
            running.start([*COMMAND, "run"])
            story(running, partner)
            running.stop()
