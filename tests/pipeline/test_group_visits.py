"""Stories of a visit of several patients (several PIDs): each answers for themselves (decision 0045)."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import TYPE_CHECKING

import pytest

from integration.domain.circuit import Circuit
from integration.domain.failure import Failure
from integration.domain.plan_rules import Ask, Step, WhenConfirmed
from integration.domain.staff_task import TaskKind
from integration.domain.write_back import WriteBackKind
from integration.pipeline.release import Waiting, drop
from integration.pipeline.write_back import write_next
from integration.testing.ehr import FakeWriteBack
from tests import settings as make
from tests.adt import adt, with_visit
from tests.messages import ANA, BEN, CARLA, called, siu
from tests.pipeline.network import BOOKED_AT, VISIT, deliver, number_of, report, say, site_at
from tests.site import Site, local

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.ports.ehr import Fact
    from tests.messages import Person

pytestmark = pytest.mark.usefixtures("every_store")

DORA = called(CARLA, mrn="MRN5", given="Dora", language="en")  # another number than Ana's and Ben's
LATER = local("2027-03-18T09:00")
ASKED = "2027-03-06T10:00"  # five days ahead


def group(trigger: str, *people: Person, at: datetime, start: datetime | None = VISIT, **more: str) -> bytes:
    """One message about the visit of all of these."""
    message = siu(trigger, at=at, start=start, person=people[0], **more)
    for person in people[1:]:
        theirs = siu(trigger, at=at, start=start, person=person)
        pid = next(line for line in theirs.split(b"\r") if line.startswith(b"PID"))
        message = message.replace(b"RGS|1", pid + b"\rRGS|1")
    return message


def asked(*people: Person) -> Site:
    """All were told of the booking, and five days ahead asked to confirm it."""
    site = site_at()
    site.hear(group("S12", *people, at=BOOKED_AT))
    deliver(site)
    site.until(local(ASKED))
    deliver(site)
    return site


def hear(site: Site, trigger: str, *people: Person, start: datetime | None = VISIT, **more: str) -> None:
    site.hear(group(trigger, *people, at=site.clock.now, start=start, **more))


def answer(site: Site, person: Person, words: str) -> int:
    """The patient writes; the reply's id."""
    return say(site, words, number=number_of(person)).id


def visit(site: Site) -> Appointment:
    with site.store.unit() as unit:
        return unit.appointments.get(1)


def who(site: Site, *people: Person) -> list[str]:
    """Who of these has confirmed."""
    with site.store.unit() as unit:
        appointment = unit.appointments.get(1)
        known = {name.given: name.id for name in map(unit.patients.get, appointment.patients)}
    return [each.given for each in people if appointment.is_confirmed_by(known[each.given])]


def texts_to(site: Site, person: Person) -> dict[str, str]:
    """By occasion, what went to the number."""
    return {
        text.occasion: text.body
        for text in site.texts
        if text.number == number_of(person) and text.offered_at is not None
    }


def decisions(site: Site, step: str) -> dict[str, tuple[str, str | None]]:
    """By patient, what became of one step."""
    with site.store.unit() as unit:
        return {
            unit.patients.get(each.patient_id).given: (each.state.value, each.reason)
            for each in unit.reminders.of_appointment(1)
            if each.step == step
        }


def charts(site: Site, ehr: FakeWriteBack) -> dict[tuple[int, str], list[int]]:
    """The answers in each chart: by patient and what was said, to which visits it is an answer still."""
    circuit = Circuit()
    while write_next(site.store, ehr, site.clock, lambda: 0.0, circuit):
        pass
    told: dict[tuple[int, str], list[int]] = {}
    for (kind, _, patient_id), facts in ehr.records.items():
        if kind is WriteBackKind.CONFIRMATION:
            told[patient_id, _said(facts[-1])] = [each.id for each in facts[-1].appointments]
    return told


def _said(fact: Fact) -> str:
    assert fact.reply is not None
    return fact.reply.intent or ""


# --- Two patients, two numbers -------------------------------------------------------------------


def test_whoever_has_not_answered_is_asked_and_reminded_still() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    assert (who(site, ANA, DORA), visit(site).confirmed) == (["Ana"], False)
    site.until(VISIT)

    assert "Reply C" not in texts_to(site, ANA)["two_days"]
    assert "Reply C" in texts_to(site, DORA)["two_days"]
    assert "three_hours" not in texts_to(site, ANA)
    assert "Reply C" in texts_to(site, DORA)["three_hours"]


def test_each_step_is_decided_for_each_patient() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    assert decisions(site, "three_hours") == {"Ana": ("skipped", "confirmed"), "Dora": ("planned", None)}
    site.until(VISIT)
    assert decisions(site, "three_hours") == {"Ana": ("skipped", "confirmed"), "Dora": ("sent", None)}


def test_a_plan_thought_over_knows_whose_yes_it_was() -> None:
    """On the day of a step that only the undecided get, whoever has confirmed gets the other one."""
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    nudge = Step("nudge", days_ahead=2, at=time(12), ask=Ask.ALWAYS, when_confirmed=WhenConfirmed.NOTHING)
    plan = make.practice().plan
    plan = replace(plan, steps=(*plan.steps, replace(nudge, text="three_hours")))
    site.change(settings=replace(site.settings, practices={"riverside": make.practice(plan=plan)}))
    hear(site, "S14", ANA, DORA)
    site.until(VISIT)
    assert decisions(site, "two_days") == {
        "Ana": ("sent", None),
        "Dora": ("skipped", "said by the step nudge on the same day"),
    }
    assert decisions(site, "nudge") == {"Ana": ("skipped", "confirmed"), "Dora": ("sent", None)}


def test_when_all_have_said_yes_the_visit_is_confirmed() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    answer(site, DORA, "yes")
    assert visit(site).confirmed
    site.until(VISIT)
    assert "three_hours" not in texts_to(site, ANA) | texts_to(site, DORA)


def test_a_yes_stands_in_the_chart_of_who_said_it() -> None:
    site, ehr = asked(ANA, DORA), FakeWriteBack()
    answer(site, ANA, "C")
    assert charts(site, ehr) == {(1, "confirm"): [1]}
    answer(site, DORA, "C")
    assert charts(site, ehr) == {(1, "confirm"): [1], (2, "confirm"): [1]}


def test_who_said_yes_and_then_no_takes_back_that_yes_alone() -> None:
    site, ehr = asked(ANA, DORA), FakeWriteBack()
    answer(site, ANA, "C")
    answer(site, DORA, "C")
    charts(site, ehr)
    answer(site, ANA, "I can't make it")

    assert (who(site, ANA, DORA), visit(site).confirmed) == (["Dora"], False)
    assert [(task.kind, task.patient_id) for task in site.tasks] == [(TaskKind.CANCEL_WISH, 1)]
    told = charts(site, ehr)
    assert told[1, "cancel"] == told[2, "confirm"] == [1]


def test_a_yes_told_late_says_nothing_once_it_was_taken_back() -> None:
    site = asked(ANA, DORA)
    for person, words in ((ANA, "C"), (DORA, "C"), (ANA, "I can't make it")):
        answer(site, person, words)
    told = charts(site, FakeWriteBack())
    assert (1, "confirm") not in told  # the no has overtaken it
    assert told == {(1, "cancel"): [1], (2, "confirm"): [1]}


def test_one_patients_no_leaves_the_other_to_be_asked() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "I can't make it")
    site.until(VISIT)
    assert "Reply C" in texts_to(site, DORA)["three_hours"]
    assert who(site, ANA, DORA) == []


def test_a_cancellation_is_told_to_who_has_confirmed_and_to_who_has_not() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    hear(site, "S15", ANA, DORA, start=None)
    assert "cancelled" in texts_to(site, ANA)
    assert "cancelled" in texts_to(site, DORA)


def test_a_moved_visit_is_confirmed_by_nobody() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    hear(site, "S13", ANA, DORA, start=LATER)
    assert who(site, ANA, DORA) == []
    assert "Reply C" in texts_to(site, ANA)["moved"]
    answer(site, DORA, "C")
    assert who(site, ANA, DORA) == ["Dora"]


def test_a_visit_moved_and_back_before_anybody_heard_is_confirmed_as_it_was() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    site.receive(group("S13", ANA, DORA, at=site.clock.now, start=LATER))
    site.receive(group("S13", ANA, DORA, at=site.clock.now, start=VISIT))
    site.work()
    assert who(site, ANA, DORA) == ["Ana"]


def test_staff_call_whom_no_text_reached_and_not_whoever_has_confirmed() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    deliver(site)
    site.until(local("2027-03-09T10:05"))
    for text in [each for each in site.sms.texts() if not each.status.is_final]:
        report(site, "undelivered", Failure.UNREACHABLE, provider_id=text.provider_id)
    with site.store.unit() as unit:
        again = [each for each in unit.reminders.of_appointment(1) if each.after_text_id is not None]
    assert [each.patient_id for each in again] == [1, 2]
    drop(site.store, site.settings, Waiting(tuple(again), None), site.clock.now)
    assert [(task.kind, task.patient_id) for task in site.tasks] == [(TaskKind.CALL_PATIENT, 2)]


# --- A family on one number ----------------------------------------------------------------------


def test_a_familys_one_yes_to_the_one_text_is_each_ones() -> None:
    site, ehr = asked(ANA, BEN), FakeWriteBack()
    assert "Ana" in texts_to(site, ANA)["five_days"]
    assert "Ben" in texts_to(site, ANA)["five_days"]
    answer(site, ANA, "C")
    assert visit(site).confirmed
    assert charts(site, ehr) == {(1, "confirm"): [1], (2, "confirm"): [1]}


def test_of_a_family_one_may_come_and_the_other_not() -> None:
    site, ehr = asked(ANA, BEN), FakeWriteBack()
    answer(site, ANA, "C")
    answer(site, ANA, "I can't make it")
    assert "which_visit" in texts_to(site, ANA)
    assert visit(site).confirmed
    answer(site, ANA, "2")
    assert who(site, ANA, BEN) == ["Ana"]
    assert [(task.kind, task.patient_id) for task in site.tasks] == [(TaskKind.CANCEL_WISH, 2)]
    assert charts(site, ehr)[1, "confirm"] == [1]


def test_whose_question_is_still_to_come_is_asked_though_a_relative_said_yes() -> None:
    site = asked(ANA)
    hear(site, "S14", ANA, BEN)
    answer(site, ANA, "C")
    assert who(site, ANA, BEN) == ["Ana"]
    assert decisions(site, "three_hours") == {"Ana": ("skipped", "confirmed"), "Ben": ("planned", None)}


# --- What the EHR says ---------------------------------------------------------------------------


def test_what_the_ehr_calls_confirmed_all_have_confirmed() -> None:
    site = asked(ANA, DORA)
    hear(site, "S14", ANA, DORA, status="Confirmed")
    assert visit(site).confirmed
    answer(site, ANA, "I can't make it")
    assert who(site, ANA, DORA) == ["Dora"]


def test_who_joins_a_visit_has_not_confirmed_it() -> None:
    site = asked(ANA)
    answer(site, ANA, "C")
    assert visit(site).confirmed
    hear(site, "S14", ANA, DORA)
    assert who(site, ANA, DORA) == ["Ana"]
    site.until(VISIT)
    assert "three_hours" in texts_to(site, DORA)
    assert "three_hours" not in texts_to(site, ANA)


def test_who_stays_has_confirmed_what_is_another_ones_now() -> None:
    site = asked(ANA, DORA)
    answer(site, ANA, "C")
    answer(site, DORA, "C")
    hear(site, "S14", BEN, DORA)
    assert who(site, BEN, DORA) == ["Dora"]
    hear(site, "S14", DORA)
    assert visit(site).confirmed


def test_a_part_in_a_visit_that_is_another_ones_now_is_not_confirmed() -> None:
    site = site_at()
    site.hear(with_visit(group("S12", ANA, DORA, at=BOOKED_AT), "V1"))
    site.hear(adt("A28", at=BOOKED_AT, person=BEN))
    site.until(local(ASKED))
    for person in (ANA, DORA):
        answer(site, person, "C")
    site.hear(adt("A45", at=site.clock.now, person=BEN, gone=ANA.mrn, gone_visit="V1"))
    assert who(site, BEN, DORA) == ["Dora"]


def test_two_records_that_become_one_have_said_what_either_said() -> None:
    site = asked(ANA, DORA)
    other = called(ANA, mrn="MRN9")
    site.hear(siu("S12", at=site.clock.now, visit="B1", start=LATER, person=other))
    answer(site, ANA, "C")
    site.hear(adt("A40", at=site.clock.now, person=other, gone=ANA.mrn))
    assert visit(site).patients != (1, 2)
    assert who(site, other, DORA) == ["Ana"]
    hear(site, "S14", other, DORA)
    assert who(site, other, DORA) == ["Ana"]
