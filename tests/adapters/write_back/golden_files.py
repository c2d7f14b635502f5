"""What each EHR is sent for every kind of fact.

After a wanted change: python -m tests.adapters.write_back.golden_files
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integration.adapters.chart import Chart
from integration.adapters.ehr.fhir_client import FhirClient
from integration.domain.write_back import WriteBack, WriteBackKind
from integration.settings.model import Documents, WritingBack
from tests.adapters.ehr.canvas import CanvasEhr
from tests.adapters.ehr.charts import (
    ANA,
    DELIVERED,
    SENT,
    UNANSWERED,
    admit,
    reply,
    reply_fact,
    skipped_fact,
    task_fact,
    text_fact,
    wish_fact,
)
from tests.adapters.ehr.epic import EpicEhr
from tests.adapters.ehr.oracle import OracleEhr
from tests.adapters.ehr.strict_server import StrictEhr, listening
from tests.adapters.ehr.tooling import tools
from tests.adapters.write_back.story import FAILED, NO_RECEIPT, UNDELIVERED, UNRESOLVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.ports.ehr import Fact
    from tests.adapters.ehr.strict_server import Asked

FOLDER = Path(__file__).with_name("golden")
ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "e1",
    "status": "planned",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/ana"},
    "appointment": [{"reference": "Appointment/visit"}],
}
FACTS: dict[str, Fact] = {
    "text_queued": text_fact(),
    "text_sent": text_fact(**SENT),
    "text_delivered": text_fact(**DELIVERED),
    "text_undelivered": text_fact(**UNDELIVERED),
    "text_failed": text_fact(**FAILED),
    "text_unresolved": text_fact(**UNRESOLVED),
    "text_without_receipt": text_fact(**NO_RECEIPT),
    "reply": reply_fact(answered=WriteBack(1, WriteBackKind.TEXT, 17, 4)),
    "reply_for_staff": replace(reply_fact(), reply=reply(body="Can I bring my dog?", intent="human")),
    "reminder_skipped": skipped_fact(),
    "confirmation": reply_fact(WriteBackKind.CONFIRMATION),
    "consent_stop": wish_fact(),
    "consent_start": wish_fact("start"),
    "task_opened": task_fact(),
}


def _r4() -> StrictEhr:
    ehr = StrictEhr()
    ehr.refers_strictly = False
    for name in ("Task", "Consent"):
        ehr.offers[name] = {"create", "update", "read", "search-type"}
    return ehr


STAFFED = WritingBack(staff_group="Group/9", staff_sender="Practitioner/1")
EHRS: dict[str, tuple[Callable[[], StrictEhr], WritingBack]] = {
    "r4": (_r4, WritingBack()),
    "epic": (EpicEhr, WritingBack(document=Documents(encounter=True))),
    "oracle": (OracleEhr, replace(STAFFED, document=Documents(author="Practitioner/1"))),
    "canvas": (CanvasEhr, STAFFED),
}


@contextmanager
def _recording(ehr: StrictEhr) -> Iterator[list[dict[str, Any]]]:
    """Every write request, as it came."""
    heard: list[dict[str, Any]] = []
    rules = ehr.house_rule

    def house_rule(asked: Asked) -> Any:
        if asked.method != "GET":
            heard.append({"request": f"{asked.method} {'/'.join(asked.segments)}", "body": asked.body})
        return rules(asked)

    ehr.house_rule = house_rule  # type: ignore[method-assign] # this one server's
    with listening(ehr):
        admit(ehr, {**ANA, "id": "ana"}, {**UNANSWERED, "id": "visit"})
        ehr.put(ENCOUNTER, "e1")
        yield heard


def sent(name: str, fact: str) -> dict[str, Any]:
    """What one EHR was sent for one fact, and what came of it."""
    make, settings = EHRS[name]
    ehr = make()
    with _recording(ehr) as heard:
        client = FhirClient(ehr.base_url)
        try:
            outcome = Chart(tools(client, settings)).write(FACTS[fact])
        finally:
            client.close()
    reason = getattr(outcome, "reason", None)
    return {"outcome": type(outcome).__name__, "reason": reason, "sent": heard}


def path_of(name: str, fact: str) -> Path:
    """Where it is kept."""
    return FOLDER / name / f"{fact}.json"


def _write() -> None:
    for name in EHRS:
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        for fact in FACTS:
            told = json.dumps(sent(name, fact), indent=2, ensure_ascii=False)
            path_of(name, fact).write_text(f"{told}\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
