"""An EHR of two servers (documents by HL7 v2, all else by FHIR): one that is away holds up its own alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.aftermath import open_task
from integration.domain.circuit import PATIENCE
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.write_back import WriteBackKind
from integration.pipeline.write_back.by_server import ByServer
from integration.ports.ehr import TryLater
from integration.testing.ehr import FakeWriteBack
from tests.messages import siu
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.ports.store import Store

NOW = local("2027-03-01T11:00")
DOCUMENTS = frozenset({WriteBackKind.TEXT, WriteBackKind.REPLY})
OTHERS = frozenset(WriteBackKind) - DOCUMENTS


class DocumentsAway(FakeWriteBack):
    """Takes everything but documents."""

    def write(self, fact: Fact) -> WriteOutcome:
        if fact.row.kind in DOCUMENTS:
            return TryLater("no connection to the MLLP port")
        return super().write(fact)


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, TurnedClock(NOW))


@pytest.mark.parametrize(
    ("servers", "is_told"),
    [
        ({"HL7 v2": DOCUMENTS, "FHIR": OTHERS}, True),
        ({"one": frozenset(WriteBackKind)}, False),
    ],
)
def test_work_for_staff_waits_for_the_server_of_the_documents_only_if_it_is_the_same(
    site: Site, servers: dict[str, frozenset[WriteBackKind]], *, is_told: bool
) -> None:
    site.hear(siu("S12", at=NOW, start=local("2027-03-11T14:30")))
    chart = DocumentsAway()
    site.change(write_back=chart, servers=lambda: servers)
    telling = ByServer(site.workshop)
    with site.store.unit() as unit:
        (text,) = unit.texts.between(NOW, NOW + timedelta(days=1))
        patient_id = text.subjects[0].patient_id
        for number in range(2 * PATIENCE):  # enough for two servers to count as away, were both told of texts
            more = unit.texts.add(replace(text, id=0, provider_id=f"SM{number}"))
            unit.write_backs.want(WriteBackKind.TEXT, more.id, patient_id)
    telling.drain()
    call = StaffTask(0, TaskKind.CALL_PATIENT, "riverside", "call", site.clock.now, patient_id=patient_id)
    with site.store.unit() as unit:
        open_task(unit, call, site.workshop.settings)
    telling.drain()
    told = [kind for kind, *_ in chart.records]
    assert told == ([WriteBackKind.TASK] if is_told else [])
