r"""Reads an HL7 v2 message by path, from the delimiters it declares, splitting only what is read.

    message = V2Message.parse(raw)
    message["PID-5.1"]          the family name, unescaped; '' when absent or null
    message.is_null("PID-13")   True when the sender wrote "" (delete what you stored)
    message["AIS[2]-4"]         the second AIS segment's start

The grammar of paths is in `hl7_path`. Nothing here knows what a segment means, which version the sender
claims or which segments it may hold: real messages mix versions, and Z segments stand anywhere.
The segments keep their order and can be grouped: `patients` (PID with what follows it), `resources`
(RGS with its AIS, AIG, AIL, AIP), each addressed by the same paths, counted within the group.
"""

import re
from collections.abc import Sequence
from typing import Self

from fhir_mappers.charsets import decode
from fhir_mappers.errors import UnreadableMessage
from fhir_mappers.findings import warn
from fhir_mappers.segment_run import NULL, Composite, SegmentRun
from fhir_mappers.translation import MapWarning

__all__ = ["NULL", "Composite", "SegmentRun", "V2Message", "split_messages"]

_DEFAULTS = "^~\\&"
_USUAL = "MSH|^~\\&|"
_TRUNCATION = 5  # MSH-2 of 2.7 and later may hold a fifth character
_HEADER = re.compile(rb"(?:^|[\r\n\x00\x0b\x1c])[ \t\xef\xbb\xbf]{0,80}(MSH)(?=[^A-Za-z0-9\s])")
# Control characters: MLLP frames (0B, 1C), NUL and noise. Kept: tab, LF, CR, and ESC, which ISO 2022 uses.
_CONTROLS = bytes(c for c in range(0x20) if c not in b"\t\n\r\x1b") + b"\x7f"
_ENVELOPES = frozenset({"FHS", "BHS", "BTS", "FTS", "MSH"})
_RESOURCES = frozenset({"AIS", "AIG", "AIL", "AIP"})
_PATIENT_ENDS = _RESOURCES | {"PID", "RGS"}


class V2Message(SegmentRun):
    """One HL7 v2 message."""

    __slots__ = ("warnings",)

    warnings: tuple[MapWarning, ...]

    @classmethod
    def parse(cls, raw: bytes, *, fallback_charset: str | None = None) -> Self:
        """Read one message; segments may end in CR, LF or CRLF, MLLP bytes and a BOM are ignored.

        `fallback_charset` (HL7 table 0211 or IANA name) is tried when MSH-18 says nothing.
        Raises UnreadableMessage, and nothing else, whatever the bytes.
        """
        warnings: list[MapWarning] = []
        text, codec = _text(_one_message(raw), fallback_charset, warnings)
        delimiters = _delimiters(text, warnings)
        lines = _segments(text, delimiters[0], warnings)
        message = cls([[line] for line in lines], delimiters, codec)
        message.warnings = tuple(warnings)
        return message

    def patients(self) -> list[SegmentRun]:
        """Return the PATIENT groups: each PID with what follows, up to the next PID or a resource.

        With one PID there is one group and it is the whole message: some put Z segments before PID or
        after the resources.
        """
        if self.count("PID") == 1:
            return [self]
        groups: list[list[list[str]]] = []
        inside = False
        for row in self.rows:
            name = row[0][:3]
            if name in _PATIENT_ENDS:
                inside = name == "PID"
                if inside:
                    groups.append([])
            if inside:
                groups[-1].append(row)
        return [self.part(group) for group in groups]

    def resources(self) -> list[SegmentRun]:
        """Return the RESOURCE groups: RGS with its AIS, AIG, AIL, AIP; those sent without RGS make one."""
        groups: list[list[list[str]]] = []
        for row in self.rows:
            name = row[0][:3]
            if name == "RGS" or (name in _RESOURCES and not groups):
                groups.append([row])
            elif name in _RESOURCES:
                groups[-1].append(row)
        return [self.part(group) for group in groups]

    def without(self, rows: Sequence[list[str]]) -> "V2Message":
        """Return the message as if these of its segments had not been sent."""
        gone = {id(row) for row in rows}
        return self.with_rows([row for row in self.rows if id(row) not in gone])

    def with_rows(self, rows: Sequence[list[str]]) -> "V2Message":
        """Return the message with other segments."""
        other = V2Message(rows, self.delimiters, self.codec)
        other.warnings = self.warnings
        return other


def split_messages(data: bytes) -> list[bytes]:
    """Cut a file into its messages: bare, MLLP-framed, or within FHS/BHS batches.

    Data without any MSH comes back whole, so that whoever maps it can say why it is refused;
    blank data gives [].
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    starts = [match.start(1) for match in _HEADER.finditer(data)]
    if not starts:
        return [data] if data.strip() else []
    ends = [*starts[1:], len(data)]
    return [_trim(data[start:end]) for start, end in zip(starts, ends, strict=True)]


_TRAILER = re.compile(rb"[\r\n](?:FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9])|\x1c")


def _trim(message: bytes) -> bytes:
    trailer = _TRAILER.search(message)
    return (message[: trailer.start()] if trailer else message).rstrip(b"\r\n\x00\x0b \xef\xbb\xbf")


def _one_message(raw: bytes) -> bytes:
    """Cut framing and noise away; raise UnreadableMessage when there is no MSH."""
    if not raw.startswith(b"MSH"):
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raw = raw.decode("utf-16", "replace").encode()
        header = _HEADER.search(raw)
        if header is None:
            raise UnreadableMessage("MSH", "no-header", "no MSH segment was found")
        raw = raw[header.start(1) :]
    end = raw.find(b"\x1c")
    return raw if end < 0 else raw[:end]


def _text(body: bytes, fallback: str | None, warnings: list[MapWarning]) -> tuple[str, str]:
    if b"\x00" in body:
        warnings.append(warn("MSH", "nul-byte"))
    body = body.translate(None, _CONTROLS)
    if body.isascii() and b"\x1b" not in body:
        return body.decode("ascii"), "utf-8"
    header = re.split(rb"[\r\n]", body, maxsplit=1)[0]
    fields = header.split(body[3:4])
    repetition = body[5:6] or b"~"
    declared = fields[17].split(repetition)[0] if len(fields) > 17 else b""  # noqa: PLR2004 - MSH-18
    decoded = decode(body, declared.decode("ascii", "replace"), fallback)
    if decoded.warning:
        warnings.append(warn("MSH-18", decoded.warning))
    return decoded.text, decoded.codec


def _delimiters(text: str, warnings: list[MapWarning]) -> str:
    """Return field, component, repetition, escape and subcomponent separators, and truncation if any."""
    if text.startswith(_USUAL):
        return _USUAL[3:8]
    separator = text[3:4]
    if not separator or separator.isalnum() or separator.isspace():
        raise UnreadableMessage("MSH-1", "no-delimiters", "MSH names no field separator")
    end = re.search(rf"[\r\n{re.escape(separator)}]", text[4:])
    declared = text[4 : 4 + end.start()] if end else text[4:]
    if len(declared) < len(_DEFAULTS):
        warnings.append(warn("MSH-2", "delimiters-missing"))
        declared += "".join(c for c in _DEFAULTS[len(declared) :] if c not in declared)
    delimiters = separator + declared
    bad = any(c.isalnum() or c.isspace() for c in declared) or len(set(delimiters)) != len(delimiters)
    if bad or not len(_DEFAULTS) <= len(declared) <= _TRUNCATION:
        raise UnreadableMessage("MSH-2", "bad-delimiters", "the encoding characters cannot be told apart")
    return delimiters


def _segments(text: str, separator: str, warnings: list[MapWarning]) -> list[str]:
    """Cut the text into segments, one a line."""
    lines = _lines(text)
    while not lines[-1]:
        lines.pop()
    odd = [line for line in lines if line[3:4] != separator or line[:3] in _ENVELOPES]
    return lines if len(odd) == 1 else _mend(lines, separator, warnings)


def _mend(lines: list[str], separator: str, warnings: list[MapWarning]) -> list[str]:
    """Drop blank lines and what follows the message; give a line that begins no segment to the one before."""
    segments: list[list[str]] = []
    for line in lines:
        stripped = line.strip()
        name = stripped[:3]
        if not name:
            continue
        if segments and not (name.isalnum() and name.isupper() and stripped[3:4] in ("", separator)):
            segments[-1].append(line)
            continue
        if segments and name in _ENVELOPES:
            if name == "MSH":
                warnings.append(warn("MSH", "second-message"))
            break
        segments.append([stripped])
    warnings += [warn(f"{pieces[0][:3]}-1", "broken-line") for pieces in segments if len(pieces) > 1]
    return ["\n".join(pieces) for pieces in segments]


def _lines(text: str) -> list[str]:
    if "\n" not in text:
        return text.split("\r")
    if "\r" not in text:
        return text.split("\n")
    return text.replace("\r\n", "\r").replace("\n", "\r").split("\r")
