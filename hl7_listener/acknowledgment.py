"""Answers a message as its own header asks to be answered (HL7 v2 chapter 2, acknowledgment; table 0008).

    MSH-15  MSH-16   kept   not kept
    empty   empty    AA     AR | AE     original mode
    AL      any      CA     CE | CR     enhanced mode: the accept acknowledgment
    NE      AL       AA     AR | AE     the standard's other way to write original mode
    NE      NE       -      -           nothing is sent

ER asks for an answer to a failure only, SU to a success only; one of the two empty stands for NE. One message
has one answer at most: who asks for both acknowledgments gets the accept one here, and the application one
later (`application_acknowledgment`).

The answer is made of the sender's own bytes, its delimiters and its character set, and of ours that are plain
letters. It never holds anything from beyond MSH.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from hl7_listener.header import HeaderError, MessageHeader

AcknowledgeMode = Literal["msh", "always_aa"]
"""`msh`: as the table says. `always_aa`: original mode for all, for engines that take nothing but AA."""

_ERROR_TEXTS = {  # HL7 table 0357
    "100": b"Segment sequence error",
    "101": b"Required field missing",
    "102": b"Data type error",
    "200": b"Unsupported message type",
    "201": b"Unsupported event code",
    "202": b"Unsupported processing id",
    "203": b"Unsupported version id",
    "207": b"Application error",
}
_THREE_COMPONENT_TYPE_SINCE = (2, 3, 1)  # MSH-9.3, message structure
_ERR_FIELDS_SINCE = (2, 5, 0)  # ERR-2 to ERR-12; before, ERR-1 alone
_MSA_TEXT_UNTIL = (2, 7, 0)  # MSA-3 withdrawn
_NO_VERSION = (99, 0, 0)
_PATH = re.compile(
    r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+)(?:\.(\d+))?)?)?", re.ASCII
)
_NO_HEADER = MessageHeader(b"|", [b"MSH", b"^~\\&", *[b""] * 8, b"P", b"2.5", *[b""] * 6])


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message is not acknowledged with AA or CA."""

    accept_code: Literal[b"CE", b"CR"]
    """Table 0008 in enhanced mode."""
    error_code: str
    """HL7 table 0357."""
    path: str
    """Where, such as `MSH-9` or `PID-3[2].1`; empty when it lies not in the message."""
    text: bytes
    """For people; letters and blanks only, so that no delimiter of any sender can stand in it."""
    application_code: Literal[b"AE", b"AR"] = b"AR"
    """Table 0008 in original mode: AE when the message itself is to blame, and no resend can mend it."""


NOT_STORED = Fault(b"CE", "207", "", b"Not stored send again later")
FRAGMENT = Fault(b"CE", "207", "MSH-14", b"Continued messages are not supported", b"AE")
TOO_MANY = Fault(b"CE", "207", "", b"Too many messages in one frame", b"AE")
NO_NUMBER = Fault(b"CE", "102", "MSH-13", b"Sequence number cannot be read", b"AE")
OUT_OF_SEQUENCE = Fault(b"CE", "207", "MSH-13", b"Sequence number is not the expected one", b"AE")


def unreadable(error: HeaderError) -> Fault:
    """The fault of a message whose header cannot be read: kept for the operator, but refused."""
    return Fault(b"CR", error.error_code, error.path, b"Message header cannot be read")


def acknowledge(
    header: MessageHeader | None,
    fault: Fault | None,
    *,
    mode: AcknowledgeMode,
    at: datetime,
    control_id: str,
    expected: int | None = None,
) -> bytes | None:
    """The acknowledgment of one message, unframed, or None when its sender wants none.

    `header`: what could be read of its MSH. `fault`: None when it is kept. `at` (aware) and `control_id`
    (ASCII) become MSH-7 and MSH-10 of the answer. `expected`: MSA-4, under the sequence number protocol.
    """
    header = header or _NO_HEADER
    code = _code(header, fault, mode)
    if code is None:
        return None
    return compose(header, code, fault, at=at, control_id=control_id, expected=expected)


def compose(
    header: MessageHeader,
    code: bytes,
    fault: Fault | None,
    *,
    at: datetime,
    control_id: str,
    accept: bytes | None = None,
    expected: int | None = None,
) -> bytes:
    """The acknowledgment with this code of table 0008, whatever was asked for.

    `accept`: its own MSH-15; beside it MSH-16 is NE. None leaves both empty. `expected`: MSA-4.
    """
    fields = header.fields
    answer = [
        b"MSH",
        fields[1],  # MSH-2
        fields[4],  # MSH-5, theirs, is our MSH-3
        fields[5],
        fields[2],  # MSH-3, theirs, is our MSH-5
        fields[3],
        _among(timestamp(at), header),
        b"",
        _message_type(header),
        control_id.encode("ascii"),
        fields[10],  # MSH-11, processing id
        fields[11],  # MSH-12, version
    ]
    charset = fields[17]  # MSH-18
    if accept is not None:
        answer += (b"", b"", accept, b"NE")
        answer += (b"", charset) if charset else ()
    elif charset:
        answer += (b"", b"", b"", b"", b"", charset)
    answer[-1] += b"\rMSA"
    answer += (code, fields[9])  # MSH-10
    version = _NO_VERSION if fault is None else _version(header.version)
    text = fault.text if fault is not None and version < _MSA_TEXT_UNTIL else b""
    if expected is not None:
        answer += (text, str(expected).encode("ascii"))
    elif text:
        answer.append(text)
    if fault is not None:
        answer[-1] += b"\r" + _err(header, fault, version)
    answer[-1] += b"\r"
    return header.separator.join(answer)


def _code(header: MessageHeader, fault: Fault | None, mode: AcknowledgeMode) -> bytes | None:
    accept, application = wish(header.fields[14]), wish(header.fields[15])  # MSH-15, MSH-16
    application_code = b"AA" if fault is None else fault.application_code
    if mode == "always_aa" or not (accept or application):
        # An answer to an answer would never end.
        return None if header.message_code == b"ACK" else application_code
    if wanted(accept, failed=fault is not None):
        return b"CA" if fault is None else fault.accept_code
    return application_code if wanted(application, failed=fault is not None) else None


def wish(field: bytes) -> bytes:
    """MSH-15 or MSH-16 as HL7 table 0155 writes it; empty for HL7's null too."""
    return b"" if field == b'""' else field.strip().upper()


def wanted(asked: bytes, *, failed: bool) -> bool:
    """Whether HL7 table 0155 asks for an answer; a word it does not know counts as AL."""
    if asked in (b"", b"NE"):
        return False
    if asked == b"ER":
        return failed
    return asked != b"SU" or not failed


def _among(stamp: bytes, header: MessageHeader) -> bytes:
    """The time with the offset of UTC so written that none of the sender's delimiters stands in it."""
    delimiters = header.separator + header.encoding_characters
    if b"+" not in delimiters:
        return stamp
    digits = stamp.partition(b"+")[0]
    return digits if b"-" in delimiters else digits + b"-0000"


def _message_type(header: MessageHeader) -> bytes:
    trigger, component = header.trigger_event, header.encoding_characters[:1]
    if not trigger:
        return b"ACK"
    if _version(header.version) < _THREE_COMPONENT_TYPE_SINCE:
        return b"ACK" + component + trigger
    return b"ACK" + component + trigger + component + b"ACK"


def _err(header: MessageHeader, fault: Fault, version: tuple[int, int, int]) -> bytes:
    separator, component = header.separator, header.encoding_characters[:1]
    # Without a subcomponent separator of its own, the sender gets the code alone.
    subcomponent = header.encoding_characters[3:4]
    place = _place(fault.path)
    code, text = fault.error_code.encode("ascii"), _ERROR_TEXTS[fault.error_code]
    if version < _ERR_FIELDS_SINCE:
        coded = subcomponent.join((code, text, b"HL70357")) if subcomponent else code
        return b"ERR" + separator + component.join((*(*place, b"", b"", b"")[:3], coded))
    location = component.join(place)
    coded = component.join((code, text, b"HL70357"))
    return separator.join((b"ERR", b"", location, coded, b"E", b"", b"", b"", fault.text))


def _place(path: str) -> list[bytes]:
    """An HL7 path as ERR-2 says it: segment, sequence, field, repetition, component, subcomponent."""
    match = _PATH.fullmatch(path)
    if match is None:
        return []
    segment, sequence, field, repetition, component, subcomponent = match.groups()
    place = [segment, sequence or "1", field, repetition or (component and "1"), component, subcomponent]
    return [part.encode("ascii") for part in place if part]


@lru_cache(maxsize=64)
def _version(field: bytes) -> tuple[int, int, int]:
    """MSH-12.1 as numbers; an unknown one counts as newer than all."""
    match = re.fullmatch(rb"\s*(\d{1,2})\.(\d{1,2})(?:\.(\d{1,2}))?\s*", field)
    if match is None:
        return _NO_VERSION
    major, minor, patch = match.groups(default=b"0")
    return int(major), int(minor), int(patch)


def timestamp(at: datetime) -> bytes:
    """MSH-7 to the second, in UTC with its offset."""
    moment = at.astimezone(UTC)
    return b"%04d%02d%02d%02d%02d%02d+0000" % (
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
    )
