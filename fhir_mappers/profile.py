"""What an integration engineer says about one vendor: where each fact lies, and which words mean what.

The data live in `config/vendors/*.toml`; `generic.toml` is complete, the others extend it and say only
what differs. Lists of paths are tried in order. Words are compared without regard to case or outer blanks.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails

from fhir_mappers.adt_triggers import ADT_TRIGGERS, AdtKind
from fhir_mappers.errors import BadPath, BadProfile
from fhir_mappers.hl7_path import PATTERN, read_path
from fhir_mappers.profile_contradictions import as_compared, contradictions

INHERITED = "..."  # in a list of a profile that extends another: the other's items stand here
_ONCE = '"..." stands for what the extended profile has in this list; here it stands for nothing more'
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _path(path: str) -> str:
    if path == INHERITED:
        raise ValueError(_ONCE)
    try:
        read_path(path)
    except BadPath as bad:
        raise ValueError(str(bad)) from None
    return path


def _word(word: str) -> str:
    if word == INHERITED:
        raise ValueError(_ONCE)
    return as_compared(word)


def _language(code: str) -> str:
    if not _LANGUAGE.fullmatch(code):
        raise ValueError("must be a language code of BCP 47, such as en, es or pt-BR")
    return code


def _in_row(path: str, n: int) -> str:
    """Return the same field of the nth segment; a path that names its segment's number keeps it."""
    return path if path[3] == "[" else f"{path[:3]}[{n}]{path[3:]}"


HL7PathText = Annotated[
    str,
    AfterValidator(_path),
    WithJsonSchema({"type": "string", "pattern": rf"^(\.\.\.|{PATTERN})$", "examples": ["PID-3[2].1"]}),
]
Paths = tuple[HL7PathText, ...]
Word = Annotated[str, AfterValidator(_word), Field(min_length=1)]
Words = tuple[Word, ...]
LanguageCode = Annotated[
    str, AfterValidator(_language), WithJsonSchema({"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"})
]
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


def _index(table: Mapping[Any, Words]) -> dict[str, str]:
    """Turn meaning → words round; a word has one meaning only (`profile_contradictions`)."""
    return {word: meaning for meaning, words in table.items() for word in words}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AppointmentPlaces(_Section):
    """Where the appointment's facts lie."""

    identity: Paths = Field(min_length=1, description="what identifies an appointment, best first")
    occurrence: Paths = Field(description="which one it is of a series that shares the identifier")
    status: Paths = Field(description="the status word; the trigger event decides, this refines")
    kind: Paths = Field(description="the appointment type, which may say that it is not booked yet")
    cancel_reason: Paths = Field(description="kept only when cancelled or no-show")
    reason: Paths = Field(description="clinical: kept for the chart, never in a text")
    service: Paths = Field(description="clinical: kept for the chart, never in a text")
    locations: Paths = Field(description="codes of places, most specific first; practices claim these")
    place: Paths = Field(description="code of the place the public knows; a change of it is a move")
    tentative: Words = Field(description="appointment types that are not booked yet")
    removed: Words = Field(description="segment action codes (table 0206) that take a resource away")


class TimeSource(_Section):
    """One place where start, end and duration may stand together."""

    start: HL7PathText = Field(description="where a start may stand")
    end: HL7PathText | None = Field(None, description="the end beside it")
    offset: HL7PathText | None = Field(None, description="a length of time to be added to the start")
    offset_unit: HL7PathText | None = Field(None, description="its unit; seconds when empty")
    duration: HL7PathText | None = Field(None, description="the length beside it, when there is no end")
    duration_unit: HL7PathText | None = Field(None, description="its unit")

    @cached_property
    def segment(self) -> str:
        """The segment the start stands in."""
        return read_path(self.start).segment


class Durations(_Section):
    """How lengths of time are written."""

    amount: Paths = Field(description="length of the whole appointment, when none stands beside the start")
    unit: Paths = Field(description="its unit")
    seconds: Words = Field(description="unit words")
    minutes: Words = Field(description="unit words")
    hours: Words = Field(description="unit words")
    days: Words = Field(description="unit words")
    unitless: Literal["seconds", "minutes"] | None = Field(
        None, description="what a number without a unit is; guessed by its size unless set"
    )
    unitless_seconds_from: int = Field(
        ge=0, description="where it is guessed: seconds from here on, minutes below"
    )
    shortest_minutes: int = Field(ge=1, description="a shorter length is not believed")
    longest_minutes: int = Field(ge=1, description="a longer length is not believed")
    assumed_minutes: int = Field(ge=1, description="when nothing says: FHIR wants an end beside every start")

    @cached_property
    def seconds_of(self) -> dict[str, int]:
        """Unit word → seconds."""
        units = {"seconds": self.seconds, "minutes": self.minutes, "hours": self.hours, "days": self.days}
        size = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
        return {word: size[unit] for word, unit in _index(units).items()}


class PatientPlaces(_Section):
    """Where the patient's facts lie, and which identifier is best."""

    identifiers: Paths = Field(min_length=1, description="fields of identifiers (CX, repeating)")
    authorities: tuple[str, ...] = Field(description="assigning authorities (CX.4), best first")
    types: tuple[str, ...] = Field(description="identifier types (CX.5), best first")
    never_types: tuple[str, ...] = Field(description="identifier types that are never kept")
    name: Paths = Field(min_length=1, description="fields of names (XPN, repeating)")
    birth_date: Paths = Field(description="decides who is a minor")
    language: Paths = Field(description="words of `languages`, or ISO 639 codes")
    died_at: Paths = Field(description="any time there means that the patient is dead")
    died: Paths = Field(description="Y there means that the patient is dead")
    publicity: Paths = Field(description="where silence may be asked for, in words of `silent_publicity`")
    protection: Paths = Field(description="where silence may be asked for, in words of `silent_protection`")
    silent_publicity: Words = Field(description="words that ask for no texts (PD1-11, table 0215)")
    silent_protection: Words = Field(description="words that ask for no texts (PD1-12, table 0136)")


def _person_triggers(triggers: tuple[str, ...]) -> tuple[str, ...]:
    known = [name for name, kind in ADT_TRIGGERS.items() if kind is AdtKind.PERSON]
    for trigger in triggers:
        if trigger not in known:
            raise ValueError(f"{trigger} says nothing of a visit; allowed: {', '.join(known)}")
    return triggers


PersonTriggers = Annotated[tuple[str, ...], AfterValidator(_person_triggers)]


class AdtRules(_Section):
    """What ADT messages say of a visit that may be an appointment."""

    visit: Paths = Field(description="what identifies the visit: those paths of `identity` that ADT carries")
    arrived: PersonTriggers = Field(description="events that mean the patient has come")
    not_arrived: PersonTriggers = Field(description="events that take it back")
    patient_class: Paths = Field(description="where words of `not_yet_here` may stand")
    not_yet_here: Words = Field(description="classes (table 0004) of patients who are only announced")
    earliest_arrival_hours: int = Field(
        ge=0, le=24, description="an arrival longer before the visit, or on another day, is not believed"
    )


class PhoneSource(_Section):
    """A field with telephone numbers, and what a number there is when nothing else says."""

    path: HL7PathText = Field(
        description="a field of XTN (PID-13), or one component of it that holds the number alone (ZPD-5.2)"
    )
    kind: PhoneKind = Field(description="what a number there is that says nothing of itself")
    kind_path: HL7PathText | None = Field(
        None, description="where in the same segment the word for its kind stands"
    )

    @cached_property
    def component(self) -> tuple[int, int] | None:
        """Component and subcomponent that hold the number alone; None when the field is an XTN."""
        path = read_path(self.path)
        return (path.component + 1, path.subcomponent + 1) if "." in self.path else None

    @cached_property
    def kind_component(self) -> tuple[int, int] | None:
        """Component and subcomponent of the word for the kind, when it stands in the number's own field."""
        path = read_path(self.kind_path or self.path)
        same = self.kind_path is not None and path.field == read_path(self.path).field
        return (path.component + 1, path.subcomponent + 1) if same else None

    @cached_property
    def repetition(self) -> int | None:
        """The one repetition of the field that is meant; None for all of them."""
        return read_path(self.path).repetition + 1 if "[" in self.path.partition("-")[2] else None

    def in_row(self, n: int) -> "PhoneSource":
        """The same field of the nth segment of its name."""
        kind_path = self.kind_path and _in_row(self.kind_path, n)
        return PhoneSource.model_construct(path=_in_row(self.path, n), kind=self.kind, kind_path=kind_path)


class Phones(_Section):
    """Which of the numbers a message offers is the one to text."""

    sources: tuple[PhoneSource, ...] = Field(min_length=1, description="where numbers stand, in order")
    mobile: Words = Field(description="words for a mobile number in XTN.2, XTN.3, XTN.4 or at `kind_path`")
    home: Words = Field(description="words for a number at home")
    work: Words = Field(description="words for a number at work")
    never: Words = Field(description="words for what is never texted: fax, pager, somebody else's number")
    no_number: Words = Field(description="whole texts that say there is no number")
    offer: tuple[PhoneKind, ...] = Field(min_length=1, description="kinds that may be texted, best first")

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Word → mobile, home, work or never."""
        table = {"mobile": self.mobile, "home": self.home, "work": self.work, "never": self.never}
        return _index(table)


class GuardianSource(_Section):
    """One segment in which those who answer for a child stand, one a segment."""

    phones: tuple[PhoneSource, ...] = Field(min_length=1, description="their numbers, all in one segment")
    relationship: Paths = Field(
        (), description="what they are to the child, in words of `relationships`; empty: whoever stands there"
    )
    role: Paths = Field((), description="what they are there for, in words of `never_roles`")
    language: Paths = Field((), description="their language; the child's unless given")
    begins: Paths = Field((), description="the day from which they count")
    ends: Paths = Field((), description="the day until which they count")
    died_at: Paths = Field((), description="any time there means that they are dead")
    died: Paths = Field((), description="Y there means that they are dead")
    publicity: Paths = Field((), description="where they ask for silence, as a patient does")
    protection: Paths = Field((), description="where they ask for silence, as a patient does")

    @cached_property
    def segment(self) -> str:
        """The segment they stand in."""
        return read_path(self.phones[0].path).segment

    @property
    def places(self) -> list[tuple[str, Paths]]:
        """Every key that holds paths, with them."""
        return [(name, getattr(self, name)) for name in type(self).model_fields if name != "phones"]

    def in_row(self, n: int) -> "GuardianSource":
        """The same person's facts in the nth segment of its name."""
        if n == 1:
            return self
        row: dict[str, Any] = {name: tuple(_in_row(path, n) for path in paths) for name, paths in self.places}
        row["phones"] = tuple(phone.in_row(n) for phone in self.phones)
        return GuardianSource.model_construct(None, **row)


class Guardians(_Section):
    """Whom to text about a patient under 18."""

    order: tuple[str, ...] = Field(description="names of `sources`, best first; empty: nobody is texted")
    relationships: Words = Field(description="who may be texted for a child (table 0063)")
    never_roles: Words = Field(description="contact roles (table 0131) that are never texted")
    sources: dict[str, GuardianSource] = Field(description="where they may stand, each by a name of its own")

    @cached_property
    def asked(self) -> tuple[GuardianSource, ...]:
        """The sources that are looked into, best first."""
        return tuple(self.sources[name] for name in self.order)


class ModalityWords(_Section):
    """What marks one way to meet."""

    codes: Words = Field(description="whole values")
    phrases: Words = Field(description="whole words anywhere in the value")

    @property
    def expression(self) -> str:
        """One regular expression for all phrases and codes; it matches nothing when there are none."""
        phrases = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in self.phrases) or "(?!)"
        codes = "|".join(re.escape(code) for code in self.codes) or "(?!)"
        return rf"\b(?:{phrases})\b|\A\s*(?:{codes})\s*\Z"


class Modalities(_Section):
    """How to see that a visit is by video or by phone; all others are in person."""

    paths: Paths = Field(description="where it may show")
    video: ModalityWords = Field(description="words for a visit by video")
    phone: ModalityWords = Field(description="words for a visit by phone")

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

    title: str = Field(description="what a person calls it")
    triggers: dict[str, str] = Field(
        description="a trigger event of its own (MSH-9.2, or MSH-9.1^MSH-9.2) → the HL7 one it stands for"
    )
    appointment: AppointmentPlaces = Field(description="where the appointment's facts lie")
    times: tuple[TimeSource, ...] = Field(
        min_length=1, description="where the start may stand: the first that can be read is taken"
    )
    durations: Durations = Field(description="how lengths of time are written")
    statuses: dict[FhirStatus, Words] = Field(description="FHIR Appointment.status → the words that mean it")
    confirmed: Words = Field(description="status words that say the patient confirmed; they count as booked")
    practitioner_types: Words = Field(description="AIG-4 of a resource that is a person who treats")
    patient: PatientPlaces = Field(description="where the patient's facts lie")
    phones: Phones = Field(description="which number to text")
    guardian: Guardians = Field(description="whom to text about a child")
    adt: AdtRules = Field(description="what ADT messages say of a visit")
    modality: Modalities = Field(description="how a visit by video or by phone shows")
    languages: dict[LanguageCode, Words] = Field(
        description="BCP-47 code → words that mean it; ISO 639 codes are known"
    )

    @model_validator(mode="wrap")
    @classmethod
    def _with_contradictions(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Say what the profile says against itself beside what is wrong by itself, all at once."""
        found = [
            InitErrorDetails(
                type="value_error", loc=each.where, input=None, ctx={"error": ValueError(each.text)}
            )
            for each in (contradictions(data) if isinstance(data, Mapping) else ())
        ]
        try:
            profile = handler(data)
        except ValidationError as error:
            found += [
                InitErrorDetails(
                    type=each["type"], loc=each["loc"], input=each["input"], ctx=each.get("ctx", {})
                )
                for each in error.errors(include_url=False)
            ]
        if found:
            raise ValidationError.from_exception_data(cls.__name__, found)
        return profile

    @cached_property
    def status_of(self) -> dict[str, str]:
        """Status word → FHIR Appointment.status."""
        return dict.fromkeys(self.confirmed, "booked") | _index(self.statuses)

    @cached_property
    def language_of(self) -> dict[str, str]:
        """Language word → BCP-47 code."""
        return _index(self.languages)


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
