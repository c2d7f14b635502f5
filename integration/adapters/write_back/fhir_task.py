"""Writes work for staff as FHIR Task: requested when it is opened, completed when it is done.

Where settings leave answers to staff, a patient's yes is such work, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_mappers.task import task
from integration.adapters.ehr.filing import Filing
from integration.adapters.ehr.staff_work import is_work, staff_work
from integration.ports.ehr import LeftOut, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.settings.model import WritingBack


class FhirTaskMode:
    """One EHR with a FHIR R4 server that takes Task."""

    name = "fhir_task"

    def __init__(self, fhir: FhirTools, filing: Filing, settings: WritingBack) -> None:
        self._fhir = fhir
        self._filing = filing
        self._settings = settings

    def describe(self) -> str:
        """One line for the operator."""
        owner = self._settings.staff_group
        return f"FHIR Task at {self._fhir.client.base_url}" + (f" for {owner}" if owner else "")

    def write(self, fact: Fact) -> WriteOutcome:
        """Create the Task, or bring it forward."""
        abilities = self._fhir.capabilities.of("Task")
        if isinstance(abilities, TryLater):
            return abilities
        if fact.row.is_in_chart and not abilities.update:
            return Written(fact.row.ehr_id or "", fact.row.ehr_version)
        if not is_work(fact):
            return LeftOut("there is nothing in it for staff to do")
        if not abilities.create and not fact.row.is_in_chart:
            return LeftOut("the EHR takes no Task: it is on our own list")
        return self._filing.file(fact, abilities, lambda links: task(staff_work(fact, links, self._settings)))


def build(tools: Tools) -> FhirTaskMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode fhir_task needs EHR_FHIR_BASE_URL")
    return FhirTaskMode(tools.fhir, Filing(tools.fhir, tools.organization), tools.settings)
