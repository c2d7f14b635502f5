"""One appointment all the way: MLLP socket, text, answer, and the chart; embedded and distributed."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappers.v2_to_fhir import translate
from integration.sandbox.ehr import seed
from tests.journey.brokers import rabbitmq, redis
from tests.journey.product import COMMAND, ROOT, Product, product, until
from tests.messages import ANA, BEN, siu
from tests.settings import feed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.messages import Person
    from tests.postgres import Postgres

pytestmark = pytest.mark.slow

NUMBER = "+16175550123"


def always_open(directory: Path) -> Path:
    """The shipped configuration with hours around the clock and no settling: stories run at any hour."""
    config = directory / "config"
    shutil.copytree(ROOT / "config", config)
    reminders = config / "reminders.toml"
    text = reminders.read_text()
    for shipped, wanted in (
        ('opens = "09:00"', 'opens = "00:00"'),
        ('closes = "20:00"', 'closes = "23:59"'),
        ("settle = 180", "settle = 0"),
    ):
        assert shipped in text
        text = text.replace(shipped, wanted)
    reminders.write_text(text)
    return config


def open_charts(running: Product, *messages: bytes) -> None:
    """Give the EHR the charts and appointments these messages speak of."""
    for message in messages:
        told = translate(message, feed().vendor, feed().facts)
        assert told.appointment is not None
        seed(running.ehr_url, [patient.resource for patient in told.patients], [told.appointment.resource])


def booking(start: datetime, *, visit: str = "A1", person: Person = ANA, at: datetime | None = None) -> bytes:
    return siu("S12", at=at or datetime.now(UTC), visit=visit, start=start, person=person)


def answer_and_check(running: Product) -> None:
    """The story both ways must tell."""
    start = (datetime.now(UTC) + timedelta(days=3)).replace(minute=30, second=0, microsecond=0)
    message = booking(start)
    open_charts(running, message)
    running.hear(message, message)  # an EHR resends
    (text,) = running.texts_arrived(1)
    assert text["to"] == NUMBER
    running.exchange.reply(NUMBER, "C")
    running.texts_arrived(2)

    def in_the_chart() -> list[dict[str, Any]] | None:
        found = running.chart("Communication")
        by_status = [each["status"] for each in found]
        answered = running.chart("AppointmentResponse")
        return found if by_status == ["completed"] * 3 and answered else None

    communications = until("three Communications and the AppointmentResponse", in_the_chart)
    patient = running.chart("Patient")[0]["id"]
    appointment = running.chart("Appointment")[0]["id"]
    assert {each["subject"]["reference"] for each in communications} == {f"Patient/{patient}"}
    first = next(each for each in communications if each["payload"][0]["contentString"] == text["body"])
    assert first["received"] >= first["sent"]
    (reply,) = [each for each in communications if each["sender"].get("reference") == f"Patient/{patient}"]
    assert reply["payload"][0]["contentString"] == "C"
    assert reply["inResponseTo"][0]["reference"] == f"Communication/{first['id']}"
    assert reply["about"][0]["reference"] == f"Appointment/{appointment}"
    (response,) = running.chart("AppointmentResponse")
    assert response["participantStatus"] == "accepted"
    assert response["appointment"]["reference"] == f"Appointment/{appointment}"
    assert len(running.texts) == 2


def test_embedded(tmp_path: Path) -> None:
    with product(tmp_path, surroundings={"APPOINTMENT_TEXTS_CONFIG": str(always_open(tmp_path))}) as running:
        running.start([*COMMAND, "run"])
        answer_and_check(running)
        children = running.children()
        running.stop()
        assert [child for child in children if child.is_running()] == []


@pytest.fixture(params=[redis, rabbitmq], ids=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A broker of each kind."""
    with request.param(tmp_path) as url:
        yield url


def test_distributed(tmp_path: Path, broker_url: str, postgres: Postgres) -> None:
    surroundings = {
        "APPOINTMENT_TEXTS_CONFIG": str(always_open(tmp_path)),
        "APPOINTMENT_TEXTS_DATABASE_URL": postgres.make_database(),
        "APPOINTMENT_TEXTS_BROKER_URL": broker_url,
    }
    celery = [sys.executable, "-m", "celery", "-A", "integration.entrypoints.worker"]
    with product(tmp_path, surroundings=surroundings) as running:
        running.start(
            [*COMMAND, "web"],
            [*COMMAND, "listen"],
            [*celery, "worker", "--pool", "threads", "--concurrency", "8", "--loglevel", "WARNING"],
            [*celery, "beat", "--schedule", str(tmp_path / "beat"), "--loglevel", "WARNING"],
        )
        answer_and_check(running)
        running.stop()


SPEED = 2880  # thirty seconds a day
BEGIN = datetime.fromisoformat("2027-03-01T09:00-05:00")
PLAN = ("2027-03-01T09:03-05:00", "2027-03-02T10:00-05:00", "2027-03-04T11:00-05:00")


def test_three_simulated_days_yield_the_plan_and_nothing_else(tmp_path: Path) -> None:
    """Two children on one phone; each chart gets one Communication a text, with its own visit alone."""
    start = BEGIN + timedelta(days=3, hours=5)
    ana = booking(start, at=BEGIN)
    ben = booking(start + timedelta(minutes=30), visit="B1", person=BEN, at=BEGIN)
    with product(tmp_path) as running:
        open_charts(running, ana, ben)
        running.start([*COMMAND, "run", "--from", BEGIN.isoformat(timespec="minutes"), "--speed", str(SPEED)])
        began = datetime.now(UTC)
        running.hear(ana, ben)
        visits_over = began + (start + timedelta(hours=1) - BEGIN) / SPEED
        until("the visits are over", lambda: datetime.now(UTC) > visits_over, seconds=180)
        shown = [BEGIN + (sent_at(text) - began) * SPEED for text in running.texts]
        assert len(shown) == len(PLAN)
        for at, due in zip(shown, PLAN, strict=True):
            late = at - datetime.fromisoformat(due)
            assert timedelta(hours=-1) < late < timedelta(hours=2), (at, due)
        until(
            "a Communication a child and text", lambda: len(running.chart("Communication")) == 2 * len(PLAN)
        )
        for child, other in (("Ana", "Ben"), ("Ben", "Ana")):
            chart = [c for c in running.chart("Communication") if child in c["payload"][0]["contentString"]]
            assert len(chart) == len(PLAN)
            assert not any(other in c["payload"][0]["contentString"] for c in chart)
        running.stop()


def sent_at(text: dict[str, Any]) -> datetime:
    """When the network took it; its dates have whole seconds."""
    return datetime.fromisoformat(text["shown_at"])
