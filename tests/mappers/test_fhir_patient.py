"""A Patient, with the RelatedPersons beside it → who is texted, in which language, and who is silent."""

import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from fhir_mappers.translate_message import translate
from fhir_mappers.translation import Identifier
from tests.mappers.building import PROFILE
from tests.mappers.fhir_building import EHR, PATIENT, codes, person, read

MOBILE, HOME, WORK, SECOND = "202-555-0142", "202-555-0140", "202-555-0141", "202-555-0143"
READ_AT = datetime.fromisoformat("2027-03-01T14:00:00Z")


def phone(value: str, use: str = "", **more: Any) -> dict[str, Any]:
    return {"system": "phone", "value": value} | ({"use": use} if use else {}) | more


@pytest.mark.parametrize(
    ("telecom", "expected"),
    [
        ([phone(HOME, "home", rank=1), phone(MOBILE, "mobile", rank=2)], MOBILE),
        ([phone(HOME, "home"), phone(MOBILE)], MOBILE),  # unknown before home
        ([phone(MOBILE, "mobile", rank=2), phone(SECOND, "mobile", rank=1)], SECOND),
        ([phone(MOBILE, "mobile"), phone(SECOND, "mobile", rank=9)], SECOND),
        ([phone(SECOND, "old"), phone(MOBILE, "mobile")], MOBILE),
        ([phone(SECOND, "mobile", period={"end": "2027-02-28"}), phone(HOME, "home")], HOME),
        ([phone(SECOND, "mobile", period={"end": "2027-03-01"})], SECOND),
        ([phone(SECOND, "mobile", period={"start": "2027-04"}), phone(MOBILE)], MOBILE),
        ([phone(SECOND, "mobile", period={"end": "2027"})], SECOND),  # the year is not over
        ([{"system": "sms", "value": MOBILE}, phone(HOME, "home", rank=1)], MOBILE),
        ([phone("tel:+1-202-555-0142", "mobile")], MOBILE),
        ([phone("+1 (202) 555-0142", "mobile")], MOBILE),
        ([phone("202-555-0142 x12", "work")], None),
        ([{"value": MOBILE}], MOBILE),  # no system
        ([{"system": "fax", "value": MOBILE}], None),
        ([{"system": "pager", "value": MOBILE}], None),
        ([{"system": "email", "value": "p2025550142@example.org"}], None),
        ([phone("12", "mobile"), phone("declined", "mobile")], None),
        ([phone(HOME, "home")], HOME),
        ([None, 5, "x", {}], None),
        ({"system": "phone", "value": MOBILE}, MOBILE),  # not a list
        ("202-555-0142", None),
    ],
)
def test_which_number_is_texted(telecom: object, expected: str | None) -> None:
    mapped = person({"telecom": telecom}, read_at=READ_AT)
    assert mapped.text_to == (None if expected is None else "+1" + expected.replace("-", ""))
    assert mapped.cleared == (() if expected else ("Patient.telecom",))


def test_a_part_of_a_patient_takes_nothing_away() -> None:
    mapped = person({"telecom": None, "meta": {"tag": [{"code": "SUBSETTED"}]}})
    assert (mapped.text_to, mapped.cleared) == (None, ())


def test_the_number_and_where_it_stood_are_told() -> None:
    telecom = [phone(HOME, "home"), phone(MOBILE, "mobile")]
    assert read(PATIENT | {"telecom": telecom}).sources["Patient.text_to"] == "Patient.telecom[1]"
    assert codes(read(PATIENT | {"telecom": telecom[:1]})) == [("Patient.telecom[0]", "home-number")]


def speaks(*tongues: tuple[str, bool]) -> list[dict[str, Any]]:
    return [{"language": {"coding": [{"code": code}]}, "preferred": best} for code, best in tongues]


@pytest.mark.parametrize(
    ("communication", "language"),
    [
        (speaks(("en", False), ("es-MX", True)), "es"),
        (speaks(("es", False)), "es"),
        (speaks(("en", False), ("es", False)), None),
        ([{"language": {"text": "Spanish"}}], "es"),
        (speaks(("spa", True)), "es"),
        (speaks(("tlh-Klingon", True)), None),
        ([{"language": {"coding": [{"code": "x"}, {"code": "es"}]}}], "es"),
        ([], None),
        ({"language": "es"}, None),
    ],
)
def test_the_preferred_language_is_taken_else_the_only_one(communication: object, language: object) -> None:
    assert person({"communication": communication}).language == language


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ([{"use": "official", "family": "Rossi", "given": ["Paola"]}], ("Paola", "Rossi")),
        ([{"use": "old", "family": "A", "given": ["B"]}, {"family": "C", "given": ["D"]}], ("D", "C")),
        (
            [{"use": "official", "family": "A", "given": ["B"]}, {"use": "usual", "given": ["C"]}],
            ("B", "A"),
        ),
        (
            [
                {"use": "official", "family": "A", "given": ["B"]},
                {"use": "usual", "family": "A", "given": ["C"]},
            ],
            ("C", "A"),
        ),
        ([{"family": "A", "given": ["B"], "period": {"end": "2020"}}, {"family": "C"}], ("", "C")),
        ([{"text": "Paola Rossi"}], ("", "")),
        ([{"given": "Paola", "family": ["Rossi"]}], ("Paola", "")),
        ([], ("", "")),
    ],
)
def test_how_a_patient_is_called(names: object, called: tuple[str, str]) -> None:
    mapped = person({"name": names}, read_at=READ_AT)
    assert (mapped.given, mapped.family) == called


@pytest.mark.parametrize(
    ("written", "born"),
    [
        ("1980-05-17", date(1980, 5, 17)),
        ("2015-02", date(2015, 2, 28)),  # so that no child passes for grown up
        ("2015", date(2015, 12, 31)),
        ("17.5.1980", None),
        ("2015-13-01", None),
        (None, None),
    ],
)
def test_a_birth_date_of_any_precision(written: object, born: date | None) -> None:
    mapped = person({"birthDate": written})
    assert mapped.birth_date == born
    assert mapped.resource.get("birthDate") == (written if born else None)


@pytest.mark.parametrize(
    ("more", "dead", "alive"),
    [
        ({"deceasedBoolean": True}, True, False),
        ({"deceasedBoolean": "true"}, True, False),
        ({"deceasedDateTime": "2027-02-28T10:00:00Z"}, True, False),
        ({"deceasedDateTime": "some day"}, True, False),
        ({"deceasedBoolean": False}, False, True),
        ({}, False, False),
    ],
)
def test_the_dead_are_not_offered_a_text(more: dict[str, object], *, dead: bool, alive: bool) -> None:
    mapped = person(more)
    assert (mapped.deceased, mapped.said_alive) == (dead, alive)
    assert (mapped.text_to is None) == dead


def test_a_record_out_of_use_is_silent() -> None:
    assert person({"active": False}).deleted
    assert not person({"active": True}).deleted


def test_what_no_text_and_no_chart_needs_is_not_kept() -> None:
    resource = person(
        {
            "address": [{"line": ["1 Sample St"]}],
            "photo": [{"data": "AAAA"}],
            "identifier": [
                {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "000-00-0000"},
                {"type": {"coding": [{"code": "SS"}]}, "value": "000-00-0000"},
            ],
        }
    ).resource
    assert set(resource) == {"resourceType", "id", "name", "telecom"}


MRN = "urn:example:riverside:mrn"  # of the authority RIVERSIDE


def known_by(*identifiers: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = person({"identifier": list(identifiers)}).identifiers
    return [(each.authority, each.type, each.value) for each in found]


def test_a_patient_is_known_by_the_servers_id_and_as_hl7_v2_of_the_scope_knows_it() -> None:
    own = ("Patient.id", "", "p1")
    typed = {"type": {"coding": [{"code": "MR"}]}, "system": MRN, "value": "900"}
    assert known_by(typed) == [own, ("RIVERSIDE", "MR", "900"), ("RIVERSIDE", "", "900")]
    untyped = known_by({"system": MRN, "value": "900"})
    assert untyped[:2] == [own, ("RIVERSIDE", "", "900")]
    assert {("RIVERSIDE", "MR", "900"), ("RIVERSIDE", "PI", "900")} <= set(untyped)
    assert known_by({"system": "urn:other", "value": "5"}) == [own, ("urn:other", "", "5")]
    assert known_by({"system": MRN, "value": "9", "use": "old"}, {"system": MRN}) == [own]


RELATED = {
    "resourceType": "RelatedPerson",
    "id": "r1",
    "patient": {"reference": "Patient/p1"},
    "relationship": [{"coding": [{"code": "MTH"}]}],
    "telecom": [phone("202-555-0155", "mobile")],
}
CHILD = {"birthDate": "2018-05-10"}


def related(**more: Any) -> dict[str, Any]:
    return RELATED | more


@pytest.mark.parametrize(
    ("persons", "number"),
    [
        ([related()], "+12025550155"),
        ([related(active=False)], None),
        ([related(period={"end": "2027-02-28"})], None),
        ([related(relationship=[{"coding": [{"code": "NEIGHBOR"}]}])], None),
        ([related(relationship=[])], None),
        ([related(telecom=[])], None),
        ([related(patient={"reference": "Patient/somebody"})], None),
        (
            [
                related(),
                related(
                    id="r2",
                    relationship=[{"coding": [{"code": "guard"}]}],
                    telecom=[phone("202-555-0166", "mobile")],
                ),
            ],
            "+12025550166",
        ),
        ([related(telecom=[]), related(id="r2", telecom=[phone("202-555-0166")])], "+12025550166"),
    ],
)
def test_who_is_texted_about_a_child(persons: list[dict[str, Any]], number: str | None) -> None:
    mapped = person(CHILD, *persons, read_at=READ_AT)
    assert (mapped.guardian.number if mapped.guardian else None) == number
    named = any(each["patient"]["reference"] == "Patient/p1" for each in persons)
    assert mapped.unguarded == (named and number is None)


def test_nobody_is_texted_about_a_child_unless_the_site_says_who_counts() -> None:
    mapped = person(CHILD, RELATED, guardians=())
    assert (mapped.guardian, mapped.unguarded) == (None, False)


def test_a_contact_of_the_patient_counts_after_the_related_persons_of_the_same_kind() -> None:
    contact = {
        "relationship": [{"coding": [{"code": "MTH"}]}],
        "telecom": [phone("202-555-0177", "mobile")],
    }
    alone = person(CHILD | {"contact": [contact]}).guardian
    assert alone is not None
    assert (alone.number, alone.path) == ("+12025550177", "Patient.contact[0].telecom[0]")
    both = person(CHILD | {"contact": [contact]}, RELATED).guardian
    assert both is not None
    assert both.number == "+12025550155"


def linked(kind: str, other: str) -> dict[str, Any]:
    return {"link": [{"type": kind, "other": {"reference": other}}]}


def ids(identifiers: tuple[Identifier, ...]) -> list[str]:
    return [each.value for each in identifiers if each.authority == "Patient.id"]


def test_a_replaced_record_names_its_survivor_from_either_side() -> None:
    told = read(PATIENT | {"active": False} | linked("replaced-by", "Patient/p2"))
    (merge,) = told.merges
    assert (ids(merge.survivor), ids(merge.gone), told.patients) == (["p2"], ["p1"], ())
    (merge,) = read(PATIENT | linked("replaces", "Patient/p0")).merges
    assert (ids(merge.survivor), ids(merge.gone)) == (["p1"], ["p0"])
    assert read(PATIENT | linked("seealso", "Patient/p2")).merges == ()


def test_what_the_survivor_has_too_is_not_gone() -> None:
    number = {"identifier": [{"system": "urn:other", "value": "5"}]}
    old = PATIENT | number | {"active": False} | linked("replaced-by", "Patient/p2")
    told = read(old, PATIENT | number | {"id": "p2"})
    assert [[each.value for each in merge.gone] for merge in told.merges] == [["p1"]]
    assert [patient.ehr_id for patient in told.patients] == ["p2"]


def test_of_a_chain_of_replaced_records_the_last_is_told_of() -> None:
    chain = [
        PATIENT | {"id": f"p{n}", "active": False} | linked("replaced-by", f"Patient/p{n + 1}")
        for n in (1, 2)
    ]
    told = read(*chain, PATIENT | {"id": "p3"})
    assert [(ids(merge.gone), ids(merge.survivor)) for merge in told.merges] == [
        (["p1"], ["p2"]),
        (["p2"], ["p3"]),
    ]
    assert [(patient.ehr_id, patient.deleted) for patient in told.patients] == [("p3", False)]
    ring = [chain[0], PATIENT | {"id": "p2"} | linked("replaced-by", "Patient/p1")]
    assert read(*ring).patients == ()


def test_a_deleted_patient_is_known_by_its_id_alone() -> None:
    entry = {"request": {"method": "DELETE", "url": "Patient/p1"}}
    translation = translate(json.dumps({"resourceType": "Bundle", "entry": [entry]}).encode(), PROFILE, EHR)
    assert [(patient.deleted, ids(patient.identifiers)) for patient in translation.patients] == [
        (True, ["p1"])
    ]


def test_bare_numbers_are_dialled_in_the_feeds_region() -> None:
    british = replace(EHR, region="GB")
    (patient,) = read(PATIENT | {"telecom": [phone("07400 123456")]}, feed=british).patients
    assert patient.text_to == "+447400123456"
