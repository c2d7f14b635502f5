r"""What every HL7 v2 message we send has in common: header, patient, visit, escapes. hl7apy builds it.

Delimiters are `|^~\&` in every version; 2.7's truncation character is left out, for many readers count four.
Values are escaped here and handed to hl7apy as they will stand: its own escaping takes text that looks like
an escape sequence (`\F\`, `\.br\`) for one. Nothing a person wrote can end a field, a segment or a frame.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Final

Fields = Mapping[int, str | Sequence[str]]  # number of a field → its ER7 text, or that of its repetitions

_DELIMITERS: Final = {
    "GROUP": "\r",
    "SEGMENT": "\r",
    "FIELD": "|",
    "COMPONENT": "^",
    "SUBCOMPONENT": "&",
    "REPETITION": "~",
    "ESCAPE": "\\",
}
_ESCAPES: Final = {"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\"}
_SPECIAL: Final = re.compile(r"[|^&~\\]")
_BREAKS: Final = re.compile(r"[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_NULL: Final = '""'
_OID: Final = re.compile(r"[0-2](\.\d+)+")
_STRUCTURE_SINCE: Final = (2, 3, 1)  # MSH-9.3
_NUMBER_LENGTH: Final = 15  # characters; EI.1 of old versions holds so many, MSH-10 holds 20

_ALREADY_THERE: Final = {"MSH": (7, 9, 12)}  # hl7apy writes these by itself

# FHIR administrative gender → HL7 table 0001
_SEX: Final = {"male": "M", "female": "F", "other": "O", "unknown": "U"}


@dataclass(frozen=True, slots=True)
class Correspondents:
    """Who writes to whom, and in which version: MSH-3 to MSH-6, MSH-11 and MSH-12. `^` parts components."""

    version: str  # 2.3 … 2.8.2, as hl7apy knows them
    sending_application: str
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    processing_id: str = "P"


@dataclass(frozen=True, slots=True)
class NumberOf:
    """An identifier with whose it is: CX.1, CX.4 (a namespace, or an OID) and CX.5."""

    value: str
    authority: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What PID says of the one patient of a message, for the partner to match."""

    identifiers: tuple[NumberOf, ...]  # as the partner's own messages had them, best first
    family: str
    given: str
    birth_date: date | None = None
    gender: str | None = None  # FHIR administrative gender


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What PV1 says of the visit that a message is about."""

    number: NumberOf | None = None  # PV1-19
    location: str = ""  # PV1-3.1


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """One segment, in the order of the message."""

    name: str
    fields: Fields
    groups: tuple[str, ...] = ()  # hl7apy's names of the groups around it; several: the first its version has


def escape(words: str) -> str:
    """The words in a field: delimiters escaped, line breaks as blanks, control characters left out."""
    plain = _SURROGATES.sub("\ufffd", _NO_TEXT.sub("", _BREAKS.sub(" ", words)))
    if plain == _NULL:
        return f"{_NULL} "  # somebody's quotes are no wish to delete
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], plain)


def lines_of(words: str) -> list[str]:
    """The lines of what somebody wrote; blank ones at the end are not."""
    return words.rstrip().splitlines()


def components(*values: str) -> str:
    """A field of these components, each escaped."""
    return "^".join(escape(value) for value in values).rstrip("^")


def setting(value: str) -> str:
    """A field as an engineer wrote it: `^` parts its components."""
    return components(*value.split("^"))


def number(identifier: str) -> str:
    """A number of 15 characters A to Z and 2 to 7: always the same for one identifier, and for no other."""
    return b32encode(sha256(identifier.encode()).digest())[:_NUMBER_LENGTH].decode("ascii")


def time_stamp(moment: datetime) -> str:
    """A DTM to the second, in UTC with its offset; refuses a datetime without zone."""
    if moment.tzinfo is None:
        raise ValueError("an HL7 time needs an offset")
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")


def is_at_least(version: str, since: tuple[int, ...]) -> bool:
    """Whether MSH-12 is that version or a later one."""
    return tuple(int(each) for each in version.split(".")) >= since


def build(
    structure: str,
    event: str,
    who: Correspondents,
    segments: Sequence[SegmentFacts],
    *,
    control_id: str,
    at: datetime,
) -> bytes:
    """The message, unframed, UTF-8; the same facts give the same bytes.

    `structure` as in `MDM_T02`; `event` as in `T06`. MSH-15 and MSH-16 are empty: the partner's one answer
    shall tell what it thinks of the content too (original mode).
    """
    from hl7apy.core import Message  # noqa: PLC0415 - only who writes such messages pays for it

    message = Message(structure, version=who.version, encoding_chars=_DELIMITERS)
    kind = [structure.partition("_")[0], event]
    if is_at_least(who.version, _STRUCTURE_SINCE):
        kind.append(structure)
    header: dict[int, str] = {
        3: setting(who.sending_application),
        4: setting(who.sending_facility),
        5: setting(who.receiving_application),
        6: setting(who.receiving_facility),
        7: time_stamp(at),
        9: "^".join(kind),
        10: control_id,
        11: setting(who.processing_id),
        12: who.version,
        18: "UNICODE UTF-8",
    }
    _fill(message.msh, header)
    open_groups: dict[str, Any] = {}
    lines = [str(message.msh.to_er7())]
    for facts in segments:
        segment = _place(message, facts, open_groups)
        _fill(segment, facts.fields)
        lines.append(_line(segment))
    return "".join(f"{line}\r" for line in lines).encode()


def pid(patient: PatientFacts) -> Fields:
    """PID: identifiers (PID-3), name (PID-5), birth date (PID-7) and sex (PID-8)."""
    return {
        1: "1",
        3: [_cx(each) for each in patient.identifiers],
        5: components(patient.family, patient.given),
        7: patient.birth_date.strftime("%Y%m%d") if patient.birth_date else "",
        8: _SEX.get(patient.gender or "", ""),
    }


def pv1(visit: VisitFacts) -> Fields:
    """PV1: an outpatient's visit (HL7 table 0004: O), or that there is none to tell of (N)."""
    return {
        1: "1",
        2: "O" if visit.number else "N",
        3: escape(visit.location),
        19: _cx(visit.number) if visit.number else "",  # CX.5: VN, HL7 table 0203
    }


def _cx(known: NumberOf) -> str:
    authority = escape(known.authority)
    if _OID.fullmatch(known.authority):
        authority = f"&{authority}&ISO"
    return "^".join((escape(known.value), "", "", authority, escape(known.type))).rstrip("^")


def _place(message: Any, facts: SegmentFacts, open_groups: dict[str, Any]) -> Any:
    """A new segment where this version has it; a group holds one of each, then the next begins."""
    group = next((each for each in facts.groups if each in message.structure_by_name), None)
    if group is None:
        return message.add_segment(facts.name)
    inside = open_groups.get(group)
    if inside is None or any(each.name == facts.name for each in inside.children):
        inside = open_groups[group] = message.add_group(group)
    return inside.add_segment(facts.name)


def _fill(segment: Any, fields: Fields) -> None:
    for position, value in fields.items():
        name = f"{segment.name}_{position}".lower()
        for each in [value] if isinstance(value, str) else value:
            if not each:
                continue
            if position in _ALREADY_THERE.get(segment.name, ()):
                setattr(segment, name, each)
            else:
                segment.add_field(name).value = each


def _line(segment: Any) -> str:
    """By its fields' numbers: hl7apy moves those behind a number its tables lack (EVN-1 in 2.8.2)."""
    fields: dict[int, list[str]] = {}
    for field in segment.children:
        fields.setdefault(int(field.name.rpartition("_")[2]), []).append(field.to_er7(_DELIMITERS))
    last = max(fields, default=0)
    return "|".join([segment.name, *("~".join(fields.get(position, ())) for position in range(1, last + 1))])
