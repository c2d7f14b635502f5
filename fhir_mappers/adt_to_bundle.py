"""ADT → Patients, and what it says of a visit and of records that become one (guide: message ADT_A01 …).

No appointment comes of it: whether the visit is one that a scheduling message announced is for whoever
keeps appointments to find out.
"""

from typing import Final

from fhir_mappers.adt_triggers import ADT_TRIGGERS, AdtKind
from fhir_mappers.datatypes import plain
from fhir_mappers.findings import refuse, warn
from fhir_mappers.hl7_time import place, read_time
from fhir_mappers.message_header import MessageHeader, refused
from fhir_mappers.mrg_to_merge import read_merges
from fhir_mappers.patient_groups import map_patients
from fhir_mappers.profile import VendorProfile
from fhir_mappers.pv1_to_visit import read_visit, read_visit_change
from fhir_mappers.translation import Event, FeedFacts, Merge, Translation, Visit, VisitChange
from fhir_mappers.v2_message import V2Message

_NOTED: Final = {
    AdtKind.LINKED: "records-linked",
    AdtKind.ACCOUNTS_ONLY: "accounts-only",
    AdtKind.IDENTIFIER_MOVED: "identifier-moved",
}


def adt_to_bundle(
    message: V2Message, header: MessageHeader, profile: VendorProfile, feed: FeedFacts
) -> Translation:
    """Map one ADT message, or say why not."""
    kind = ADT_TRIGGERS.get(header.trigger)
    if kind is None:
        return refused(refuse("MSH-9.2", "unsupported-trigger"), header)
    if kind is AdtKind.IRRELEVANT:
        return refused(refuse("MSH-9.2", "irrelevant-trigger"), header)
    sources: dict[str, str] = {}
    deleted = kind is AdtKind.PERSON_DELETED
    patients = map_patients(message, profile, feed, header, sources, deleted=deleted)
    if not patients:
        return refused(refuse("PID", "no-patient"), header)
    merges: tuple[Merge, ...] = ()
    if kind is AdtKind.RECORDS_MERGED:
        groups = message.patients()
        merges = tuple(merge for group in groups for merge in read_merges(group, profile, feed))
        if not merges and not any(plain(group.get("MRG-1")) for group in groups):
            return refused(refuse("MRG-1", "no-merged-record"), header)
        if not merges:
            header.warnings.append(warn("MRG-1", "merged-into-itself"))
    if kind in _NOTED:
        header.warnings.append(warn("MSH-9.2", _NOTED[kind]))
    visit = Visit(read_visit(message, profile), _event(message, header.trigger, kind, profile))
    if visit.identifiers:
        sources["Visit.identifier"] = visit.identifiers[0].path
    return Translation(
        control_id=header.control_id,
        trigger=header.trigger,
        event="deleted" if deleted else visit.event,
        occurred_at=header.occurred_at or place(read_time(message.get("EVN-2")), feed.zone).at,
        processing_id=header.processing_id,
        appointment=None,
        patients=tuple(patients),
        warnings=tuple(header.warnings),
        refusal=None,
        sources=sources,
        visit=visit,
        merges=merges,
        visit_changes=_visit_changes(message, kind, profile, feed),
    )


def _event(message: V2Message, trigger: str, kind: AdtKind, profile: VendorProfile) -> Event:
    """What the message says has become of the visit; `unchanged` when it only describes the patient."""
    rules = profile.adt
    if kind is AdtKind.VISIT_DELETED:
        return "deleted"
    if kind is not AdtKind.PERSON:
        return "unchanged"
    if trigger in rules.not_arrived:
        return "changed"
    classes = [plain(message.get(path)).casefold() for path in rules.patient_class]
    expected = any(word in rules.not_yet_here for word in classes)
    return "arrived" if trigger in rules.arrived and not expected else "unchanged"


def _visit_changes(
    message: V2Message, kind: AdtKind, profile: VendorProfile, feed: FeedFacts
) -> tuple[VisitChange, ...]:
    if kind not in {AdtKind.VISITS_MERGED, AdtKind.VISIT_MOVED}:
        return ()
    moved = kind is AdtKind.VISIT_MOVED
    changes = (read_visit_change(group, profile, feed, moved=moved) for group in message.patients())
    return tuple(change for change in changes if change is not None)
