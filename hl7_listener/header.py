"""Reads what an acknowledgment needs from MSH, as bytes, whatever the delimiters and the character set.

Nothing is decoded: MSH's delimiters are single ASCII bytes in every character set that MLLP can carry.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

_FIELDS_READ = 18  # MSH-18, the character set, is the last one an acknowledgment copies
_LEADING_NOISE = b"\r\n\0\t \xef\xbb\xbf"
# What may follow MSH in a message of any structure that speaks of patients or visits.
_OPENING = frozenset(b"SFT UAC NTE EVN SCH ARQ PID MSA QRD QPD MFI".split())
_TRAILERS = (b"BTS", b"FTS")
_TRAILING_NOISE = b"\r\n\0\t "
_PUNCTUATION = string.punctuation.encode()
_STANDARD_ENCODING_CHARACTERS = b"^~\\&"
_SEGMENT_END = re.compile(rb"[\r\n]")
_MESSAGE_HEADER = re.compile(rb"(?:\A|[\r\n])[\0\t \xef\xbb\xbf]*(MSH[^A-Za-z0-9\s])")
_ANY_HEADER_OR_TRAILER = re.compile(  # a trailer may be its name alone
    rb"(?:\A|[\r\n])[\0\t \xef\xbb\xbf]*((?:MSH|FHS|BHS|BTS|FTS)[^A-Za-z0-9\s]|[BF]TS(?=[\r\n]|\Z))"
)
_CONTINUED = re.compile(rb'DSC([^A-Za-z0-9\s])(?!\1|""|\Z)')
_VERSIONS = frozenset(b"2 2.1 2.2 2.3 2.3.1 2.4 2.5 2.5.1 2.6 2.7 2.7.1 2.8 2.8.1 2.8.2 2.9".split())
_VERSION = re.compile(rb"\s*[Vv]?\s*2(?:\.\d{1,3}){0,3}\s*")  # as people write it
_UTF_16 = (b"M\0S\0H\0", b"\0M\0S\0H", b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class MessageHeader:
    """One MSH segment, not to be changed once read."""

    separator: bytes
    """MSH-1, one byte."""
    fields: list[bytes]
    """`fields[n - 1]` is MSH-n, its bytes as sent, empty when absent; at least to MSH-18, then one tail."""

    @property
    def encoding_characters(self) -> bytes:
        """MSH-2: component, repetition, escape, subcomponent, and from 2.7 on truncation."""
        return self.fields[1]

    @property
    def control_id(self) -> str:
        """MSH-10, each byte as one character."""
        return self.fields[9].decode("latin-1")

    @property
    def message_code(self) -> bytes:
        """MSH-9.1, such as `SIU`."""
        return self.fields[8].partition(self.encoding_characters[:1])[0]

    @property
    def trigger_event(self) -> bytes:
        """MSH-9.2, such as `S12`; empty when absent."""
        components = self.fields[8].split(self.encoding_characters[:1], 2)
        return components[1] if len(components) > 1 else b""

    @property
    def version(self) -> bytes:
        """MSH-12.1, such as `2.5.1`."""
        return self.fields[11].partition(self.encoding_characters[:1])[0]


class HeaderError(Exception):
    """The message header cannot be read, so the message cannot be understood; its words hold no value."""

    def __init__(self, path: str, error_code: str, header: MessageHeader | None = None) -> None:
        super().__init__(f"unreadable-header {path}")
        self.path = path
        """`MSH`, `MSH-1`, `MSH-2`, `MSH-9`, `MSH-12` or `MSH-18`."""
        self.error_code = error_code
        """HL7 table 0357."""
        self.header = header
        """What could be read all the same, to answer with."""


def read_header(payload: bytes) -> MessageHeader:
    """The MSH segment that opens a message.

    Blanks, line ends, NUL and a byte order mark before it are passed over. Raises HeaderError when there is
    no MSH (100, segment sequence), no usable MSH-1 or MSH-2, no MSH-9, or an MSH-12 that is no version 2, and
    for UTF-16 and UTF-32, which MLLP cannot carry. An empty MSH-10 is no error here: such a message can be
    kept, told from others by its bytes, and answered with an empty MSA-2. Nor is an empty MSH-12.
    """
    if not payload.startswith(b"MSH"):
        payload = payload.lstrip(_LEADING_NOISE)
        if not payload.startswith(b"MSH"):
            if payload.startswith(_UTF_16):
                raise HeaderError("MSH-18", "102")
            raise HeaderError("MSH", "100", _header_further_down(payload))
    separator = payload[3:4]
    if not _may_delimit(separator):
        raise HeaderError("MSH-1", "102" if separator.strip() else "101")
    end = payload.find(b"\r")
    segment = payload[:end] if end >= 0 else payload
    if b"\n" in segment:
        segment = segment[: segment.find(b"\n")]
    fields = segment.split(separator, _FIELDS_READ)
    if len(fields) < _FIELDS_READ:
        fields += [b""] * (_FIELDS_READ - len(fields))
    header = MessageHeader(separator, fields)
    if not _may_delimit(header.encoding_characters[:4]):
        error_code = "102" if header.encoding_characters else "101"
        header.fields[1] = _STANDARD_ENCODING_CHARACTERS
        raise HeaderError("MSH-2", error_code, None if separator in _STANDARD_ENCODING_CHARACTERS else header)
    if not header.message_code:
        raise HeaderError("MSH-9", "101", header)
    version = header.version
    if version not in _VERSIONS and version.strip() and not _VERSION.fullmatch(version):
        raise HeaderError("MSH-12", "203", header)
    return header


def split_messages(payload: bytes) -> list[bytes]:
    """The messages in one frame: usually one, several when MSH repeats or FHS and BHS wrap a batch (2.10.3).

    Batch headers and trailers are left out; anything else before the first MSH stays with the first message,
    where `read_header` will name it. A frame without MSH is one message.
    """
    if is_one_message(payload):
        return [payload]
    bounds = [match.start(1) for match in _ANY_HEADER_OR_TRAILER.finditer(payload)]
    starts = [bound for bound in bounds if payload.startswith(b"MSH", bound)]
    if not starts:
        return [payload]
    if not payload.lstrip(_LEADING_NOISE).startswith((b"FHS", b"BHS")):
        bounds[bounds.index(starts[0])] = starts[0] = 0
    following = dict(zip(bounds, [*bounds[1:], len(payload)], strict=True))
    return [payload[start : following[start]] for start in starts]


def is_one_message(payload: bytes) -> bool:
    """Whether this is plainly one message: no other header is in it, and no batch's trailer at its end."""
    return payload.startswith(b"MSH") and payload.find(b"MSH", 3) < 0 and _last_name(payload) not in _TRAILERS


def _last_name(payload: bytes) -> bytes:
    """The name of the last segment, found from the end: much cheaper than to search it all."""
    if payload.endswith(b"\r"):
        start = payload.rfind(b"\r", 0, -1) + 1
        name = payload[start : start + 3]
        if name.isalnum():
            return name
    return _last_segment(payload)[:3]


def _last_segment(payload: bytes) -> bytes:
    """From the last line end on, but for those at the very end."""
    text = payload.rstrip(_TRAILING_NOISE)
    return text[max(text.rfind(b"\r"), text.rfind(b"\n")) + 1 :].lstrip(_LEADING_NOISE)


def is_fragment(header: MessageHeader, payload: bytes) -> bool:
    """Whether a message is continued elsewhere (2.10.2), or continues another.

    DSC-1 points to what follows; DSC is the last segment of such a message. MSH-14 points to what went
    before, but some senders write other things there: it counts only where a message does not begin as one.
    """
    pointer = header.fields[13]
    if pointer and pointer.strip() not in (b"", b'""'):
        segments = _SEGMENT_END.split(payload.strip(_LEADING_NOISE), 1)
        opening = segments[1].lstrip(_LEADING_NOISE)[:3] if len(segments) > 1 else b""
        if opening not in _OPENING:
            return True
    return _last_name(payload) == b"DSC" and _CONTINUED.match(_last_segment(payload)) is not None


def has_other_segments(payload: bytes) -> bool:
    """Whether anything stands after the first segment."""
    return bool(_SEGMENT_END.split(payload.strip(_LEADING_NOISE), 1)[1:])


def wrappers(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each FHS, BHS, MSH, BTS and FTS in a frame, in order: its name, and the segment without line end."""
    for match in _ANY_HEADER_OR_TRAILER.finditer(payload):
        start = match.start(1)
        end = _SEGMENT_END.search(payload, start)
        yield payload[start : start + 3], payload[start : end.start() if end else len(payload)]


def _may_delimit(characters: bytes) -> bool:
    """Whether each of these bytes could be a delimiter."""
    return bool(characters) and not characters.translate(None, _PUNCTUATION)


def _header_further_down(payload: bytes) -> MessageHeader | None:
    match = _MESSAGE_HEADER.search(payload)
    if match is None:
        return None
    try:
        return read_header(payload[match.start(1) :])
    except HeaderError as error:
        return error.header
