"""A Communication as Canvas takes it: a message between the patient and one practitioner.

It keeps who, when and the words, and calls every message completed (docs.canvasmedical.com, Communication).
So what a reader of the chart must know of a text that did not arrive stands in the words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fhir.resources.R4B.communication import Communication

from fhir_mappers.outgoing import checked, without_gaps

if TYPE_CHECKING:
    from integration.adapters.ehr.fhir_answers import Resource

_SUPPORTED: Final = ("resourceType", "identifier", "subject", "sent", "received")
_ARRIVED: Final = frozenset({"completed", "in-progress"})


def as_message(communication: Resource, practitioner: str) -> Resource:
    """The Communication with `practitioner` (a reference) at our end; raises `BadResource`."""
    patient = communication["subject"]
    staff = {"reference": practitioner, "type": "Practitioner"}
    is_reply = (communication.get("sender") or {}).get("type") != "Organization"
    sender, recipient = (patient, staff) if is_reply else (staff, patient)
    words = [each["contentString"] for each in communication.get("payload") or ()]
    if not words or communication["status"] not in _ARRIVED:
        words += [f"[{each['text']}]" for each in communication.get("note") or ()]
    return checked(
        Communication,
        without_gaps(
            **{name: communication.get(name) for name in _SUPPORTED},
            status="unknown",
            sender=sender,
            recipient=[recipient],
            payload=[{"contentString": "\n".join(words)}],
        ),
    )
