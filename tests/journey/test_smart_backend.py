"""An EHR that lets nobody in without a token: the product shows its keys and gets one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fhir_mappers.v2_to_fhir import translate
from integration.adapters.ehr.key_rotation import make
from integration.sandbox.ehr import seed
from tests.journey.product import COMMAND, product, until
from tests.journey.test_one_appointment import NUMBER, always_open, booking
from tests.settings import feed

if TYPE_CHECKING:
    from pathlib import Path

    from integration.adapters.ehr.signing_keys import Algorithm
    from tests.journey.product import Product

pytestmark = pytest.mark.slow

GRANTED = "system/Patient.rs system/Appointment.rs system/Communication.crus"
CLERK = ("the-clerk", "a-secret-of-the-test")  # who fills the chart and looks into it


def clients(jwks_url: str) -> list[dict[str, Any]]:
    return [
        {"client_id": "appointment-texts", "jwks_url": jwks_url, "scopes": GRANTED},
        {"client_id": CLERK[0], "client_secret": CLERK[1], "scopes": "system/*.*"},
    ]


def token_of_the_clerk(running: Product) -> str:
    answer = httpx.post(
        running.ehr_url.removesuffix("/fhir") + "/auth/token",
        data={"grant_type": "client_credentials"},
        auth=CLERK,
        trust_env=False,
    )
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_texts_and_answers_reach_a_chart_behind_a_token_within_its_scopes(
    tmp_path: Path, algorithm: Algorithm
) -> None:
    keys = tmp_path / "keys.json"
    make(keys, algorithm)
    surroundings = {
        "APPOINTMENT_TEXTS_CONFIG": str(always_open(tmp_path)),
        "EHR_CLIENT_ID": "appointment-texts",
        "EHR_PRIVATE_KEY_FILE": str(keys),
    }
    with product(tmp_path, surroundings=surroundings, clients=clients) as running:
        assert httpx.get(f"{running.ehr_url}/Patient", trust_env=False).status_code == 401
        running.ehr_token = token_of_the_clerk(running)
        start = (datetime.now(UTC) + timedelta(days=3)).replace(minute=30, second=0, microsecond=0)
        message = booking(start)
        told = translate(message, feed().vendor, feed().facts)
        assert told.appointment is not None
        charts = [patient.resource for patient in told.patients]
        seed(running.ehr_url, charts, [told.appointment.resource], running.ehr_token)
        running.start([*COMMAND, "run"])
        running.hear(message)
        running.texts_arrived(1)
        running.exchange.reply(NUMBER, "C")
        running.texts_arrived(2)

        def in_the_chart() -> bool:
            return [each["status"] for each in running.chart("Communication")] == ["completed"] * 3

        until("three Communications", in_the_chart)
        log = running.log.read_text()
        assert "ehr_scopes_not_granted" in log
        assert "system/AppointmentResponse.c" in log
        assert running.chart("AppointmentResponse") == []  # no such scope: refused, and staff are told
        running.stop()
