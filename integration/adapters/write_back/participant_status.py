"""Writes a patient's yes or no as the patient's own participant status of the EHR's Appointment.

Only that one element changes, over the version that was read: everything else stays as the EHR has it, its
status above all. When somebody was faster, the visit is read again, and a yes to a slot that is no longer the
visit's goes nowhere (promise 7). What we write comes back as news of the Appointment, and says what we know.

Oracle takes a JSON Patch by a path of its own, and only a yes (docs.oracle.com,
millennium-platform-apis/mfrap/op-appointment-id-patch).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from fhir_mappers.response import ParticipantStatus
from integration.adapters.ehr.fact_to_fhir import ANSWERS, Links
from integration.adapters.ehr.fhir_answers import Conflict, Held, Missing, NoPlace, Uncertain, Unfit
from integration.adapters.ehr.filing import Filing
from integration.adapters.ehr.vendor import Vendor, vendor_of
from integration.ports.ehr import LeftOut, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from collections.abc import Collection

    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.tools import FhirTools, Tools
    from integration.domain.appointment import Appointment
    from integration.ports.ehr import Fact, WriteOutcome

_EXPECTED: Final = frozenset({"booked", "pending"})  # Appointment.status of a visit that is to take place
_MOST_RACES: Final = 3
_OF_ORACLE: Final = {"op": "replace", "path": "/patient-status", "value": "accepted"}


class _Way(Enum):
    """How an Appointment is changed."""

    UPDATE = auto()
    PATCH = auto()
    ORACLES_PATCH = auto()


class ParticipantStatusMode:
    """One EHR with a FHIR R4 server that takes changes of Appointment."""

    name = "participant_status"

    def __init__(self, fhir: FhirTools, filing: Filing) -> None:
        self._fhir = fhir
        self._filing = filing

    def describe(self) -> str:
        """One line for the operator."""
        return f"participant status of FHIR Appointment at {self._fhir.client.base_url}"

    def write(self, fact: Fact) -> WriteOutcome:
        """Set it on each visit that was answered about; set already, it stays."""
        if fact.reply is None or fact.reply.intent not in ANSWERS:
            return LeftOut("the reply is no yes or no")
        answer = ANSWERS[fact.reply.intent]
        way = self._way(answer)
        if not isinstance(way, _Way):
            return way
        links = self._filing.links(fact)
        if not isinstance(links, Links):
            return links
        whose = {links.patient_id, fact.patient.ehr_id or links.patient_id}
        theirs = dict(links.visits)
        outcomes = [
            self._set(visit, theirs[visit.id], whose, answer, way)
            for visit in fact.appointments
            if visit.id in theirs
        ]
        trouble = next((each for each in outcomes if isinstance(each, TryLater | NotWritable)), None)
        written = next((each for each in outcomes if isinstance(each, Written)), None)
        if trouble is not None or written is None:
            return trouble or outcomes[0]
        return Written(written.ehr_id, written.version, links.patient_id, links.visits)

    def _way(self, answer: ParticipantStatus) -> _Way | LeftOut | TryLater:
        """How this server takes this answer."""
        server = self._fhir.capabilities.server()
        if isinstance(server, TryLater):
            return server
        abilities = server.of("Appointment")
        if not (abilities.update or abilities.patch):
            return LeftOut("the EHR takes no change of Appointment")
        if vendor_of(server) is not Vendor.ORACLE:
            return _Way.UPDATE if abilities.update else _Way.PATCH
        accepts = answer is ParticipantStatus.ACCEPTED
        return _Way.ORACLES_PATCH if accepts else LeftOut("the EHR takes a yes alone")

    def _set(
        self,
        visit: Appointment,
        appointment_id: str,
        whose: Collection[str],
        answer: ParticipantStatus,
        way: _Way,
    ) -> Written | LeftOut | NotWritable | TryLater:
        """Read, look, write; again when somebody was faster."""
        for _ in range(_MOST_RACES):
            held = self._fhir.client.read("Appointment", appointment_id)
            if isinstance(held, Missing):
                return LeftOut("the visit is no longer on the EHR's FHIR server")
            if not isinstance(held, Held):
                return held
            current = held.resource or {}
            place = self._place(current, visit, whose)
            if not isinstance(place, int):
                return place
            if current["participant"][place].get("status") == answer:
                return Written(held.id, held.version)
            outcome = self._write(current, held, place, answer, way)
            if not isinstance(outcome, Conflict):
                return outcome
        return TryLater("others keep changing the visit on the EHR", away=False)

    def _place(self, current: Resource, visit: Appointment, whose: Collection[str]) -> int | LeftOut:
        """Where the patient stands among the participants of what is still the same visit."""
        if current.get("status") not in _EXPECTED:
            return LeftOut("the visit is no longer booked on the EHR")
        if visit.slot.start is None or _instant(current.get("start")) != visit.slot.start:
            return LeftOut("the visit has another time on the EHR than the one that was answered about")
        for place, participant in enumerate(current.get("participant") or ()):
            if self._fhir.linker.id_in(participant.get("actor"), "Patient") in whose:
                return place
        return LeftOut("the patient takes no part in the visit on the EHR")

    def _write(
        self,
        current: Resource,
        held: Held,
        place: int,
        answer: ParticipantStatus,
        way: _Way,
    ) -> Written | LeftOut | NotWritable | TryLater | Conflict:
        client = self._fhir.client
        if way is _Way.UPDATE and held.version is None:
            return LeftOut("the EHR shows no version of the visit: a change could undo somebody else's")
        if way is _Way.UPDATE:
            everybody = list(current["participant"])
            everybody[place] = {**everybody[place], "status": answer.value}
            told = client.update({**current, "participant": everybody}, held.id, held.version)
        else:
            steps = [_OF_ORACLE] if way is _Way.ORACLES_PATCH else _steps(current, held, place, answer)
            told = client.patch("Appointment", held.id, steps, held.version)
        if isinstance(told, Held):
            return Written(told.id, told.version)
        if isinstance(told, Missing):
            return LeftOut("the visit is no longer on the EHR's FHIR server")
        if isinstance(told, Uncertain):  # set twice, it is set
            return TryLater(told.reason, told.after)
        if isinstance(told, NoPlace | Unfit):
            if isinstance(told, NoPlace):
                self._fhir.capabilities.deny("Appointment", "update")
            return replace(told, resource_type="Appointment")
        return told


def _steps(current: Resource, held: Held, place: int, answer: ParticipantStatus) -> list[dict[str, Any]]:
    """A JSON Patch (RFC 6902). Without a version to match, it looks itself whom it changes, and when."""
    path = f"/participant/{place}"
    has_status = "status" in current["participant"][place]
    change = {"op": "replace" if has_status else "add", "path": f"{path}/status", "value": answer.value}
    if held.version is not None:
        return [change]
    return [
        {"op": "test", "path": "/start", "value": current["start"]},
        {"op": "test", "path": f"{path}/actor", "value": current["participant"][place]["actor"]},
        change,
    ]


def _instant(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def build(tools: Tools) -> ParticipantStatusMode:
    """The mode for one FHIR server."""
    if tools.fhir is None:
        raise ValueError("write-back mode participant_status needs EHR_FHIR_BASE_URL")
    return ParticipantStatusMode(tools.fhir, Filing(tools.fhir, tools.organization))
