"""A patient's yes reaches the EHR's schedule once; a no, and a yes to nothing certain, never do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.adapters.write_back.hl7_answer import Hl7AnswerMode, build
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NoChart, NotWritable, TryLater, Written
from integration.ports.hl7 import NotHeard
from integration.settings.model import WritingBack
from integration.testing.hl7 import FakeHl7Sender
from tests.adapters.ehr.charts import appointment, patient, reply, reply_fact, text_fact
from tests.adapters.ehr.partner import CLOSE, Partner, acknowledgment, pieces
from tests.adapters.ehr.partners_chart import connected, documents, known, port, settled, tell
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from integration.ports.ehr import Fact
    from tests.adapters.ehr.partner import Answer


@pytest.fixture
def sender() -> FakeHl7Sender:
    return FakeHl7Sender()


@pytest.fixture(params=["srm", "siu"])
def mode(request: pytest.FixtureRequest, sender: FakeHl7Sender) -> Hl7AnswerMode:
    return build(tools(None, WritingBack(answers=request.param, hl7=port()), partner=sender))


def yes(**changes: Any) -> Fact:
    """Ana's yes to her visit."""
    fact = known(reply_fact(WriteBackKind.CONFIRMATION))
    return replace(fact, reply=reply(**changes))


def test_a_yes_is_told_of_the_visit_it_confirms(mode: Hl7AnswerMode, sender: FakeHl7Sender) -> None:
    outcome = mode.write(yes())
    (message,) = documents(sender.asked)
    request = message["MSH-9.1"] == "SRM"
    assert message["MSH-9.2"] == ("S03" if request else "S14")
    assert message["ARQ-2.1" if request else "SCH-2.1"] == "A-9"
    assert message["ARQ-6.1" if request else "SCH-25.1"] == "CONFIRMED"
    assert message["NTE-3"] == "Confirmed by text message from ****0123, for 2027-03-05 10:00 EST."
    assert message["PID-3.1"] == "12345"
    assert outcome == Written(message["MSH-10"])


TROUBLES: dict[str, list[Answer]] = {
    "no trouble": [],
    "hangs up without a word": [pieces(CLOSE), pieces(CLOSE)],
    "says nothing": [pieces()],
    "cannot now": [acknowledgment("CE")],
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("answers", ["srm", "siu"])
def test_it_is_told_once_whatever_the_port_does(trouble: str, answers: str) -> None:
    with Partner() as partner, connected(partner, answers=answers) as given:
        partner.plans.extend(TROUBLES[trouble])
        told, outcome = tell(build(given), yes())
        assert isinstance(outcome, Written)
        tell(build(given), told)
        assert not partner.plans
        assert len(partner.heard) == 1 + len(TROUBLES[trouble])
        assert len(documents(partner.heard)) == 1


def test_several_visits_are_confirmed_each_by_a_message_of_its_own(
    mode: Hl7AnswerMode, sender: FakeHl7Sender
) -> None:
    visits = (
        appointment(identifiers=("SCH-2|SCHED|A-9|",)),
        appointment(id=10, identifiers=("SCH-2|SCHED|A-10|2",)),
    )
    both = replace(yes(), appointments=visits)
    fact, _ = tell(mode, both)
    tell(mode, fact)
    path = "ARQ" if documents(sender.asked)[0]["MSH-9.1"] == "SRM" else "SCH"
    assert [(each[f"{path}-2.1"], each[f"{path}-3"]) for each in documents(sender.asked)] == [
        ("A-9", ""),
        ("A-10", "2"),
    ]
    assert len(sender.asked) == 2


def test_a_visit_of_several_patients_is_confirmed_once_all_of_them_have(
    mode: Hl7AnswerMode, sender: FakeHl7Sender
) -> None:
    visit = appointment(identifiers=("SCH-2|SCHED|A-9|",), patients=(7, 8), confirmed_by=(7,))
    some = replace(yes(), appointments=(visit,))
    assert mode.write(some) == LeftOut("the visit has other patients, who have not confirmed it")
    assert not sender.asked
    everybody = replace(yes(), appointments=(replace(visit, confirmed=True, confirmed_by=()),))
    assert isinstance(mode.write(everybody), Written)
    assert len(sender.asked) == 1


@pytest.mark.parametrize("intent", ["cancel", "reschedule", "human", None])
def test_anything_but_a_yes_changes_nothing(
    mode: Hl7AnswerMode, sender: FakeHl7Sender, intent: str | None
) -> None:
    assert isinstance(mode.write(yes(intent=intent)), LeftOut)
    assert isinstance(mode.write(known(text_fact())), LeftOut)
    assert isinstance(mode.write(known(reply_fact())), LeftOut)
    assert not sender.asked


def test_a_visit_or_a_patient_hl7_does_not_know_is_not_told(
    mode: Hl7AnswerMode, sender: FakeHl7Sender
) -> None:
    elsewhere = replace(yes(), appointments=(appointment(identifiers=("Appointment.id||v1|",)),))
    assert isinstance(mode.write(elsewhere), LeftOut)
    assert isinstance(mode.write(replace(yes(), appointments=())), LeftOut)
    assert isinstance(mode.write(replace(yes(), patient=patient(identifiers=()))), NoChart)
    assert not sender.asked


def test_silence_is_doubt_and_a_refusal_a_persons_business(
    mode: Hl7AnswerMode, sender: FakeHl7Sender
) -> None:
    sender.will([NotHeard("no answer")])
    first = mode.write(yes())
    assert first == TryLater("no answer", doubtful=True)
    assert isinstance(mode.write(settled(yes(), first)), Written)
    assert sender.asked[0] == sender.asked[1]


def test_the_code_of_a_refusal_is_kept() -> None:
    with Partner() as partner, connected(partner, answers="srm") as given:
        partner.plans.append(acknowledgment("AE"))
        outcome = build(given).write(yes())
        assert outcome == NotWritable("the partner answered AE")


def test_it_needs_the_port_and_an_agreement(sender: FakeHl7Sender) -> None:
    for given in (
        tools(None, WritingBack(answers="srm", hl7=port())),
        tools(None, WritingBack(answers="srm"), partner=sender),
    ):
        with pytest.raises(ValueError, match=r"\[write_back.hl7\]"):
            build(given)
    with pytest.raises(ValueError, match="answers"):
        build(tools(None, WritingBack(hl7=port()), partner=sender))


def test_the_operator_is_told_in_one_line(mode: Hl7AnswerMode) -> None:
    assert mode.describe().startswith("HL7 S")
    assert mode.name == "hl7_answer"
