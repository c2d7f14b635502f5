"""Where the patient's facts lie, and whom to text: the sections of a profile that speak of people."""

from functools import cached_property
from typing import Any

from pydantic import Field

from fhir_mappers.hl7_path import read_path
from fhir_mappers.profile_values import HL7PathText, Paths, PhoneKind, Section, Words, in_row, index


class PatientPlaces(Section):
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


class PhoneSource(Section):
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
        kind_path = self.kind_path and in_row(self.kind_path, n)
        return PhoneSource.model_construct(path=in_row(self.path, n), kind=self.kind, kind_path=kind_path)


class Phones(Section):
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
        return index(table)


class GuardianSource(Section):
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
        row: dict[str, Any] = {name: tuple(in_row(path, n) for path in paths) for name, paths in self.places}
        row["phones"] = tuple(phone.in_row(n) for phone in self.phones)
        return GuardianSource.model_construct(None, **row)


class Guardians(Section):
    """Whom to text about a patient under 18."""

    order: tuple[str, ...] = Field(description="names of `sources`, best first; empty: nobody is texted")
    relationships: Words = Field(description="who may be texted for a child (table 0063)")
    never_roles: Words = Field(description="contact roles (table 0131) that are never texted")
    sources: dict[str, GuardianSource] = Field(description="where they may stand, each by a name of its own")

    @cached_property
    def asked(self) -> tuple[GuardianSource, ...]:
        """The sources that are looked into, best first."""
        return tuple(self.sources[name] for name in self.order)
