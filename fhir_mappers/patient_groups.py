"""Every PATIENT group of a message, one after another: a group visit has several."""

from dataclasses import replace

from fhir_mappers.message_header import MessageHeader
from fhir_mappers.mrg_to_merge import read_prior
from fhir_mappers.pid_to_patient import pid_to_patient, read_identifiers
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import FeedFacts, Identifier, MappedPatient, MapWarning
from fhir_mappers.v2_message import V2Message


def map_patients(
    message: V2Message,
    profile: VendorProfile,
    feed: FeedFacts,
    header: MessageHeader,
    sources: dict[str, str],
    *,
    deleted: bool = False,
) -> list[MappedPatient]:
    """Map every patient; warnings go to the header, where facts came from to `sources`.

    `deleted`: the message says that they were entered in error (A29).
    """
    patients: list[MappedPatient] = []
    sent_on = header.sent.local.date() if header.sent.local else None
    for number, group in enumerate(message.patients(), start=1):
        mapped = pid_to_patient(group, profile, feed, sent_on)
        if mapped is None:
            continue
        patient, paths, findings = mapped
        if deleted:
            patient = replace(patient, resource=patient.resource | {"active": False}, deleted=True)
        patients.append(patient)
        header.warnings += [_in_group(finding, number) for finding in findings]
        key = "Patient" if len(patients) == 1 else f"Patient[{len(patients)}]"
        sources |= {
            f"{key}.{fact}": _numbered(path, number) for fact, path in paths._asdict().items() if path
        }
    return patients


def read_patient_identifiers(
    message: V2Message, profile: VendorProfile, feed: FeedFacts
) -> tuple[Identifier, ...]:
    """By what the patients of a message are known, those included whose records are gone (MRG)."""
    found: list[Identifier] = []
    for group in message.patients():
        own = read_identifiers(group, profile, feed)[0]
        found += own
        for row in range(1, group.count("MRG") + 1):
            found += read_prior(group, row, own, profile, feed)
    return tuple(found)


def _numbered(path: str, number: int) -> str:
    """Return the path with its group's number, where it is not the first: PID[2]-13.

    A segment that repeats within the group, such as NK1, keeps its number there.
    """
    return path if number == 1 or path[3:4] == "[" else path.replace("-", f"[{number}]-", 1)


def _in_group(finding: MapWarning, number: int) -> MapWarning:
    return finding if number == 1 else MapWarning(_numbered(finding.path, number), finding.code, finding.text)
