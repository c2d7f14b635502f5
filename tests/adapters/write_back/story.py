"""A site that texts Ana, and writes what came of it into whatever EHR there is: outbox and chart together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from integration.adapters.chart import Chart
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.hl7_sender import Line, MllpSender
from integration.domain.circuit import Circuit
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import Subject
from integration.domain.write_back import LONGEST_RETRY, WriteBack, WriteBackKind, WriteBackState
from integration.pipeline.write_back import drain
from integration.testing.store import FakeStore
from tests.adapters.ehr import charts
from tests.adapters.ehr.partners_chart import KEYS, VISIT_KEYS
from tests.adapters.ehr.tooling import tools
from tests.site import TurnedClock

if TYPE_CHECKING:
    from integration.adapters.ehr.choosing import Purpose
    from integration.settings.model import WritingBack
    from tests.adapters.ehr.partner import Partner

FINAL = charts.DELIVERED["final_at"]
NO_RECEIPT: dict[str, Any] = {**charts.SENT, "final_at": FINAL}
UNDELIVERED: dict[str, Any] = {
    **charts.SENT,
    "status": DeliveryStatus.UNDELIVERED,
    "failure": Failure.UNREACHABLE,
    "error_code": "30003",
    "final_at": FINAL,
}
FAILED: dict[str, Any] = {
    "status": DeliveryStatus.FAILED,
    "failure": Failure.BAD_NUMBER,
    "error_code": "21211",
    "provider_id": None,
    "final_at": FINAL,
}
UNRESOLVED: dict[str, Any] = {"status": DeliveryStatus.QUEUED, "unresolved": True, "provider_id": None}

# How each text of the day ends, after what
ENDS: dict[str, list[dict[str, Any]]] = {
    "delivered": [{}, charts.SENT, charts.DELIVERED],
    "undelivered": [{}, charts.SENT, UNDELIVERED],
    "failed": [FAILED],
    "unresolved": [UNRESOLVED],
    "no receipt": [{}, charts.SENT, NO_RECEIPT],
}


class Site:
    """A store with Ana and her visit, and the chart behind it."""

    def __init__(
        self, base_url: str | None, settings: WritingBack | None = None, partner: Partner | None = None
    ) -> None:
        self.client = None if base_url is None else FhirClient(base_url, timeout=httpx.Timeout(2, read=0.3))
        self.clock = TurnedClock(charts.CREATED)
        sender = None if partner is None else MllpSender(Line("127.0.0.1", partner.port, "accept", 0.3))
        self.sender = sender
        self.chart = Chart(tools(self.client, settings, partner=sender, wall=self.clock.wall))
        self.store = FakeStore()
        self.circuit = Circuit()
        with self.store.unit() as unit:
            ana = unit.patients.save(charts.patient(id=0, identifiers=KEYS))
            visit = unit.appointments.save(
                charts.appointment(id=0, patients=(ana.id,), identifiers=VISIT_KEYS, confirmed=True)
            )
            self.patient_id, self.visit_id = ana.id, visit.id

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
        if self.sender is not None:
            self.sender.rest()

    def way(self, purpose: Purpose) -> str:
        """The mode that serves a purpose."""
        ways = self.chart.ways()
        assert isinstance(ways, dict), ways
        return str(ways[purpose].mode)

    def text(self, number: int, **changes: Any) -> int:
        """A text to Ana."""
        with self.store.unit() as unit:
            subjects = (Subject(self.patient_id, self.visit_id),)
            fresh = charts.text(id=0, subjects=subjects, provider_id=f"SM{number}", body=f"Text {number}.")
            text_id = unit.texts.add(replace(fresh, **changes)).id
            unit.write_backs.want(WriteBackKind.TEXT, text_id, self.patient_id)
            return text_id

    def news(self, text_id: int, **changes: Any) -> None:
        """What has been heard of a text."""
        with self.store.unit() as unit:
            unit.texts.update(replace(unit.texts.get(text_id), **changes))
            unit.write_backs.want(WriteBackKind.TEXT, text_id, self.patient_id)

    def reply(self, text_id: int, body: str, intent: str, *further: WriteBackKind) -> int:
        """An answer of Ana's, and what else the chart should be told because of it."""
        with self.store.unit() as unit:
            said = charts.reply(
                id=0,
                provider_id=f"SM-{body}",
                body=body,
                intent=intent,
                text_id=text_id,
                patient_id=self.patient_id,
                appointment_id=self.visit_id,
            )
            assert unit.replies.add(said)
            reply_id = max(self.store.tables.replies)
            for kind in (WriteBackKind.REPLY, *further):
                unit.write_backs.want(kind, reply_id, self.patient_id)
            return reply_id

    def task(self, reply_id: int) -> None:
        """Work for staff about a reply."""
        with self.store.unit() as unit:
            added = unit.tasks.add(
                StaffTask(
                    0,
                    TaskKind.RESCHEDULE_WISH,
                    "riverside",
                    "the patient wishes another time",
                    self.clock.now,
                    patient_id=self.patient_id,
                    reply_id=reply_id,
                )
            )
            assert added is not None
            unit.write_backs.want(WriteBackKind.TASK, added, self.patient_id)

    def day(self) -> dict[str, int]:
        """A whole day: each text by how it ended, with replies, a yes, a STOP and work for staff."""
        texts = {}
        for number, (end, states) in enumerate(ENDS.items()):
            texts[end] = self.text(number, **states[0])
            self.work()
            for state in states[1:]:
                self.news(texts[end], **state)
                self.work()
        self.reply(texts["delivered"], "C", "confirm", WriteBackKind.CONFIRMATION)
        self.work()
        self.task(self.reply(texts["no receipt"], "another day please", "reschedule"))
        self.reply(texts["no receipt"], "STOP", "stop", WriteBackKind.CONSENT)
        self.work(rounds=8)
        return texts

    def work(self, rounds: int = 1) -> None:
        """Write what is due, and let time pass, so many times."""
        for _ in range(rounds):
            drain(self.store, self.chart, self.clock, lambda: 0.5, self.circuit)
            self.clock.now += LONGEST_RETRY + timedelta(seconds=1)

    def rows(self, *kinds: WriteBackKind) -> list[WriteBack]:
        """What the outbox says."""
        found = sorted(self.store.tables.write_backs.values(), key=lambda row: row.id)
        return [row for row in found if not kinds or row.kind in kinds]

    def states(self, *kinds: WriteBackKind) -> set[WriteBackState]:
        """In what states its rows are."""
        return {row.state for row in self.rows(*kinds)}

    def open_tasks(self) -> list[StaffTask]:
        """What staff are asked to do about the chart."""
        with self.store.unit() as unit:
            return [each for each in unit.tasks.open() if each.kind is TaskKind.WRITE_BACK]
