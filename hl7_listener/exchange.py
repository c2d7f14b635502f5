"""One frame and its answer: which messages it holds, and what is said to each once its receipt is there."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from hl7_listener.acknowledgment import (
    FRAGMENT,
    NO_NUMBER,
    NOT_STORED,
    OUT_OF_SEQUENCE,
    TOO_MANY,
    Fault,
    acknowledge,
    unreadable,
)
from hl7_listener.batch import Envelope, answer_batch, read_envelope
from hl7_listener.desk import Counts, Desk
from hl7_listener.framing import frame
from hl7_listener.header import (
    HeaderError,
    MessageHeader,
    has_other_segments,
    is_fragment,
    is_one_message,
    read_header,
    split_messages,
    wrappers,
)
from hl7_listener.inbox import Receipt, ReceivedMessage, Sequenced
from hl7_listener.sequence import BEGIN_ANEW, START, NotANumber, read_number

COMMITTED, NOT_COMMITTED = b"\x06", b"\x15"  # MLLP release 2, what stands in the frame
_MOST_MESSAGES = 10_000  # in one frame; each weighs some hundred bytes beside its own


@dataclass(slots=True)
class Question:
    """What one message wants to hear."""

    header: MessageHeader | None
    fault: Fault | None


@dataclass(slots=True)
class Exchange:
    """One frame."""

    questions: list[Question]
    envelope: Envelope | None = None
    """When it is to be answered by a batch."""


def receive(desk: Desk, payload: bytes, messages: list[ReceivedMessage]) -> Exchange:
    """Read a frame; its messages, to be kept, are appended to `messages`."""
    if is_one_message(payload):
        return Exchange([_read(desk, payload, messages)])
    settings, counts = desk.settings, desk.counts
    found = list(islice(wrappers(payload), 2 * _MOST_MESSAGES))
    if sum(name == b"MSH" for name, _ in found) > _MOST_MESSAGES or len(found) == 2 * _MOST_MESSAGES:
        return Exchange([_too_many(desk, payload, messages)])
    envelope = None
    if len(found) > 1 or any(name != b"MSH" for name, _ in found):
        envelope = read_envelope(payload)
        if envelope.counts_wrong:
            counts.miscounted += 1
            desk.note("a batch whose BTS-1 or FTS-1 is not what came; kept", counts.miscounted)
        if settings.batch_answer != "batch":
            envelope = None
    if envelope is not None and not any(batch.messages for batch in envelope.batches):
        return Exchange([], envelope)  # a batch of nothing
    questions = [_read(desk, part, messages) for part in split_messages(payload)]
    return Exchange(questions, envelope)


def answers(desk: Desk, exchanges: Sequence[Exchange], receipts: Sequence[Receipt | Sequenced]) -> bytes:
    """What goes back for these frames, framed; empty when nobody wants to hear."""
    at, position = desk.clock(), 0
    out: list[bytes] = []
    for exchange in exchanges:
        questions = exchange.questions
        heard = receipts[position : position + len(questions)]
        position += len(questions)
        said = [_say(desk, *each, at) for each in zip(questions, heard, strict=True)]
        if desk.settings.commit_bytes:
            out.append(frame(COMMITTED if all(map(_is_kept, heard)) else NOT_COMMITTED))
        if exchange.envelope is None:
            out += [frame(answer) for answer in said if answer is not None]
        else:
            first = questions[0].header if questions else None
            batch = answer_batch(exchange.envelope, first, said, at=at, control_id=desk.new_control_id())
            out.append(frame(batch))
    return b"".join(out)


def _say(desk: Desk, question: Question, became: Receipt | Sequenced, at: datetime) -> bytes | None:
    """The acknowledgment of one message."""
    fault, counts, expected = question.fault, desk.counts, None
    if isinstance(became, Sequenced):
        expected = became.expected
        became = became.receipt
    if became is Receipt.REFUSED:
        fault = NOT_STORED  # it outweighs what is wrong with the message itself
    elif became is Receipt.OUT_OF_SEQUENCE:
        fault = OUT_OF_SEQUENCE
    if fault is None:
        counts.accepted += 1
        counts.duplicates += became is Receipt.DUPLICATE
    else:
        _count(counts, fault)
    return acknowledge(
        question.header,
        fault,
        mode=desk.settings.acknowledge,
        at=at,
        control_id=desk.new_control_id(),
        expected=expected,
    )


def _is_kept(became: Receipt | Sequenced) -> bool:
    receipt = became.receipt if isinstance(became, Sequenced) else became
    return receipt is Receipt.STORED or receipt is Receipt.DUPLICATE


def _read(desk: Desk, payload: bytes, messages: list[ReceivedMessage]) -> Question:
    header: MessageHeader | None
    fault = refusal = sequence = None
    has_content = True
    try:
        header = read_header(payload)
    except HeaderError as error:
        header, fault, refusal = error.header, unreadable(error), str(error)
    else:
        if is_fragment(header, payload):
            fault, refusal = FRAGMENT, "continued-message MSH-14"
            desk.counts.fragments += 1
            desk.note("part of a continued message, not supported; refused", desk.counts.fragments)
    if desk.settings.sequence and header is not None:
        try:
            sequence = read_number(header.fields[12])  # MSH-13
        except NotANumber:
            fault, refusal = fault or NO_NUMBER, refusal or "unreadable-header MSH-13"
        else:
            # A message that only starts the link needs no MSH-9.
            has_content = sequence not in (START, BEGIN_ANEW) or has_other_segments(payload)
            if not has_content:
                fault = refusal = None
    messages.append(
        ReceivedMessage(
            desk.settings.channel,
            header.control_id if header else "",
            payload,
            hashlib.sha256(payload).digest(),
            desk.clock(),
            refusal,
            sequence,
            has_content,
        )
    )
    return Question(header, fault)


def _too_many(desk: Desk, payload: bytes, messages: list[ReceivedMessage]) -> Question:
    """Kept as one, for a person to cut: thousands of messages a frame are a file, not a feed."""
    desk.counts.too_many += 1
    desk.note(f"more than {_MOST_MESSAGES} messages in one frame; refused", desk.counts.too_many)
    question = _read(desk, payload, messages)
    last = messages[-1]
    messages[-1] = ReceivedMessage(
        last.channel, last.control_id, payload, last.digest, last.received_at, "too-many-messages MSH"
    )
    return Question(question.header, TOO_MANY)


def _count(counts: Counts, fault: Fault) -> None:
    if fault is NOT_STORED:
        counts.not_stored += 1
    elif fault is OUT_OF_SEQUENCE:
        counts.out_of_sequence += 1
    elif fault is not FRAGMENT and fault is not TOO_MANY:
        counts.unreadable += 1
