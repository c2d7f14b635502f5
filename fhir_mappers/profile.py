"""What an integration engineer says about one vendor: where each fact lies, and which words mean what.

The data live in `config/vendors/*.toml`; `generic.toml` is complete, the others extend it and say only
what differs. Lists of paths are tried in order. Words are compared without regard to case or outer blanks.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fhir_mappers.errors import BadPath, BadProfile
from fhir_mappers.hl7_path import read_path
from fhir_mappers.tables import TRIGGERS

INHERITED = "..."  # in a list of a profile that extends another: the other's items stand here


def _path(path: str) -> str:
    try:
        read_path(path)
    except BadPath as bad:
        raise ValueError(str(bad)) from None
    return path


def _word(word: str) -> str:
    return " ".join(word.split()).casefold()


HL7PathText = Annotated[str, AfterValidator(_path)]
Paths = tuple[HL7PathText, ...]
Word = Annotated[str, AfterValidator(_word), Field(min_length=1)]
Words = tuple[Word, ...]
PhoneKind = Literal["mobile", "unknown", "home", "work"]
FhirStatus = Literal[
    "proposed",
    "pending",
    "booked",
    "arrived",
    "fulfilled",
    "cancelled",
    "noshow",
    "entered-in-error",
    "checked-in",
    "waitlist",
]


def _index(table: Mapping[Any, Words], where: str) -> dict[str, str]:
    """Turn meaning → words round; a word may have one meaning only."""
    index: dict[str, str] = {}
    for meaning, words in table.items():
        for word in words:
            if index.setdefault(word, meaning) != meaning:
                raise ValueError(f"{where}: {word!r} stands under {index[word]!r} and under {meaning!r}")
    return index


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AppointmentPlaces(_Section):
    """Where the appointment's facts lie."""

    identity: Paths = Field(min_length=1)  # identifiers, best first
    occurrence: Paths  # of a series
    status: Paths
    kind: Paths  # appointment type: tentative or not
    cancel_reason: Paths
    reason: Paths  # clinical: never for texts
    service: Paths  # clinical: never for texts
    locations: Paths  # codes of places, most specific first
    place: Paths  # codes of the place the public knows; a change of it is a move
    tentative: Words  # appointment types that are not booked yet
    removed: Words  # segment action codes (HL7 table 0206) that take a resource away


class TimeSource(_Section):
    """One place where start, end and duration may stand together."""

    start: HL7PathText
    end: HL7PathText | None = None
    offset: HL7PathText | None = None  # to be added to the start
    offset_unit: HL7PathText | None = None
    duration: HL7PathText | None = None
    duration_unit: HL7PathText | None = None

    @cached_property
    def segment(self) -> str:
        """The segment the start stands in."""
        return read_path(self.start).segment


class Durations(_Section):
    """How lengths of time are written."""

    amount: Paths  # of the whole appointment, when the source of the start gives none
    unit: Paths
    seconds: Words
    minutes: Words
    hours: Words
    days: Words
    unitless_seconds_from: int = Field(ge=0)  # a bare number is seconds from here on, minutes below
    shortest_minutes: int = Field(ge=1)
    longest_minutes: int = Field(ge=1)
    assumed_minutes: int = Field(ge=1)  # when nothing says: FHIR wants an end beside every start

    @cached_property
    def seconds_of(self) -> dict[str, int]:
        """Unit word → seconds."""
        units = {"seconds": self.seconds, "minutes": self.minutes, "hours": self.hours, "days": self.days}
        size = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
        return {word: size[unit] for word, unit in _index(units, "durations").items()}


class PatientPlaces(_Section):
    """Where the patient's facts lie, and which identifier is best."""

    identifiers: Paths = Field(min_length=1)
    authorities: tuple[str, ...]  # CX.4, best first; those not named come after
    types: tuple[str, ...]  # CX.5, best first; those not named come after
    never_types: tuple[str, ...]  # CX.5 that are never kept
    silent_publicity: Words  # PD1-11, HL7 table 0215
    silent_protection: Words  # PD1-12, HL7 table 0136


class PhoneSource(_Section):
    """A field with telephone numbers, and what a number there is when nothing else says."""

    path: HL7PathText
    kind: PhoneKind


class Phones(_Section):
    """Which of the numbers a message offers is the one to text."""

    sources: tuple[PhoneSource, ...] = Field(min_length=1)  # in order
    mobile: Words  # words in XTN.2, .3 or .4
    home: Words
    work: Words
    never: Words  # fax, pager, emergency contact …
    no_number: Words  # whole texts that say there is no number
    offer: tuple[PhoneKind, ...]  # kinds that may be texted, best first

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Word → mobile, home, work or never."""
        table = {"mobile": self.mobile, "home": self.home, "work": self.work, "never": self.never}
        return _index(table, "phones")


class ModalityWords(_Section):
    """What marks one way to meet."""

    codes: Words  # the whole value
    phrases: Words  # anywhere in the value, as whole words

    @property
    def expression(self) -> str:
        """One regular expression for all phrases and codes; it matches nothing when there are none."""
        phrases = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in self.phrases) or "(?!)"
        codes = "|".join(re.escape(code) for code in self.codes) or "(?!)"
        return rf"\b(?:{phrases})\b|\A\s*(?:{codes})\s*\Z"


class Modalities(_Section):
    """How to see that a visit is by video or by phone; all others are in person."""

    paths: Paths
    video: ModalityWords
    phone: ModalityWords

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields `paths` lie in, each once."""
        return tuple(dict.fromkeys(path.partition(".")[0] for path in self.paths))

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """Every phrase and code: a text that holds none of them cannot match `pattern`."""
        return (*self.video.phrases, *self.phone.phrases, *self.video.codes, *self.phone.codes)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches in a group named for the modality; texts are to be on one line."""
        expression = f"(?P<video>{self.video.expression})|(?P<phone>{self.phone.expression})"
        return re.compile(expression, re.IGNORECASE)


class VendorProfile(_Section):
    """One vendor, complete."""

    title: str
    triggers: dict[str, str]  # a vendor's own trigger event → HL7's
    appointment: AppointmentPlaces
    times: tuple[TimeSource, ...] = Field(min_length=1)  # tried in order
    durations: Durations
    statuses: dict[FhirStatus, Words]
    confirmed: Words  # status words that say the patient has confirmed; they count as booked
    practitioner_types: Words  # AIG-4: the resource is a person who treats
    patient: PatientPlaces
    phones: Phones
    modality: Modalities
    languages: dict[str, Words]  # BCP-47 code → words in PID-15

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = sorted(set(self.triggers.values()) - set(TRIGGERS))
        if unknown:
            raise ValueError(f"triggers: {', '.join(unknown)} is no trigger event of SIU that is mapped")
        if self.durations.shortest_minutes > self.durations.longest_minutes:
            raise ValueError("durations: shortest_minutes is above longest_minutes")
        _ = self.status_of, self.language_of, self.phones.kinds, self.durations.seconds_of
        return self

    @cached_property
    def status_of(self) -> dict[str, str]:
        """Status word → FHIR Appointment.status."""
        return dict.fromkeys(self.confirmed, "booked") | _index(self.statuses, "statuses")

    @cached_property
    def language_of(self) -> dict[str, str]:
        """Language word → BCP-47 code."""
        return _index(self.languages, "languages")


def resolve(name: str, raw_profiles: Mapping[str, Mapping[str, Any]]) -> VendorProfile:
    """Return the profile `name`, with what it `extends` filled in.

    Tables are merged key by key; a list replaces the list it extends, except that the item "..." stands
    for the other's items. Raises BadProfile for an unknown or circular `extends`, pydantic's
    ValidationError for everything else.
    """
    return VendorProfile.model_validate(_flatten(name, raw_profiles, ()))


def _flatten(name: str, raw: Mapping[str, Mapping[str, Any]], above: tuple[str, ...]) -> dict[str, Any]:
    if name in above:
        raise BadProfile(name, f"extends itself, by way of {' → '.join((*above, name))}")
    if name not in raw:
        raise BadProfile(name, f"does not exist; there are {', '.join(sorted(raw)) or 'none'}")
    own = dict(raw[name])
    parent = own.pop("extends", None)
    if parent is None:
        return own
    return _merge(_flatten(str(parent), raw, (*above, name)), own)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = base.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _merge(below, value)
        elif isinstance(value, list) and INHERITED in value:
            merged[key] = _spliced(value, below if isinstance(below, Sequence) else ())
        else:
            merged[key] = value
    return merged


def _spliced(items: list[Any], inherited: Sequence[Any]) -> list[Any]:
    position = items.index(INHERITED)
    return [*items[:position], *inherited, *items[position + 1 :]]
