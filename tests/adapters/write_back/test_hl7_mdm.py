"""Every text, outcome and reply becomes one document, in order, whatever the partner's port does."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl7_listener.framing import frame
from integration.adapters.ehr.one_at_a_time import IDLE, OneAtATime
from integration.adapters.write_back.hl7_mdm import NO_IDENTIFIER, Hl7MdmMode, build
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.reminder import Reminder, ReminderState
from integration.domain.text_message import Subject
from integration.domain.write_back import WriteBack, WriteBackKind
from integration.ports.ehr import Fact, LeftOut, NoChart, NotWritable, TryLater, Written
from integration.ports.hl7 import NotHeard, Taken, TurnedDown
from integration.settings.model import WritingBack
from integration.testing.hl7 import FakeHl7Sender
from tests.adapters.ehr.charts import DELIVERED, SENT, appointment, patient, reply, reply_fact, text_fact
from tests.adapters.ehr.partner import CLOSE, Partner, acknowledgment, pieces
from tests.adapters.ehr.partners_chart import connected, documents, known, news, port, settled, tell, words
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.hl7 import Delivery
    from tests.adapters.ehr.partner import Answer

UNDELIVERED: dict[str, Any] = {
    **SENT,
    "status": DeliveryStatus.UNDELIVERED,
    "failure": Failure.UNREACHABLE,
    "error_code": "30003",
    "final_at": datetime(2027, 3, 1, 14, 0, 30, tzinfo=UTC),
}
REFUSED: dict[str, Any] = {
    "status": DeliveryStatus.FAILED,
    "failure": Failure.OPTED_OUT,
    "error_code": "21610",
    "provider_id": None,
    "final_at": datetime(2027, 3, 1, 14, 0, 1, tzinfo=UTC),
}


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner() as listening:
        yield listening


@pytest.fixture
def mode(partner: Partner) -> Iterator[Hl7MdmMode]:
    with connected(partner) as given:
        yield build(given)


@pytest.fixture
def sender() -> FakeHl7Sender:
    return FakeHl7Sender()


@pytest.fixture
def quick(sender: FakeHl7Sender) -> Hl7MdmMode:
    """The mode before a partner in memory."""
    return build(tools(None, WritingBack(hl7=port()), partner=sender))


def events(heard: list[bytes]) -> list[str]:
    return [each["MSH-9.2"] for each in documents(heard)]


TROUBLES: dict[str, list[Answer]] = {
    "no trouble": [],
    "hangs up without a word": [pieces(CLOSE)],
    "hangs up without a word, three times": [pieces(CLOSE)] * 3,
    "says nothing": [pieces()],
    "says what is no acknowledgment": [pieces(frame(b"what?"), CLOSE)],
    "answers another message only": [pieces(*acknowledgment("AA")("ELSE"), CLOSE)],
    "cannot now": [acknowledgment("AR"), acknowledgment("CE")],
    "the addendum's answer is lost": [acknowledgment("AA"), pieces(CLOSE), acknowledgment("AA")],
    "the addendum cannot be taken now": [acknowledgment("CA"), acknowledgment("AR")],
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("coalesced", [False, True], ids=["news one by one", "all news at once"])
def test_each_document_once_and_in_order(
    partner: Partner, mode: Hl7MdmMode, trouble: str, *, coalesced: bool
) -> None:
    partner.plans.extend(TROUBLES[trouble])
    fact = known(text_fact())
    if not coalesced:
        fact, _ = tell(mode, fact)
        fact, _ = tell(mode, news(fact, **SENT))
    fact, outcome = tell(mode, news(fact, **DELIVERED))
    assert not partner.plans
    original, addendum = documents(partner.heard)
    assert (original["MSH-9.2"], addendum["MSH-9.2"]) == ("T02", "T06")
    assert addendum["TXA-13.1"] == original["TXA-12.1"]
    assert isinstance(outcome, Written)
    assert (outcome.ehr_id, outcome.version) == (original["TXA-12.1"], "delivered")


def test_what_a_reader_of_the_chart_sees(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    fact, _ = tell(quick, known(text_fact()))
    tell(quick, news(fact, **DELIVERED))
    tell(quick, known(reply_fact(answered=fact.row)))
    assert [words(each) for each in documents(sender.asked)] == [
        [
            "Text message from Riverside Clinic to ****0123, 2027-03-01 09:00 EST:",
            "Riverside Clinic: see you Fri Mar 5 at 10:00 AM. Reply C to confirm.",
        ],
        ["Text message to ****0123, 2027-03-01 09:00 EST:", "Delivered 2027-03-01 09:00 EST."],
        [
            "Text message to Riverside Clinic from ****0123, 2027-03-01 09:05 EST:",
            "C",
            "Understood as: confirms the visit.",
        ],
    ]


def test_patient_and_visit_are_named_as_the_ehr_named_them(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    tell(quick, known(text_fact()))
    (document,) = documents(sender.asked)
    assert (document["PID-3.1"], document["PID-3.4"], document["PID-3.5"]) == ("12345", "RIVERSIDE", "MR")
    assert (document["PID-5.1"], document["PID-7"]) == ("Secret", "19800402")
    assert (document["PV1-19.1"], document["PV1-19.4"]) == ("7001", "CSN")


def test_news_on_the_way_is_not_worth_a_document(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    fact, _ = tell(quick, known(text_fact()))
    fact, outcome = tell(quick, news(fact, **SENT))
    assert isinstance(outcome, Written)
    assert events(sender.asked) == ["T02"]
    assert isinstance(quick.write(known(text_fact(status=DeliveryStatus.QUEUED))), LeftOut)
    assert len(sender.asked) == 1


def test_the_same_news_is_told_once(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    fact, _ = tell(quick, known(text_fact(**DELIVERED)))
    tell(quick, fact)
    tell(quick, fact)
    assert len(sender.asked) == 2


def test_a_crash_before_the_answer_is_noted_sends_the_same_bytes(
    quick: Hl7MdmMode, sender: FakeHl7Sender
) -> None:
    fact = known(text_fact(**DELIVERED))
    quick.write(fact)
    quick.write(fact)  # nobody remembers the first
    assert sender.asked[:2] == sender.asked[2:]
    assert len(sender.taken) == 2


def test_the_originals_words_never_change_with_the_news(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    fact = known(text_fact())
    sender.will([NotHeard("no answer")])
    assert isinstance(quick.write(fact), TryLater)
    for changes in (SENT, UNDELIVERED):
        quick.write(news(fact, **changes))
    assert sender.asked[0] == sender.asked[1] == sender.asked[2]


def test_an_original_that_was_taken_is_not_told_again_for_its_addendums_sake(
    quick: Hl7MdmMode, sender: FakeHl7Sender
) -> None:
    sender.will([Taken("AA"), NotHeard("no answer"), NotHeard("no answer")])
    _, outcome = tell(quick, known(text_fact(**DELIVERED)))
    assert isinstance(outcome, Written)
    assert [each["MSH-9.2"] for each in map(parsed, sender.asked)] == ["T02", "T06", "T06", "T06"]


def test_what_is_filed_in_part_stays_with_this_mode(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    for refusal, again in (
        (TurnedDown("AR", again=True), TryLater),
        (TurnedDown("AE", again=False), NotWritable),
    ):
        sender.will([Taken("AA"), refusal])
        outcome = quick.write(known(text_fact(**DELIVERED)))
        assert isinstance(outcome, again)
        assert outcome.doubtful


def parsed(raw: bytes) -> Any:
    (document,) = documents([raw])
    return document


# what is told of which end


def test_a_text_that_never_left_is_one_document_that_says_so(
    quick: Hl7MdmMode, sender: FakeHl7Sender
) -> None:
    fact, _ = tell(quick, known(text_fact(**REFUSED)))
    tell(quick, fact)
    (document,) = documents(sender.asked)
    assert words(document)[-2:] == [
        "Not delivered: the number has opted out of texts.",
        "Provider's error code 21610.",
    ]


def test_a_text_that_did_not_arrive_gets_an_addendum_with_the_reason(
    quick: Hl7MdmMode, sender: FakeHl7Sender
) -> None:
    fact, _ = tell(quick, known(text_fact()))
    tell(quick, news(fact, **UNDELIVERED))
    assert words(documents(sender.asked)[1])[1:] == [
        "Not delivered: the handset could not be reached.",
        "Provider's error code 30003.",
    ]


def test_a_missing_receipt_is_told_and_a_late_one_too(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    silent = {**SENT, "final_at": datetime(2027, 3, 2, 15, tzinfo=UTC)}
    fact, _ = tell(quick, known(text_fact(**silent)))
    fact, _ = tell(quick, news(fact, **DELIVERED))
    told = documents(sender.asked)
    assert [each["MSH-9.2"] for each in told] == ["T02", "T06", "T06"]
    assert words(told[1])[1] == "No delivery receipt came; some carriers never send one."
    assert words(told[2])[1] == "Delivered 2027-03-01 09:00 EST."
    assert len({each["TXA-12.1"] for each in told}) == 3


@pytest.mark.parametrize("end", [DELIVERED, REFUSED], ids=["it arrived", "it never left"])
def test_a_text_nobody_could_account_for_is_explained_when_news_comes(
    quick: Hl7MdmMode, sender: FakeHl7Sender, end: dict[str, Any]
) -> None:
    fact, _ = tell(quick, known(text_fact(status=DeliveryStatus.QUEUED, unresolved=True, provider_id=None)))
    tell(quick, news(fact, **end))
    original, addendum = documents(sender.asked)
    assert "Nobody can tell whether it went out; staff were asked to look." in words(original)
    assert addendum["TXA-13.1"] == original["TXA-12.1"]
    assert words(addendum)[1].startswith(("Delivered", "Not delivered"))


# replies


def test_a_reply_is_an_addendum_to_the_text_it_answers(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    told, _ = tell(quick, known(text_fact()))
    fact, _ = tell(quick, known(reply_fact(answered=told.row)))
    tell(quick, fact)
    original, answer = documents(sender.asked)
    assert (answer["MSH-9.2"], answer["TXA-13.1"]) == ("T06", original["TXA-12.1"])
    assert len(sender.asked) == 2


def test_a_reply_to_a_text_the_chart_has_not_is_an_original(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    parked = replace(text_fact().row, ehr_id=None)
    elsewhere = replace(text_fact().row, ehr_id="r3")  # written as a Communication once
    for answered in (None, parked, elsewhere):
        tell(quick, known(reply_fact(answered=answered)))
    assert {each["MSH-9.2"] for each in documents(sender.asked)} == {"T02"}


def test_a_reply_keeps_its_lines_and_what_would_end_a_message(
    quick: Hl7MdmMode, sender: FakeHl7Sender
) -> None:
    wild = reply(body="Sí 😀\r\nMSH|^~\\&|no\n\nadiós", intent="human", urgent=True)
    tell(quick, replace(known(reply_fact()), reply=wild))
    (document,) = documents(sender.asked)
    assert words(document)[1:] == [
        "Sí 😀",
        "MSH|^~\\&|no",
        "",
        "adiós",
        "Not acted upon; left to staff.",
        "Marked urgent.",
    ]


# a reminder that became no text, where the site asks for it


def test_a_reminder_that_did_not_go_is_one_document_with_the_reason(
    quick: Hl7MdmMode, sender: FakeHl7Sender
) -> None:
    due = datetime(2027, 3, 3, 15, tzinfo=UTC)
    reminder = Reminder(
        id=5,
        appointment_id=9,
        patient_id=4,
        number="+12025550123",
        practice="riverside",
        step="two_days",
        slot_number=1,
        due_at=due,
        not_after=due + timedelta(days=1),
        state=ReminderState.SKIPPED,
        reason="one text a day",
        decided_at=due,
    )
    row = WriteBack(id=3, kind=WriteBackKind.SKIPPED, subject_id=5, patient_id=4)
    fact, _ = tell(quick, known(Fact(row, patient(), (appointment(),), reminder=reminder)))
    tell(quick, fact)
    (document,) = documents(sender.asked)
    assert (len(sender.asked), document["MSH-9.2"]) == (1, "T02")
    assert words(document) == [
        "Text message to ****0123, due 2027-03-03 10:00 EST:",
        "Not sent: one text a day.",
    ]


# promise 12


def test_each_chart_gets_its_own_patients_part(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    shared = (Subject(4, 9, "Ana: Fri 10:00"), Subject(5, 10, "Ben: Fri 10:30"))
    tell(quick, known(text_fact(body="Ana: Fri 10:00; Ben: Fri 10:30", subjects=shared)))
    assert words(documents(sender.asked)[0])[1:] == ["Ana: Fri 10:00"]
    assert b"Ben" not in sender.asked[0]


def test_a_shared_text_without_parts_shows_no_wording(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    tell(quick, known(text_fact(subjects=(Subject(4, 9), Subject(5, 10)))))
    assert words(documents(sender.asked)[0])[1:] == [
        "The text also spoke of another person; its wording is not shown."
    ]


def test_a_patient_hl7_does_not_know_gets_nothing_written(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    by_fhir_alone = replace(text_fact(), patient=patient(identifiers=("Patient.id||ana",)))
    assert quick.write(by_fhir_alone) == NoChart(NO_IDENTIFIER)
    assert not sender.asked


def test_a_guardians_number_is_called_so(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    fact = known(text_fact())
    child = replace(fact.patient, number="+16175550199", guardian_number="+12025550123")
    tell(quick, replace(fact, patient=child))
    assert "****0123, who answers for the patient, " in words(documents(sender.asked)[0])[0]


# answers of the partner


@pytest.mark.parametrize(("code", "error"), [("AE", "207"), ("CR", "")])
def test_what_the_ehr_refuses_goes_to_a_person_with_the_code_and_no_names(
    partner: Partner, mode: Hl7MdmMode, code: str, error: str
) -> None:
    partner.plans.append(acknowledgment(code, f"ERR||PID^1^3|{error}^^HL70357|E" if error else ""))
    outcome = mode.write(known(text_fact()))
    assert isinstance(outcome, NotWritable)
    assert code in outcome.reason
    assert error in outcome.reason
    assert "Sample" not in outcome.reason


@pytest.mark.parametrize("code", ["AR", "CE"])
def test_not_now_is_no_refusal(quick: Hl7MdmMode, sender: FakeHl7Sender, code: str) -> None:
    sender.will([TurnedDown(f"the partner answered {code}", again=True)])
    outcome = quick.write(known(text_fact()))
    assert isinstance(outcome, TryLater)
    assert not outcome.doubtful
    assert isinstance(quick.write(settled(known(text_fact()), outcome)), Written)


def test_silence_leaves_it_in_doubt(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    sender.will([NotHeard("no answer")])
    assert quick.write(known(text_fact())) == TryLater("no answer", doubtful=True)


# one line for all threads


class OnlyOne(FakeHl7Sender):
    """Fails a thread that does not wait for its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = threading.Lock()
        self.rests = 0

    def send(self, message: bytes) -> Delivery:
        assert self.busy.acquire(blocking=False), "two at once"
        try:
            return super().send(message)
        finally:
            self.busy.release()

    def rest(self) -> None:
        self.rests += 1


def test_threads_take_turns(partner: Partner) -> None:
    facts = [known(text_fact(id=number)) for number in range(8)]
    facts = [replace(fact, row=replace(fact.row, subject_id=n)) for n, fact in enumerate(facts)]
    outcomes: list[object] = []
    with connected(partner) as given:
        mode = build(given)
        threads = [threading.Thread(target=lambda f=fact: outcomes.append(mode.write(f))) for fact in facts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [type(each) for each in outcomes] == [Written] * 8
    assert len(documents(partner.heard)) == len(partner.heard) == 8
    assert partner.connections == 1


def test_a_connection_nobody_used_for_a_minute_is_not_trusted() -> None:
    now = [datetime(2027, 3, 1, 14, tzinfo=UTC)]
    inner = OnlyOne()
    sender = OneAtATime(inner, lambda: now[0])
    sender.send(b"MSH|^~\\&|A||||||MDM^T02|1")
    now[0] += IDLE
    sender.send(b"MSH|^~\\&|A||||||MDM^T02|2")
    assert inner.rests == 0
    now[0] += IDLE + timedelta(seconds=1)
    sender.send(b"MSH|^~\\&|A||||||MDM^T02|3")
    assert (inner.rests, len(inner.asked)) == (1, 3)


# settings


def test_it_needs_the_partners_port(sender: FakeHl7Sender) -> None:
    for lacking in (tools(None, WritingBack(hl7=port())), tools(None, WritingBack(), partner=sender)):
        with pytest.raises(ValueError, match=r"\[write_back.hl7\]"):
            build(lacking)


def test_the_operator_is_told_in_one_line(quick: Hl7MdmMode) -> None:
    assert quick.describe() == "HL7 MDM documents to 127.0.0.1:1"
    assert quick.name == "hl7_mdm"


def test_other_facts_are_left_to_other_modes(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    assert isinstance(quick.write(known(reply_fact(WriteBackKind.CONFIRMATION))), LeftOut)
    assert not sender.asked


def test_several_visits_name_the_foremost_that_has_a_number(quick: Hl7MdmMode, sender: FakeHl7Sender) -> None:
    first, second = appointment(identifiers=("SCH-2|SCHED|A-9|",)), appointment(identifiers=("PV1-19||7|",))
    tell(quick, replace(known(text_fact()), appointments=(first, second)))
    assert documents(sender.asked)[0]["PV1-19.1"] == "7"


# whatever people and EHRs write

PRINTED = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"))


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.text(PRINTED, min_size=1, max_size=40).filter(str.strip), min_size=1, max_size=4),
    key=st.text(max_size=30),
    family=st.text(max_size=20),
    visit=st.text(max_size=20),
)
def test_any_words_and_any_names_make_a_document(lines: list[str], key: str, family: str, visit: str) -> None:
    sender = FakeHl7Sender()
    mode = build(tools(None, WritingBack(hl7=port()), partner=sender))
    fact = known(text_fact(body="\n".join(lines), subjects=(Subject(4, 9),)))
    strange = replace(fact.patient, identifiers=(key, "RIVERSIDE|MR|1"), family=family, resource={})
    visits = tuple(replace(each, identifiers=(visit, *each.identifiers)) for each in fact.appointments)
    outcome = mode.write(replace(fact, patient=strange, appointments=visits))
    assert isinstance(outcome, Written)
    (document,) = documents(sender.asked)
    shown = [*lines[:-1], lines[-1].rstrip()]
    assert words(document)[1:] == [f"{line} " if line == '""' else line for line in shown]
