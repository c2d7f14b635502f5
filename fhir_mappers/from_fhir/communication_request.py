"""CommunicationRequest of R4, R4B and R5 → the text a chart asks for, or that it asks for it no more.

Asked for is what is active, has the medium SMSWRIT (a request without a medium may mean a letter), and does
not say `doNotPerform`. Who gets it is the Patient it is about, or a guardian where it names a RelatedPerson;
one to anybody else is none of ours.
"""

import base64
import binascii
import re
from datetime import datetime
from typing import Final, NamedTuple

from fhir_mappers.findings import refuse
from fhir_mappers.from_fhir.elements import codes, part, parts, truth, word
from fhir_mappers.from_fhir.message import Message
from fhir_mappers.from_fhir.moments import first_day, last_moment, read_instant
from fhir_mappers.from_fhir.patient import map_patient
from fhir_mappers.from_fhir.snapshot import Snapshot, id_of
from fhir_mappers.translation import MappedRequest, Refusal, Resource, Translation

_SMS: Final = "SMSWRIT"  # v3-ParticipationMode
_LONGEST: Final = 1600  # characters; carriers' services take no more in one text
_LONGEST_NAME: Final = 80
_PLAIN: Final = ("", "text/plain")
_NO_TEXT: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class _When(NamedTuple):
    start: datetime | None
    end: datetime | None


def map_request(message: Message) -> Translation:
    """Map the CommunicationRequest a message is about, or say why not."""
    snapshot, request = message.snapshot, message.snapshot.resource
    if not snapshot.id:
        return message.refused(refuse("CommunicationRequest.id", "no-request-id"))
    if snapshot.deleted or word(request, "status") != "active" or truth(request, "doNotPerform"):
        return message.translation("unchanged", request=MappedRequest(snapshot.id, wanted=False))
    patient = _patient(snapshot)
    body = _body(request)
    why = _refusal(snapshot, patient, body)
    if why is not None or patient is None:
        return message.refused(why or refuse("CommunicationRequest.subject", "no-recipient"))
    mapped, sources = map_patient(message, patient)
    when = _when(message)
    return message.translation(
        "unchanged",
        patients=(mapped,),
        sources={f"Patient.{fact}": where for fact, where in sources.items()},
        request=MappedRequest(
            snapshot.id,
            wanted=True,
            body=body,
            start=when.start,
            end=when.end,
            authored=read_instant(word(request, "authoredOn"), message.feed.zone).at,
            visits=tuple(filter(None, (id_of(each, "Appointment") for each in parts(request, "about")))),
            author=_author(request),
            to_related=_is_to_related(snapshot),
        ),
    )


def _refusal(snapshot: Snapshot, patient: Resource | None, body: str) -> Refusal | None:
    """Why an active request becomes no text; what is meant for other ways or readers comes first."""
    request = snapshot.resource
    if not _is_for_us(request):
        return refuse("CommunicationRequest.medium", "no-text-request")
    recipients = [snapshot.resolve(each, "Patient") for each in parts(request, "recipient")]
    if recipients and not _is_to_related(snapshot) and (patient is None or patient not in recipients):
        return refuse("CommunicationRequest.recipient", "no-text-request")
    if len(body) > _LONGEST:
        return refuse("CommunicationRequest.payload", "text-too-long")
    return None if body else refuse("CommunicationRequest.payload", "no-text-in-request")


def _patient(snapshot: Snapshot) -> Resource | None:
    """Whom it is about; where that is not said, its only recipient. Who is contained has no chart."""
    named = parts(snapshot.resource, "subject") or parts(snapshot.resource, "recipient")
    if len(named) != 1 or word(named[0], "reference").startswith("#"):
        return None
    return snapshot.resolve(named[0], "Patient")


def _is_to_related(snapshot: Snapshot) -> bool:
    """Whether it goes to RelatedPersons alone, such as the mother of the patient it is about."""
    named = parts(snapshot.resource, "recipient")
    return bool(named) and all(id_of(each, "RelatedPerson") for each in named)


def _author(request: Resource) -> str | None:
    """Who asks for it, as the chart shows them."""
    for role in ("requester", "sender"):
        who = word(part(request, role), "display")
        if who:
            return _printable(who)[:_LONGEST_NAME]
    return None


def _when(message: Message) -> _When:
    """From when until when it is to go; a day without a time is the whole day."""
    request, zone = message.snapshot.resource, message.feed.zone
    period = part(request, "occurrencePeriod")
    starts, ends = word(period, "start") or word(request, "occurrenceDateTime"), word(period, "end")
    start = read_instant(starts, zone).at
    day = None if start else first_day(starts)
    if day is not None:
        start, ends = datetime(day.year, day.month, day.day, tzinfo=zone), ends or starts
    if starts and start is None:
        message.warn("CommunicationRequest.occurrence", "not-an-instant")
    return _When(start, last_moment(ends, zone) if ends else None)


def _is_for_us(request: Resource) -> bool:
    return any(coded.code == _SMS for medium in parts(request, "medium") for coded in codes(medium))


def _body(request: Resource) -> str:
    """The words of all payloads, a line each."""
    lines = []
    for payload in parts(request, "payload"):
        attachment = part(payload, "contentAttachment")
        kind = word(attachment, "contentType").partition(";")[0].strip().lower()
        said = payload.get("contentString")
        if attachment and kind in _PLAIN:
            said = _decoded(attachment.get("data"))
        lines.append(_printable(said) if isinstance(said, str) else "")
    return "\n".join(line for line in lines if line)


def _printable(said: str) -> str:
    """Without what no phone shows: control characters but the end of a line, halves of a UTF-16 pair."""
    lines = said.replace("\r\n", "\n").replace("\r", "\n")
    return _NO_TEXT.sub(" ", lines).strip()


def _decoded(data: object) -> str:
    if not isinstance(data, str):
        return ""
    try:
        return base64.b64decode("".join(data.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
