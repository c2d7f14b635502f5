"""The right chart (promise 12): certain or none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.linking import Linker, Token, same_person, tokens
from integration.domain.appointment import Slot
from integration.ports.ehr import NoChart, NotWritable, TryLater
from tests.adapters.ehr.charts import ANA, MRN, VISIT, admit, appointment, patient
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.domain.recipient import Patient

BY_VALUE = {**ANA, "identifier": [{"value": "12345"}]}


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        yield server


@pytest.fixture
def linker(ehr: StrictEhr) -> Iterator[Linker]:
    client = FhirClient(ehr.base_url)
    yield Linker(client)
    client.close()


def chart(chart_id: str, **changes: Any) -> dict[str, Any]:
    return {**ANA, "id": chart_id, **changes}


def by_value(**changes: Any) -> Patient:
    return patient(resource=BY_VALUE, **changes)


def test_identifier_system_and_value_find_the_chart_whatever_the_name(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana", name=[{"family": "Married"}]), chart("other", identifier=[{"value": "12345"}]))
    assert linker.patient(patient()) == "ana"


def test_the_best_identifier_that_finds_one_decides(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana", identifier=[{"system": "urn:b", "value": "2"}]))
    ours = {**ANA, "identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}]}
    assert linker.patient(patient(resource=ours)) == "ana"


def test_an_identifier_with_a_system_is_tried_before_one_without(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana"), chart("namesake", identifier=[{"value": "777"}]))
    ours = {**ANA, "identifier": [{"value": "777"}, {"system": MRN, "value": "12345"}]}
    assert linker.patient(patient(resource=ours)) == "ana"


def test_two_charts_under_one_identifier_are_no_chart(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana"), chart("twin"))
    assert isinstance(linker.patient(patient()), NoChart)


def test_nobody_is_no_chart(linker: Linker) -> None:
    assert isinstance(linker.patient(patient()), NoChart)


def test_a_patient_without_identifiers_is_not_searched_for(ehr: StrictEhr, linker: Linker) -> None:
    assert isinstance(linker.patient(patient(resource={"resourceType": "Patient"})), NoChart)
    assert not ehr.seen


def test_a_server_that_ignores_the_search_does_not_fool_us(ehr: StrictEhr, linker: Linker) -> None:
    ehr.ignores_search = True
    admit(ehr, chart("stranger", identifier=[{"system": MRN, "value": "999"}]))
    assert isinstance(linker.patient(patient()), NoChart)


@pytest.mark.parametrize(
    ("family", "born", "linked"),
    [
        ("Secret", "1980-04-02", True),
        ("SECRET", "1980-04-02", True),
        ("Sécret", None, True),
        ("Secret", "1980", True),
        ("Secret", "1980-04-03", False),
        ("Secrets", "1980-04-02", False),
        (None, "1980-04-02", False),
    ],
)
def test_by_value_alone_name_and_birth_date_must_agree(
    ehr: StrictEhr, linker: Linker, family: str | None, born: str | None, *, linked: bool
) -> None:
    there = {**chart("ana", name=[{"family": family}] if family else []), "birthDate": born}
    admit(ehr, {name: value for name, value in there.items() if value})
    found = linker.patient(by_value())
    assert (found == "ana") if linked else isinstance(found, NoChart)


def test_by_value_alone_a_birth_date_we_lack_does_not_matter(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana"))
    assert linker.patient(by_value(birth_date=None)) == "ana"


def test_by_value_alone_a_second_holder_of_the_number_makes_it_uncertain(
    ehr: StrictEhr, linker: Linker
) -> None:
    admit(ehr, chart("ana"), chart("stranger", identifier=[{"system": "urn:b", "value": "12345"}], name=[]))
    assert isinstance(linker.patient(by_value()), NoChart)


def test_by_value_alone_more_pages_than_are_read_make_it_uncertain(ehr: StrictEhr, linker: Linker) -> None:
    ehr.page_size, ehr.next_link_base = 1, "http://127.0.0.1:1/fhir"
    admit(ehr, chart("ana"), chart("zoe"))
    assert isinstance(linker.patient(by_value()), NoChart)


@pytest.mark.parametrize("base", ["", "own"])
def test_a_chart_that_was_merged_leads_to_the_one_that_survives(
    ehr: StrictEhr, linker: Linker, base: str
) -> None:
    prefix = f"{ehr.base_url}/" if base else ""
    admit(
        ehr,
        chart(
            "old",
            active=False,
            link=[{"type": "replaced-by", "other": {"reference": f"{prefix}Patient/new"}}],
        ),
        chart("new", identifier=[]),
    )
    assert linker.patient(patient()) == "new"
    assert linker.patient(patient(ehr_id="old")) == "new"


def test_old_and_new_under_one_identifier_are_one_chart(ehr: StrictEhr, linker: Linker) -> None:
    gone = chart("old", link=[{"type": "replaced-by", "other": {"reference": "Patient/new"}}])
    admit(ehr, gone, chart("new"))
    assert linker.patient(patient()) == "new"


@pytest.mark.parametrize(
    "other", [{"reference": "https://elsewhere.example/fhir/Patient/new"}, {"display": "Ana"}, {}]
)
def test_a_replacement_that_is_not_on_this_server_is_no_chart(
    ehr: StrictEhr, linker: Linker, other: dict[str, str]
) -> None:
    admit(ehr, chart("old", link=[{"type": "replaced-by", "other": other}]), chart("new", identifier=[]))
    assert isinstance(linker.patient(patient()), NoChart)


def test_charts_that_replace_each_other_are_no_chart(ehr: StrictEhr, linker: Linker) -> None:
    admit(
        ehr,
        chart("a", link=[{"type": "replaced-by", "other": {"reference": "Patient/b"}}]),
        chart("b", identifier=[], link=[{"type": "replaced-by", "other": {"reference": "Patient/a"}}]),
    )
    assert isinstance(linker.patient(patient()), NoChart)


def test_a_closed_chart_takes_nothing(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana", active=False))
    assert isinstance(linker.patient(patient()), NoChart)


def test_a_stored_id_is_read_once_and_trusted(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana", identifier=[]))
    assert linker.patient(patient(ehr_id="ana")) == "ana"
    assert len(ehr.seen) == 1


@pytest.mark.parametrize("gone", ["deleted", "never there"])
def test_a_stored_id_that_is_gone_is_looked_up_again(ehr: StrictEhr, linker: Linker, gone: str) -> None:
    admit(ehr, chart("ana"), chart("old", identifier=[]))
    if gone == "deleted":
        ehr.delete("Patient", "old")
    assert linker.patient(patient(ehr_id="old" if gone == "deleted" else "nobody")) == "ana"


@pytest.mark.parametrize(("status", "kind"), [(503, TryLater), (429, TryLater), (403, NotWritable)])
def test_a_search_that_fails_decides_nothing(
    ehr: StrictEhr, linker: Linker, status: int, kind: type[object]
) -> None:
    admit(ehr, chart("ana"))
    ehr.faults.append(Fault("GET", "Patient", status))
    assert isinstance(linker.patient(patient()), kind)


def test_no_reason_names_anybody(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr, chart("ana"), chart("twin"))
    for outcome in (linker.patient(patient()), linker.patient(by_value(family="Else"))):
        assert isinstance(outcome, NoChart)
        assert not {"Ana", "Secret", "12345", "Else"} & set(outcome.reason.replace(",", " ").split())


# visits


def test_a_visit_is_found_by_identifier_among_the_patients_own(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr)
    admit(ehr, {**VISIT, "id": "not-hers", "participant": [{"actor": {"reference": "Patient/bob"}}]})
    assert linker.appointment(appointment(), {"ana"}) == "visit"


@pytest.mark.parametrize(
    "participant",
    [
        [],
        [{"status": "accepted"}],
        [{"actor": {"reference": "Patient/bob"}}],
        [{"actor": {"reference": "https://elsewhere.example/fhir/Patient/ana"}}],
        [{"actor": {"reference": "Practitioner/ana"}}],
    ],
)
def test_somebody_elses_visit_is_none(
    ehr: StrictEhr, linker: Linker, participant: list[dict[str, Any]]
) -> None:
    admit(ehr, {**VISIT, "id": "visit", "participant": participant})
    assert linker.appointment(appointment(), {"ana"}) is None
    assert linker.appointment(appointment(ehr_id="visit"), {"ana"}) is None


def test_of_a_series_the_occurrence_that_starts_then(ehr: StrictEhr, linker: Linker) -> None:
    admit(ehr)
    admit(ehr, {**VISIT, "id": "next-week", "start": "2027-03-12T10:00:00-05:00"})
    assert linker.appointment(appointment(), {"ana"}) == "visit"
    later = appointment(slot=Slot(datetime(2027, 3, 12, 15, 0, tzinfo=UTC)))
    assert linker.appointment(later, {"ana"}) == "next-week"
    unknown = appointment(slot=Slot(None))
    assert linker.appointment(unknown, {"ana"}) is None


def test_a_visit_that_cannot_be_searched_is_left_out_and_one_that_may_come_is_waited_for(
    ehr: StrictEhr, linker: Linker
) -> None:
    admit(ehr)
    ehr.faults.extend([Fault("GET", "Appointment", 403)] * 2)
    assert linker.appointment(appointment(), {"ana"}) is None
    ehr.faults.append(Fault("GET", "Appointment", 503))
    assert isinstance(linker.appointment(appointment(), {"ana"}), TryLater)


def test_where_visits_are_searched_by_patient_only_the_one_with_the_identifier_is_found(
    ehr: StrictEhr, linker: Linker
) -> None:
    admit(ehr)
    ehr.put({**VISIT, "identifier": [{"value": "A-10"}]}, "another")
    ehr.faults.append(Fault("GET", "Appointment", 400))
    assert linker.appointment(appointment(), {"ana"}) == "visit"
    assert [each.query for each in ehr.asked("GET", "Appointment")] == [
        {"identifier": ["A-9"]},
        {"patient": ["ana"]},
    ]


# identifiers


def test_a_number_that_families_share_is_no_identifier_of_a_person(ehr: StrictEhr, linker: Linker) -> None:
    plan = {"value": "12345", "type": {"coding": [{"code": "MB"}]}}
    admit(ehr, chart("ana"))
    assert isinstance(linker.patient(patient(resource={**ANA, "identifier": [plan]})), NoChart)
    assert not ehr.seen


def test_a_visit_number_identifies_a_visit(ehr: StrictEhr, linker: Linker) -> None:
    number = {"value": "V-1", "type": {"coding": [{"code": "VN"}]}}
    admit(ehr, {**VISIT, "id": "visit", "identifier": [{"system": "urn:visits", "value": "V-1"}]})
    assert linker.appointment(appointment(resource={**VISIT, "identifier": [number]}), {"ana"}) == "visit"


def test_only_identifiers_in_use_are_worth_a_search() -> None:
    resource = {
        "identifier": [
            {"value": "former", "use": "old"},
            {"value": "  "},
            {"system": "urn:a"},
            {"system": "urn:a", "value": "1", "type": {"coding": [{"code": "MR"}]}},
            {"system": "urn:a", "value": "1"},
            {"value": "2"},
        ]
    }
    assert tokens(resource) == [Token("urn:a", "1"), Token("", "2")]


@pytest.mark.parametrize(
    ("token", "search"),
    [
        (Token("urn:a", "1"), "urn:a|1"),
        (Token("", "1"), "1"),
        (Token("", r"a,b|c$d\e"), r"a\,b\|c\$d\\e"),
    ],
)
def test_a_token_is_escaped_for_search(token: Token, search: str) -> None:
    assert token.search == search


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("de la Cruz-Núñez", "DE LA CRUZ NUNEZ"), ("O'Brien", "OBrien"), ("Straße", "STRASSE"), ("王", "王")],
)
def test_names_agree_in_their_letters(ours: str, theirs: str) -> None:
    assert same_person(patient(family=ours, birth_date=date(1980, 4, 2)), {"name": [{"family": theirs}]})


def test_no_name_agrees_with_no_name() -> None:
    assert not same_person(patient(family=""), {"name": [{"family": ""}]})
