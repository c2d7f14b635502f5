"""Who is texted about a child: by which segment, relationship, role, day and number."""

import tomllib
from typing import Any

import pytest

from fhir_mappers.profile import VendorProfile, resolve
from fhir_mappers.v2_to_fhir import translate
from tests.mappers.building import codes, segment, siu
from tests.mappers.golden import ROOT, US

GENERIC = tomllib.loads((ROOT / "config" / "vendors" / "generic.toml").read_text(encoding="utf-8"))
CHILD = {7: "20180301"}
ADA = "^PRS^CP^^^202^5550177"  # a mother's mobile
BEN = "^PRS^CP^^^202^5550188"  # a father's


def asking(*order: str, **sources: Any) -> VendorProfile:
    guardian = {"order": list(order), "sources": sources}
    return resolve("site", {"generic": GENERIC, "site": {"extends": "generic", "guardian": guardian}})


BOTH = asking("NK1", "GT1")
GUARDIANS = {
    "a mother": ({"NK1": {3: "MTH", 5: ADA}}, "NK1-5", "+12025550177"),
    "a mother by the name of the code": ({"NK1": {3: "9^mother^LOCAL", 5: ADA}}, "NK1-5", "+12025550177"),
    "a legal guardian": ({"NK1": {3: "GRD^Guardian", 5: ADA}}, "NK1-5", "+12025550177"),
    "a guardian in a later release": ({"NK1": {3: "PAR", 40: ADA}}, "NK1-40", "+12025550177"),
    "a mobile among several numbers": (
        {"NK1": {3: "MTH", 5: f"^PRN^PH^^^202^5550100~{ADA}"}},
        "NK1-5[2]",
        "+12025550177",
    ),
    "the second of two, when the first has no number": (
        {"NK1": [{1: "1", 3: "MTH"}, {1: "2", 3: "FTH", 5: BEN}]},
        "NK1[2]-5",
        "+12025550188",
    ),
    "the sender's order, not the table's": (
        {"NK1": [{3: "FTH", 5: BEN}, {3: "MTH", 5: ADA}]},
        "NK1-5",
        "+12025550188",
    ),
    "a guarantor, when no next of kin counts": (
        {"NK1": {3: "SIB", 5: ADA}, "GT1": {6: BEN, 11: "FTH"}},
        "GT1-6",
        "+12025550188",
    ),
    "next of kin before a guarantor": (
        {"GT1": {6: BEN, 11: "FTH"}, "NK1": {3: "MTH", 5: ADA}},
        "NK1-5",
        "+12025550177",
    ),
    "one whose days include today": (
        {"NK1": {3: "MTH", 5: ADA, 8: "20200101", 9: "20301231"}},
        "NK1-5",
        "+12025550177",
    ),
}
NOBODY = {
    "a sister": {"NK1": {3: "SIB", 5: ADA}},
    "an emergency contact": {"NK1": {3: "EMC", 5: ADA}},
    "nobody's relation": {"NK1": {5: ADA}},
    "an employer, whatever the relation": {"NK1": {3: "MTH", 5: ADA, 7: "E"}},
    "one whose days are over": {"NK1": {3: "MTH", 5: ADA, 9: "20261231"}},
    "one whose days are to come": {"NK1": {3: "MTH", 5: ADA, 8: "20280101"}},
    "one who asks for no publicity": {"NK1": {3: "MTH", 5: ADA, 22: "N"}},
    "one who is protected": {"NK1": {3: "MTH", 5: ADA, 23: "Y"}},
    "a landline at work": {"NK1": {3: "MTH", 6: "^WPN^PH^^^202^5550177"}},
    "a dead guarantor": {"GT1": {6: BEN, 11: "FTH", 25: "Y"}},
    "a guarantor dead since a day": {"GT1": {6: BEN, 11: "FTH", 24: "20260101"}},
    "the patient as guarantor": {"GT1": {6: BEN, 11: "SEL"}},
    "no segment at all": {},
}


@pytest.mark.parametrize(("segments", "path", "number"), GUARDIANS.values(), ids=GUARDIANS)
def test_a_guardian_is_found(segments: dict[str, Any], path: str, number: str) -> None:
    translation = translate(siu(PID=CHILD, **segments), BOTH, US)
    guardian = translation.patients[0].guardian
    assert guardian is not None
    assert (guardian.path, guardian.number) == (path, number)
    assert translation.sources["Patient.guardian"] == path
    assert ("PID-7", "no-guardian-number") not in codes(translation)


@pytest.mark.parametrize("segments", NOBODY.values(), ids=NOBODY)
def test_nobody_else_is_texted_about_a_child(segments: dict[str, Any]) -> None:
    translation = translate(siu(PID=CHILD, **segments), BOTH, US)
    assert translation.patients[0].guardian is None
    assert ("PID-7", "no-guardian-number") in codes(translation)


@pytest.mark.parametrize(
    ("segments", "unguarded"),
    [
        ({"NK1": {3: "SIB", 5: ADA}}, True),
        ({"NK1": {3: "MTH", 5: ADA}}, False),
        ({"NK1": {3: "MTH"}}, False),  # empty is no change
        ({"NK1": {3: "MTH", 5: '""'}}, True),
        ({"NK1": {3: "MTH", 5: ADA, 9: "20261231"}}, True),
        ({"GT1": {6: BEN, 11: "SEL"}}, False),  # the source looked into first says nothing here
        ({}, False),
    ],
)
def test_a_message_that_shows_the_family_anew_takes_a_guardian_away(
    segments: dict[str, Any],
    unguarded: bool,  # noqa: FBT001 - a row
) -> None:
    assert translate(siu(PID=CHILD, **segments), BOTH, US).patients[0].unguarded == unguarded


@pytest.mark.parametrize(("phone", "unguarded"), [("", False), ('""', True)])
def test_a_parents_number_in_the_childs_record_goes_when_it_is_emptied(
    phone: str,
    unguarded: bool,  # noqa: FBT001 - a row
) -> None:
    translation = translate(siu(PID=CHILD | {13: phone}), asking("PID"), US)
    assert translation.patients[0].unguarded == unguarded


def test_as_shipped_nobody_is_asked_and_a_child_is_warned_of() -> None:
    raw = siu(PID=CHILD, NK1={3: "MTH", 5: ADA}, GT1={6: BEN, 11: "FTH"})
    translation = translate(raw, asking(), US)
    assert translation.patients[0].guardian is None
    assert codes(translation) == [("PID-7", "no-guardian-number")]


@pytest.mark.parametrize(
    ("born", "warned"),
    [("20090302", True), ("20090301", False), ("20090228", False), ("", False), ("2018", False)],
)
def test_only_who_is_under_18_on_the_day_of_the_message_is_warned_of(
    born: str,
    warned: bool,  # noqa: FBT001 - a row
) -> None:
    translation = translate(siu("S12", "20270301090000", PID={7: born}), BOTH, US)
    assert (("PID-7", "no-guardian-number") in codes(translation)) == warned


def test_the_guardians_language_is_read() -> None:
    raw = siu(PID=CHILD, NK1={3: "MTH", 5: ADA, 20: "spa^Spanish"})
    guardian = translate(raw, BOTH, US).patients[0].guardian
    assert guardian is not None
    assert guardian.language == "es"


def test_a_site_whose_records_hold_the_parents_numbers_says_so() -> None:
    guardian = translate(siu(PID=CHILD), asking("PID"), US).patients[0].guardian
    assert guardian is not None
    assert (guardian.path, guardian.number) == ("PID-13", "+12025550142")


def test_a_guardian_may_stand_in_a_segment_of_the_vendors_own() -> None:
    source = {
        "relationship": ["ZGD-2"],
        "phones": [{"path": "ZGD-4.1", "kind": "unknown", "kind_path": "ZGD-3"}],
    }
    raw = siu(
        PID=CHILD,
        ZGD=[{2: "FTH", 3: "FAX", 4: "2025550111"}, {2: "Mother", 3: "Mob", 4: "2025550177"}],
    )
    guardian = translate(raw, asking("ZGD", ZGD=source), US).patients[0].guardian
    assert guardian is not None
    assert (guardian.path, guardian.number) == ("ZGD[2]-4.1", "+12025550177")


def test_each_child_of_a_group_has_its_own_guardian() -> None:
    second = {3: "901^^^RIVERSIDE^MR", 5: "Bianchi^Luca", 7: "20190101"}
    raw = siu(PID=CHILD, NK1={3: "MTH", 5: ADA})
    raw += "\r".join(
        [segment("PID", second), segment("NK1", {3: "SIB"}), segment("NK1", {3: "FTH", 5: BEN}), ""]
    ).encode()
    translation = translate(raw, BOTH, US)
    numbers = [patient.guardian and patient.guardian.number for patient in translation.patients]
    assert numbers == ["+12025550177", "+12025550188"]
    assert translation.sources["Patient[2].guardian"] == "NK1[2]-5"
