"""The kinds of value a vendor's profile holds: paths, words, and the sections they stand in."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from fhir_mappers.errors import BadPath
from fhir_mappers.hl7_path import PATTERN, read_path
from fhir_mappers.profile_contradictions import as_compared

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


def in_row(path: str, n: int) -> str:
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


def index(table: Mapping[Any, Words]) -> dict[str, str]:
    """Turn meaning → words round; a word has one meaning only (`profile_contradictions`)."""
    return {word: meaning for meaning, words in table.items() for word in words}


class Section(BaseModel):
    """One table of a profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")
