"""What is known of a patient, once more is heard or two records turn out to be one. Pure.

HL7 v2: what a message leaves empty is no change; what it empties ("") is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.domain.recipient import Patient

_DEATH = ("deceasedBoolean", "deceasedDateTime")


@dataclass(frozen=True, slots=True)
class Retraction:
    """What a message takes back, beside what it shows."""

    number: bool = False  # the field of telephone numbers was emptied
    death: bool = False  # the patient lives after all
    silence: tuple[str, ...] = ()  # where silence is not asked for any more
    guardian: bool = False  # nobody who answers for the child may be texted any more


def lay_over(stored: Patient, shown: Patient, taken_back: Retraction) -> Patient:
    """The stored patient with what a message shows.

    A message under an identifier of a record that is gone speaks of that record: it tells what the
    surviving one lacks, and changes nothing else. Death and a wish for silence count from either.
    """
    if shown.identifiers and shown.identifiers[0] in stored.gone:
        return _complete(stored, shown)
    asked = stored.silenced_by or (("PD1-11",) if stored.suppressed else ())
    silenced_by = tuple(
        dict.fromkeys((*(path for path in asked if path not in taken_back.silence), *shown.silenced_by))
    )
    keep_guardian = shown.guardian_number is None and not taken_back.guardian
    return replace(
        shown,
        id=stored.id,
        identifiers=_united(stored.identifiers, shown.identifiers),
        given=shown.given or stored.given,
        family=shown.family or stored.family,
        number=shown.number or (None if taken_back.number else stored.number),
        birth_date=shown.birth_date or stored.birth_date,
        language=shown.language or stored.language,
        deceased=shown.deceased or (stored.deceased and not taken_back.death),
        suppressed=bool(silenced_by),
        silenced_by=silenced_by,
        resource=_resource(stored.resource, shown.resource, taken_back),
        ehr_id=shown.ehr_id or stored.ehr_id,
        guardian_number=stored.guardian_number if keep_guardian else shown.guardian_number,
        guardian_language=stored.guardian_language if keep_guardian else shown.guardian_language,
        gone=stored.gone,
        merged_into=stored.merged_into,
        number_at=None if _speaks_of_number(shown, taken_back) else stored.number_at or stored.event_time,
    )


def fill(stored: Patient, late: Patient, taken_back: Retraction) -> Patient:
    """The stored patient with what a message tells that something newer has overtaken without a word on it.

    Death and a wish for silence count whenever they are heard of; a guardian may have been taken away since.
    """
    since, at = stored.number_at, late.event_time
    never = stored.number is None and "telecom" not in stored.resource
    is_newer = since is not None and at is not None and at > since
    if _speaks_of_number(late, taken_back) and (never or is_newer):
        resource = dict(stored.resource) | {"telecom": late.resource.get("telecom", [])}
        stored = replace(stored, number=late.number, number_at=at, resource=resource)
    stored = replace(stored, ehr_id=stored.ehr_id or late.ehr_id)
    return _complete(
        stored, replace(late, identifiers=(), number=None, guardian_number=None, guardian_language=None)
    )


def _speaks_of_number(shown: Patient, taken_back: Retraction) -> bool:
    return shown.number is not None or taken_back.number or "telecom" in shown.resource


def is_somebody_else(known: Patient, shown: Patient) -> bool:
    """Whether these cannot be one person: both family name and birth date are known, and both differ."""
    names = {known.family.casefold(), shown.family.casefold()}
    born = {known.birth_date, shown.birth_date}
    return len(names) == len(born) == 2 and "" not in names and None not in born  # noqa: PLR2004 - two of each


def rename(patient: Patient, keys: Sequence[str], gone: Sequence[str]) -> Patient:
    """The patient under other identifiers: these, best first; those that are gone still lead here."""
    return replace(
        patient,
        identifiers=_united(keys, _united(patient.identifiers, gone)),
        gone=tuple(key for key in _united(patient.gone, gone) if key not in keys),
    )


def unite(survivor: Patient, gone: Patient) -> Patient:
    """The surviving record with what it lacks of the other; death and wishes for silence count from both."""
    united = _complete(survivor, gone)
    lost = _united(gone.identifiers, gone.gone)
    kept = [key for key in united.identifiers if key in survivor.identifiers and key not in survivor.gone]
    return rename(united, kept, lost)


def _complete(patient: Patient, other: Patient) -> Patient:
    """What the patient lacks, from another record of the same person."""
    silenced_by = _united(patient.silenced_by, other.silenced_by)
    lacks_guardian = patient.guardian_number is None
    return replace(
        patient,
        identifiers=_united(patient.identifiers, other.identifiers),
        given=patient.given or other.given,
        family=patient.family or other.family,
        number=patient.number or other.number,
        birth_date=patient.birth_date or other.birth_date,
        language=patient.language or other.language,
        deceased=patient.deceased or other.deceased,
        suppressed=patient.suppressed or other.suppressed,
        silenced_by=silenced_by,
        guardian_number=other.guardian_number if lacks_guardian else patient.guardian_number,
        guardian_language=other.guardian_language if lacks_guardian else patient.guardian_language,
    )


def _resource(stored: Mapping[str, Any], shown: Mapping[str, Any], taken_back: Retraction) -> dict[str, Any]:
    """The FHIR Patient with what a message shows of it."""
    forgotten: set[str] = {"active"}
    if taken_back.death or any(element in shown for element in _DEATH):
        forgotten |= set(_DEATH)
    kept = {element: value for element, value in stored.items() if element not in forgotten}
    if taken_back.number:
        kept["telecom"] = []  # said to be none, which is not the same as never said
    return kept | dict(shown)


def _united(first: Sequence[str], then: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *then)))
