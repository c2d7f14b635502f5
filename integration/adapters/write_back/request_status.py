"""Brings a CommunicationRequest of the EHR's to its end: completed once its text has left, else revoked.

Only the status changes, over the version that was read. One that a person has brought to an end stays as it
is. What became of the text is told by the Communication that answers it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from integration.adapters.ehr.fhir_answers import Conflict, Held, Missing, NoPlace, Uncertain, Unfit
from integration.domain.delivery_status import DeliveryStatus
from integration.ports.ehr import LeftOut, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.domain.text_message import TextMessage
    from integration.ports.ehr import Fact, NotWritable, WriteOutcome

_MOST_RACES: Final = 3
_TYPE: Final = "CommunicationRequest"
_OPEN: Final = frozenset({"active", "draft", "on-hold"})
_LEFT: Final = frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED})


class RequestStatusMode:
    """One EHR with a FHIR R4 server that takes changes of CommunicationRequest."""

    name = "request_status"

    def __init__(self, fhir: FhirTools) -> None:
        self._fhir = fhir

    def describe(self) -> str:
        """One line for the operator."""
        return f"status of FHIR CommunicationRequest at {self._fhir.client.base_url}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Read, look, write; again when somebody was faster."""
        if fact.request is None:
            return LeftOut("the text was asked for by no request")
        status = _status(fact.text)
        if status is None:
            return LeftOut("what becomes of the text is not known yet")
        for _ in range(_MOST_RACES):
            told = self._end(fact.request, status)
            if isinstance(told, Held):
                return Written(told.id, told.version)
            if not isinstance(told, Conflict):
                return self._trouble(told)
        return TryLater("others keep changing the request on the EHR", away=False)

    def _end(self, request_id: str, status: str) -> Held | Missing | Conflict | NotWritable | TryLater:
        """The request as it is now, or as it has become."""
        held = self._fhir.client.read(_TYPE, request_id)
        if not isinstance(held, Held):
            return held
        current = held.resource or {}
        if current.get("status") not in _OPEN:
            return held
        return self._fhir.client.update(
            {**current, "resourceType": _TYPE, "status": status}, held.id, held.version
        )

    def _trouble(self, told: Missing | NotWritable | TryLater) -> WriteOutcome:
        if isinstance(told, Missing):
            return LeftOut("the request is no longer on the EHR's FHIR server")
        if isinstance(told, Uncertain):  # set twice, it is set
            return TryLater(told.reason, told.after)
        if isinstance(told, NoPlace | Unfit):
            if isinstance(told, NoPlace):
                self._fhir.capabilities.deny(_TYPE, "update")
            return replace(told, resource_type=_TYPE)
        return told


def _status(text: TextMessage | None) -> str | None:
    """request-status (hl7.org/fhir/R4/valueset-request-status.html); None while it is under way."""
    if text is None or text.status is DeliveryStatus.FAILED:
        return "revoked"
    return "completed" if text.status in _LEFT or text.final_at is not None else None


def build(tools: Tools) -> RequestStatusMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode request_status needs EHR_FHIR_BASE_URL")
    return RequestStatusMode(tools.fhir)
