"""PID and MRG → which record has become part of which (HL7 v2.9.1 chapter 3, MRG; A40 and its elders).

MRG-1 lists what PID-3 was, MRG-4 what PID-2 was, MRG-2 what PID-4 was. An identifier that both sides show
is a superior one that they share, and is gone from neither.
"""

from collections.abc import Sequence
from typing import Final

from fhir_mappers.datatypes import cx_to_identifier
from fhir_mappers.pid_to_patient import rank, read_identifiers
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import FeedFacts, Identifier, Merge
from fhir_mappers.v2_message import SegmentRun

_PRIOR: Final = {"PID-3": 1, "PID-2": 4, "PID-4": 2}  # field of PID → field of MRG


def read_merges(run: SegmentRun, profile: VendorProfile, feed: FeedFacts) -> list[Merge]:
    """Return the merges of one PATIENT group, one for each MRG that names somebody else than PID does."""
    survivor = read_identifiers(run, profile, feed)[0]
    if not survivor:
        return []
    merges = []
    for row in range(1, run.count("MRG") + 1):
        path = _path(row, 1)
        gone = tuple(each for each in read_prior(run, row, survivor, profile, feed) if each not in survivor)
        if gone:
            merges.append(Merge(path, survivor, gone))
    return merges


def read_prior(
    run: SegmentRun,
    row: int,
    survivor: Sequence[Identifier],
    profile: VendorProfile,
    feed: FeedFacts,
) -> tuple[Identifier, ...]:
    """Return the identifiers of the nth MRG, each completed by what PID says of its own.

    Many leave authority and type out of MRG-1; an A40 merges identifiers of the same type, so those of
    PID-3 stand for them, and PID-2's for MRG-4's. What was written is kept beside what was meant.
    """
    found: dict[Identifier, None] = {}
    for path, field in _PRIOR.items():
        if path not in profile.patient.identifiers:
            continue
        beside = [cx_to_identifier(cx, feed.identifier_systems) for cx in run.field(path)]
        kin = [each for each in survivor if each in beside]
        for cx in run.field(_path(row, field)):
            identifier = cx_to_identifier(cx, feed.identifier_systems)
            if identifier is None or identifier.type in profile.patient.never_types:
                continue
            meant = _completed(identifier, kin)
            found[meant] = None
            if meant not in survivor:
                found[identifier] = None
    return tuple(sorted(found, key=lambda identifier: rank(identifier, profile)))


def _completed(identifier: Identifier, kin: Sequence[Identifier]) -> Identifier:
    """The identifier with the authority and type that it left out, but the field beside it says."""
    kinds = [(known.authority, known.type) for known in kin]
    if (identifier.authority, identifier.type) in kinds:
        return identifier
    for known in kin:
        if identifier.authority in {"", known.authority} and identifier.type in {"", known.type}:
            return Identifier(known.authority, known.type, known.system, identifier.value)
    return identifier


def _path(row: int, field: int) -> str:
    return f"MRG-{field}" if row == 1 else f"MRG[{row}]-{field}"
