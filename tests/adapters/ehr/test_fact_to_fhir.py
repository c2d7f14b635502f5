"""Our facts in FHIR's terms: whose words, which reason, which identifier."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from integration.adapters.ehr.fact_to_fhir import NOT_DONE, Links, to_fhir
from integration.adapters.ehr.plain_words import reply_lines
from integration.adapters.ehr.telling import UNCERTAIN_YES, WHY_NOT, WITHHELD, is_final, own_identifier
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.text_message import Subject, TextKind
from integration.domain.write_back import WriteBack, WriteBackKind
from tests.adapters.ehr.charts import CREATED, DELIVERED, SENT, reply, reply_fact, text_fact

LINKS = Links("ana", "Riverside Clinic", ((9, "visit"),))


def notes(resource: dict[str, Any]) -> list[str]:
    return [each["text"] for each in resource["note"]]


def test_a_reminder_and_a_notice_differ_in_category_and_an_answer_is_a_notice() -> None:
    def category(**changes: Any) -> str:
        resource = to_fhir(text_fact(**changes), LINKS)
        return str(resource["category"][0]["coding"][0]["code"])

    assert category(occasion="five_days") == "reminder"
    assert category(occasion="moved") == "notification"
    assert category(kind=TextKind.ANSWER, occasion="confirmed") == "notification"


def test_each_chart_gets_its_own_patients_part_of_a_shared_text() -> None:
    shared = (Subject(4, 9, "Ana: Fri 10:00"), Subject(5, 10, "Ben: Fri 10:30"))
    resource = to_fhir(text_fact(body="Ana: Fri 10:00; Ben: Fri 10:30", subjects=shared), LINKS)
    assert resource["payload"] == [{"contentString": "Ana: Fri 10:00"}]
    assert "Ben" not in str(resource)


def test_two_visits_of_one_patient_show_both_parts() -> None:
    both = (Subject(4, 9, "Fri 10:00"), Subject(4, 10, "Mon 9:00"), Subject(4, 11, "Fri 10:00"))
    resource = to_fhir(text_fact(subjects=both), LINKS)
    assert resource["payload"] == [{"contentString": "Fri 10:00\nMon 9:00"}]


def test_a_shared_text_without_parts_shows_no_wording_at_all() -> None:
    resource = to_fhir(text_fact(subjects=(Subject(4, 9), Subject(5, 10))), LINKS)
    assert "payload" not in resource
    assert notes(resource)[-1] == "The text also spoke of another person; its wording is not shown."


@pytest.mark.parametrize("failure", [*Failure, None])
def test_every_failure_has_a_reason_a_reader_understands(failure: Failure | None) -> None:
    resource = to_fhir(
        text_fact(status=DeliveryStatus.UNDELIVERED, failure=failure, error_code="30003"), LINKS
    )
    code, words = NOT_DONE[failure or Failure.UNKNOWN], WHY_NOT[failure or Failure.UNKNOWN]
    assert resource["status"] == "not-done"
    assert resource["statusReason"]["coding"][0]["code"] == code
    assert resource["statusReason"]["coding"][1] == {
        "system": "https://www.twilio.com/docs/api/errors",
        "code": "30003",
    }
    assert f"Not delivered: {words}." in notes(resource)


def test_a_text_nobody_can_account_for_is_unknown_until_its_provider_speaks() -> None:
    queued = to_fhir(text_fact(status=DeliveryStatus.QUEUED, unresolved=True), LINKS)
    heard = to_fhir(text_fact(status=DeliveryStatus.DELIVERED, unresolved=True), LINKS)
    assert (queued["status"], heard["status"]) == ("unknown", "completed")


def test_a_text_sent_long_ago_without_a_receipt_stays_in_progress_and_says_so() -> None:
    fact = text_fact(**SENT, final_at=datetime(2027, 3, 2, 15, tzinfo=UTC))
    resource = to_fhir(fact, LINKS)
    assert (resource["status"], "received" in resource) == ("in-progress", False)
    assert "No delivery receipt came; some carriers never send one." in notes(resource)
    assert is_final(fact)
    assert not is_final(text_fact(**SENT))


def test_a_number_is_masked_and_a_name_never_needed() -> None:
    resource = to_fhir(text_fact(**DELIVERED), LINKS)
    assert "…0123" in notes(resource)[0]
    assert "2025550123" not in str(resource)
    assert "Secret" not in str(resource)


def test_a_reply_points_to_the_communication_it_answers_when_there_is_one() -> None:
    told = WriteBack(1, WriteBackKind.TEXT, 17, 4, ehr_id="c-1")
    parked = replace(told, ehr_id=None)
    assert to_fhir(reply_fact(answered=told), LINKS)["inResponseTo"][0]["reference"] == "Communication/c-1"
    assert "inResponseTo" not in to_fhir(reply_fact(answered=parked), LINKS)
    assert "inResponseTo" not in to_fhir(reply_fact(), LINKS)


def test_a_reply_about_a_sensitive_place_is_told_without_its_words() -> None:
    words = "is my test back"
    answer = reply(body=words, intent="human")
    open_ = replace(reply_fact(), reply=answer)
    discreet = replace(open_, discreet=True)
    assert to_fhir(open_, LINKS)["payload"] == [{"contentString": words}]
    resource = to_fhir(discreet, LINKS)
    assert words not in str(resource)
    assert WITHHELD in notes(resource)
    lines = reply_lines(discreet, answer, "Riverside Clinic")
    assert words not in " ".join(lines)
    assert WITHHELD in lines


def test_a_reply_says_how_it_was_understood() -> None:
    urgent = replace(reply_fact(), reply=reply(body="chest pain", intent="human", urgent=True, media=2))
    resource = to_fhir(urgent, LINKS)
    assert resource["payload"] == [{"contentString": "chest pain"}]
    assert notes(resource) == [
        "Text from …0123.",
        "Not acted upon; left to staff.",
        "Marked urgent.",
        "Pictures or files that came with it and are not kept: 2.",
    ]


def test_a_childs_chart_names_neither_as_recipient_nor_as_writer_the_child() -> None:
    guardian = {"type": "RelatedPerson", "display": "Guardian"}
    told, answered = text_fact(), reply_fact()
    assert told.text is not None
    number = told.text.number
    for fact, whose in ((told, "recipient"), (answered, "sender")):
        child = replace(fact.patient, number="+16175550199", guardian_number=number)
        ours = to_fhir(replace(fact, patient=child), LINKS)
        assert ours["subject"]["reference"] == "Patient/ana"
        assert ours[whose] == ([guardian] if whose == "recipient" else guardian)
        assert guardian not in (to_fhir(fact, LINKS)[whose], *to_fhir(fact, LINKS)["recipient"])


@pytest.mark.parametrize(
    ("born", "whose"),
    [(date(2018, 3, 1), "Guardian"), (date(1980, 3, 1), None), (None, None)],
)
def test_a_number_in_the_childs_own_record_may_be_the_guardians(born: date | None, whose: str | None) -> None:
    told = text_fact()
    assert told.text is not None
    number = told.text.number
    patient = replace(told.patient, number=number, guardian_number=number, birth_date=born)
    (recipient,) = to_fhir(replace(told, patient=patient), LINKS)["recipient"]
    assert recipient.get("display") == whose


def test_a_yes_that_confirmed_nothing_never_reads_as_a_confirmation() -> None:
    resource = to_fhir(replace(reply_fact(), acted_upon=False), LINKS)
    assert notes(resource)[1] == UNCERTAIN_YES


def test_our_identifier_is_the_same_at_every_try_and_another_in_every_store_and_chart() -> None:
    first = own_identifier(text_fact())
    assert first == own_identifier(text_fact(**DELIVERED))
    assert first == "text-17-4-1803909600000000"
    elsewhere = own_identifier(text_fact(created_at=CREATED.replace(microsecond=1)))
    sibling = own_identifier(text_fact(WriteBack(1, WriteBackKind.TEXT, 17, 5)))
    answers = {own_identifier(reply_fact(kind)) for kind in (WriteBackKind.REPLY, WriteBackKind.CONFIRMATION)}
    assert len({first, elsewhere, sibling, *answers}) == 5


def test_a_fact_without_its_text_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="lacks"):
        to_fhir(replace(text_fact(), text=None), LINKS)
