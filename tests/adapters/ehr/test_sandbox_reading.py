"""The sandbox EHR is a real FHIR server: what a site reads from its EHR is read from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from integration.adapters.ehr.capabilities import Capabilities
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.reader import FhirReader
from integration.ports.ehr_reading import NotThere, Page, Reference, Snapshot, Window, deletion
from integration.sandbox.ehr import DemoEhr
from integration.testing.store import FakeStore
from tests.pipeline.reading_site import ReadingSite

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

MANY = 130  # more than one page


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ehr = DemoEhr(tmp_path_factory.mktemp("ehr"))
    yield ehr.start()
    ehr.stop()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def reader(base_url: str) -> Iterator[FhirReader]:
    client = FhirClient(base_url)
    yield FhirReader(client, Capabilities(client))
    client.close()


def put(http: httpx.Client, base_url: str, resource: dict[str, Any]) -> None:
    url = f"{base_url}/{resource['resourceType']}/{resource['id']}"
    http.put(url, json=resource).raise_for_status()


def visit(name: str, start: datetime, **changes: Any) -> dict[str, Any]:
    actors = [{"reference": "Patient/ana"}, {"reference": "Location/river"}]
    return {
        "resourceType": "Appointment",
        "id": name,
        "status": "booked",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "participant": [{"actor": actor, "status": "accepted"} for actor in actors],
        **changes,
    }


@pytest.fixture
def start(http: httpx.Client, base_url: str) -> datetime:
    """Of the first of many visits, with Ana and the place they are at."""
    put(http, base_url, {"resourceType": "Patient", "id": "ana", "name": [{"family": "Diaz"}]})
    put(http, base_url, {"resourceType": "Location", "id": "river", "name": "Riverside Clinic"})
    first = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    for number in range(MANY):
        put(http, base_url, visit(f"v{number}", first + timedelta(minutes=10 * number)))
    return first


def test_all_that_is_there_is_read_page_by_page_and_then_what_changed(
    base_url: str, http: httpx.Client, reader: FhirReader, start: datetime
) -> None:
    assert reader.poll_locations("auto") is False
    window = Window(start - timedelta(days=1), start + timedelta(days=30))
    pages = list(reader.changed(window))
    assert len(pages) == 2
    shown = [each for page in pages if isinstance(page, Page) for each in page.snapshots]
    assert {each.reference.id for each in shown} == {f"v{number}" for number in range(MANY)}
    one = next(each for each in shown if each.reference.id == "v7")
    assert reader.read(Reference("Appointment", "v7")) == one
    assert reader.read(Reference("Appointment", "none")) == NotThere()

    since = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)  # it is asked in whole seconds
    changed = visit("v7", start, status="cancelled")
    put(http, base_url, changed)
    while datetime.now(UTC) < since:
        put(http, base_url, changed)
    put(http, base_url, {**changed, "comment": "again"})
    (page,) = reader.changed(Window(window.starts, window.ends, since))
    assert isinstance(page, Page)
    assert [each.reference.id for each in page.snapshots] == ["v7"]
    assert b'"cancelled"' in page.snapshots[0].payload

    http.delete(f"{base_url}/Appointment/v8").raise_for_status()
    gone = Reference("Appointment", "v8")
    assert reader.read(gone) == deletion(gone)


def test_a_poll_and_a_notification_keep_what_is_there_once(
    base_url: str, http: httpx.Client, reader: FhirReader, start: datetime
) -> None:
    site = ReadingSite(FakeStore())
    site.site.clock.now = datetime.now(UTC)
    site.site.change(reader=reader)
    site.restart()
    site.poll()
    assert {f"Appointment/v{number}" for number in range(MANY)} <= {about for about, _ in site.kept}
    assert {quiet for _, quiet in site.kept} == {True}
    before = len(site.kept)
    site.tell(Reference("Appointment", "v9"))
    assert site.fetching.drain() == 1
    assert len(site.kept) == before
    put(http, base_url, visit("v9", start + timedelta(days=1)))
    site.tell(Reference("Appointment", "v9"))
    site.fetching.drain()
    assert site.kept[before:] == [("Appointment/v9", False)]
    payload = site.messages[-1].payload
    assert b"Riverside Clinic" in payload
    assert isinstance(reader.read(Reference("Patient", "ana")), Snapshot)
