"""An EHR that is asked what changed: no HL7 v2, no Subscription, and its visits are texted about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.journey.product import COMMAND, Product, product, until
from tests.journey.test_one_appointment import always_open

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NUMBER = "+16175550123"


def create(running: Product, resource: dict[str, Any]) -> str:
    """As a clerk does; its id."""
    answer = httpx.post(f"{running.ehr_url}/{resource['resourceType']}", json=resource, trust_env=False)
    answer.raise_for_status()
    return str(answer.json()["id"])


def cancel(running: Product, visit: str) -> None:
    """As a clerk does."""
    url = f"{running.ehr_url}/Appointment/{visit}"
    held = httpx.get(url, trust_env=False)
    condition = {"If-Match": held.headers["ETag"]}
    body = {**held.json(), "status": "cancelled"}
    httpx.put(url, json=body, headers=condition, trust_env=False).raise_for_status()


def visit(patient: str, place: str, days: int) -> dict[str, Any]:
    start = (datetime.now(UTC) + timedelta(days=days)).replace(minute=30, second=0, microsecond=0)
    actors = (f"Patient/{patient}", f"Location/{place}")
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "participant": [{"actor": {"reference": each}, "status": "accepted"} for each in actors],
    }


def test_booked_and_cancelled_in_the_ehr_alone(tmp_path: Path) -> None:
    config = always_open(tmp_path)
    feed = config / "feeds" / "ehr.toml"
    shipped = feed.read_text()
    assert '# poll = "15m"' in shipped
    feed.write_text(shipped.replace('# poll = "15m"', 'poll = "1m"'))
    with product(tmp_path, surroundings={"APPOINTMENT_TEXTS_CONFIG": str(config)}) as running:
        patient = create(
            running,
            {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:oid:2.16.840.1.113883.19.5", "value": "12345"}],
                "name": [{"family": "Diaz", "given": ["Ana"]}],
                "birthDate": "1980-04-02",
                "telecom": [{"system": "phone", "use": "mobile", "value": NUMBER}],
            },
        )
        place = create(running, {"resourceType": "Location", "status": "active", "name": "Riverside Clinic"})
        known = [create(running, visit(patient, place, days)) for days in (3, 20)]
        running.start([*COMMAND, "run"])
        until("the backfill", lambda: '"first": true, "read": 2' in running.log.read_text())

        booked = create(running, visit(patient, place, 30))
        (text,) = running.texts_arrived(1, seconds=90)
        assert text["to"] == NUMBER
        cancel(running, booked)
        cancel(running, known[0])
        _, goodbye = running.texts_arrived(2, seconds=90)
        assert goodbye["to"] == NUMBER
        assert "cancel" in goodbye["body"].lower()
        until("both texts in the chart", lambda: len(running.chart("Communication")) == 2)
        running.stop()
        assert len(running.texts) == 2
