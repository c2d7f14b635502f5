"""HL7's own tables, as far as the mapping needs them. Vendors' words are data: config/vendors."""

from typing import NamedTuple

from fhir_mappers.translation import Event


class Trigger(NamedTuple):
    """What one SIU trigger event says by itself."""

    event: Event
    status: str  # Appointment.status when SCH-25 is empty, unknown or contradicts
    refined_by: frozenset[str]  # statuses SCH-25 may refine it to; any other contradicts
    has_patient: bool = True
    keeps_status: bool = False  # without a status of its own it leaves the appointment's as it is
    of_a_part: bool = False  # it is about one service or resource
    adds: bool = False  # ... that was not there before


_ALIVE = frozenset({"proposed", "pending", "waitlist", "booked", "arrived", "checked-in", "fulfilled"})
_ANY = _ALIVE | {"cancelled", "noshow", "entered-in-error"}
_NONE: frozenset[str] = frozenset()
_OF_A_PART = Trigger("changed", "booked", _ANY, keeps_status=True, of_a_part=True)

# HL7 v2.9.1 chapter 10, trigger events of SIU → event, status (standards §1.1; the guide has no fallback).
TRIGGERS = {
    "S12": Trigger("booked", "booked", _ALIVE),
    "S13": Trigger("moved", "booked", _ALIVE),
    "S14": Trigger("changed", "booked", _ANY, keeps_status=True),
    "S15": Trigger("cancelled", "cancelled", _NONE),
    "S16": Trigger("discontinued", "cancelled", _NONE),
    "S17": Trigger("deleted", "entered-in-error", _NONE),
    "S18": _OF_A_PART._replace(adds=True),
    "S19": _OF_A_PART,
    "S20": _OF_A_PART,
    "S21": _OF_A_PART,
    "S22": _OF_A_PART,
    "S23": Trigger("ignored", "booked", _NONE, has_patient=False),
    "S24": Trigger("ignored", "booked", _NONE, has_patient=False),
    "S26": Trigger("no-show", "noshow", _NONE),
    "S27": Trigger("unchanged", "booked", _ANY),
}

# FHIR statuses after which nobody comes
OVER = frozenset({"cancelled", "noshow", "entered-in-error"})

# What a status makes of an event that leaves the appointment standing: a check-in is sent as S14 by many.
EVENT_OF_STATUS: dict[str, Event] = {
    "arrived": "arrived",
    "checked-in": "arrived",
    "fulfilled": "arrived",
    "cancelled": "cancelled",
    "noshow": "no-show",
    "entered-in-error": "deleted",
}

# HL7 table 0278, case-blind → R4 ParticipationStatus (the guide maps AIP-12 without a concept map)
PARTICIPATION = {
    "booked": "accepted",
    "started": "accepted",
    "complete": "accepted",
    "pending": "tentative",
    "waitlist": "tentative",
    "cancelled": "declined",
    "deleted": "declined",
    "noshow": "declined",
    "discontinued": "declined",
    "dc": "declined",
}

# HL7 table 0001 → R4 AdministrativeGender (guide: table-hl70001-to-administrative-gender)
GENDER = {"F": "female", "M": "male", "O": "other", "U": "unknown", "A": "other", "N": "other"}

# HL7 table 0200 → R4 NameUse (guide: table-hl70200-to-name-use)
NAME_USE = {
    "L": "official",
    "D": "usual",
    "M": "maiden",
    "N": "nickname",
    "S": "anonymous",
    "BAD": "old",
    "NOUSE": "old",
    "T": "temp",
    "TEMP": "temp",
    "B": "official",
    "R": "official",
}

# HL7 table 0202 → R4 ContactPointSystem (guide: table-hl70202-to-contact-point-system)
TELECOM_SYSTEM = {
    "PH": "phone",
    "CP": "phone",
    "FX": "fax",
    "INTERNET": "email",
    "X.400": "email",
    "BP": "pager",
    "MD": "other",
    "SAT": "other",
    "TDD": "other",
    "TTY": "other",
}

# HL7 coding system names (CWE.3, table 0396) → FHIR system
CODING_SYSTEM = {
    "SCT": "http://snomed.info/sct",
    "SNM": "http://snomed.info/sct",
    "LN": "http://loinc.org",
    "C4": "http://www.ama-assn.org/go/cpt",
    "CPT": "http://www.ama-assn.org/go/cpt",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
}
