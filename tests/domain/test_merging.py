"""What is known of a patient once more is heard, or once two records are one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from integration.domain.merging import Retraction, is_somebody_else, lay_over, rename, unite
from integration.domain.recipient import Patient

NOTHING = Retraction()
ANA = Patient(
    id=7,
    scope="main",
    identifiers=("H|MR|1", "|EPI|77"),
    given="Ana",
    family="Sample",
    number="+12025550123",
    birth_date=date(1980, 1, 2),
    language="en",
    resource={"telecom": ["a number"], "gender": "female"},
    ehr_id="chart",
)


def shown(**changes: Any) -> Patient:
    """What a message shows that says nothing but who it is about."""
    empty = Patient(0, "main", ANA.identifiers[:1], given="", family="", number=None)
    return replace(empty, **changes)


def test_an_empty_message_changes_nothing() -> None:
    assert lay_over(ANA, shown(), NOTHING) == ANA


@pytest.mark.parametrize(
    ("stored", "said", "taken_back", "found"),
    [
        ({}, {"number": "+12025550177"}, {}, {"number": "+12025550177"}),
        ({}, {}, {"number": True}, {"number": None, "resource": {"gender": "female", "telecom": []}}),
        ({}, {"number": "+12025550177"}, {"number": True}, {"number": "+12025550177"}),
        ({}, {"deceased": True}, {}, {"deceased": True, "number": ANA.number}),
        ({"deceased": True}, {}, {}, {"deceased": True}),
        ({"deceased": True}, {}, {"death": True}, {"deceased": False}),
        ({"removed": True}, {}, {}, {"removed": False}),
        ({}, {"removed": True}, {}, {"removed": True, "number": ANA.number}),
        ({"guardian_number": "+12025550188"}, {}, {}, {"guardian_number": "+12025550188"}),
        ({"guardian_number": "+12025550188"}, {}, {"guardian": True}, {"guardian_number": None}),
        (
            {"resource": {"deceasedDateTime": "2027-01-01"}},
            {"resource": {"deceasedBoolean": False}},
            {"death": True},
            {"resource": {"deceasedBoolean": False}},
        ),
        ({"resource": {"active": False}}, {}, {}, {"resource": {}}),
        # A wish for silence stands field by field; one of an older release is taken for PD1-11.
        ({}, {"silenced_by": ("PD1-11",)}, {}, {"silenced_by": ("PD1-11",), "suppressed": True}),
        ({"silenced_by": ("PD1-11",), "suppressed": True}, {}, {}, {"suppressed": True}),
        (
            {"silenced_by": ("PD1-11",), "suppressed": True},
            {},
            {"silence": ("PD1-12",)},
            {"suppressed": True},
        ),
        (
            {"silenced_by": ("PD1-11",), "suppressed": True},
            {"silenced_by": ("PD1-12",)},
            {"silence": ("PD1-11",)},
            {"suppressed": True, "silenced_by": ("PD1-12",)},
        ),
        ({"suppressed": True}, {}, {"silence": ("PD1-11",)}, {"suppressed": False}),
        ({"suppressed": True}, {}, {"silence": ("PD1-12",)}, {"suppressed": True}),
    ],
)
def test_what_a_message_says_and_takes_back(
    stored: dict[str, Any], said: dict[str, Any], taken_back: dict[str, Any], found: dict[str, Any]
) -> None:
    after = lay_over(replace(ANA, **stored), shown(**said), Retraction(**taken_back))
    assert {name: getattr(after, name) for name in found} == found
    assert (after.id, after.identifiers, after.ehr_id) == (7, ANA.identifiers, "chart")


def test_a_record_that_is_gone_adds_and_never_changes() -> None:
    ana = replace(ANA, identifiers=("H|MR|1", "H|MR|2"), gone=("H|MR|2",), language=None)
    said = shown(
        identifiers=("H|MR|2",),
        given="Anne",
        number="+12025550177",
        language="es",
        deceased=True,
        silenced_by=("PD1-12",),
        suppressed=True,
        resource={"identifier": ["2"]},
    )
    after = lay_over(ana, said, Retraction(number=True, silence=("PD1-11",)))
    assert after == replace(ana, language="es", deceased=True, silenced_by=("PD1-12",), suppressed=True)


def test_the_survivor_keeps_its_own_and_takes_what_it_lacks() -> None:
    gone = replace(
        ANA,
        id=8,
        identifiers=("H|MR|2", "|EPI|77", "H|MR|3"),
        gone=("H|MR|3",),
        given="Anne",
        number="+12025550177",
        guardian_number="+12025550188",
        deceased=True,
    )
    after = unite(replace(ANA, number=None), gone)
    assert (after.id, after.given, after.number, after.ehr_id) == (7, "Ana", "+12025550177", "chart")
    assert (after.guardian_number, after.deceased) == ("+12025550188", True)
    assert after.identifiers == ("H|MR|1", "|EPI|77", "H|MR|2", "H|MR|3")
    assert after.gone == ("H|MR|2", "H|MR|3")  # not what both shared
    assert unite(ANA, gone).number == ANA.number


def test_a_name_that_is_said_again_is_not_gone_any_more() -> None:
    there = rename(ANA, ["H|MR|2"], ["H|MR|1"])
    assert (there.identifiers, there.gone) == (("H|MR|2", "H|MR|1", "|EPI|77"), ("H|MR|1",))
    back = rename(there, ["H|MR|1"], ["H|MR|2"])
    assert (back.identifiers[0], back.gone) == ("H|MR|1", ("H|MR|2",))


@pytest.mark.parametrize(
    ("changes", "other"),
    [
        ({"family": "Other", "birth_date": date(1955, 12, 31)}, True),
        ({"family": "Married"}, False),
        ({"birth_date": date(1955, 12, 31)}, False),
        ({"family": "SAMPLE", "birth_date": date(1955, 12, 31)}, False),
        ({"family": "", "birth_date": date(1955, 12, 31)}, False),
        ({"family": "Other", "birth_date": None}, False),
    ],
)
def test_who_cannot_be_the_same_person(changes: dict[str, Any], *, other: bool) -> None:
    assert is_somebody_else(ANA, replace(ANA, **changes)) is other


@pytest.mark.parametrize(
    ("changes", "silence"),
    [
        ({}, None),
        ({"deceased": True, "removed": True}, "the patient has died"),
        ({"removed": True}, "the EHR deleted the patient's record"),
        ({"merged_into": 9}, "the patient's record became part of another"),
        ({"suppressed": True}, "the patient asked for no publicity (PD1-11, PD1-12)"),
    ],
)
def test_why_nobody_is_texted_about_a_patient(changes: dict[str, Any], silence: str | None) -> None:
    patient = replace(ANA, **changes)
    assert patient.silence == silence
    assert patient.number_on(date(2027, 3, 1)) == (None if silence else ANA.number)
