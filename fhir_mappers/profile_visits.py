"""Where the appointment's facts lie, and the words of it: the sections of a profile that speak of visits."""

import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fhir_mappers.adt_triggers import ADT_TRIGGERS, AdtKind
from fhir_mappers.hl7_path import read_path
from fhir_mappers.profile_values import HL7PathText, Paths, Section, Words, index


class AppointmentPlaces(Section):
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


class TimeSource(Section):
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


class Durations(Section):
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
        return {word: size[unit] for word, unit in index(units).items()}


def _person_triggers(triggers: tuple[str, ...]) -> tuple[str, ...]:
    known = [name for name, kind in ADT_TRIGGERS.items() if kind is AdtKind.PERSON]
    for trigger in triggers:
        if trigger not in known:
            raise ValueError(f"{trigger} says nothing of a visit; allowed: {', '.join(known)}")
    return triggers


PersonTriggers = Annotated[tuple[str, ...], AfterValidator(_person_triggers)]


class AdtRules(Section):
    """What ADT messages say of a visit that may be an appointment."""

    visit: Paths = Field(description="what identifies the visit: those paths of `identity` that ADT carries")
    arrived: PersonTriggers = Field(description="events that mean the patient has come")
    not_arrived: PersonTriggers = Field(description="events that take it back")
    patient_class: Paths = Field(description="where words of `not_yet_here` may stand")
    not_yet_here: Words = Field(description="classes (table 0004) of patients who are only announced")
    earliest_arrival_hours: int = Field(
        ge=0, le=24, description="an arrival longer before the visit, or on another day, is not believed"
    )


class ModalityWords(Section):
    """What marks one way to meet."""

    codes: Words = Field(description="whole values")
    phrases: Words = Field(description="whole words anywhere in the value")

    @property
    def expression(self) -> str:
        """One regular expression for all phrases and codes; it matches nothing when there are none."""
        phrases = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in self.phrases) or "(?!)"
        codes = "|".join(re.escape(code) for code in self.codes) or "(?!)"
        return rf"\b(?:{phrases})\b|\A\s*(?:{codes})\s*\Z"


class Modalities(Section):
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
