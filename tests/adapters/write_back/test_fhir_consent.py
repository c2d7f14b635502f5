"""STOP and START in the chart: each a Consent, once, the newest in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back.fhir_consent import FhirConsentMode, build
from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.write_back import WriteBack, WriteBackKind
from integration.ports.ehr import Fact, LeftOut, NoChart, NotWritable, TryLater, Written
from tests.adapters.ehr.charts import ANA, admit, patient, reply_fact, settled, tell, wish_fact
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import RIVERSIDE, tools

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = {"create", "update", "search-type"}
LOST_ANSWER = Fault("POST", "Consent", after_storing=True)


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        server.offers["Consent"] = FULL
        admit(server)
        yield server


@pytest.fixture
def mode(ehr: StrictEhr) -> Iterator[FhirConsentMode]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield build(tools(client))
    client.close()


def test_a_stop_is_a_consent_that_denies(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    _, outcome = tell(mode, wish_fact())
    assert isinstance(outcome, Written)
    assert outcome.patient_id == "ana"
    (stop,) = ehr.all("Consent")
    assert (stop["status"], stop["provision"]["type"]) == ("active", "deny")
    assert stop["patient"]["reference"] == "Patient/ana"
    assert stop["performer"][0]["reference"] == "Patient/ana"
    assert stop["organization"] == [{"type": "Organization", "display": RIVERSIDE}]
    assert stop["sourceAttachment"]["url"] == "Communication/r1"
    assert "…0123" in stop["provision"]["code"][0]["text"]
    assert "+12025550123" not in str(stop)


def test_a_start_takes_it_back_and_is_one_of_its_own(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    stop, _ = tell(mode, wish_fact())
    start = wish_fact("start")
    tell(mode, replace(start, row=replace(start.row, subject_id=8)))
    _, outcome = tell(mode, replace(stop, in_force=False))
    assert isinstance(outcome, Written)
    assert ehr.statuses("Consent", outcome.ehr_id) == ["active", "inactive"]
    assert {(each["status"], each["provision"]["type"]) for each in ehr.all("Consent")} == {
        ("inactive", "deny"),
        ("active", "permit"),
    }


@pytest.mark.parametrize("conditional_create", [True, False])
def test_an_answer_that_got_lost_makes_no_second_consent(
    ehr: StrictEhr, mode: FhirConsentMode, *, conditional_create: bool
) -> None:
    ehr.conditional_create = conditional_create
    ehr.faults.append(LOST_ANSWER)
    _, outcome = tell(mode, wish_fact())
    assert isinstance(outcome, Written)
    assert len(ehr.all("Consent")) == 1


def test_what_was_taken_back_while_its_answer_was_lost_is_inactive_and_one(
    ehr: StrictEhr, mode: FhirConsentMode
) -> None:
    ehr.faults.append(LOST_ANSWER)
    lost = wish_fact()
    first = mode.write(lost)
    assert isinstance(first, TryLater)
    tell(mode, replace(settled(lost, first), in_force=False))
    assert [each["status"] for each in ehr.all("Consent")] == ["inactive"]


def test_what_a_person_closed_in_the_chart_stays_closed(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    stop, outcome = tell(mode, wish_fact())
    assert isinstance(outcome, Written)
    ehr.put({**ehr.all("Consent")[0], "status": "entered-in-error"}, outcome.ehr_id)
    tell(mode, replace(stop, in_force=False))
    assert ehr.all("Consent")[0]["status"] == "entered-in-error"


def test_of_a_number_that_several_share_nobody_is_said_to_have_spoken(
    ehr: StrictEhr, mode: FhirConsentMode
) -> None:
    tell(mode, replace(wish_fact(patient_id=None), told=None))
    (stop,) = ehr.all("Consent")
    assert stop.keys().isdisjoint({"performer", "sourceAttachment"})


def test_a_guardian_speaks_for_a_child(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    tell(mode, replace(wish_fact(), patient=patient(number=None, guardian_number="+12025550123")))
    assert ehr.all("Consent")[0]["performer"] == [{"type": "RelatedPerson", "display": "Guardian"}]


def test_a_reply_filed_as_something_else_is_not_pointed_to(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    fact = wish_fact()
    assert fact.told is not None
    tell(mode, replace(fact, told=replace(fact.told, mode="fhir_document")))
    assert "sourceAttachment" not in ehr.all("Consent")[0]


def test_an_ehr_without_consent_is_not_asked(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    ehr.offers["Consent"] = {"read", "search-type"}
    assert isinstance(mode.write(wish_fact()), LeftOut)
    assert not ehr.asked("POST", "Consent")


def test_an_ehr_that_takes_no_updates_keeps_what_was_written(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    ehr.offers["Consent"] = {"create", "search-type"}
    stop, _ = tell(mode, wish_fact())
    _, outcome = tell(mode, replace(stop, in_force=False))
    assert isinstance(outcome, Written)
    assert ehr.statuses("Consent", outcome.ehr_id) == ["active"]
    late = wish_fact(in_force=False)
    assert isinstance(mode.write(replace(late, row=replace(late.row, subject_id=8))), LeftOut)


def test_a_stranger_gets_none(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    stranger = patient(resource={**ANA, "identifier": [{"value": "0"}]})
    assert isinstance(mode.write(replace(wish_fact(), patient=stranger)), NoChart)
    assert not ehr.all("Consent")


def test_a_refusal_is_for_a_person_and_quotes_nobody(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    ehr.faults.append(Fault("POST", "Consent", 422, body={"resourceType": "OperationOutcome"}))
    outcome = mode.write(wish_fact())
    assert isinstance(outcome, NotWritable)
    assert "422" in outcome.reason


@pytest.mark.parametrize("intent", ["confirm", "human"])
def test_another_reply_is_none(mode: FhirConsentMode, intent: str) -> None:
    assert isinstance(mode.write(wish_fact(intent)), LeftOut)
    assert isinstance(mode.write(reply_fact()), LeftOut)
    assert isinstance(mode.write(wish_fact("start", urgent=True)), LeftOut)


def test_without_a_server_the_setting_is_named() -> None:
    with pytest.raises(ValueError, match="EHR_FHIR_BASE_URL"):
        build(tools(None))


def stop_fact(*, in_force: bool = True) -> Fact:
    """The carrier says that Ana's number wants no texts."""
    row = WriteBack(id=4, kind=WriteBackKind.SUPPRESSION, subject_id=5, patient_id=4)
    since = datetime(2027, 3, 1, 14, 5, tzinfo=UTC)
    stop = Suppression(
        5, "+12025550123", SuppressionKind.OPT_OUT, ALL_SENDERS, since, "carrier", evidence="21610"
    )
    return Fact(row, patient(), stop=stop, in_force=in_force)


def test_a_stop_that_only_the_carrier_knows_of_is_a_consent_that_nobody_is_said_to_have_spoken(
    ehr: StrictEhr, mode: FhirConsentMode
) -> None:
    told, outcome = tell(mode, stop_fact())
    assert isinstance(outcome, Written)
    (stop,) = ehr.all("Consent")
    assert (stop["status"], stop["provision"]["type"]) == ("active", "deny")
    assert stop["dateTime"] == "2027-03-01T14:05:00Z"
    assert stop.keys().isdisjoint({"performer", "sourceAttachment"})
    assert "+12025550123" not in str(stop)
    assert "21610" not in str(stop)
    tell(mode, replace(told, in_force=False))
    assert ehr.statuses("Consent", outcome.ehr_id) == ["active", "inactive"]


def test_a_stop_whose_answer_got_lost_is_one(ehr: StrictEhr, mode: FhirConsentMode) -> None:
    ehr.faults.append(LOST_ANSWER)
    _, outcome = tell(mode, stop_fact())
    assert isinstance(outcome, Written)
    assert len(ehr.all("Consent")) == 1
