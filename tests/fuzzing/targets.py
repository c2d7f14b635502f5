"""What must hold of any bytes at all: one function a part, which takes an input and raises when it does not.

Anything raised here is a finding: the parts have no exceptions but those caught below by name.
"""

from __future__ import annotations

import itertools
import logging
import re
import tomllib
import zlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hl7
import orjson

from fhir_mappers.errors import UnreadableMessage
from fhir_mappers.findings import REFUSALS, WARNINGS
from fhir_mappers.profile import VendorProfile, resolve
from fhir_mappers.translation import Translation
from fhir_mappers.v2_message import V2Message
from fhir_mappers.v2_to_fhir import identity_keys, translate
from hl7_listener.application_acknowledgment import application_acknowledgment, is_owed, refused
from hl7_listener.client import read_acknowledgment
from hl7_listener.desk import Desk, Unfinished
from hl7_listener.exchange import COMMITTED, NOT_COMMITTED, answers, receive
from hl7_listener.framing import FrameSplitter, FrameTooLarge, frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.header import HeaderError, MessageHeader, read_header, split_messages
from hl7_listener.inbox import Receipt
from hl7_listener.settings import ListenerSettings
from integration.domain.reply_intent import Intent, ReplyReader
from integration.pipeline.translate.reading import appointment_keys
from tests import settings as site
from tests.listener.fakes import MemoryInbox
from tests.mappers.golden import EPIC, GERMANY, REQUESTS, UK, US
from tests.mappers.test_siu_to_bundle import check_fhir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhir_mappers.translation import FeedFacts
    from hl7_listener.inbox import ReceivedMessage

SMALL_FRAME: Final = 512  # bytes; so that inputs of a fuzzer's size reach the limit
ONE_IN: Final = 32  # translations that fhir.resources, which is slow, checks too
VENDORS: Final = Path(__file__).parents[2] / "config" / "vendors"
FEEDS: Final = (US, UK, GERMANY, EPIC, REQUESTS)
NOON: Final = datetime(2027, 3, 1, 12, tzinfo=UTC)
# A patient who stands behind every message: not a byte of these may come back in an answer.
PATIENT: Final = b"\rPID|1||QZXJ70021^^^QZXJ^MR||Qzxjson^Qzxjana||19800102\r"
_OF_THE_PATIENT: Final = re.compile(b"qzxj", re.IGNORECASE)
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_CODES: Final = {"AA", "AE", "AR", "CA", "CE", "CR"}  # HL7 table 0008


class Finding(AssertionError):
    """Something that must hold does not."""


def must(holds: object, what: str) -> None:
    """Asserts even where asserts are left out."""
    if not holds:
        raise Finding(what)


# The stream.


def frames(data: bytes) -> None:
    """A stream gives the same frames however it is chopped, and all of what was framed."""
    sizes, stream = data[:8], data[8:]
    whole = _fed([stream])
    must(_fed(_chopped(stream, sizes)) == whole, "chopped, the stream gives other frames")
    if len(stream) <= SMALL_FRAME:
        byte_by_byte = (stream[place : place + 1] for place in range(len(stream)))
        must(_fed(byte_by_byte) == whole, "byte by byte, the stream gives other frames")
    payload = stream[:SMALL_FRAME].replace(b"\x0b", b"").replace(b"\x1c", b"")
    must(_fed([frame(payload)]) == ([payload], False), "a frame is not what was framed")
    for message in split_messages(stream):
        _read(message)


def _chopped(stream: bytes, sizes: bytes) -> Iterator[bytes]:
    place = 0
    for size in itertools.cycle(sizes or b"\x01"):
        if place >= len(stream):
            return
        yield stream[place : place + size + 1]
        place += size + 1


def _fed(chunks: Iterable[bytes]) -> tuple[list[bytes], bool]:
    """The frames, and whether one was too large."""
    splitter, found = FrameSplitter(SMALL_FRAME), []
    try:
        for chunk in chunks:
            for payload in splitter.feed(chunk):
                found.append(payload)
                must(len(payload) <= SMALL_FRAME, "a frame is larger than the limit")
            must(splitter.pending_bytes <= SMALL_FRAME, "more is held than one frame may have")
    except FrameTooLarge:
        return found, True
    return found, False


def _read(message: bytes) -> MessageHeader | None:
    try:
        return read_header(message)
    except HeaderError as error:
        return error.header


# The answer.


@cache
def _desk(number: int) -> Desk:
    """One of sixteen ways to listen."""
    settings = ListenerSettings(
        "fuzzed",
        acknowledge="always_aa" if number & 1 else "msh",
        commit_bytes=bool(number & 2),
        batch_answer="batch" if number & 4 else "each",
        sequence=bool(number & 8),
    )
    return Desk(settings, GroupCommit(MemoryInbox()), lambda: NOON, lambda: "OURS1", Unfinished())


def answer(data: bytes) -> None:
    """Whatever stands in a frame is answered so that all can read it, and without a word of the patient."""
    desk = _desk(data[0] % 16 if data else 0)
    for payload in FrameSplitter().feed(frame(data[1:].replace(b"\x1c", b"") + PATIENT)):
        messages: list[ReceivedMessage] = []
        exchange = receive(desk, payload, messages)
        must(len(messages) == len(exchange.questions), "a question without its message")
        for receipt in (Receipt.STORED, Receipt.REFUSED):
            out = answers(desk, [exchange], [receipt] * len(messages))
            must(not _OF_THE_PATIENT.search(out), "an answer speaks of the patient")
            said = list(FrameSplitter().feed(out))
            must(b"".join(map(frame, said)) == out, "an answer's frames are not what was framed")
            asked = {question.header.control_id if question.header else "" for question in exchange.questions}
            for part in said:
                if part not in {COMMITTED, NOT_COMMITTED} and exchange.questions:
                    _check_answer(part, asked)


def _check_answer(payload: bytes, asked: set[str]) -> None:
    for message in split_messages(payload):
        if message.startswith((b"FHS", b"BHS", b"BTS", b"FTS")):
            continue  # a batch in which nobody wants an answer
        read = read_acknowledgment(message)
        must(read.code in _CODES, "an answer's code is none of table 0008")
        must(read.control_id in asked, "an answer is to another message")
        header = _read(message)
        must(header and header.control_id == "OURS1", "an answer's own control id is damaged")
        if header and _is_plain(header):
            V2Message.parse(message)
            segments = hl7.parse(message.decode("latin-1"))
            must(str(segments.segment("MSA")[1]) == read.code, "python-hl7 reads another code")


def _is_plain(header: MessageHeader) -> bool:
    """Whether the delimiters can be told apart; python-hl7 reads no others."""
    delimiters = header.separator + header.encoding_characters
    return len(header.encoding_characters) == 4 == len(set(delimiters)) - 1


def later_answer(data: bytes) -> None:
    """The application acknowledgment too."""
    message = data.replace(b"\x0b", b"").replace(b"\x1c", b"") + PATIENT
    try:
        header = read_header(message)
    except HeaderError:
        return
    path = data[-12:].decode("latin-1")
    for fault in (None, refused("101", "PID-3[2].4.2"), refused("202", "MSH-11"), refused("207", path)):
        must(not (is_owed(header, "always_aa", failed=fault is not None)), "it is owed twice")
        out = application_acknowledgment(header, fault, accept=b"AL", at=NOON, control_id="OURS1")
        must(not _OF_THE_PATIENT.search(out), "an answer speaks of the patient")
        _check_answer(out, {header.control_id})
        must(not is_owed(read_header(out), "msh", failed=False), "an answer is answered")


# The mapper.


@cache
def profiles() -> tuple[VendorProfile, ...]:
    """Every profile that ships."""
    raw = {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(VENDORS.glob("*.toml"))
    }
    return tuple(resolve(name, raw) for name in raw)


def reader(data: bytes) -> None:
    """Any bytes are a message that can be addressed, or unreadable by name."""
    for charset in (None, "8859/1"):
        try:
            message = V2Message.parse(data, fallback_charset=charset)
        except UnreadableMessage as unreadable:
            must(unreadable.path.startswith("MSH"), "unreadable, but where")
            continue
        for path in ("MSH-10", "PID-3[2].4.2", "SCH-11.4", "AIS[2]-4", "ZZZ-1", "MSH-1", "MSH-2"):
            must(isinstance(message.get(path), str), "a path gives no text")
        for group in (*message.patients(), *message.resources()):
            group.get("PID-5.1")


def mapper(data: bytes) -> None:
    """Any bytes are translated or refused; what comes out fits together, and FHIR accepts it."""
    number = zlib.crc32(data)
    feed = FEEDS[number % len(FEEDS)]
    profile = profiles()[number // len(FEEDS) % len(profiles())]
    _check_translation(translate(data, profile, feed), data, profile, feed)


def _check_translation(
    translation: Translation, data: bytes, profile: VendorProfile, feed: FeedFacts
) -> None:
    must(isinstance(translation, Translation), "no translation")
    must(all(each.code in WARNINGS for each in translation.warnings), "a warning of no kind")
    appointment, refusal = translation.appointment, translation.refusal
    used = (appointment is not None) + (translation.visit is not None) + (refusal is not None)
    must(used == 1, "not one of appointment, visit and refusal")
    if refusal is not None and not refusal.path.startswith("MSH"):
        must(refusal.code in REFUSALS, "a refusal of no kind")
    for patient in translation.patients:
        must(patient.text_to is None or _E164.fullmatch(patient.text_to), "a number that is none")
        must(not (patient.deceased and patient.text_to), "the dead are texted")
        _plain_json(patient.resource)
    keys = identity_keys(data, profile, feed)
    if appointment is not None:
        held_by = set(keys.appointment)
        must(held_by >= set(appointment.identifiers), "held by other identifiers than it has")
        must(keys.occurrence == appointment.occurrence, "held by another occurrence than it has")
        must(appointment_keys(keys.appointment, keys.occurrence), "an appointment that cannot be found again")
        must((appointment.start is None) == (appointment.end is None), "a start without end")
        must(appointment.start is None or appointment.start.tzinfo, "a start without offset")
        _plain_json(appointment.resource)
    if zlib.crc32(data) % ONE_IN == 0:
        check_fhir(translation)


def _plain_json(resource: Any) -> None:
    must(orjson.loads(orjson.dumps(resource)) == resource, "a resource that is no JSON")


# The reply.


@cache
def _readers() -> tuple[ReplyReader, ...]:
    words = {language: catalog.replies for language, catalog in site.catalogs().items()}
    offered = {"C": "confirm", "R": "reschedule"}
    return (ReplyReader(words, offered, None), ReplyReader(words, {}, ["es"]))


def reply(data: bytes) -> None:
    """Any text is understood, if only as one for a person."""
    text = data.decode("utf-8", "replace")
    for understanding in _readers():
        understood = understanding.understand(text, ("Ana",))
        must(isinstance(understood.intent, Intent), "no intent")
        must(understood.reason, "no reason")


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    each.__name__: each for each in (frames, answer, later_answer, reader, mapper, reply)
}


def quietly() -> None:
    """Say nothing of each damaged batch: there will be many."""
    logging.disable(logging.CRITICAL)
