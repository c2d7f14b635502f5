"""A clinician asks for a text in the chart: the patient gets it once, and the chart is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.journey.product import COMMAND, Product, product, until
from tests.journey.test_one_appointment import always_open
from tests.journey.test_subscriptions import NUMBER, booked, subscribe, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

WORDS = "Please bring your insurance card to your visit."


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Product]:
    """A site whose feed `ehr` is notified, and that may text a number twice a day."""
    config = always_open(tmp_path)
    reminders = config / "reminders.toml"
    reminders.write_text(reminders.read_text().replace("per_day = 1", "per_day = 2"))
    surroundings = {
        "APPOINTMENT_TEXTS_CONFIG": str(config),
        "EHR_SUBSCRIPTION_SECRET": "the secret of this journey",
    }
    with product(tmp_path, surroundings=surroundings) as made:
        yield made


def asked(running: Product, patient: str) -> dict[str, Any]:
    """The request, as it stands in the chart."""
    medium = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "code": "SMSWRIT"}
    return write(
        running,
        {
            "resourceType": "CommunicationRequest",
            "status": "active",
            "medium": [{"coding": [medium]}],
            "subject": {"reference": patient},
            "recipient": [{"reference": patient}],
            "payload": [{"contentString": WORDS}],
        },
    )


def test_the_request_becomes_one_text_and_is_answered_and_completed(running: Product) -> None:
    running.start([*COMMAND, "run"])
    subscribe(running)
    visit = booked(running)
    running.texts_arrived(1)
    patient = visit["participant"][0]["actor"]["reference"]
    request = asked(running, patient)
    _, text = running.texts_arrived(2)
    assert text["to"] == NUMBER
    assert WORDS in text["body"]

    def answered() -> dict[str, Any] | None:
        reference = f"CommunicationRequest/{request['id']}"
        return next(
            (
                each
                for each in running.chart("Communication")
                if reference in {to["reference"] for to in each.get("basedOn", ())}
                and each["status"] == "completed"
            ),
            None,
        )

    assert until("the answer in the chart", answered)["subject"]["reference"] == patient
    until(
        "the request completed",
        lambda: [each for each in running.chart("CommunicationRequest") if each["status"] == "completed"],
    )
    assert len(running.texts) == 2
