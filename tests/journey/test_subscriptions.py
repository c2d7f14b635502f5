"""An EHR that speaks FHIR alone: subscribed to, it books and cancels; texts go out, and are in its chart."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.journey.product import COMMAND, ROOT, Product, product, until
from tests.journey.test_one_appointment import always_open

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

NUMBER = "+16175550147"
ANY = "http://example.org/SubscriptionTopic/appointment-any"
_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
# The server's own topic of appointments tells of bookings alone; this one leaves nothing out.
EVERY_CHANGE = {
    "resourceType": "Basic",
    "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
    "modifierExtension": [{"url": f"{_R5}status", "valueCode": "active"}],
    "extension": [
        {"url": f"{_R5}url", "valueUri": ANY},
        {"url": f"{_R5}title", "valueString": "Appointment changed"},
        {
            "url": f"{_R5}resourceTrigger",
            "extension": [
                {"url": "resource", "valueUri": "http://hl7.org/fhir/StructureDefinition/Appointment"},
                {"url": "supportedInteraction", "valueCode": "create"},
                {"url": "supportedInteraction", "valueCode": "update"},
                {"url": "fhirPathCriteria", "valueString": "true"},
            ],
        },
    ],
}
PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.36.146.595.217.0.1", "value": "77001"}],
    "name": [{"family": "Quillfeather", "given": ["Adalina"]}],
    "telecom": [{"system": "phone", "use": "mobile", "value": NUMBER}],
    "birthDate": "1984-03-09",
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Product]:
    """A site whose feed `ehr` is notified, beside an EHR."""
    config = always_open(tmp_path)
    surroundings = {
        "APPOINTMENT_TEXTS_CONFIG": str(config),
        "EHR_SUBSCRIPTION_SECRET": "the secret of this journey",
    }
    with product(tmp_path, surroundings=surroundings) as made:
        yield made


def subscribe(running: Product, *more: str) -> list[dict[str, Any]]:
    """What `subscribe` says it did."""
    done = subprocess.run(
        [*COMMAND, "subscribe", "--json", *more],
        env=running.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def write(running: Product, resource: dict[str, Any]) -> dict[str, Any]:
    """Create it in the EHR, or change it."""
    place = f"{running.ehr_url}/{resource['resourceType']}"
    with httpx.Client(trust_env=False, timeout=10) as http:
        if "id" in resource:
            answer = http.put(f"{place}/{resource['id']}", json=resource)
        else:
            answer = http.post(place, json=resource)
    answer.raise_for_status()
    found = answer.json()
    assert isinstance(found, dict)
    return found


def booked(running: Product, **changes: Any) -> dict[str, Any]:
    """A visit in three days, of a patient whose chart is there."""
    patient = write(running, PATIENT)
    start = (datetime.now(UTC) + timedelta(days=3)).replace(minute=30, second=0, microsecond=0)
    appointment = {
        "resourceType": "Appointment",
        "status": "booked",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "participant": [
            {"actor": {"reference": f"Patient/{patient['id']}"}, "status": "accepted", "required": "required"}
        ],
    }
    return write(running, {**appointment, **changes})


def book_and_cancel(running: Product) -> None:
    """The story that both kinds of Subscription must tell."""
    appointment = booked(running)
    (text,) = running.texts_arrived(1)
    assert text["to"] == NUMBER

    def in_the_chart() -> dict[str, Any] | None:
        about = f"Appointment/{appointment['id']}"
        told = [
            each
            for each in running.chart("Communication")
            if each["status"] == "completed" and about in {to["reference"] for to in each.get("about", ())}
        ]
        return told[0] if told else None

    communication = until("a Communication about the visit", in_the_chart)
    actor = appointment["participant"][0]["actor"]["reference"]
    assert communication["subject"]["reference"] == actor
    write(running, {**appointment, "status": "cancelled"})
    _, cancelled = running.texts_arrived(2)
    assert cancelled["to"] == NUMBER
    assert "cancel" in cancelled["body"].lower()


def test_a_classic_subscription_leads_to_texts_and_to_the_chart(running: Product) -> None:
    running.start([*COMMAND, "run"])
    done = subscribe(running)
    assert {(each["resource_type"], each["kind"], each["status"]) for each in done} >= {
        ("Appointment", "classic", "active")
    }
    assert {each["done"] for each in done} == {"made"}
    assert {each["done"] for each in subscribe(running)} == {"found"}
    book_and_cancel(running)


def test_notifications_that_say_nothing_lead_to_texts_too(running: Product) -> None:
    feed = Path(running.environment["APPOINTMENT_TEXTS_CONFIG"], "feeds", "ehr.toml")
    feed.write_text(feed.read_text().replace("[fhir]\n", '[fhir]\npayload = "empty"\n'))
    running.start([*COMMAND, "run"])
    subscribe(running)
    book_and_cancel(running)


def test_a_topic_leads_to_texts_and_to_the_chart(running: Product) -> None:
    write(running, EVERY_CHANGE)
    running.start([*COMMAND, "run"])
    done = {each["resource_type"]: each for each in subscribe(running)}
    assert (done["Appointment"]["topic"], done["Appointment"]["status"]) == (ANY, "active")
    book_and_cancel(running)


def test_what_was_booked_while_we_were_away_is_found_and_the_subscription_woken(running: Product) -> None:
    running.start([*COMMAND, "run"])
    (made, *_) = subscribe(running)
    running.stop()
    booked(running)

    def standing() -> str:
        url = f"{running.ehr_url}/Subscription/{made['id']}"
        return str(httpx.get(url, trust_env=False).json()["status"])

    until("the EHR has given up", lambda: standing() == "error")
    running.start([*COMMAND, "run"])
    until("it was woken", lambda: standing() == "active")
    (text,) = running.texts_arrived(1)
    assert text["to"] == NUMBER
