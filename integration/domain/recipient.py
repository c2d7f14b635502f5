"""The patient, as far as texting needs to know one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Patient:
    """The stored state of one patient within a feed's scope."""

    id: int  # 0 until stored
    scope: str
    identifiers: tuple[str, ...]  # every identifier ever seen, as lookup keys
    given: str
    family: str
    number: str | None  # E.164, the number the EHR offers for texts
    birth_date: date | None = None
    language: str | None = None  # two-letter, None when unknown
    deceased: bool = False
    suppressed: bool = False  # the EHR asks that this patient get no publicity (PD1-11, PD1-12)
    event_time: datetime | None = None  # of the newest report applied
    resource: Mapping[str, Any] = field(default_factory=dict)  # FHIR R4 Patient
    ehr_id: str | None = None  # its id on the EHR's FHIR server, once linked (promise 12)
    guardian_number: str | None = None  # E.164, of who is texted while the patient is a minor
    guardian_language: str | None = None  # two-letter, None when the guardian's is not known
    silenced_by: tuple[str, ...] = ()  # where the EHR asks for silence: PD1-11, PD1-12
    removed: bool = False  # the EHR deleted the person (A29)
    gone: tuple[str, ...] = ()  # of the identifiers: those of records that became part of this one
    merged_into: int | None = None  # the patient whose record this one has become part of
    number_at: datetime | None = None  # when the number was said, or said to be none, if before `event_time`

    @property
    def silence(self) -> str | None:
        """Why nobody is texted about this patient at all, None while somebody may be."""
        if self.deceased:
            return "the patient has died"
        if self.removed:
            return "the EHR deleted the patient's record"
        if self.merged_into is not None:
            return "the patient's record became part of another"
        return "the patient asked for no publicity (PD1-11, PD1-12)" if self.suppressed else None

    def is_minor(self, on: date) -> bool:
        """Whether the patient is under 18 on that day; unknown birth dates count as adult."""
        if self.birth_date is None:
            return False
        born = self.birth_date
        birthday_passed = (on.month, on.day) >= (born.month, born.day)
        return on.year - born.year - (not birthday_passed) < ADULT_AGE

    def number_on(self, day: date) -> str | None:
        """The number to text on a local day: a minor's guardian's, and from the 18th birthday the own.

        None when there is none, and for a patient about whom there is silence.
        """
        if self.silence is not None:
            return None
        return self.guardian_number if self.is_minor(day) else self.number

    def language_on(self, day: date) -> str | None:
        """The language of who reads the texts that day; a guardian's is the child's unless known."""
        return (self.guardian_language if self.is_minor(day) else None) or self.language
