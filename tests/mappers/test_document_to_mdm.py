"""Documents for the chart, version by version, and every word back as it was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappers.document_to_mdm import document_to_mdm
from fhir_mappers.v2_building import NumberOf, PatientFacts, VisitFacts, lines_of, number
from fhir_mappers.v2_message import V2Message
from hl7_listener.framing import FrameSplitter, frame
from tests.mappers.outgoing_v2 import (
    ADDENDUM,
    ANA,
    ORIGINAL,
    VERSIONS,
    VISIT,
    assert_strict,
    lines_in,
    same_as_golden,
    who,
)


@pytest.mark.parametrize("version", ["2.3", "2.5.1", "2.8.2"])
def test_an_original_and_its_addendum_are_written_so(version: str) -> None:
    assert same_as_golden(document_to_mdm(ORIGINAL, who(version)), f"mdm_t02_{version}")
    assert same_as_golden(document_to_mdm(ADDENDUM, who(version)), f"mdm_t06_{version}")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", [ORIGINAL, ADDENDUM], ids=["T02", "T06"])
def test_each_versions_own_tables_take_it(version: str, document: object) -> None:
    raw = document_to_mdm(document, who(version))  # type: ignore[arg-type] # one of two
    assert_strict(raw, "MDM_T02")
    message = V2Message.parse(raw)
    assert message["EVN-2"] == message["TXA-4"] == message["MSH-7"]
    assert message["MSH-9.3"] == ("" if version == "2.3" else "MDM_T02")
    assert (message["PV1-19.1"], message["PV1-19.4"], message["PV1-2"]) == ("7001", "CSN", "O")


def test_an_addendum_names_its_parent_and_has_a_number_of_its_own() -> None:
    original = V2Message.parse(document_to_mdm(ORIGINAL, who()))
    addendum = V2Message.parse(document_to_mdm(ADDENDUM, who()))
    assert (original["MSH-9.2"], original["TXA-13.1"]) == ("T02", "")
    assert (addendum["MSH-9.2"], addendum["TXA-13.1"]) == ("T06", original["TXA-12.1"])
    assert addendum["TXA-12.1"] != original["TXA-12.1"]
    assert addendum["TXA-12.2"] == original["TXA-12.2"] == "APPOINTMENT-TEXTS"


def test_the_same_document_is_the_same_bytes_and_its_number_the_message_s() -> None:
    first, again = document_to_mdm(ORIGINAL, who()), document_to_mdm(ORIGINAL, who())
    assert first == again
    assert V2Message.parse(first)["MSH-10"] == ORIGINAL.number
    assert len(ORIGINAL.number) <= 20  # MSH-10 in old versions


def test_numbers_differ_as_what_they_number() -> None:
    assert number("text-1-1-5") == number("text-1-1-5")
    assert len({number(f"text-{n}-{n}-5") for n in range(2000)}) == 2000


def test_one_answer_is_asked_for_that_tells_of_the_content_too() -> None:
    message = V2Message.parse(document_to_mdm(ORIGINAL, who()))
    assert (message["MSH-15"], message["MSH-16"]) == ("", "")


HARD_WORDS = [
    "a|b^c&d~e\\f",
    "\\F\\ \\.br\\ \\X41\\ \\E\\ \\",
    "MSH|^~\\&|X",
    "¿Confirma su cita, señora Núñez? Sí",
    "👩🏽‍⚕️ see you 😀",
    "mañana\u00a0a las 10",
    "#",
    "",
    "  indented and trailing  ",
    '""',
    "x" * 1600,
]


@pytest.mark.parametrize("version", ["2.3", "2.5.1", "2.7", "2.8.2"])
@pytest.mark.parametrize("words", HARD_WORDS)
def test_every_word_comes_back_as_it_was_written(words: str, version: str) -> None:
    raw = document_to_mdm(replace(ORIGINAL, lines=("before", words, "after")), who(version))
    assert lines_in(raw) == ["before", words if words != '""' else '"" ', "after"]  # two quotes alone delete
    assert raw.count(b"\rOBX|") == 3


def test_nothing_a_person_wrote_ends_a_segment_or_a_frame() -> None:
    wild = "one\rPID|2\n\x0btwo\x1c\rthree\x00\x85four\u2028five\ud800"
    raw = document_to_mdm(replace(ORIGINAL, lines=(wild,)), who())
    assert lines_in(raw) == ["one PID|2 two three four five\ufffd"]
    assert [line[:3] for line in raw.decode().split("\r")] == ["MSH", "EVN", "PID", "PV1", "TXA", "OBX", ""]
    assert list(FrameSplitter().feed(frame(raw))) == [raw]


def test_lines_are_those_of_the_writer() -> None:
    assert lines_of("one\r\ntwo\n\nthree\n \n") == ["one", "two", "", "three"]
    assert lines_of("") == []


def test_a_patient_is_named_as_the_ehr_names_it() -> None:
    message = V2Message.parse(document_to_mdm(ORIGINAL, who()))
    assert [cx.get(1) for cx in message.field("PID-3")] == ["12345", "77"]
    assert message["PID-3.4"] == "RIVERSIDE"
    assert message["PID-3[2].4.2"] == "2.16.840.1.113883.19.5"  # an OID is no namespace
    assert (message["PID-5.1"], message["PID-5.2"], message["PID-7"], message["PID-8"]) == (
        "Sample",
        "Ana",
        "19800402",
        "F",
    )


def test_what_is_not_known_is_left_empty() -> None:
    bare = replace(
        ORIGINAL,
        patient=PatientFacts((NumberOf("1"),), "", ""),
        visit=VisitFacts(),
        lines=(),
    )
    message = V2Message.parse(document_to_mdm(bare, who(sending_facility="", receiving_application="")))
    assert (message["PID-3.4"], message["PID-5.1"], message["PID-7"], message["PID-8"]) == ("", "", "", "")
    assert (message["PV1-2"], message["PV1-3"], message["PV1-19"]) == ("N", "", "")
    assert message.count("OBX") == 0


def test_an_engineers_own_components_stay_components() -> None:
    raw = document_to_mdm(
        replace(ORIGINAL, type="34109-9^Note^LN", author="1234^Texts^Appointment"),
        who("2.7", receiving_application="EPIC^1.2.3^ISO", sending_application="TEXTS^1.2.4^ISO"),
    )
    message = V2Message.parse(raw)
    assert (message["MSH-5.1"], message["MSH-5.2"], message["TXA-2.3"]) == ("EPIC", "1.2.3", "LN")
    assert message["TXA-12.2"] == "TEXTS"
    for author in ("TXA-5", "TXA-9"):
        assert (message[f"{author}.1"], message[f"{author}.2"]) == ("1234", "Texts")


def test_a_time_without_zone_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="offset"):
        document_to_mdm(replace(ORIGINAL, happened_at=datetime(2027, 3, 1)), who())  # noqa: DTZ001 - the mistake


ANYTHING = st.text(max_size=60)
IDENTIFIER = st.builds(NumberOf, st.text(min_size=1, max_size=20), ANYTHING, ANYTHING)


@settings(max_examples=60, deadline=None)
@given(
    version=st.sampled_from(VERSIONS),
    lines=st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"))), max_size=4),
    identifiers=st.lists(IDENTIFIER, max_size=3),
    family=ANYTHING,
    place=ANYTHING,
)
def test_whatever_is_written_is_read_again(
    version: str, lines: list[str], identifiers: list[NumberOf], family: str, place: str
) -> None:
    document = replace(
        ORIGINAL,
        lines=tuple(lines),
        patient=replace(ANA, identifiers=tuple(identifiers), family=family),
        visit=replace(VISIT, location=place),
    )
    raw = document_to_mdm(document, who(version))
    assert lines_in(raw) == ['"" ' if line == '""' else line for line in lines]
    assert V2Message.parse(raw)["TXA-12.1"] == ORIGINAL.number
    assert list(FrameSplitter().feed(frame(raw))) == [raw]
