"""What an integration engineer says about one vendor: where each fact lies, and which words mean what.

The data live in `config/vendors/*.toml`; `generic.toml` is complete, the others extend it and say only
what differs. Lists of paths are tried in order. Words are compared without regard to case or outer blanks.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from fhir_mappers.errors import BadProfile
from fhir_mappers.profile_contradictions import contradictions
from fhir_mappers.profile_people import Guardians, PatientPlaces, Phones
from fhir_mappers.profile_values import INHERITED, FhirStatus, LanguageCode, Section, Words, index
from fhir_mappers.profile_visits import AdtRules, AppointmentPlaces, Durations, Modalities, TimeSource


class VendorProfile(Section):
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
        return dict.fromkeys(self.confirmed, "booked") | index(self.statuses)

    @cached_property
    def language_of(self) -> dict[str, str]:
        """Language word → BCP-47 code."""
        return index(self.languages)


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
