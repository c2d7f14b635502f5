"""Asks staff by a FHIR Communication addressed to them, for EHRs without Task (Oracle's Message Center).

Written once, when the work is opened: a message that was read cannot be taken back, and when the work is done
nobody need hear of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_mappers.task import staff_message
from integration.adapters.ehr.filing import Filing
from integration.adapters.ehr.staff_work import is_work, staff_work
from integration.ports.ehr import LeftOut, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.ports.ehr import Fact, WriteOutcome
    from integration.settings.model import WritingBack


class StaffMessageMode:
    """One EHR with a FHIR R4 server that takes Communications to its staff."""

    name = "staff_message"

    def __init__(self, fhir: FhirTools, filing: Filing, settings: WritingBack) -> None:
        self._fhir = fhir
        self._filing = filing
        self._settings = settings

    def describe(self) -> str:
        """One line for the operator."""
        return f"FHIR Communication to {self._settings.staff_group} at {self._fhir.client.base_url}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Send it, once."""
        if fact.row.is_in_chart:
            return Written(fact.row.ehr_id or "", fact.row.ehr_version)
        if not is_work(fact):
            return LeftOut("there is nothing in it for staff to do")
        if fact.task is not None and fact.task.done_at is not None:
            return LeftOut("it was done before the EHR's staff were asked")
        abilities = self._fhir.capabilities.of("Communication")
        if isinstance(abilities, TryLater):
            return abilities
        if not abilities.create:
            return LeftOut("the EHR takes no Communication: it is on our own list")
        return self._filing.file(
            fact,
            abilities,
            lambda links: staff_message(staff_work(fact, links, self._settings), identified=abilities.find),
        )


def build(tools: Tools) -> StaffMessageMode:
    """The mode for one FHIR server and one group of its staff."""
    if tools.fhir is None:
        raise ValueError("write-back mode staff_message needs EHR_FHIR_BASE_URL")
    if tools.settings.staff_group is None:
        raise ValueError("write-back mode staff_message needs write_back.staff_group")
    return StaffMessageMode(tools.fhir, Filing(tools.fhir, tools.organization), tools.settings)
