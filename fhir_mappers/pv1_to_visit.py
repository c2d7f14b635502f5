"""PV1 and MRG → the visit of an ADT message: by what it is known, and by what it no longer is.

The visit may be an appointment that a scheduling message announced under the same number.
"""

from typing import Final

from fhir_mappers.datatypes import plain
from fhir_mappers.mrg_to_merge import read_prior
from fhir_mappers.pid_to_patient import read_identifiers
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import AppointmentIdentifier, FeedFacts, VisitChange
from fhir_mappers.v2_message import SegmentRun

_PRIOR: Final = {"PV1-19": 5, "PV1-50": 6}  # field of PV1 → field of MRG that says what it was


def read_visit(run: SegmentRun, profile: VendorProfile) -> tuple[AppointmentIdentifier, ...]:
    """Return by what the visit is known, best first."""
    return tuple(
        AppointmentIdentifier(path, value, plain(run.get(_authority(path))))
        for path in profile.adt.visit
        if (value := plain(run.get(path)))
    )


def read_visit_change(
    run: SegmentRun, profile: VendorProfile, feed: FeedFacts, *, moved: bool
) -> VisitChange | None:
    """Return what became of one group's visit: another number, or (`moved`) another patient; None if nothing.

    A moved visit keeps its number; MRG-1 names the patient it was filed under.
    """
    known, prior = read_visit(run, profile), read_prior_visit(run, profile)
    patient = read_identifiers(run, profile, feed)[0]
    if not moved:
        gone = tuple(each for each in prior if each not in known)
        return VisitChange("MRG-5", known, patient, gone=gone) if known and gone else None
    taken_from = tuple(each for each in read_prior(run, 1, patient, profile, feed) if each not in patient)
    visit = tuple(dict.fromkeys((*known, *prior)))
    return VisitChange("MRG-1", visit, patient, taken_from=taken_from) if visit and taken_from else None


def read_prior_visit(run: SegmentRun, profile: VendorProfile) -> tuple[AppointmentIdentifier, ...]:
    """Return by what MRG says the visit was known, each under the path it would have had in PV1."""
    return tuple(
        AppointmentIdentifier(path, value, plain(run.get(f"MRG-{_PRIOR[path]}.4")))
        for path in profile.adt.visit
        if path in _PRIOR and (value := plain(run.get(f"MRG-{_PRIOR[path]}")))
    )


def _authority(path: str) -> str:
    """Where a visit number's assigning authority stands (CX.4)."""
    return f"{path.partition('.')[0]}.4"
