"""A patient's yes as a request to the EHR's schedule, or as the change itself, version by version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappers.answer_to_srm import answer_to_siu, answer_to_srm
from fhir_mappers.v2_building import NumberOf
from fhir_mappers.v2_message import V2Message
from hl7_listener.framing import FrameSplitter, frame
from tests.mappers.outgoing_v2 import VERSIONS, YES, assert_strict, same_as_golden, who

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhir_mappers.answer_to_srm import VisitConfirmed
    from fhir_mappers.v2_building import Correspondents

    Answer = Callable[[VisitConfirmed, Correspondents], bytes]

BOTH = pytest.mark.parametrize(
    ("answer", "structure"), [(answer_to_srm, "SRM_S01"), (answer_to_siu, "SIU_S12")], ids=["SRM", "SIU"]
)


@pytest.mark.parametrize("version", ["2.3", "2.5.1", "2.8.2"])
def test_a_yes_is_written_so(version: str) -> None:
    assert same_as_golden(answer_to_srm(YES, who(version)), f"srm_s03_{version}")
    assert same_as_golden(answer_to_siu(YES, who(version)), f"siu_s14_{version}")


@BOTH
@pytest.mark.parametrize("version", VERSIONS)
def test_each_versions_own_tables_take_it(answer: Answer, structure: str, version: str) -> None:
    assert_strict(answer(YES, who(version)), structure)


def test_a_request_names_the_visit_and_asks_for_nothing_but_its_confirmation() -> None:
    message = V2Message.parse(answer_to_srm(YES, who()))
    assert (message["MSH-9.1"], message["MSH-9.2"], message["MSH-9.3"]) == ("SRM", "S03", "SRM_S01")
    assert (message["ARQ-1.1"], message["ARQ-2.1"], message["ARQ-2.2"]) == ("P-9", "A-9", "SCHED")
    assert message["ARQ-6.1"] == "CONFIRMED"
    assert message["ARQ-11"] == ""
    assert message["NTE-3"] == "Confirmed by text message from ****0123."
    assert message["PV1-19.1"] == "7001"


@pytest.mark.parametrize(("version", "where"), [("2.4", "SCH-11.4"), ("2.6", "SCH-11.4"), ("2.7", "TQ1-7")])
def test_a_change_echoes_the_visit_as_it_is_known(version: str, where: str) -> None:
    message = V2Message.parse(answer_to_siu(YES, who(version)))
    assert (message["MSH-9.2"], message["SCH-25.1"], message["SCH-6.1"]) == ("S14", "CONFIRMED", "CONFIRMED")
    assert (message["SCH-1.1"], message["SCH-2.1"]) == ("P-9", "A-9")
    assert message[where] == "20270305150000+0000"


def test_our_own_number_stands_for_a_placers_that_is_not_known() -> None:
    message = V2Message.parse(answer_to_srm(replace(YES, placer=None), who()))
    assert (message["ARQ-1.1"], message["ARQ-1.2"]) == (YES.number, "APPOINTMENT-TEXTS")
    assert message["ARQ-2.1"] == "A-9"


@BOTH
def test_what_is_not_known_is_left_empty(answer: Answer, structure: str) -> None:
    del structure
    bare = replace(YES, placer=None, filler=None, start=None, note="")
    for version in VERSIONS:
        message = V2Message.parse(answer(bare, who(version)))
        assert (message["SCH-2"], message["SCH-11"], message["ARQ-2"], message.count("TQ1")) == (
            "",
            "",
            "",
            0,
        )


@BOTH
def test_the_occurrence_of_a_series_is_named(answer: Answer, structure: str) -> None:
    message = V2Message.parse(answer(replace(YES, occurrence="3"), who()))
    assert message["ARQ-3" if structure == "SRM_S01" else "SCH-3"] == "3"


WORD = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zs", "Zl", "Zp")), min_size=1, max_size=20
).filter(lambda word: word != '""')  # HL7's null, which never leaves as such
NUMBER = st.integers(1, 9999).map(str)  # SCH-3 is an NM, whose leading zeros mean nothing


@BOTH
@settings(max_examples=40, deadline=None)
@given(version=st.sampled_from(VERSIONS), told=st.tuples(WORD, WORD, NUMBER, WORD))
def test_whatever_names_the_visit_is_read_again(
    answer: Answer, structure: str, version: str, told: tuple[str, str, str, str]
) -> None:
    value, authority, occurrence, note = told
    yes = replace(YES, filler=NumberOf(value, authority), occurrence=occurrence, note=note)
    raw = answer(yes, who(version))
    message = V2Message.parse(raw)
    at = "ARQ" if structure == "SRM_S01" else "SCH"
    assert (message[f"{at}-2.1"], message[f"{at}-2.2"], message[f"{at}-3"], message["NTE-3"]) == told
    assert list(FrameSplitter().feed(frame(raw))) == [raw]
