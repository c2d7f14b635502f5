"""What a site can say of its own feed without a line of code: each ability, with a message that needs it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappers.profile import VendorProfile, resolve
from fhir_mappers.v2_to_fhir import translate
from tests.mappers.building import siu
from tests.mappers.golden import ROOT, US

if TYPE_CHECKING:
    from fhir_mappers.translation import MappedAppointment, MappedPatient

GENERIC = tomllib.loads((ROOT / "config" / "vendors" / "generic.toml").read_text(encoding="utf-8"))


def site(toml: str) -> VendorProfile:
    return resolve("site", {"generic": GENERIC, "site": {"extends": "generic"} | tomllib.loads(toml)})


def the_patient(raw: bytes, toml: str) -> MappedPatient:
    return translate(raw, site(toml), US).patients[0]


def the_appointment(raw: bytes, toml: str) -> MappedAppointment:
    appointment = translate(raw, site(toml), US).appointment
    assert appointment is not None
    return appointment


MOBILE = "^PRS^CP^^^202^5550177"
PHONES = {
    "a Z field of XTN": ('{ path = "ZPD-5", kind = "home" }', {"ZPD": {5: MOBILE}}, "ZPD-5"),
    "its second repetition alone": (
        '{ path = "ZPD-5[2]", kind = "mobile" }',
        {"ZPD": {5: "2025550111~2025550177"}},
        "ZPD-5[2]",
    ),
    "a component that holds the number alone": (
        '{ path = "ZPD-5.3", kind = "mobile" }',
        {"ZPD": {5: "x^y^(202) 555-0177"}},
        "ZPD-5.3",
    ),
    "a subcomponent": (
        '{ path = "ZPD-5.1.2", kind = "mobile" }',
        {"ZPD": {5: "C&2025550177"}},
        "ZPD-5.1.2",
    ),
    "a component of a repetition, with its kind beside it": (
        '{ path = "ZPD-5.2", kind = "unknown", kind_path = "ZPD-5.1" }',
        {"ZPD": {5: "FAX^2025550111~Cell^2025550177"}},
        "ZPD-5[2].2",
    ),
    "one segment a number, with its kind beside it": (
        '{ path = "ZPN-3.1", kind = "unknown", kind_path = "ZPN-2" }',
        {"ZPN": [{2: "Pager", 3: "2025550111"}, {2: "Mob", 3: "2025550177"}]},
        "ZPN[2]-3.1",
    ),
    "one segment of them all": (
        '{ path = "ZPN[2]-3.1", kind = "mobile" }',
        {"ZPN": [{3: "2025550111"}, {3: "2025550177"}, {3: "2025550122"}]},
        "ZPN[2]-3.1",
    ),
}


@pytest.mark.parametrize(("source", "segments", "path"), PHONES.values(), ids=PHONES)
def test_numbers_are_found_where_the_site_says(source: str, segments: dict[str, Any], path: str) -> None:
    translation = translate(siu(PID={13: ""}, **segments), site(f"[phones]\nsources = [{source}]"), US)
    assert translation.patients[0].text_to == "+12025550177"
    assert translation.sources["Patient.text_to"] == path


def test_the_digits_of_an_e_mail_address_are_no_number() -> None:
    raw = siu(PID={13: "^NET^Internet^paola2025550177@example.org"})
    toml = '[phones]\nsources = [{ path = "PID-13.4", kind = "mobile" }]'
    assert the_patient(raw, toml).text_to is None


def test_which_kinds_are_texted_and_in_which_order_is_the_sites_choice() -> None:
    raw = siu(PID={13: "^PRN^PH^^^202^5550111~^PRS^CP^^^202^5550177"})
    assert the_patient(raw, "").text_to == "+12025550177"
    assert the_patient(raw, '[phones]\noffer = ["home", "mobile"]').text_to == "+12025550111"


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_z_segment_counts_wherever_it_stands(where: str) -> None:
    lines = siu(AIL={3: "A"}).split(b"\r")
    place = 1 if where == "before" else len(lines) - 1
    raw = b"\r".join([*lines[:place], b"ZPD|2|19400101|N|Y|Bianchi^Luca", *lines[place:]])
    toml = """
    [patient]
    language = ["ZPD-1"]
    birth_date = ["ZPD-2"]
    publicity = ["ZPD-3"]
    died = ["ZPD-4"]
    name = ["ZPD-5", "..."]
    [languages]
    es = ["...", "2"]
    """
    patient = the_patient(raw, toml)
    assert (patient.given, patient.family) == ("Luca", "Bianchi")
    assert (patient.language, str(patient.birth_date)) == ("es", "1940-01-01")
    assert (patient.no_publicity, patient.deceased, patient.text_to) == (True, True, None)


def test_a_time_of_death_may_stand_anywhere() -> None:
    assert the_patient(siu(ZPD={7: "20270101"}), '[patient]\ndied_at = ["ZPD-7"]').deceased


def test_the_appointments_facts_may_stand_in_z_segments() -> None:
    toml = """
    times = [{ start = "ZAP-2", duration = "ZAP-3", duration_unit = "ZAP-4" }]
    [appointment]
    identity = ["ZAP-1"]
    occurrence = ["ZAP-5"]
    status = ["ZAP-6"]
    kind = ["ZAP-7"]
    tentative = ["W"]
    locations = ["ZAP-8"]
    place = ["ZAP-8"]
    [statuses]
    booked = ["...", "10"]
    [modality]
    paths = ["ZAP-9"]
    """
    values = ["77", "202703121000", "2", "h", "3", "10", "W", "NORTH", "Video"]
    found = the_appointment(siu(SCH={2: "", 11: ""}, ZAP=dict(enumerate(values, start=1))), toml)
    assert [(each.path, each.value) for each in found.identifiers] == [("ZAP-1", "77")]
    assert (found.occurrence, found.status, found.tentative) == ("3", "booked", True)
    assert found.start is not None
    assert found.end is not None
    assert (found.start.isoformat(), found.end.isoformat()) == (
        "2027-03-12T10:00:00-05:00",
        "2027-03-12T12:00:00-05:00",
    )
    assert ([each.code for each in found.locations], found.place, found.modality) == (
        ["NORTH"],
        "NORTH",
        "video",
    )


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ("", "2027-03-11T09:00:00-05:00"),
        ('times = [{ start = "SCH-11.4" }, { start = "TQ1-7" }]', "2027-03-11T14:30:00-05:00"),
        ('times = [{ start = "AIP-6" }]', "2027-03-11T08:00:00-05:00"),
        (
            'times = [{ start = "SCH-11.4", offset = "ZOF-1", offset_unit = "ZOF-2" }]',
            "2027-03-11T14:15:00-05:00",
        ),
    ],
)
def test_which_start_is_believed_is_the_sites_choice(times: str, start: str) -> None:
    raw = siu(TQ1={7: "202703110900"}, AIP={6: "202703110800"}, ZOF={1: "-15", 2: "min"})
    found = the_appointment(raw, times).start
    assert found is not None
    assert found.isoformat() == start


TRIGGERS = {
    "its own event": ('"Z14" = "S14"', b"SIU^Z14", ("S14", "changed")),
    "its own message and event": ('"ZSI^UPD" = "S15"', b"ZSI^UPD", ("S15", "cancelled")),
    "another standard message": ('"ORM^O01" = "S12"', b"ORM^O01", ("S12", "booked")),
    "a patient's message": ('"ZPA^UPD" = "A08"', b"ZPA^UPD", ("A08", "unchanged")),
}


@pytest.mark.parametrize(("entry", "kind", "expected"), TRIGGERS.values(), ids=TRIGGERS)
def test_a_message_may_have_a_name_of_its_own(entry: str, kind: bytes, expected: tuple[str, str]) -> None:
    raw = siu().replace(b"SIU^S12", kind)
    assert translate(raw, site(""), US).refusal is not None
    translation = translate(raw, site(f"[triggers]\n{entry}"), US)
    assert translation.refusal is None
    assert (translation.trigger, translation.event) == expected


def test_the_same_event_of_another_message_is_left_alone() -> None:
    raw = siu().replace(b"SIU^S12", b"ZXX^UPD")
    assert translate(raw, site('[triggers]\n"ZSI^UPD" = "S12"'), US).refusal is not None


def test_an_action_code_of_its_own_takes_a_place_away() -> None:
    raw = siu("S14", RGS={1: "1"}, AIL=[{2: "R", 3: "OLD"}, {2: "A", 3: "NEW"}])
    assert the_appointment(raw, "").place == "OLD"
    assert the_appointment(raw, '[appointment]\nremoved = ["...", "R"]').place == "NEW"


def test_a_visit_may_show_that_it_is_by_phone_in_words_of_its_own() -> None:
    raw = siu(AIL={3: "X", 4: "TELKONS"})
    assert the_appointment(raw, "").modality == "in_person"
    assert the_appointment(raw, '[modality.phone]\ncodes = ["...", "Telkons"]').modality == "phone"


def test_a_number_without_a_unit_is_what_the_specification_says() -> None:
    raw = siu(SCH={9: "600", 10: "", 11: "^^^20270311143000"})
    for unitless, minutes in (("", 10), ('unitless = "minutes"', 600), ('unitless = "seconds"', 10)):
        assert the_appointment(raw, f"[durations]\n{unitless}").resource["minutesDuration"] == minutes


def test_the_best_identifier_is_of_the_authority_or_type_the_site_names() -> None:
    raw = siu(PID={3: "1^^^HOSP^MR~2^^^REGION^NI~3^^^HOSP^ZZ"})
    for toml, best in (
        ("", "1"),
        ('[patient]\nauthorities = ["REGION"]', "2"),
        ('[patient]\ntypes = ["ZZ"]', "3"),
        ('[patient]\nnever_types = ["MR"]\ntypes = ["NI"]', "2"),
    ):
        assert the_patient(raw, toml).identifiers[0].value == best
