"""SIU → Appointment and Patients: the public door of the HL7 v2 mapper (guide: message SIU_S12).

    translation = translate(raw, profile, feed)

Never raises: what cannot be mapped is a `Refusal` with a path and a code. Stateless: the event is what
trigger and status say by themselves; whoever keeps the appointment compares.
"""

from fhir_mappers.errors import UnreadableMessage
from fhir_mappers.findings import refuse, warn
from fhir_mappers.hl7_time import Written, place, read_time
from fhir_mappers.pid_to_patient import pid_to_patient, read_identifiers
from fhir_mappers.profile import VendorProfile
from fhir_mappers.sch_to_appointment import (
    CLINICAL,
    AppointmentFacts,
    SiuMessage,
    read_appointment_identifiers,
    read_occurrence,
    sch_to_appointment,
)
from fhir_mappers.tables import TRIGGERS
from fhir_mappers.translation import (
    AppointmentIdentifier,
    FeedFacts,
    Identifier,
    IdentityKeys,
    LocationCode,
    MappedAppointment,
    MappedPatient,
    MapWarning,
    Refusal,
    Translation,
)
from fhir_mappers.v2_message import V2Message

__all__ = [
    "CLINICAL",
    "AppointmentIdentifier",
    "FeedFacts",
    "Identifier",
    "IdentityKeys",
    "LocationCode",
    "MapWarning",
    "MappedAppointment",
    "MappedPatient",
    "Refusal",
    "Translation",
    "identity_keys",
    "translate",
]

_NEVER = Written(None, None, "")
_ENDING = frozenset({"cancelled", "discontinued", "deleted", "no-show"})
_RESOURCES = ("AIS", "AIG", "AIL", "AIP")


def translate(raw: bytes, profile: VendorProfile, feed: FeedFacts) -> Translation:
    """Turn one message into FHIR, or say why not. Never raises."""
    try:
        message = V2Message.parse(raw, fallback_charset=feed.charset)
    except UnreadableMessage as unreadable:
        return _refused(Refusal(unreadable.path, unreadable.code, unreadable.text))
    header = _Header(message, feed)
    code = message.get("MSH-9.2")
    name = profile.triggers.get(code, code)
    trigger = TRIGGERS.get(name)
    if message.get("MSH-9.1") != "SIU" or trigger is None:
        return _refused(refuse("MSH-9.2", "unsupported-trigger"), header, name)
    if not trigger.has_patient:
        return _refused(refuse("PID", "no-patient-by-definition"), header, name)
    if trigger.event not in _ENDING:
        message = _without_removed(message, profile)

    sources: dict[str, str] = {}
    patients = _patients(message, profile, feed, header, sources)
    if not patients:
        return _refused(refuse("PID", "no-patient"), header, name)
    identifiers = read_appointment_identifiers(message, profile, feed)
    if not identifiers:
        path = (feed.identity or profile.appointment.identity)[0]
        return _refused(refuse(path, "no-appointment-identifier"), header, name)
    facts = sch_to_appointment(
        SiuMessage(message, trigger, header.sent, header.occurred_at, profile, feed), identifiers, patients
    )
    sources |= _sources(facts)
    return Translation(
        control_id=header.control_id,
        trigger=name,
        event=facts.standing.event,
        occurred_at=header.occurred_at,
        processing_id=header.processing_id,
        appointment=facts.appointment,
        patients=tuple(patients),
        warnings=(*header.warnings, *facts.warnings),
        refusal=None,
        sources=sources,
    )


def _patients(
    message: V2Message, profile: VendorProfile, feed: FeedFacts, header: "_Header", sources: dict[str, str]
) -> list[MappedPatient]:
    """Map every patient; warnings go to the header, where facts came from to `sources`."""
    patients: list[MappedPatient] = []
    sent_on = header.sent.local.date() if header.sent.local else None
    for number, group in enumerate(message.patients(), start=1):
        mapped = pid_to_patient(group, profile, feed, sent_on)
        if mapped is None:
            continue
        patient, paths, findings = mapped
        patients.append(patient)
        header.warnings += [_in_group(finding, number) for finding in findings]
        key = "Patient" if len(patients) == 1 else f"Patient[{len(patients)}]"
        sources |= {
            f"{key}.{fact}": _numbered(path, number) for fact, path in paths._asdict().items() if path
        }
    return patients


def _sources(facts: AppointmentFacts) -> dict[str, str]:
    """Say from which path each fact of the appointment came."""
    times, appointment = facts.times, facts.appointment
    found = {
        "Appointment.identifier": appointment.identifiers[0].path,
        "Appointment.status": facts.standing.path,
        "Appointment.start": times.start_path,
        "Appointment.end": times.end_path,
        "Appointment.modality": facts.modality_path,
        "Appointment.location": appointment.locations[0].path if appointment.locations else "",
    }
    return {fact: path for fact, path in found.items() if path}


def identity_keys(raw: bytes, profile: VendorProfile, feed: FeedFacts) -> IdentityKeys:
    """Return only by what appointment and patients are known; empty for what cannot be read. Never raises."""
    try:
        message = V2Message.parse(raw, fallback_charset=feed.charset)
    except UnreadableMessage:
        return IdentityKeys((), "", ())
    patients = [read_identifiers(group, profile, feed)[0] for group in message.patients()]
    return IdentityKeys(
        read_appointment_identifiers(message, profile, feed),
        read_occurrence(message, profile),
        tuple(identifier for identifiers in patients for identifier in identifiers),
    )


class _Header:
    """What MSH says, and what was noted while reading it."""

    __slots__ = ("control_id", "occurred_at", "processing_id", "sent", "warnings")

    def __init__(self, message: V2Message, feed: FeedFacts) -> None:
        self.warnings: list[MapWarning] = list(message.warnings)
        self.control_id = message.get("MSH-10")
        self.processing_id = message.get("MSH-11")
        if not self.control_id:
            self.warnings.append(warn("MSH-10", "no-control-id"))
        value = message.get("MSH-7")
        self.sent = read_time(value) if value.strip() else _NEVER
        moment = place(self.sent, feed.zone)
        self.occurred_at = moment.at
        if moment.problem and moment.at is None:
            self.warnings.append(warn("MSH-7", moment.problem))


def _refused(refusal: Refusal, header: _Header | None = None, trigger: str = "") -> Translation:
    return Translation(
        control_id=header.control_id if header else "",
        trigger=trigger,
        event="ignored",
        occurred_at=header.occurred_at if header else None,
        processing_id=header.processing_id if header else "",
        appointment=None,
        patients=(),
        warnings=tuple(header.warnings) if header else (),
        refusal=refusal,
        sources={},
    )


def _without_removed(message: V2Message, profile: VendorProfile) -> V2Message:
    """Leave out the resources that segment action codes take away (RGS-2, AIS-2 …, HL7 table 0206)."""
    removed = profile.appointment.removed
    actions = [action for name in ("RGS", *_RESOURCES) for action in message.column(name, 2)]
    if not any(action and action.strip().casefold() in removed for action in actions):
        return message
    gone: list[list[str]] = []
    for group in message.resources():
        whole = group.get("RGS-2").strip().casefold() in removed
        for row, name in zip(group.rows, group.segments, strict=True):
            if whole or group.part([row]).get(f"{name}-2").strip().casefold() in removed:
                gone.append(row)
    return message.without(gone)


def _numbered(path: str, number: int) -> str:
    """Return the path with its segment's number, where it is not the first: PID[2]-13."""
    return path if number == 1 else path.replace("-", f"[{number}]-", 1)


def _in_group(finding: MapWarning, number: int) -> MapWarning:
    return finding if number == 1 else MapWarning(_numbered(finding.path, number), finding.code, finding.text)
