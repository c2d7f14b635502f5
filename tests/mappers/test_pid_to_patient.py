"""Who the patient is: name, identifiers, language, birth, death, and what asks for silence."""

from dataclasses import replace
from datetime import date

import pytest

from fhir_mappers.v2_to_fhir import translate
from tests.mappers.building import PROFILE, codes, patient_of, read, siu
from tests.mappers.golden import US


@pytest.mark.parametrize(
    ("names", "given", "family"),
    [
        ("Rossi^Paola", "Paola", "Rossi"),
        ("Rossi^Paola^Maria^Jr^Dr^^L", "Paola", "Rossi"),
        ("van Dijk&van&Dijk^Anna^^^^^L", "Anna", "van Dijk"),
        ("Bianchi^Paola^^^^^M~Rossi^Paola^^^^^L", "Paola", "Rossi"),
        ("Rossi^Paola^^^^^D~Rossi^^^^^^L", "Paola", "Rossi"),
        ("Rossi^^^^^^L", "", "Rossi"),
        ("^Paola", "Paola", ""),
        ("Rossi^Paola^^^^^D~Rossi^^Maria^^^^L", "Paola", "Rossi"),
        ("Rossi^^Maria", "", "Rossi"),
        ("~Rossi^Paola", "Paola", "Rossi"),
        ("  Rossi ^ Paola  Maria ", "Paola Maria", "Rossi"),
        (r"O\T\Brien^Zo\X65\ ", "Zoe", "O&Brien"),
    ],
)
def test_the_name_to_call_the_patient_by(names: str, given: str, family: str) -> None:
    patient = patient_of(siu(PID={5: names}))
    assert (patient.given, patient.family) == (given, family)


def test_all_names_are_kept_with_their_use() -> None:
    assert patient_of(siu(PID={5: "Rossi^Paola^Maria^III^Dr^MD^L~Bianchi^Paola^^^^^M"})).resource["name"] == [
        {
            "use": "official",
            "family": "Rossi",
            "given": ["Paola", "Maria"],
            "prefix": ["Dr"],
            "suffix": ["III"],
        },
        {"use": "maiden", "family": "Bianchi", "given": ["Paola"]},
    ]


@pytest.mark.parametrize(
    ("fields", "best"),
    [
        ({3: "1^^^HOSP^MR"}, ("HOSP", "MR", "1")),
        ({3: "2^^^STATE^DL~1^^^HOSP^MR"}, ("HOSP", "MR", "1")),
        ({3: "2^^^LAB^PI~1^^^HOSP^MR"}, ("HOSP", "MR", "1")),
        ({3: "2~1^^^HOSP^PI"}, ("HOSP", "PI", "1")),
        ({3: "2^^^A~1^^^B"}, ("A", "", "2")),
        ({3: "000-00-0001^^^USSSA^SS~1"}, ("", "", "1")),
        ({3: "", 2: "44"}, ("", "", "44")),
        ({3: "", 4: "55^^^OLD"}, ("OLD", "", "55")),
        ({2: "44^^^X^MR", 3: "1^^^HOSP^MR"}, ("HOSP", "MR", "1")),
        ({3: "1^^^&1.2.3&ISO^mr"}, ("1.2.3", "MR", "1")),
        ({3: "~ 1 ^^^HOSP^MR"}, ("HOSP", "MR", "1")),
    ],
)
def test_the_best_identifier_is_chosen_by_type_never_by_position(
    fields: dict[int, str], best: tuple[str, str, str]
) -> None:
    first = patient_of(siu(PID=fields)).identifiers[0]
    assert (first.authority, first.type, first.value) == best


def test_an_authority_the_profile_names_outranks_every_type() -> None:
    rules = PROFILE.patient.model_copy(update={"authorities": ("REGION",)})
    profile = PROFILE.model_copy(update={"patient": rules})
    raw = siu(PID={3: "1^^^HOSP^MR~9^^^REGION^XX"})
    assert [i.value for i in translate(raw, profile, US).patients[0].identifiers] == ["9", "1"]


def test_the_system_of_an_identifier_comes_from_the_feed_alone() -> None:
    raw = siu(PID={3: "1^^^RIVERSIDE&1.2.3&ISO^MR~2^^^OTHER&1.2.4&ISO^PI~3"})
    feed = replace(US, identifier_systems={"RIVERSIDE": "urn:a", "1.2.4": "urn:b", "": "urn:c"})
    assert [i.system for i in patient_of(raw, feed).identifiers] == ["urn:a", "urn:b", "urn:c"]
    bare = patient_of(raw, replace(US, identifier_systems={}))
    assert [i.system for i in bare.identifiers] == ["", "", ""]
    assert bare.resource["identifier"][0] == {
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
        "value": "1",
        "assigner": {"display": "RIVERSIDE"},
    }


def test_a_social_security_number_is_kept_nowhere() -> None:
    raw = siu(PID={3: "1^^^H^MR~000-00-0001^^^USSSA^SS", 19: "000-00-0001"})
    assert "000-00-0001" not in repr(read(raw))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("spa", "es"),
        ("SPA^Spanish^ISO639", "es"),
        ("Spanish", "es"),
        ("Español", "es"),
        ("es-MX", "es"),
        ("es_US", "es"),
        ("en", "en"),
        ("EN", "en"),
        ("eng", "en"),
        ("English", "en"),
        ("English - US", "en"),
        ("12^English^LOCAL", "en"),
        ("L1^^^eng^English", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("zh", "zh"),
        ("Mandarin", "zh"),
        ("Cantonese", "yue"),
        ("hmn^Hmong", "hmn"),
        ("vie", "vi"),
    ],
)
def test_a_language_is_known_by_code_or_word(written: str, code: str) -> None:
    patient = patient_of(siu(PID={15: written}))
    assert patient.language == code
    assert patient.resource["communication"] == [
        {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]}}
    ]


@pytest.mark.parametrize("written", ["Klingon", "x", "Other^Other"])
def test_an_unknown_language_is_warned_of_and_kept_as_text(written: str) -> None:
    translation = read(siu(PID={15: written}))
    assert codes(translation) == [("PID-15", "unknown-language")]
    assert translation.patients[0].language is None
    assert translation.patients[0].resource["communication"][0]["language"]["text"]


def test_no_language_is_no_warning() -> None:
    assert patient_of(siu(PID={15: ""})).language is None
    assert codes(read(siu(PID={15: '""'}))) == []


@pytest.mark.parametrize(
    ("written", "birth_date", "in_fhir", "found"),
    [
        ("19840217", date(1984, 2, 17), "1984-02-17", []),
        ("198402170830", date(1984, 2, 17), "1984-02-17", []),
        ("198402", None, "1984-02", []),
        ("1984", None, "1984", []),
        ("", None, None, []),
        ('""', None, None, []),
        ("19841317", None, None, [("PID-7", "not-a-date")]),
        ("about 40", None, None, [("PID-7", "not-a-date")]),
    ],
)
def test_the_birth_date_is_a_day_or_unknown(
    written: str, birth_date: date | None, in_fhir: str | None, found: list[tuple[str, str]]
) -> None:
    translation = read(siu(PID={7: written}))
    patient = translation.patients[0]
    assert (patient.birth_date, patient.resource.get("birthDate"), codes(translation)) == (
        birth_date,
        in_fhir,
        found,
    )


@pytest.mark.parametrize(
    ("fields", "element", "value", "path"),
    [
        ({30: "Y"}, "deceasedBoolean", True, "PID-30"),
        ({30: "y"}, "deceasedBoolean", True, "PID-30"),
        ({29: "20270101"}, "deceasedDateTime", "2027-01-01", "PID-29"),
        ({29: "202701011200"}, "deceasedDateTime", "2027-01-01T12:00:00-05:00", "PID-29"),
        ({29: "202701011200", 30: "N"}, "deceasedDateTime", "2027-01-01T12:00:00-05:00", "PID-29"),
        ({29: "last week"}, "deceasedBoolean", True, "PID-29"),
    ],
)
def test_the_dead_are_silent(fields: dict[int, str], element: str, value: object, path: str) -> None:
    translation = read(siu(PID=fields))
    patient = translation.patients[0]
    assert (patient.deceased, patient.text_to, patient.resource[element]) == (True, None, value)
    assert codes(translation) == [(path, "patient-deceased")]


@pytest.mark.parametrize("fields", [{30: "N"}, {30: '""'}, {29: '""'}, {29: "0000"}, {}])
def test_the_living_are_texted(fields: dict[int, str]) -> None:
    patient = patient_of(siu(PID=fields))
    assert (patient.deceased, patient.text_to) == (False, "+12025550142")


@pytest.mark.parametrize(
    ("pd1", "silent"),
    [
        ({11: "N"}, True),
        ({11: "n^No publicity^HL70215"}, True),
        ({12: "Y"}, True),
        ({11: "F", 12: "N"}, False),
        ({11: "O"}, False),
        ({11: "U"}, False),
        ({12: '""'}, False),
        ({}, False),
    ],
)
def test_publicity_and_protection_only_ever_silence(pd1: dict[int, str], *, silent: bool) -> None:
    patient = patient_of(siu(PD1=pd1))
    assert patient.no_publicity is silent
    assert patient.text_to == "+12025550142"


@pytest.mark.parametrize(
    ("written", "gender"),
    [("F", "female"), ("m", "male"), ("U", "unknown"), ("A", "other"), ("X", None), ("", None)],
)
def test_gender_is_by_table_0001(written: str, gender: str | None) -> None:
    assert patient_of(siu(PID={8: written})).resource.get("gender") == gender


def test_each_patient_of_a_group_visit_is_mapped_with_its_own_facts() -> None:
    raw = siu(
        PID=[
            {3: "1^^^H^MR", 5: "Ahmadi^Nima", 13: "^PRS^CP^^^202^5550142"},
            {},
            {3: "2^^^H^MR", 5: "Ahmadi^Sara", 15: "Klingon"},
        ]
    )
    translation = read(raw)
    assert [(p.given, p.text_to) for p in translation.patients] == [("Nima", "+12025550142"), ("Sara", None)]
    assert codes(translation) == [("PID[3]-15", "unknown-language"), ("PID[3]-13", "no-phone")]
    assert translation.sources["Patient.text_to"] == "PID-13"
    assert translation.sources["Patient[2].identifier"] == "PID[3]-3"
    assert translation.appointment is not None
    actors = [p["actor"] for p in translation.appointment.resource["participant"]]
    assert [actor["identifier"]["value"] for actor in actors] == ["1", "2"]


def test_a_patient_without_identifier_is_known_by_name() -> None:
    translation = read(siu(PID={3: ""}))
    assert codes(translation) == [("PID-3", "no-patient-identifier")]
    assert translation.appointment is not None
    assert translation.appointment.resource["participant"][0]["actor"] == {
        "type": "Patient",
        "display": "Paola Rossi",
    }


@pytest.mark.parametrize("pid", [[], [{}], [{1: "1"}], [{5: '""', 13: "^PRS^CP^^^202^5550142"}]])
def test_a_message_whose_pid_names_nobody_has_no_patient(pid: list[dict[int, str]]) -> None:
    refusal = read(siu(PID=pid)).refusal
    assert refusal is not None
    assert (refusal.path, refusal.code) == ("PID", "no-patient")
