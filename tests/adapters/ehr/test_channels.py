"""What patients were told by other channels is counted from the EHR's Communications."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappers.outgoing import MESSAGE_SYSTEM
from integration.adapters.ehr.channels import by_channel
from integration.adapters.ehr.fhir_client import FhirClient
from tests.adapters.ehr.reading_server import ALL, ReadingServer, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2027, 3, 1, tzinfo=UTC)
END = START + timedelta(days=31)


@pytest.fixture
def ehr() -> Iterator[ReadingServer]:
    with reading(ReadingServer()) as server:
        yield server


def told(server: ReadingServer, number: int, code: str | None = None, **changes: Any) -> None:
    """The EHR holds one more Communication."""
    medium = {"medium": [{"coding": [{"code": code}]}]} if code else {}
    communication = {"resourceType": "Communication", "id": f"c{number}", "status": "completed"}
    server.put({**communication, "sent": (START + timedelta(days=1)).isoformat(), **medium, **changes})


def counted(server: ReadingServer) -> object:
    client = FhirClient(server.base_url)
    try:
        return by_channel(client, START, END)
    finally:
        client.close()


def test_each_medium_is_counted_by_its_code_or_its_words_over_all_pages(ehr: ReadingServer) -> None:
    for number, code in enumerate(("PHONE", "PHONE", "MAILWRIT")):
        told(ehr, number, code)
    told(ehr, 3, medium=[{"text": "Patient portal"}])
    told(ehr, 4)
    assert counted(ehr) == {"PHONE": 2, "MAILWRIT": 1, "Patient portal": 1, "not said": 1}


def test_ours_what_was_not_done_and_what_lies_outside_are_left_out(ehr: ReadingServer) -> None:
    told(ehr, 1, "SMSWRIT", identifier=[{"system": MESSAGE_SYSTEM, "value": "text-1"}])
    told(ehr, 2, "PHONE", status="not-done")
    told(ehr, 3, "PHONE", sent=(END + timedelta(days=1)).isoformat())
    assert counted(ehr) == {}


def test_a_server_that_does_not_search_so_says_why(ehr: ReadingServer) -> None:
    ehr.understands = ALL - {"sent"}
    said = counted(ehr)
    assert isinstance(said, str)
    assert said
