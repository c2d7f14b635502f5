"""Batches (HL7 v2 chapter 2, 2.10.3): FHS { BHS { MSH … } BTS } FTS, or several MSH in one frame.

Their wrappers are never part of a message. A batch that counts wrong is kept all the same, and told of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hl7_listener.acknowledgment import timestamp
from hl7_listener.header import HeaderError, MessageHeader, read_header, wrappers

_NOBODY = [b"|", b"^~\\&", b"", b"", b"", b""]
_FIELDS = 12  # BHS-12, the control id of the batch that is answered, is the last one


@dataclass(slots=True)
class Batch:
    """What stood around some messages: BHS and BTS, if there were any."""

    header: list[bytes] | None = None
    """`header[n - 1]` is BHS-n."""
    messages: int = 0
    announced: int | None = None
    """BTS-1, batch message count."""


@dataclass(slots=True)
class Envelope:
    """What stood around the messages of one frame."""

    file: list[bytes] | None = None
    """FHS, as `Batch.header`."""
    batches: list[Batch] = field(default_factory=list)
    announced: int | None = None
    """FTS-1, file batch count."""

    @property
    def counts_wrong(self) -> bool:
        """Whether BTS-1 or FTS-1 says another number than what came."""
        return self.announced not in (None, len(self.batches)) or any(
            batch.announced not in (None, batch.messages) for batch in self.batches
        )


def read_envelope(payload: bytes) -> Envelope:
    """The wrappers in one frame, with how many messages each held."""
    envelope = Envelope()
    current: Batch | None = None
    for name, segment in wrappers(payload):
        if name == b"FHS":
            envelope.file = _fields(segment)
        elif name == b"FTS":
            envelope.announced = _number(segment)
        elif name == b"BTS":
            if current is not None:
                current.announced = _number(segment)
            current = None
        else:
            if current is None or name == b"BHS":
                current = Batch(_fields(segment) if name == b"BHS" else None)
                envelope.batches.append(current)
            current.messages += name == b"MSH"
    return envelope


def answer_batch(
    envelope: Envelope,
    first: MessageHeader | None,
    answers: Sequence[bytes | None],
    *,
    at: datetime,
    control_id: str,
) -> bytes:
    """A batch of acknowledgments, unframed: one for each batch that came, in their order.

    `first`: the header of the first message, whose delimiters and names serve where a wrapper has none.
    `answers`: one for each message that came, None where none is wanted.
    """
    names = envelope.file or ([b"|", *first.fields[1:]] if first else _NOBODY)
    if first is not None and envelope.file is None:
        names[0] = first.separator
    stamp = (timestamp(at), b"", b"", b"", control_id.encode("ascii"))  # BHS-7 to BHS-11
    waiting = list(answers)
    parts: list[bytes] = []
    for batch in envelope.batches:
        mine = [answer for answer in waiting[: batch.messages] if answer is not None]
        del waiting[: batch.messages]
        theirs = batch.header or names
        parts.append(_opening(b"BHS", theirs, stamp, batch.header))
        parts += mine
        parts.append(b"BTS" + theirs[0] + str(len(mine)).encode("ascii") + b"\r")
    if envelope.file is not None:
        parts.insert(0, _opening(b"FHS", names, stamp, envelope.file))
        parts.append(b"FTS" + names[0] + str(len(envelope.batches)).encode("ascii") + b"\r")
    return b"".join(parts)


def _opening(
    name: bytes, theirs: list[bytes], stamp: tuple[bytes, ...], answered: list[bytes] | None
) -> bytes:
    """BHS or FHS, of the same fields both; what was BHS-11 of theirs becomes BHS-12 of ours."""
    swapped = (theirs[1], theirs[4], theirs[5], theirs[2], theirs[3])
    return theirs[0].join((name, *swapped, *stamp, answered[10] if answered else b"")) + b"\r"


def _fields(segment: bytes) -> list[bytes] | None:
    """The fields of a wrapper with delimiters as MSH's; None when it has none that can be read."""
    try:
        read_header(b"MSH" + segment[3:])
    except HeaderError as error:
        if error.header is None or error.path == "MSH-2":
            return None
    fields = segment.split(segment[3:4], _FIELDS)
    fields[0] = segment[3:4]
    return fields + [b""] * (_FIELDS + 1 - len(fields))


def _number(segment: bytes) -> int | None:
    """BTS-1 or FTS-1; None when it is not given, or no number."""
    text = segment[4:].split(segment[3:4] or b"|", 1)[0].strip()
    return int(text) if text.isdigit() and len(text) < 12 else None  # noqa: PLR2004 - NM of 10 characters
