"""Telephone numbers by every convention seen, and which one is texted."""

from dataclasses import replace

import phonenumbers
import pytest

from tests.mappers.building import codes, patient_of, read, siu
from tests.mappers.golden import GERMANY, UK, US

MOBILE = "^PRS^CP^^^202^5550142"
HOME = "^PRN^PH^^^202^5550111"


@pytest.mark.parametrize(
    ("xtn", "number"),
    [
        # by its components
        ("^PRS^CP^^1^202^5550142", "+12025550142"),
        ("^PRS^CP^^+1^202^5550142", "+12025550142"),
        ("^PRS^PH^^^202^5550142", "+12025550142"),
        ("^^CP^^^202^555-0142", "+12025550142"),
        ("^PRS^CP^^^^2025550142", "+12025550142"),
        ("^PRS^CP^^9^202^5550142", "+12025550142"),  # a country code that cannot be: read without
        # by XTN.12, first of all
        ("^PRS^CP^^1^617^5550199^^^^^+12025550142", "+12025550142"),
        ("^^CP^^^^^^^^^2025550142", "+12025550142"),
        ("2222^^CP^^^202^5550142^^^^^12", "+12025550142"),  # XTN.12 holds no number
        # by XTN.1
        ("(202)555-0142^PRS^CP", "+12025550142"),
        ("2025550142^MOBILE", "+12025550142"),
        ("202.555.0142^^^MOBILE", "+12025550142"),
        ("1-202-555-0142^^^Cell^^^^^Y", "+12025550142"),
        ("+1 202 555 0142^P^M", "+12025550142"),
        ("(202)555-0142 Cask for Paola^PRS", "+12025550142"),
        ("(202)555-0142B1234^PRS", "+12025550142"),
        ("+44 7400 123456^PRS^CP", "+447400123456"),
        ("+525555550123^^CP", "+525555550123"),
        # no number at all
        ("PATIENT DECLINED", None),
        ("none^PRS^CP", None),
        ("12345678^^CP", None),
        ("555-0142^^CP", None),
        ("(555)555-0142^^CP", None),
        ("^NET^Internet^paola@example.org", None),
        ("", None),
        ('""', None),
        ("^^^^^^^^^^^", None),
    ],
)
def test_a_number_is_built_from_what_is_there(xtn: str, number: str | None) -> None:
    assert patient_of(siu(PID={13: xtn})).text_to == number


@pytest.mark.parametrize(
    ("numbers", "number"),
    [
        (f"{HOME}~{MOBILE}", "+12025550142"),
        (f"~{MOBILE}", "+12025550142"),
        (f"PATIENT DECLINED~{MOBILE}", "+12025550142"),
        (f"12345^PRS^CP~{HOME}", "+12025550111"),
        ("2025550111^PRN^PH~2025550142^ORN^CP", "+12025550142"),
        ("^PRS^CP^^^202^5550101^^^^^^^^^^^2~^PRS^CP^^^202^5550102^^^^^^^^^^^1", "+12025550102"),
        ("^PRS^CP^^^202^5550101~^PRS^CP^^^202^5550102^^^^^^^^^^^9", "+12025550102"),
        ("^PRN^PH^^^202^5550101^^^^^^^^^^^1~^PRS^CP^^^202^5550102^^^^^^^^^^^2", "+12025550102"),
        ("^PRS^CP^^^202^5550101~^PRS^CP^^^202^5550102", "+12025550101"),
        # over, or not begun, on the day the message was sent (1 March 2027)
        ("^PRS^CP^^^202^5550101^^^^^^20200101^20270228~^PRS^CP^^^202^5550102", "+12025550102"),
        ("^PRS^CP^^^202^5550101^^^^^^20200101^20270301~^PRS^CP^^^202^5550102", "+12025550101"),
        ("^PRS^CP^^^202^5550101^^^^^^20270302~^PRS^CP^^^202^5550102", "+12025550102"),
        ("^PRS^CP^^^202^5550101^^^^^^^^N~^PRS^CP^^^202^5550102", "+12025550102"),
        ("^PRS^CP^old^^202^5550101~^PRS^CP^^^202^5550102", "+12025550102"),
        ("^PRS^CP^^^202^5550101^^^^^^20200101^20270228", None),
        # never texted
        ("^PRS^FX^^^202^5550101", None),
        ("^EMR^CP^^^202^5550101", None),
        ("^BPN^BP^^^202^5550101", None),
        ("^^TTY^^^202^5550101", None),
        ("^ASN^PH^^^202^5550101", None),
        ("(800)555-0123", None),
        # a switchboard, unless it is said to be a mobile
        ("(202)555-0111 X007", None),
        ("^PRN^PH^^^202^5550111^12", None),
        ("^PRS^CP^^^202^5550142^1", "+12025550142"),
    ],
)
def test_the_best_number_is_texted(numbers: str, number: str | None) -> None:
    assert patient_of(siu(PID={13: numbers})).text_to == number


@pytest.mark.parametrize(
    ("fields", "number", "path"),
    [
        ({13: HOME, 14: MOBILE}, "+12025550142", "PID-14"),
        ({13: HOME, 40: MOBILE}, "+12025550142", "PID-40"),
        ({13: "^PRS^CP^^^202^5550101", 40: "^PRS^CP^^^202^5550102"}, "+12025550101", "PID-13"),
        ({13: "(202)555-0111", 40: "(202)555-0142"}, "+12025550142", "PID-40"),
        ({13: "(202)555-0111"}, "+12025550111", "PID-13"),
        ({13: "", 40: HOME}, "+12025550111", "PID-40"),
        ({13: f"~{HOME}"}, "+12025550111", "PID-13[2]"),
    ],
)
def test_it_may_stand_in_any_of_the_fields(fields: dict[int, str], number: str, path: str) -> None:
    translation = read(siu(PID={13: "", **fields}))
    assert (translation.patients[0].text_to, translation.sources["Patient.text_to"]) == (number, path)


def test_a_number_at_work_is_not_offered_and_a_home_number_only_with_a_warning() -> None:
    work = read(siu(PID={13: "", 14: "(202)555-0177"}))
    assert (work.patients[0].text_to, codes(work)) == (None, [("PID-13", "no-phone")])
    home = read(siu(PID={13: "(202)555-0111"}))
    assert codes(home) == [("PID-13", "home-number")]
    assert codes(read(siu(PID={13: MOBILE}))) == []


@pytest.mark.parametrize(
    ("xtn", "kind"),
    [
        ("07400 123456", "mobile"),
        ("020 7946 0018", "home"),
        ("07400 123456^WPN^PH", "mobile"),
    ],
)
def test_where_the_plan_tells_mobile_from_fixed_the_plan_is_believed(xtn: str, kind: str) -> None:
    translation = read(siu(PID={13: "", 40: xtn}), UK)
    assert translation.patients[0].text_to is not None
    assert [code for _, code in codes(translation)] == ([] if kind == "mobile" else ["home-number"])


def test_a_mobile_written_as_home_is_found_by_the_plan() -> None:
    patient = patient_of(siu(PID={13: "020 7946 0018^PRN^PH~07400 123456^PRN^PH"}), UK)
    assert patient.text_to == "+447400123456"


def test_a_bare_number_is_dialled_in_the_feeds_region() -> None:
    assert patient_of(siu(PID={13: "0171 3920012^PRS"}), GERMANY).text_to == "+491713920012"
    assert patient_of(siu(PID={13: "0171 3920012^PRS"}), US).text_to is None
    puerto_rico = replace(US, region="PR")
    assert patient_of(siu(PID={13: "(787)555-0123^PRS"}), puerto_rico).text_to == "+17875550123"


@pytest.mark.parametrize(
    "text", ["2025550142", "(202) 555-0142", "+1 202 555 0142", "+1 416 555 0142", "1234567890"]
)
def test_the_short_way_for_north_america_agrees_with_the_library(text: str) -> None:
    parsed = phonenumbers.parse(text, "US")
    expected = (
        phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(parsed)
        else None
    )
    assert patient_of(siu(PID={13: f"{text}^PRS^CP"})).text_to == expected


def test_null_takes_the_number_away_and_says_so() -> None:
    patient = patient_of(siu(PID={13: '""'}))
    assert (patient.text_to, patient.cleared) == (None, ("PID-13",))
    assert patient_of(siu(PID={13: ""})).cleared == ()
    both = patient_of(siu(PID={13: '""', 40: MOBILE}))
    assert (both.text_to, both.cleared) == ("+12025550142", ("PID-13",))


def test_telecom_carries_every_number_and_address_with_use_rank_and_period() -> None:
    telecom = patient_of(
        siu(
            PID={
                13: "^PRN^PH^^1^202^5550111"
                "~^PRS^CP^p@example.org^^202^5550142^^^^^+12025550142^20200101^20991231^^^^3"
                "~^NET^Internet^paola@example.org~^^FX^^^202^5550133~(202)555-0134^PRS^CP^^^^^^^^^^20200101^20210101",
                14: "(202)555-0177",
            }
        )
    ).resource["telecom"]
    assert telecom == [
        {"system": "phone", "value": "+1 202 5550111", "use": "home"},
        {
            "system": "phone",
            "value": "+12025550142",
            "use": "mobile",
            "rank": 3,
            "period": {"start": "2020-01-01", "end": "2099-12-31"},
        },
        {"system": "email", "value": "p@example.org"},
        {"system": "email", "value": "paola@example.org"},
        {"system": "fax", "value": "202 5550133"},
        {
            "system": "phone",
            "value": "(202)555-0134",
            "use": "old",
            "period": {"start": "2020-01-01", "end": "2021-01-01"},
        },
        {"system": "phone", "value": "(202)555-0177", "use": "work"},
    ]
