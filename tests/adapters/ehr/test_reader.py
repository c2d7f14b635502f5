"""Reading the EHR: what is asked, what is followed, and that the same state is always the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from integration.adapters.ehr.capabilities import Capabilities
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.locations import LIFE
from integration.adapters.ehr.reader import FhirReader
from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import (
    NotReadable,
    NotThere,
    Page,
    Reference,
    Snapshot,
    Window,
    deletion,
)
from tests.adapters.ehr.reading_server import ALL, ReadingServer, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
WEEK = Window(NOW, NOW + timedelta(days=7))
VISIT = Reference("Appointment", "v1")
ANA = {"resourceType": "Patient", "id": "ana", "birthDate": "1980-04-02"}
RIVER = {"resourceType": "Location", "id": "river", "name": "Riverside"}


def visit(number: int = 1, *people: str, days: float = 1, **changes: Any) -> dict[str, Any]:
    named = people or ("Patient/ana", "Location/river")
    return {
        "resourceType": "Appointment",
        "id": f"v{number}",
        "status": "booked",
        "start": (NOW + timedelta(days=days)).isoformat(),
        "participant": [{"actor": {"reference": each}, "status": "accepted"} for each in named],
        **changes,
    }


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ehr() -> Iterator[ReadingServer]:
    with reading(ReadingServer()) as server:
        server.put(ANA)
        server.put(RIVER)
        server.put(visit())
        yield server


@pytest.fixture
def reader(ehr: ReadingServer, clock: Clock) -> Iterator[FhirReader]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2))
    yield FhirReader(client, Capabilities(client, clock), clock)
    client.close()


def read(reader: FhirReader, reference: Reference = VISIT, *, guardians: bool = False) -> Snapshot:
    answer = reader.read(reference, guardians=guardians)
    assert isinstance(answer, Snapshot), answer
    return answer


def names(snapshot: Snapshot) -> list[str]:
    entries = orjson.loads(snapshot.payload)["entry"]
    return [f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in entries]


def changed(reader: FhirReader, window: Window = WEEK) -> list[Page]:
    pages = []
    for page in reader.changed(window):
        assert isinstance(page, Page), page
        pages.append(page)
    return pages


def ids(pages: list[Page]) -> list[str]:
    return [each.reference.id for page in pages for each in page.snapshots]


# One resource


def test_a_visit_comes_with_its_patients_and_places(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.put({"resourceType": "Patient", "id": "ben"})
    ehr.put(visit(1, "Patient/ana", "Practitioner/x", "Location/river", "Patient/ben", "Patient/ana"))
    snapshot = read(reader)
    assert snapshot.reference == VISIT
    assert names(snapshot) == ["Appointment/v1", "Patient/ana", "Location/river", "Patient/ben"]
    entries = orjson.loads(snapshot.payload)["entry"]
    assert entries[1]["fullUrl"] == f"{ehr.base_url}/Patient/ana"


def test_the_same_state_is_the_same_bytes_whatever_the_order_of_keys(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    written = set()
    for order in permutations(ANA):
        ehr.put({key: ANA[key] for key in order})
        written.add(read(reader).payload)
    assert len(written) == 1
    ehr.put(ANA, version=2)
    assert read(reader).payload not in written


def test_a_visit_found_by_a_search_is_the_same_bytes_as_one_read(reader: FhirReader) -> None:
    (page,) = changed(reader)
    assert page.snapshots == (read(reader),)


@pytest.mark.parametrize(
    "written",
    ["Patient/ana", "{base}/Patient/ana", "Patient/ana/_history/3", "{base}/Patient/ana/_history/3"],
)
def test_references_on_this_server_are_followed_however_written(
    ehr: ReadingServer, reader: FhirReader, written: str
) -> None:
    ehr.put(visit(1, written.format(base=ehr.base_url)))
    assert names(read(reader)) == ["Appointment/v1", "Patient/ana"]


@pytest.mark.parametrize(
    "written",
    [
        "http://127.0.0.1:9/fhir/Patient/ana",
        "{base}/../Patient/ana",
        "{origin}/other/Patient/ana",
        "{base}@127.0.0.1:9/Patient/ana",
        "Patient/..",
        "Patient/../Patient/ana",
        "#ana",
        "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
        "file:///etc/passwd",
        "Patient?identifier=x",
        "",
    ],
)
def test_nothing_else_is(ehr: ReadingServer, reader: FhirReader, written: str) -> None:
    origin = ehr.base_url.removesuffix("/fhir")
    ehr.put(visit(1, written.format(base=ehr.base_url, origin=origin)))
    assert names(read(reader)) == ["Appointment/v1"]
    assert ehr.asked == ["/Appointment/v1"]
    assert ehr.outside == []


def test_the_subject_of_r5_is_one_of_its_patients(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.put(visit(1, "Practitioner/x", subject={"reference": "Patient/ana"}))
    assert names(read(reader)) == ["Appointment/v1", "Patient/ana"]


@pytest.mark.parametrize(("bearers", "found"), [(1, ["Patient/p0"]), (2, [])])
def test_a_patient_named_by_identifier_alone_is_found_if_one_has_it(
    ehr: ReadingServer, reader: FhirReader, bearers: int, found: list[str]
) -> None:
    identifier = {"system": "urn:mrn", "value": "77"}
    for number in range(bearers):
        ehr.put({"resourceType": "Patient", "id": f"p{number}", "identifier": [identifier]})
    actor = {"type": "Patient", "identifier": identifier}
    ehr.put({**visit(), "participant": [{"actor": actor, "status": "accepted"}]})
    assert names(read(reader)) == ["Appointment/v1", *found]


def test_a_record_that_became_part_of_another_brings_that_too_and_a_circle_ends(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    for gone, survivor in (("ana", "anna"), ("anna", "hanna"), ("hanna", "ana")):
        link = [{"type": "replaced-by", "other": {"reference": f"Patient/{survivor}"}}]
        ehr.put({"resourceType": "Patient", "id": gone, "link": link})
    people = ["Patient/ana", "Patient/anna", "Patient/hanna"]
    assert names(read(reader)) == ["Appointment/v1", "Patient/ana", "Location/river", *people[1:]]
    assert names(read(reader, Reference("Patient", "ana"))) == people


def test_the_related_persons_of_a_child_come_where_they_are_asked_for(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    for name in ("mum", "dad"):
        ehr.put({"resourceType": "RelatedPerson", "id": name, "patient": {"reference": "Patient/ana"}})
    assert names(read(reader, guardians=True)) == ["Appointment/v1", "Patient/ana", "Location/river"]
    ehr.put({**ANA, "birthDate": "2015-06-01"})
    with_both = ["RelatedPerson/dad", "RelatedPerson/mum"]
    assert names(read(reader, guardians=True))[3:] == with_both
    assert names(read(reader))[3:] == []
    ehr.put({**ANA, "birthDate": "2009"})
    assert names(read(reader, guardians=True))[3:] == with_both


def test_a_server_without_related_persons_hinders_nothing(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.put({**ANA, "birthDate": "2015-06-01"})
    ehr.refused = frozenset({"RelatedPerson", "Location"})
    assert names(read(reader, guardians=True)) == ["Appointment/v1", "Patient/ana"]


def test_a_patient_we_may_not_see_is_told(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.refused = frozenset({"Patient"})
    assert reader.read(VISIT) == NotReadable("Patient: the EHR refused it: HTTP 403")


def test_a_patient_who_is_not_there_is_left_out(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.put(visit(1, "Patient/nobody", "Location/river"))
    assert names(read(reader)) == ["Appointment/v1", "Location/river"]


@pytest.mark.parametrize("etag", [True, False])
def test_a_place_is_read_once_an_hour_and_then_only_if_it_changed(
    ehr: ReadingServer, reader: FhirReader, clock: Clock, *, etag: bool
) -> None:
    ehr.etag = etag
    before = [read(reader) for _ in range(3)]
    assert ehr.asked.count("/Location/river") == 1
    clock.now += LIFE
    assert read(reader) == before[0]
    assert ehr.conditions == ['W/"1"']
    clock.now += LIFE
    ehr.put({**RIVER, "name": "Riverside North"}, version=2)
    assert b"Riverside North" in read(reader).payload
    assert ehr.asked.count("/Location/river") == 3


def test_what_is_deleted_is_a_deletion_and_what_never_was_is_not_there(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    ehr.resources["Appointment", "v1"] = None
    assert reader.read(VISIT) == deletion(VISIT)
    assert orjson.loads(deletion(VISIT).payload)["entry"] == [
        {"request": {"method": "DELETE", "url": "Appointment/v1"}}
    ]
    assert reader.read(Reference("Appointment", "v9")) == NotThere()


def test_a_server_that_has_lost_its_way_has_deleted_nothing(ehr: ReadingServer, reader: FhirReader) -> None:
    read(reader)
    changed(reader)
    ehr.resources.clear()
    ehr.shows_capabilities = False
    assert isinstance(reader.read(VISIT), TryLater)


def test_one_by_identifier_is_read_if_one_has_it(ehr: ReadingServer, reader: FhirReader) -> None:
    wanted = Reference("Appointment", identifier="urn:visits|77")
    assert reader.read(wanted) == NotThere()
    ehr.put(visit(identifier=[{"system": "urn:visits", "value": "77"}]))
    assert read(reader, wanted).reference == VISIT
    ehr.put(visit(2, identifier=[{"system": "urn:visits", "value": "77"}]))
    assert reader.read(wanted) == NotReadable("several Appointments have the identifier")


def test_a_server_that_ignores_the_identifier_shows_nobody_else(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    ehr.understands = frozenset()
    ehr.refuses_what_it_does_not_understand = False
    assert reader.read(Reference("Appointment", identifier="urn:visits|77")) == NotThere()


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_server_in_trouble_is_tried_later_wherever_it_begins(
    ehr: ReadingServer, reader: FhirReader, status: int
) -> None:
    for answered in range(3):
        ehr.faults.extend([*[0] * answered, status])
        answer = FhirReader(reader._client, reader._capabilities).read(VISIT)
        assert isinstance(answer, TryLater)
        assert (answer.after == timedelta(seconds=7)) is (status == 429)


# Texts that charts ask for


def requested(reader: FhirReader, since: datetime | None) -> list[list[str]]:
    pages = []
    for page in reader.requested(since):
        assert isinstance(page, Page), page
        pages += [names(each) for each in page.snapshots]
    return pages


def test_requests_come_with_their_patient_those_withdrawn_too(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.offers_requests = True
    request = {"resourceType": "CommunicationRequest", "subject": {"reference": "Patient/ana"}}
    for name, status in (("q1", "active"), ("q2", "revoked")):
        ehr.put({**request, "id": name, "status": status})
    both = [["CommunicationRequest/q1", "Patient/ana"], ["CommunicationRequest/q2", "Patient/ana"]]
    assert requested(reader, None) == both[:1]
    assert requested(reader, NOW - timedelta(hours=3)) == both
    assert requested(reader, NOW) == []


def test_a_server_that_does_not_offer_requests_is_not_asked_for_them(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    assert requested(reader, None) == []
    ehr.shows_capabilities = False
    assert ehr.asked == ["/metadata"]


# What changed


def test_all_that_the_server_understands_is_asked(ehr: ReadingServer, reader: FhirReader) -> None:
    since = NOW - timedelta(minutes=10)
    changed(reader, Window(NOW, NOW + timedelta(days=7), since))
    assert ehr.searches() == [
        [
            ("date", "ge2027-03-01T14:00:00Z"),
            ("date", "lt2027-03-08T14:00:00Z"),
            ("_lastUpdated", "ge2027-03-01T13:50:00Z"),
            ("_include", "Appointment:patient"),
            ("_include", "Appointment:location"),
            ("_count", "100"),
        ]
    ]
    assert [each for each in ehr.asked if each.startswith(("/Patient", "/Location"))] == []


def test_what_the_server_lists_for_all_its_types_counts_too(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.lists, ehr.lists_for_all = frozenset({"date"}), frozenset({"_lastUpdated"})
    changed(reader, Window(NOW, NOW + timedelta(days=7), NOW))
    assert [name for name, _ in ehr.searches()[0]] == ["date", "date", "_lastUpdated", "_count"]


def test_nothing_is_asked_that_the_server_does_not_list(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.lists = frozenset({"date"})
    pages = changed(reader, Window(NOW, NOW + timedelta(days=7), NOW))
    assert [name for name, _ in ehr.searches()[0]] == ["date", "date", "_count"]
    assert [names(each) for page in pages for each in page.snapshots] == [
        ["Appointment/v1", "Patient/ana", "Location/river"]
    ]


def test_a_server_that_lists_more_than_it_understands_gets_a_plainer_question(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    ehr.understands = frozenset({"date"})
    assert ids(changed(reader, Window(NOW, NOW + timedelta(days=7), NOW))) == ["v1"]
    assert [name for name, _ in ehr.searches()[-1]] == ["date", "date"]


def test_a_server_that_passes_over_what_it_does_not_understand_shows_no_old_visits(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    ehr.understands, ehr.refuses_what_it_does_not_understand = frozenset(), False
    ehr.page_size = 10
    ehr.put(visit(2, days=-30))
    ehr.put(visit(3, days=30))
    cancelled = visit(4, status="cancelled")
    del cancelled["start"]
    ehr.put(cancelled)
    assert ids(changed(reader)) == ["v1", "v4"]


@pytest.mark.parametrize("repeats", [True, False])
def test_every_page_is_read_and_what_pages_repeat_is_read_once(
    ehr: ReadingServer, reader: FhirReader, *, repeats: bool
) -> None:
    ehr.repeats = repeats
    for number in range(2, 26):
        ehr.put(visit(number, days=number / 10))
    pages = changed(reader)
    assert sorted(ids(pages)) == sorted(f"v{number}" for number in range(1, 26))
    assert len(pages) == 13
    assert [page.at for page in pages] == [NOW] * 13


def test_people_are_read_once_for_all_pages(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.lists = frozenset({"date"})
    for number in range(2, 10):
        ehr.put(visit(number))
    changed(reader)
    assert ehr.asked.count("/Patient/ana") == 1
    assert ehr.asked.count("/Location/river") == 1


def test_cancelled_visits_are_shown_too(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.put(visit(status="cancelled"))
    assert ids(changed(reader)) == ["v1"]


def test_one_location_is_asked_alone(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.refuses_a_date_alone = True
    ehr.put(visit(2, "Patient/ana", "Location/other"))
    assert ids(changed(reader, Window(WEEK.starts, WEEK.ends, location="river"))) == ["v1"]
    assert ehr.searches()[0][0] == ("location", "river")


def test_a_location_may_be_named_by_an_identifier(ehr: ReadingServer, reader: FhirReader) -> None:
    north = {**RIVER, "id": "77", "identifier": [{"system": "urn:places", "value": "RIVER-2"}]}
    ehr.put(north)
    ehr.put(visit(2, "Patient/ana", "Location/77"))
    window = Window(WEEK.starts, WEEK.ends, location="RIVER-2")
    assert ids(changed(reader, window)) == ["v2"]
    assert ids(changed(reader, window)) == ["v2"]
    assert sum(each.startswith("/Location") for each in ehr.asked) == 2


def test_a_location_nobody_knows_is_named_to_the_engineer(ehr: ReadingServer, reader: FhirReader) -> None:
    answer = list(reader.changed(Window(WEEK.starts, WEEK.ends, location="RIVER-2")))
    assert answer == [NotReadable("the EHR has no Location by the id or identifier RIVER-2")]
    assert ehr.searches() == []


def test_what_cannot_be_told_without_a_person_is_named_and_the_rest_read(
    ehr: ReadingServer, reader: FhirReader
) -> None:
    ehr.lists = frozenset({"date"})
    ehr.put(visit(2, "Location/river"))
    ehr.put({**visit(3, "Location/river"), "meta": {"tag": [{"code": "SUBSETTED"}]}}, version=None)
    ehr.refused = frozenset({"Patient"})
    ehr.page_size = 10
    (page,) = changed(reader)
    assert [each.reference.id for each in page.snapshots] == ["v2"]
    assert page.unresolved == (Reference("Appointment", "v1"), Reference("Appointment", "v3"))


def test_a_record_that_the_server_trips_over_hides_no_other(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.lists = frozenset({"date"})
    ehr.put(visit(2, "Patient/odd"))
    ehr.put(visit(3))
    ehr.broken = frozenset({"Patient/odd"})
    ehr.page_size = 10
    (page,) = changed(reader)
    assert [each.reference.id for each in page.snapshots] == ["v1", "v3"]
    assert page.unresolved == (Reference("Appointment", "v2"),)


@pytest.mark.parametrize("odd", [{"meta": 3}, {"meta": [1]}, {"meta": {"tag": 7}}])
def test_odd_json_hides_no_other_visit(ehr: ReadingServer, reader: FhirReader, odd: dict[str, Any]) -> None:
    ehr.put({**visit(2), **odd}, version=None)
    ehr.put({**RIVER, "meta": "old"}, version=None)
    ehr.put({**ANA, "link": 4}, version=None)
    ehr.lists, ehr.page_size = frozenset({"date"}), 10
    (page,) = changed(reader)
    assert [each.reference.id for each in page.snapshots] == ["v1", "v2"]


@pytest.mark.parametrize(
    ("manners", "words"),
    [
        ({"next_at": "http://127.0.0.1:9/fhir"}, "another origin than EHR_FHIR_BASE_URL"),
        ({"turns": True}, "lead in a circle"),
    ],
)
def test_pages_that_lead_astray_are_trouble_after_those_that_were_shown(
    ehr: ReadingServer, reader: FhirReader, manners: dict[str, Any], words: str
) -> None:
    for number in range(2, 10):
        ehr.put(visit(number))
    for name, value in manners.items():
        setattr(ehr, name, value)
    *pages, trouble = reader.changed(WEEK)
    assert pages
    assert isinstance(trouble, NotReadable)
    assert words in trouble.reason


@pytest.mark.parametrize("answered", range(4))
def test_an_answer_that_breaks_off_says_so(ehr: ReadingServer, reader: FhirReader, answered: int) -> None:
    for number in range(2, 10):
        ehr.put(visit(number))
    ehr.faults.extend([*[0] * answered, 503])
    *pages, trouble = reader.changed(WEEK)
    assert isinstance(trouble, TryLater)
    assert len(pages) == max(0, answered - 1)


def test_a_search_that_is_refused_says_why(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.refused = frozenset({"Appointment"})
    assert list(reader.changed(WEEK)) == [NotReadable("Appointments by date: the EHR refused it: HTTP 403")]


@pytest.mark.parametrize(
    ("wanted", "alone", "lists", "by_location"),
    [
        ("date", True, ALL, False),
        ("location", False, ALL, True),
        ("auto", False, ALL, False),
        ("auto", True, ALL, True),
        ("auto", True, frozenset({"date"}), False),
    ],
)
def test_whether_it_must_be_asked_by_location_is_tried(
    ehr: ReadingServer,
    reader: FhirReader,
    *,
    wanted: Any,
    alone: bool,
    lists: frozenset[str],
    by_location: bool,
) -> None:
    ehr.refuses_a_date_alone, ehr.lists = alone, lists
    assert reader.poll_locations(wanted) is by_location
    asked = len(ehr.asked)
    assert reader.poll_locations(wanted) is by_location
    assert len(ehr.asked) == asked


def test_a_server_without_a_statement_is_asked_the_plainest(ehr: ReadingServer, reader: FhirReader) -> None:
    ehr.shows_capabilities = False
    assert ids(changed(reader, Window(NOW, NOW + timedelta(days=7), NOW))) == ["v1"]
    assert reader.read(Reference("Appointment", "v9")) == NotThere()
