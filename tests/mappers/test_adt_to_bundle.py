"""ADT: what each trigger event becomes, which records are gone, and what is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fhir_mappers.adt_triggers import ADT_TRIGGERS, AdtKind
from fhir_mappers.profile_visits import AdtRules
from fhir_mappers.v2_to_fhir import identity_keys, translate
from tests.mappers.building import PROFILE, Fields, codes, read, segment
from tests.mappers.golden import US
from tests.mappers.test_siu_to_bundle import check_fhir


def adt(trigger: str, /, evn2: str = "", msh7: str = "20270301090000", **segments: Fields) -> bytes:
    """An ADT of one patient with a visit; segments replace or add, field by field."""
    usual: dict[str, dict[int, str]] = {
        "PID": {3: "900^^^RIVERSIDE^MR", 5: "Rossi^Paola", 13: "^PRS^CP^^^202^5550142"},
        "PV1": {2: "O", 19: "V-1"},
    }
    lines = [
        f"MSH|^~\\&|ADT|RIVERSIDE|TEXTS|RIVERSIDE|{msh7}||ADT^{trigger}|C-1|P|2.5.1",
        f"EVN|{trigger}|{evn2}",
    ]
    names = dict.fromkeys(("PID", "PD1", "MRG", "PV1"))
    lines += [
        segment(name, usual.get(name, {}) | dict(segments.get(name, {})))
        for name in names
        if name in usual or name in segments
    ]
    return ("\r".join(lines) + "\r").encode()


def everything(kind: AdtKind) -> list[str]:
    return [name for name, known in ADT_TRIGGERS.items() if known is kind]


EVENTS = {
    **dict.fromkeys(everything(AdtKind.PERSON), "unchanged"),
    **dict.fromkeys(["A01", "A03", "A04", "A10"], "arrived"),
    **dict.fromkeys(["A11", "A32", "A38"], "changed"),
    "A23": "deleted",
    "A29": "deleted",
    "A24": "unchanged",
    "A37": "unchanged",
    "A43": "unchanged",
    **dict.fromkeys(everything(AdtKind.ACCOUNTS_ONLY), "unchanged"),
}


@pytest.mark.parametrize(("trigger", "event"), EVENTS.items())
def test_a_trigger_event_says_what_became_of_the_visit(trigger: str, event: str) -> None:
    translation = read(adt(trigger))
    assert translation.refusal is None
    assert (translation.trigger, translation.event, translation.appointment) == (trigger, event, None)
    assert translation.visit is not None
    assert translation.visit.event == ("unchanged" if trigger == "A29" else event)
    assert [patient.deleted for patient in translation.patients] == [trigger == "A29"]
    assert translation.patients[0].text_to == "+12025550142"


@pytest.mark.parametrize("trigger", everything(AdtKind.IRRELEVANT))
def test_what_no_text_depends_on_is_refused_by_name(trigger: str) -> None:
    refusal = read(adt(trigger)).refusal
    assert refusal is not None
    assert (refusal.path, refusal.code) == ("MSH-9.2", "irrelevant-trigger")


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        (adt("A99"), "MSH-9.2", "unsupported-trigger"),
        (adt("", PID={}), "MSH-9.2", "unsupported-trigger"),
        (adt("A08", PID={3: "", 5: ""}), "PID", "no-patient"),
        (adt("A40"), "MRG-1", "no-merged-record"),
        (adt("A40", MRG={1: '""'}), "MRG-1", "no-merged-record"),
    ],
)
def test_what_cannot_be_mapped_is_refused_by_name(raw: bytes, path: str, code: str) -> None:
    refusal = read(raw).refusal
    assert refusal is not None
    assert (refusal.path, refusal.code) == (path, code)


@pytest.mark.parametrize(
    ("trigger", "code"),
    [
        ("A24", "records-linked"),
        ("A37", "records-linked"),
        ("A44", "accounts-only"),
        ("A43", "identifier-moved"),
    ],
)
def test_what_is_not_acted_upon_is_noted(trigger: str, code: str) -> None:
    assert codes(read(adt(trigger, MRG={1: "901^^^RIVERSIDE^MR"}))) == [("MSH-9.2", code)]
    assert read(adt(trigger, MRG={1: "901^^^RIVERSIDE^MR"})).merges == ()


@pytest.mark.parametrize("word", ["P", "p"])
def test_who_is_only_announced_has_not_arrived(word: str) -> None:
    assert read(adt("A04", PV1={2: word})).event == "unchanged"


def test_which_events_mean_an_arrival_is_the_profiles_to_say() -> None:
    rules = PROFILE.adt.model_copy(update={"arrived": ("A08",), "not_arrived": ()})
    profile = PROFILE.model_copy(update={"adt": rules})
    events = [translate(adt(trigger), profile, US).event for trigger in ("A04", "A08", "A11")]
    assert events == ["unchanged", "arrived", "unchanged"]


@pytest.mark.parametrize("trigger", ["A40", "S12", "A99", "A23"])
def test_a_profile_names_events_that_speak_of_a_visit(trigger: str) -> None:
    with pytest.raises(ValidationError, match=f"{trigger} says nothing of a visit; allowed: A01"):
        AdtRules.model_validate(PROFILE.adt.model_dump() | {"arrived": [trigger]})


def test_a_vendors_own_event_is_read_as_the_one_it_stands_for() -> None:
    profile = PROFILE.model_copy(update={"triggers": {"ZAD^X1": "A40"}})
    raw = adt("A40", MRG={1: "901"}).replace(b"ADT^A40", b"ZAD^X1")
    assert len(translate(raw, profile, US).merges) == 1


@pytest.mark.parametrize(
    ("msh7", "evn2", "at"),
    [
        ("20270301090000", "20260701090000", "2027-03-01T09:00:00-05:00"),
        ("", "202703010800", "2027-03-01T08:00:00-05:00"),
        ("", "", None),
        ("", "soon", None),
    ],
)
def test_when_it_happened_is_msh_7_and_else_evn_2(msh7: str, evn2: str, at: str | None) -> None:
    occurred_at = read(adt("A08", evn2, msh7)).occurred_at
    assert (occurred_at and occurred_at.isoformat()) == at


OWN = "900^^^RIVERSIDE^MR"


@pytest.mark.parametrize(
    ("pid", "mrg", "gone"),
    [
        ({}, {1: "901^^^RIVERSIDE^MR"}, [("RIVERSIDE", "MR", "901")]),
        # What MRG leaves out is what PID-3 says; what was written is kept beside it.
        ({}, {1: "901"}, [("RIVERSIDE", "MR", "901"), ("", "", "901")]),
        ({}, {1: "901^^^RIVERSIDE"}, [("RIVERSIDE", "MR", "901"), ("RIVERSIDE", "", "901")]),
        ({}, {1: "901^^^^MR"}, [("RIVERSIDE", "MR", "901"), ("", "MR", "901")]),
        ({}, {1: "901^^^NORTH"}, [("NORTH", "", "901")]),
        (
            {3: f"E-7^^^STATE^PI~{OWN}"},
            {1: "901^^^RIVERSIDE"},
            [("RIVERSIDE", "MR", "901"), ("RIVERSIDE", "", "901")],
        ),
        ({3: "900"}, {1: "901"}, [("", "", "901")]),
        # A superior identifier that both have is gone from neither; a social security number is never kept.
        (
            {3: f"{OWN}~E-7^^^STATE^PI"},
            {1: "901^^^RIVERSIDE^MR~E-7^^^STATE^PI~000-00-0001^^^USSSA^SS"},
            [("RIVERSIDE", "MR", "901")],
        ),
        # 2.3: MRG-4 is what PID-2 was, MRG-2 what PID-4 was.
        ({2: "X-1"}, {1: OWN, 4: "X-2"}, [("", "", "X-2")]),
        ({}, {1: OWN, 4: "901"}, [("", "", "901")]),  # nobody's medical record number
        ({4: "Y-1^^^OLD"}, {2: "Y-2^^^OLD"}, [("OLD", "", "Y-2")]),
    ],
)
def test_a_merge_names_what_is_gone(
    pid: dict[int, str], mrg: dict[int, str], gone: list[tuple[str, str, str]]
) -> None:
    raw = adt("A40", PID=pid, MRG=mrg)
    (merge,) = read(raw).merges
    assert [(each.authority, each.type, each.value) for each in merge.gone] == gone
    assert merge.survivor == read(raw).patients[0].identifiers
    assert set(merge.gone) <= set(identity_keys(raw, PROFILE, US).patients)


@pytest.mark.parametrize("written", ["900", OWN, "900^^^RIVERSIDE"])
def test_a_merge_of_a_record_into_itself_is_none(written: str) -> None:
    translation = read(adt("A40", MRG={1: written}))
    assert translation.merges == ()
    assert codes(translation) == [("MRG-1", "merged-into-itself")]


def test_a_visit_is_known_under_what_it_was_called_too() -> None:
    raw = adt("A42", MRG={1: OWN, 5: "V-0^^^RIVERSIDE", 6: "ALT-0"}, PV1={50: "ALT-1"})
    known = [(each.path, each.value, each.namespace) for each in identity_keys(raw, PROFILE, US).appointment]
    assert known == [
        ("PV1-19", "V-1", ""),
        ("PV1-50", "ALT-1", ""),
        ("PV1-19", "V-0", "RIVERSIDE"),
        ("PV1-50", "ALT-0", ""),
    ]
    (change,) = read(raw).visit_changes
    assert [each.value for each in change.gone] == ["V-0", "ALT-0"]


@pytest.mark.parametrize(
    ("trigger", "segments"),
    [
        ("A42", {"MRG": {1: OWN}}),
        ("A42", {"MRG": {5: "V-1"}}),
        ("A42", {"MRG": {5: "V-0"}, "PV1": {19: ""}}),
        ("A45", {"MRG": {1: OWN, 5: "V-1"}}),
        ("A45", {"MRG": {1: "901"}, "PV1": {19: ""}}),
    ],
)
def test_a_visit_that_stays_as_it_is_has_not_changed(trigger: str, segments: dict[str, Fields]) -> None:
    assert read(adt(trigger, **segments)).visit_changes == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pid", "alive"),
    [
        ({}, False),
        ({30: "N"}, True),
        ({30: '""'}, True),
        ({29: '""'}, True),
        ({29: '""', 30: "Y"}, False),
        ({29: "20270101", 30: "N"}, False),
    ],
)
def test_a_death_is_taken_back_in_so_many_words(pid: dict[int, str], *, alive: bool) -> None:
    assert read(adt("A31", PID=pid)).patients[0].said_alive is alive


@pytest.mark.parametrize(
    ("pd1", "by", "over"),
    [
        ({}, (), ()),
        ({11: "N"}, ("PD1-11",), ()),
        ({11: '""', 12: "Y"}, ("PD1-12",), ("PD1-11",)),
        ({11: "O", 12: "N"}, (), ("PD1-11", "PD1-12")),
    ],
)
def test_a_wish_for_silence_is_known_by_its_field(
    pd1: dict[int, str], by: tuple[str, ...], over: tuple[str, ...]
) -> None:
    patient = read(adt("A31", PD1=pd1)).patients[0]
    assert (patient.silenced_by, patient.unsilenced, patient.no_publicity) == (by, over, bool(by))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["A04", "A11", "A23", "A29", "A24", "A40", "A42", "A45"]),
    st.dictionaries(
        st.sampled_from(["PID", "PD1", "MRG", "PV1"]),
        st.dictionaries(
            st.integers(1, 51),
            st.one_of(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20),
                st.from_regex(r"\A[0-9A-Za-z^~&\\|.\" +()-]{0,40}\Z"),
            ),
            max_size=8,
        ),
        max_size=4,
    ),
)
def test_any_text_in_any_field_is_mapped_or_refused(
    trigger: str, segments: dict[str, dict[int, str]]
) -> None:
    raw = adt(trigger, **segments)  # type: ignore[arg-type]
    translation = read(raw)
    check_fhir(translation)
    known = identity_keys(raw, PROFILE, US)
    for merge in translation.merges:
        assert merge.gone
        assert set(merge.gone).isdisjoint(merge.survivor)
        assert {*merge.gone, *merge.survivor} <= set(known.patients)
    for change in translation.visit_changes:
        assert {*change.identifiers, *change.gone} <= set(known.appointment)
        assert {*change.patient, *change.taken_from} <= set(known.patients)
