"""A text or a reply as a note in the chart: FHIR R4 DocumentReference (`reference/standards.md` 4.3).

For servers that have no place for a Communication. Pure, as `communication`.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fhir.resources.R4B.documentreference import DocumentReference

from fhir_mappers.outgoing import (
    MESSAGE_SYSTEM,
    Resource,
    checked,
    date_time,
    identifier,
    organization,
    plain_text,
    reference,
    without_gaps,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class ReferenceStatus(StrEnum):
    """document-reference-status (required binding), as far as we set it."""

    CURRENT = "current"


class DocumentStatus(StrEnum):
    """composition-status (required binding), as far as we set it."""

    PRELIMINARY = "preliminary"  # later news may come
    FINAL = "final"


class Relation(StrEnum):
    """document-relationship-type (required binding), as far as we use it."""

    APPENDS = "appends"


@dataclass(frozen=True, slots=True)
class NoteType:
    """What kind of document the chart calls it."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Note:
    """A text or a reply as one patient's chart should show it."""

    identifier: str  # ours, unique over all stores
    patient_id: str  # the ids are those of the EHR's FHIR server
    organization: str  # the practice's public name
    type: NoteType
    title: str
    lines: Sequence[str]
    happened: datetime
    is_final: bool
    author: str | None = None  # a reference, such as Practitioner/123
    encounter_id: str | None = None
    appointment_ids: tuple[str, ...] = ()
    appends: str | None = None  # id of the DocumentReference of the text that a reply answers


def document(note: Note) -> Resource:
    """The DocumentReference; raises `BadResource`."""
    happened = date_time(note.happened)
    words = plain_text("\n".join(note.lines))
    return checked(
        DocumentReference,
        without_gaps(
            resourceType="DocumentReference",
            identifier=[identifier(MESSAGE_SYSTEM, note.identifier)],
            status=ReferenceStatus.CURRENT,
            docStatus=DocumentStatus.FINAL if note.is_final else DocumentStatus.PRELIMINARY,
            type={"coding": [_coding(note.type)], "text": note.type.display or note.title},
            subject=reference("Patient", note.patient_id),
            date=happened,
            author=[{"reference": note.author}] if note.author else None,
            custodian=organization(note.organization),
            relatesTo=_relations(note.appends),
            description=note.title,
            content=[
                {
                    "attachment": without_gaps(
                        contentType="text/plain",
                        data=b64encode(words.encode()).decode(),
                        title=note.title,
                        creation=happened,
                    )
                }
            ],
            context=without_gaps(
                encounter=[reference("Encounter", note.encounter_id)] if note.encounter_id else None,
                period={"start": happened, "end": happened},
                related=[reference("Appointment", each) for each in note.appointment_ids],
            ),
        ),
    )


def _coding(kind: NoteType) -> Resource:
    return without_gaps(system=kind.system, code=kind.code, display=kind.display)


def _relations(appended: str | None) -> list[Resource]:
    if appended is None:
        return []
    return [{"code": Relation.APPENDS, "target": reference("DocumentReference", appended)}]
