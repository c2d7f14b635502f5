"""Writes nothing to any chart: the log says which fact would have gone there, by ids alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from integration.ports.ehr import Written

if TYPE_CHECKING:
    from integration.adapters.ehr.tools import Tools
    from integration.ports.ehr import Fact, WriteOutcome

_log = structlog.get_logger()


class LogOnlyMode:
    """No EHR is configured."""

    name = "log_only"

    def write(self, fact: Fact) -> WriteOutcome:
        """Accept it. No id is made up, so an EHR configured later gets the next news as something new."""
        row = fact.row
        _log.info("write_back_logged", kind=row.kind, subject=row.subject_id, patient=row.patient_id)
        return Written(ehr_id="")

    def describe(self) -> str:
        """One line for the operator."""
        return "the log alone: no chart is written"


def build(tools: Tools) -> LogOnlyMode:
    """The mode; it needs none of what other modes are told."""
    del tools
    return LogOnlyMode()
