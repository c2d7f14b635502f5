"""HL7 v2 → FHIR R4: the public door of the mapper.

    translation = translate(raw, profile, feed)

Never raises: what cannot be mapped is a `Refusal` with a path and a code. Stateless: the event is what
trigger and status say by themselves; whoever keeps the appointment compares.
"""

from fhir_mappers.adt_to_bundle import adt_to_bundle
from fhir_mappers.errors import UnreadableMessage
from fhir_mappers.findings import refuse
from fhir_mappers.message_header import MessageHeader, refused
from fhir_mappers.patient_groups import read_patient_identifiers
from fhir_mappers.profile import VendorProfile
from fhir_mappers.pv1_to_visit import read_prior_visit, read_visit
from fhir_mappers.sch_to_appointment import read_appointment_identifiers, read_occurrence
from fhir_mappers.siu_to_bundle import siu_to_bundle
from fhir_mappers.srm_to_bundle import as_schedule, srm_to_bundle
from fhir_mappers.translation import AppointmentIdentifier, FeedFacts, IdentityKeys, Refusal, Translation
from fhir_mappers.v2_message import V2Message

_MAPS = {
    "ADT": adt_to_bundle,
    "SIU": siu_to_bundle,
    "SRM": srm_to_bundle,
}  # MSH-9.1 → the guide's message map


def translate(raw: bytes, profile: VendorProfile, feed: FeedFacts) -> Translation:
    """Turn one message into FHIR, or say why not. Never raises."""
    try:
        message = V2Message.parse(raw, fallback_charset=feed.charset)
    except UnreadableMessage as unreadable:
        return refused(Refusal(unreadable.path, unreadable.code, unreadable.text))
    header = MessageHeader(message, profile, feed)
    message_map = _MAPS.get(header.message_code)
    if message_map is None:
        return refused(refuse("MSH-9.2", "unsupported-trigger"), header)
    return message_map(message, header, profile, feed)


def identity_keys(raw: bytes, profile: VendorProfile, feed: FeedFacts) -> IdentityKeys:
    """Return only by what appointment and patients are known; empty for what cannot be read. Never raises."""
    try:
        message = V2Message.parse(raw, fallback_charset=feed.charset)
    except UnreadableMessage:
        return IdentityKeys((), "", ())
    if message.get("MSH-9.1") == "SRM":  # as `translate` reads it: elsewhere ARQ is nothing we know by
        message = as_schedule(message)
    visit: tuple[AppointmentIdentifier, ...] = ()
    if not message.count("SCH"):  # ADT: the visit, under the numbers it has and had
        visit = (*read_visit(message, profile), *read_prior_visit(message, profile))
    return IdentityKeys(
        tuple(dict.fromkeys((*read_appointment_identifiers(message, profile, feed), *visit))),
        read_occurrence(message, profile),
        read_patient_identifiers(message, profile, feed),
    )
