"""A file of FHIR JSON → one snapshot for each resource that is heard."""

import json
from typing import Any

import pytest

from fhir_mappers.from_fhir.split import holds_fhir, is_json, snapshots_in
from tests.mappers.fhir_building import APPOINTMENT, PATIENT

SECOND = APPOINTMENT | {"id": "a2", "participant": [{"actor": {"reference": "Patient/p2"}}]}
OTHER = PATIENT | {"id": "p2"}
RELATED = {"resourceType": "RelatedPerson", "id": "r1", "patient": {"reference": "Patient/p2"}}


def found(content: str | bytes) -> list[list[str]]:
    """The resources of each snapshot, the one it is about first."""
    raw = content.encode() if isinstance(content, str) else content
    return [
        [
            f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            for entry in json.loads(each)["entry"]
        ]
        for each in snapshots_in(raw)
    ]


def searchset(*resources: Any) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": each} for each in resources],
    }


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(searchset(PATIENT, APPOINTMENT, SECOND, OTHER, RELATED)),
        json.dumps([APPOINTMENT, SECOND, searchset(PATIENT, OTHER, RELATED)]),
        "\n".join(json.dumps(each) for each in (APPOINTMENT, SECOND, PATIENT, OTHER, RELATED)),
        "\ufeff \r\n"
        + "\r\n\r\n".join(json.dumps(e) for e in (APPOINTMENT, SECOND, PATIENT, OTHER, RELATED)),
    ],
    ids=["searchset", "array", "lines", "lines with a byte order mark"],
)
def test_each_appointment_comes_with_what_it_refers_to(content: str) -> None:
    assert found(content) == [
        ["Appointment/a1", "Patient/p1"],
        ["Appointment/a2", "Patient/p2", "RelatedPerson/r1"],
    ]


def test_a_resource_by_itself_and_patients_by_themselves_are_heard() -> None:
    assert found(json.dumps(APPOINTMENT)) == [["Appointment/a1"]]
    assert found(json.dumps([PATIENT, OTHER])) == [["Patient/p1"], ["Patient/p2"]]


def test_what_was_deleted_is_a_snapshot_of_its_own() -> None:
    entry = {"request": {"method": "DELETE", "url": "Appointment/a9"}}
    bundle = searchset(APPOINTMENT, PATIENT)
    bundle["entry"].append(entry)
    assert [json.loads(each)["entry"][0] for each in snapshots_in(json.dumps(bundle).encode())][1] == entry


def test_records_that_name_one_another_end() -> None:
    ring = [
        PATIENT | {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]},
        OTHER | {"link": [{"type": "replaces", "other": {"reference": "Patient/p1"}}]},
    ]
    assert found(json.dumps(ring)) == [["Patient/p1", "Patient/p2"], ["Patient/p2", "Patient/p1"]]


@pytest.mark.parametrize("content", [b"{}", b"[]", b"{", b'{"resourceType":"Observation"}', b"{}\n{"])
def test_what_holds_nothing_that_is_heard_stays_as_it_is(content: bytes) -> None:
    assert snapshots_in(content) == [content]
    assert not holds_fhir(content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b" \r\n{", True), (b"\xef\xbb\xbf[", True), (b"MSH|^~\\&|", False), (b"", False), (b"\x0bMSH|", False)],
)
def test_json_is_told_from_hl7_v2_by_its_first_sign(content: bytes, *, expected: bool) -> None:
    assert is_json(content) is expected
