"""The outbox of the chart: in order, once, through any outage, and without a name in the log (promise 9)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from integration.domain.circuit import PATIENCE, Circuit, Pass
from integration.domain.pace import Pace, Progress
from integration.domain.staff_task import TaskKind
from integration.domain.write_back import (
    LONGEST_RETRY,
    TELL_STAFF_AFTER,
    WriteBack,
    WriteBackKind,
    WriteBackState,
    rest,
)
from integration.pipeline.write_back import LEASE, drain, write_next
from integration.ports.ehr import LeftOut, NoChart, NotWritable, TryLater
from integration.testing.ehr import FakeWriteBack
from integration.testing.store import FakeStore
from tests.adapters.ehr import charts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.domain.staff_task import StaffTask
    from integration.domain.text_message import TextMessage
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.ports.store import Store

WALL = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
AWAY = TryLater("no connection to the EHR")


@dataclass
class Watch:
    """Two clocks that stand until told."""

    now: datetime = WALL

    def calendar(self) -> datetime:
        return self.now + timedelta(days=365)

    def wall(self) -> datetime:
        return self.now


@dataclass
class Office:
    """A store with one text to Ana, an EHR, a clock and a worker's circuit."""

    store: Store
    ehr: FakeWriteBack = field(default_factory=FakeWriteBack)
    clock: Watch = field(default_factory=Watch)
    circuit: Circuit = field(default_factory=Circuit)
    patient_id: int = 0
    visit_id: int = 0
    text_id: int = 0

    def __post_init__(self) -> None:
        with self.store.unit() as unit:
            ana = unit.patients.save(charts.patient(id=0))
            visit = unit.appointments.save(charts.appointment(id=0, patients=(ana.id,), confirmed=True))
            subject = replace(charts.text().subjects[0], patient_id=ana.id, appointment_id=visit.id)
            text = unit.texts.add(charts.text(id=0, subjects=(subject,)))
            self.patient_id, self.visit_id, self.text_id = ana.id, visit.id, text.id
            unit.write_backs.want(WriteBackKind.TEXT, text.id, ana.id)

    def write(self) -> bool:
        return write_next(self.store, self.ehr, self.clock, lambda: 0.5, self.circuit)

    def drain(self, limit: int = 100) -> int:
        return drain(self.store, self.ehr, self.clock, lambda: 0.5, self.circuit, limit=limit)

    def row(self, kind: WriteBackKind = WriteBackKind.TEXT, subject_id: int | None = None) -> WriteBack:
        with self.store.unit() as unit:
            row = unit.write_backs.find(kind, subject_id or self.text_id, self.patient_id)
        assert row is not None
        return row

    def tasks(self) -> Sequence[StaffTask]:
        with self.store.unit() as unit:
            return unit.tasks.open()

    def more_texts(self, count: int) -> list[TextMessage]:
        """Further texts to Ana, each to be told."""
        with self.store.unit() as unit:
            subjects = unit.texts.get(self.text_id).subjects
            texts = [
                unit.texts.add(charts.text(id=0, subjects=subjects, provider_id=f"SM{number:04}"))
                for number in range(count)
            ]
            for text in texts:
                unit.write_backs.want(WriteBackKind.TEXT, text.id, self.patient_id)
        return texts

    def hear_reply(self) -> int:
        """Ana confirms; the chart is to know both the reply and the answer."""
        with self.store.unit() as unit:
            unit.replies.add(
                charts.reply(id=0, done=False, text_id=None, patient_id=None, appointment_id=None)
            )
            reply = unit.replies.claim()
            assert reply is not None
            unit.replies.update(
                charts.reply(
                    id=reply.id,
                    text_id=self.text_id,
                    patient_id=self.patient_id,
                    appointment_id=self.visit_id,
                )
            )
            unit.write_backs.want(WriteBackKind.CONFIRMATION, reply.id, self.patient_id)
            unit.write_backs.want(WriteBackKind.REPLY, reply.id, self.patient_id)
        return reply.id

    def drain_discreetly(self, place: str) -> int:
        """As `drain`, where this place is sensitive."""
        return drain(
            self.store,
            self.ehr,
            self.clock,
            lambda: 0.5,
            self.circuit,
            is_sensitive=lambda visit: visit.slot.place == place,
        )


@pytest.fixture
def office() -> Office:
    return Office(FakeStore())


def test_a_fact_is_written_and_its_place_remembered(store: Store) -> None:
    office = Office(store)
    assert office.write()
    row = office.row()
    assert (row.state, row.written_revision, row.ehr_version) == (WriteBackState.WRITTEN, 1, "1")
    with store.unit() as unit:
        assert unit.patients.get(office.patient_id).ehr_id == f"patient-{office.patient_id}"
        assert unit.appointments.get(office.visit_id).ehr_id == f"visit-{office.visit_id}"
    assert not office.write()


@pytest.mark.parametrize("change", [{"confirmed": False, "slot_number": 2}, {"status": "cancelled"}])
def test_a_yes_to_the_old_time_is_not_told_of_the_new_one(store: Store, change: dict[str, object]) -> None:
    office = Office(store)
    reply_id = office.hear_reply()
    with store.unit() as unit:
        visit = unit.appointments.get(office.visit_id)
        unit.appointments.save(replace(visit, **change))  # type: ignore[arg-type]
    assert office.drain() == 3
    assert (WriteBackKind.CONFIRMATION, reply_id, office.patient_id) not in office.ehr.records
    row = office.row(WriteBackKind.CONFIRMATION, reply_id)
    assert (row.state, row.reason) == (
        WriteBackState.GAVE_UP,
        "the visit has changed since it was answered about, or was answered about anew",
    )


def test_the_chart_hears_the_text_then_the_reply_then_the_answer(store: Store) -> None:
    office = Office(store)
    reply_id = office.hear_reply()
    assert office.drain() == 3
    kinds = [kind for kind, _, _ in office.ehr.records]
    assert kinds == [WriteBackKind.TEXT, WriteBackKind.REPLY, WriteBackKind.CONFIRMATION]
    (told,) = office.ehr.records[WriteBackKind.REPLY, reply_id, office.patient_id]
    assert told.answered is not None
    assert told.answered.ehr_id == office.row().ehr_id
    assert [visit.id for visit in told.appointments] == [office.visit_id]


def test_news_that_comes_while_we_write_is_told_next(store: Store) -> None:
    office = Office(store)

    class Slow(FakeWriteBack):
        def write(self, fact: Fact) -> WriteOutcome:
            with store.unit() as unit:  # no transaction is open while the EHR is spoken to
                unit.write_backs.want(WriteBackKind.TEXT, office.text_id, office.patient_id)
            return super().write(fact)

    slow = Slow()
    assert write_next(store, slow, office.clock, lambda: 0.5, office.circuit)
    row = office.row()
    assert (row.state, row.written_revision, row.revision) == (WriteBackState.PENDING, 1, 2)
    assert office.drain() == 1
    assert office.row().written_revision == 2


def test_a_worker_that_dies_leaves_a_row_whose_lease_runs_out(office: Office) -> None:
    office.ehr.will([KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        office.write()
    assert not office.write()
    office.clock.now += LEASE
    assert office.write()
    assert office.row().state is WriteBackState.WRITTEN


def test_a_text_that_speaks_of_two_visits_and_two_patients_is_told_for_each_patient_alone(
    office: Office,
) -> None:
    with office.store.unit() as unit:
        ben = unit.patients.save(charts.patient(id=0, identifiers=("ben",), given="Ben"))
        bens = unit.appointments.save(charts.appointment(id=0, identifiers=("B",), patients=(ben.id,)))
        second = unit.appointments.save(
            charts.appointment(id=0, identifiers=("A-10",), patients=(office.patient_id,))
        )
        (first,) = unit.texts.get(office.text_id).subjects
        subjects = (
            replace(first, part="Ana: Fri"),
            replace(first, patient_id=ben.id, appointment_id=bens.id, part="Ben: Fri"),
            replace(first, appointment_id=second.id, part="Ana: Mon"),
        )
        text = unit.texts.add(charts.text(id=0, subjects=subjects))
        unit.write_backs.want(WriteBackKind.TEXT, text.id, office.patient_id)
        unit.write_backs.want(WriteBackKind.TEXT, text.id, ben.id)
    office.drain()
    (to_ana,) = office.ehr.records[WriteBackKind.TEXT, text.id, office.patient_id]
    (to_ben,) = office.ehr.records[WriteBackKind.TEXT, text.id, ben.id]
    assert [visit.id for visit in to_ana.appointments] == [office.visit_id, second.id]
    assert [visit.id for visit in to_ben.appointments] == [bens.id]


# when it does not go well


def test_a_refusal_is_parked_and_a_person_told_until_there_is_news(store: Store) -> None:
    office = Office(store)
    office.ehr.will([NotWritable("the EHR refused it: HTTP 422")])
    office.write()
    assert (office.row().state, office.row().reason) == (
        WriteBackState.REFUSED,
        "the EHR refused it: HTTP 422",
    )
    (task,) = office.tasks()
    assert (task.kind, task.practice, task.text_id) == (TaskKind.WRITE_BACK, "riverside", office.text_id)
    assert not office.write()
    with store.unit() as unit:
        unit.write_backs.want(WriteBackKind.TEXT, office.text_id, office.patient_id)
    assert office.write()
    assert office.row().state is WriteBackState.WRITTEN


def test_a_patient_without_a_chart_is_one_task_however_many_texts_wait(store: Store) -> None:
    office = Office(store)
    office.more_texts(2)
    office.ehr.will([NoChart("more than one Patient of the EHR has the patient's identifier")] * 3)
    assert office.drain() == 3
    assert office.row().state is WriteBackState.GAVE_UP
    (task,) = office.tasks()
    assert (task.kind, task.patient_id, task.text_id) == (TaskKind.LINK_PATIENT, office.patient_id, None)


def test_what_is_rightly_left_out_troubles_nobody(office: Office) -> None:
    office.ehr.will([LeftOut("the EHR takes no updates: written once, when the outcome is final")])
    office.write()
    assert office.row().state is WriteBackState.GAVE_UP
    assert not office.tasks()


def test_a_reply_to_a_parked_text_is_told_all_the_same(office: Office) -> None:
    reply_id = office.hear_reply()
    office.ehr.will([NotWritable("refused")])
    office.drain()
    (told,) = office.ehr.records[WriteBackKind.REPLY, reply_id, office.patient_id]
    assert told.answered is not None
    assert told.answered.ehr_id is None


def test_waits_double_up_to_ten_minutes_and_the_servers_wish_is_kept(office: Office) -> None:
    waits = []
    for _ in range(10):
        office.circuit = Circuit()
        office.ehr.will([AWAY])
        assert office.write()
        due = office.row().next_try_at
        assert due is not None
        waits.append(due - office.clock.now)
        office.clock.now = due - timedelta(microseconds=1)
        assert not office.write()
        office.clock.now = due
    assert [wait.total_seconds() for wait in waits] == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert rest(1, timedelta(minutes=30), 0.5) == timedelta(minutes=30)
    assert rest(1, timedelta(0), 0.5) == timedelta(seconds=5)  # "0" must not make us spin
    assert office.row().tries == 10
    office.circuit = Circuit()
    office.write()
    assert (office.row().tries, office.row().reason) == (0, None)


def test_a_fact_that_is_tried_for_hours_is_told_to_a_person_once(office: Office) -> None:
    for _ in range(TELL_STAFF_AFTER + 3):
        office.ehr.will([TryLater("the EHR failed: HTTP 500", away=False)])
        assert office.write()
        office.clock.now += LONGEST_RETRY * 2
    (task,) = office.tasks()
    assert task.kind is TaskKind.WRITE_BACK
    assert "which go on" in task.reason
    assert office.row().state is WriteBackState.PENDING


def test_an_error_of_ours_holds_up_one_fact_only_and_its_words_are_not_repeated(office: Office) -> None:
    (other,) = office.more_texts(1)
    office.ehr.will([RuntimeError("Ana Secret")])
    assert office.drain() == 2
    assert office.row().reason == "writing stopped unexpectedly (RuntimeError)"
    assert office.row(subject_id=other.id).state is WriteBackState.WRITTEN


# outages


def test_an_outage_costs_one_request_a_backoff_and_afterwards_all_is_told_in_order(office: Office) -> None:
    texts = office.more_texts(200)
    office.ehr.will([AWAY] * 1000)
    asked = []
    for _ in range(12):
        office.drain()
        asked.append(office.ehr.asked)
        office.clock.now += LONGEST_RETRY * 2
    assert asked == [PATIENCE + probes for probes in range(12)]
    office.ehr._next.clear()
    while office.drain():
        pass
    told = [subject for _, subject, _ in office.ehr.records]
    assert sorted(told) == [office.text_id, *(text.id for text in texts)]
    assert all(len(history) == 1 for history in office.ehr.records.values())


def test_facts_that_must_wait_alone_do_not_make_the_ehr_away(office: Office) -> None:
    office.more_texts(20)
    office.ehr.will([TryLater("it may have been created; looked for once", away=False)] * 10)
    assert office.drain() == 21
    assert office.ehr.asked == 21


def test_only_one_probe_is_let_in_at_a_time() -> None:
    circuit = Circuit()
    for _ in range(PATIENCE):
        assert circuit.admit(WALL) is Pass.USUAL
        circuit.failed(Pass.USUAL, WALL, None, 0.5)
    assert circuit.admit(WALL) is None
    later = WALL + timedelta(seconds=5)
    assert circuit.admit(later) is Pass.PROBE
    assert circuit.admit(later) is None
    circuit.let_be(Pass.USUAL)  # one who was let in before the outage
    assert circuit.admit(later) is None
    circuit.failed(Pass.PROBE, later, None, 0.5)
    assert circuit.admit(later + timedelta(seconds=9)) is None
    assert circuit.admit(later + timedelta(seconds=10)) is Pass.PROBE
    circuit.let_be(Pass.PROBE)  # there was nothing to ask
    assert circuit.admit(later + timedelta(seconds=10)) is Pass.PROBE
    circuit.heard()
    assert circuit.admit(later) is Pass.USUAL


# what is not told


def test_a_row_whose_text_is_gone_ends_quietly(office: Office) -> None:
    with office.store.unit() as unit:
        unit.write_backs.want(WriteBackKind.REPLY, 999, office.patient_id)
    assert office.drain() == 2
    assert office.row(WriteBackKind.REPLY, 999).state is WriteBackState.GAVE_UP
    assert not office.tasks()


def test_the_log_holds_ids_and_status_words_only(office: Office) -> None:
    office.hear_reply()
    office.ehr.will([RuntimeError("Ana Secret")])
    with structlog.testing.capture_logs() as logs:
        office.drain()
    assert {line["event"] for line in logs} == {"write_back"}
    assert not {"Ana", "Secret", "+12025550123", "12345"} & {
        word for line in logs for word in str(line).split()
    }


def test_a_drain_ends_at_its_limit(office: Office) -> None:
    office.more_texts(5)
    assert office.drain(limit=4) == 4
    assert office.drain(limit=4) == 2


def test_a_backlog_drains_no_faster_than_is_polite_and_says_how_far_it_is(office: Office) -> None:
    office.more_texts(400)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        office.clock.now += timedelta(seconds=seconds)

    with structlog.testing.capture_logs() as logs:
        told = drain(
            office.store,
            office.ehr,
            office.clock,
            lambda: 0.5,
            office.circuit,
            limit=1000,
            pace=Pace(5),
            progress=Progress(),
            sleep=sleep,
        )
    assert told == 401
    assert slept == [0.2] * 401  # also before it is seen that there is no more
    lines = [each for each in logs if each["event"] == "write_back_backlog"]
    assert lines == [
        {
            "event": "write_back_backlog",
            "log_level": "info",
            "waiting": 250,
            "told_lately": 151,
            "minutes_left": 1,
        },
        {
            "event": "write_back_backlog",
            "log_level": "info",
            "waiting": 100,
            "told_lately": 150,
            "minutes_left": 1,
        },
    ]


def test_the_ehrs_words_about_a_refusal_are_kept_for_a_person_and_never_logged(office: Office) -> None:
    office.ehr.will([NotWritable("HTTP 422", words="Ana Secret is no patient here")])
    with structlog.testing.capture_logs() as logs:
        office.write()
    row = office.row()
    assert (row.state, row.reason, row.words) == (
        WriteBackState.REFUSED,
        "HTTP 422",
        "Ana Secret is no patient here",
    )
    assert "Secret" not in str(logs)
    with office.store.unit() as unit:
        unit.write_backs.again([row.id])
    office.write()
    assert (office.row().state, office.row().words) == (WriteBackState.WRITTEN, None)


@pytest.mark.parametrize(("place", "discreet"), [("", True), ("elsewhere", False)])
@pytest.mark.parametrize("visit_is_named", [True, False])
def test_a_reply_about_a_visit_at_a_sensitive_place_is_told_discreetly(
    office: Office, place: str, *, discreet: bool, visit_is_named: bool
) -> None:
    reply_id = office.hear_reply()
    with office.store.unit() as unit:
        visit = unit.appointments.get(office.visit_id)
        reply = unit.replies.get(reply_id)
        unit.replies.update(replace(reply, appointment_id=visit.id if visit_is_named else None))
    office.drain_discreetly(place or visit.slot.place)
    (told,) = office.ehr.records[WriteBackKind.REPLY, reply_id, office.patient_id]
    assert told.discreet is discreet
