"""Patients and visits as the EHR's HL7 v2 messages name them, whichever feed told of them."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappers.v2_building import NumberOf
from integration.adapters.ehr.fact_to_v2 import (
    appointment_number,
    occurrence_of,
    patient_facts,
    visit_facts,
)
from integration.adapters.ehr.plain_words import masked
from integration.domain.identity import appointment_key, patient_key
from tests.adapters.ehr.charts import appointment, patient

MR = patient_key("RIVERSIDE", "MR", "12345")

IDENTIFIERS: dict[str, tuple[dict[str, Any], list[NumberOf]]] = {
    "as a message had it": ({"identifiers": (MR,)}, [NumberOf("12345", "RIVERSIDE", "MR")]),
    "several, best first": (
        {"identifiers": (MR, patient_key("STATE", "", "S-1")), "resource": {}},
        [NumberOf("12345", "RIVERSIDE", "MR"), NumberOf("S-1", "STATE", "")],
    ),
    "bare": ({"identifiers": (patient_key("", "", "12345"),)}, [NumberOf("12345")]),
    "a delimiter in the value": (
        {"identifiers": (patient_key("RIVERSIDE", "MR", "a|b"),), "resource": {}},
        [NumberOf("a|b", "RIVERSIDE", "MR")],
    ),
    "one number under several types": (
        {"identifiers": (MR, patient_key("RIVERSIDE", "PI", "12345"))},
        [NumberOf("12345", "RIVERSIDE", "MR")],
    ),
    "that of a record that was merged away": (
        {"identifiers": (MR, "RIVERSIDE|MR|9"), "gone": ("RIVERSIDE|MR|9",), "resource": {}},
        [NumberOf("12345", "RIVERSIDE", "MR")],
    ),
    "one that is no longer in the record": (
        {"identifiers": (patient_key("RIVERSIDE", "MR", "OLD"), MR)},
        [NumberOf("12345", "RIVERSIDE", "MR")],
    ),
    "a FHIR server's own": ({"identifiers": (patient_key("Patient.id", "", "ana"),), "resource": {}}, []),
    "of a system no authority is known for": (
        {"identifiers": (patient_key("urn:oid:1.2.3", "MR", "12345"),)},
        [],
    ),
    "nobody but who has the visit": (
        {"identifiers": (patient_key("", "", "SCH-2|SCHED|A-9|#0"),), "resource": {}},
        [],
    ),
    "none": ({"identifiers": ()}, []),
}


@pytest.mark.parametrize("case", IDENTIFIERS)
def test_a_patient_is_named_by_what_hl7_messages_use(case: str) -> None:
    changes, expected = IDENTIFIERS[case]
    facts = patient_facts(patient(**changes))
    assert list(facts.identifiers if facts else ()) == expected


def test_a_gender_that_is_no_word_is_left_out() -> None:
    for resource in ({}, {"gender": 3}):
        facts = patient_facts(patient(identifiers=(MR,), resource=resource))
        assert facts is not None
        assert facts.gender is None


def test_a_visit_is_named_with_its_authority_where_one_is_known() -> None:
    keys = (
        appointment_key("SCH-2", "A-9", "SCHED", "2"),
        appointment_key("PV1-19", "7001", "", ""),
        appointment_key("PV1-19", "7001", "CSN", ""),
        appointment_key("SCH-1", "a|b", "", "2"),
    )
    visit = appointment(identifiers=keys)
    assert appointment_number(visit, "SCH-2") == NumberOf("A-9", "SCHED")
    assert appointment_number(visit, "PV1-19") == NumberOf("7001", "CSN")
    assert appointment_number(visit, "SCH-1") == NumberOf("a|b")
    assert occurrence_of(visit) == "2"


def test_a_visit_that_only_fhir_knows_has_no_number() -> None:
    keys = ("Appointment.id||v1|", "Appointment.identifier|urn:x|7|", "odd")
    assert visit_facts((appointment(identifiers=keys),)).number is None
    assert visit_facts(()).number is None
    assert occurrence_of(appointment(identifiers=keys)) == ""


def test_the_place_is_the_one_the_ehrs_messages_named() -> None:
    participants = [
        {"actor": {"type": "Practitioner", "identifier": {"value": "D-1"}}},
        {"actor": {"type": "Location", "identifier": {"value": "MAIN"}}},
    ]
    keys = (appointment_key("PV1-19", "7001", "", ""),)
    visit = appointment(identifiers=keys, resource={"participant": participants})
    assert visit_facts((visit,)).location == "MAIN"
    elsewhere = appointment(identifiers=keys, resource={"participant": [{"actor": {"type": "Location"}}]})
    assert visit_facts((elsewhere,)).location == ""


def test_a_number_is_masked_in_characters_every_ehr_shows() -> None:
    assert masked("+12025550123") == "****0123"
    assert masked("123") == "****"
