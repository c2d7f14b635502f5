"""Acknowledgments are what the sender's MSH asks for: golden tables, mode by mode and version by version."""

from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_listener.acknowledgment import (
    FRAGMENT,
    NO_NUMBER,
    NOT_STORED,
    OUT_OF_SEQUENCE,
    TOO_MANY,
    AcknowledgeMode,
    Fault,
    acknowledge,
    unreadable,
)
from hl7_listener.header import HeaderError, MessageHeader, read_header
from tests.listener.fakes import NOON, message

MSH_9 = unreadable(HeaderError("MSH-9", "101"))


def answer(
    header: MessageHeader | None,
    fault: Fault | None = None,
    mode: AcknowledgeMode = "msh",
    expected: int | None = None,
) -> list[str] | None:
    """The segments of the acknowledgment."""
    payload = acknowledge(header, fault, mode=mode, at=NOON, control_id="OURS1", expected=expected)
    if payload is None:
        return None
    assert payload.endswith(b"\r")
    return payload[:-1].decode("latin-1").split("\r")


def code(payload: bytes, fault: Fault | None, mode: AcknowledgeMode = "msh") -> str | None:
    segments = answer(read_header(payload), fault, mode)
    return None if segments is None else segments[1].split("|")[1]


@pytest.mark.parametrize(
    ("msh_15", "msh_16", "kept", "unreadable", "not_stored"),
    [
        # original mode
        ("", "", "AA", "AR", "AR"),
        ('""', '""', "AA", "AR", "AR"),
        # enhanced mode, the accept acknowledgment
        ("AL", "NE", "CA", "CR", "CE"),
        ("AL", "AL", "CA", "CR", "CE"),
        ("ER", "NE", None, "CR", "CE"),
        ("SU", "NE", "CA", None, None),
        ("NE", "NE", None, None, None),
        # one alone: enhanced, with the other NE
        ("AL", "", "CA", "CR", "CE"),
        ("ER", "", None, "CR", "CE"),
        ("SU", "", "CA", None, None),
        ("NE", "", None, None, None),
        # the standard's other way to write original mode
        ("NE", "AL", "AA", "AR", "AR"),
        ("", "AL", "AA", "AR", "AR"),
        ("NE", "ER", None, "AR", "AR"),
        ("NE", "SU", "AA", None, None),
        ("", "NE", None, None, None),
        # at most one answer: the accept one first
        ("ER", "AL", "AA", "CR", "CE"),
        # table 0155 as people write it
        ("al", "ne", "CA", "CR", "CE"),
        (" AL ", "NE", "CA", "CR", "CE"),
        ("Y", "", "CA", "CR", "CE"),
    ],
)
def test_the_code_follows_msh_15_and_msh_16(
    msh_15: str, msh_16: str, kept: str | None, unreadable: str | None, not_stored: str | None
) -> None:
    payload = message(msh_15=msh_15, msh_16=msh_16)
    faults = (None, MSH_9, NOT_STORED)
    assert [code(payload, fault) for fault in faults] == [kept, unreadable, not_stored]
    assert [code(payload, fault, "always_aa") for fault in faults] == ["AA", "AR", "AR"]


@pytest.mark.parametrize(
    ("fault", "original", "enhanced"),
    [
        (NOT_STORED, "AR", "CE"),  # "likely … can accept the same message later"
        (MSH_9, "AR", "CR"),
        (FRAGMENT, "AE", "CE"),
        (TOO_MANY, "AE", "CE"),
        (NO_NUMBER, "AE", "CE"),
        (OUT_OF_SEQUENCE, "AE", "CE"),
    ],
)
def test_each_fault_has_its_code_in_each_mode(fault: Fault, original: str, enhanced: str) -> None:
    assert code(message(), fault) == original
    assert code(message(msh_15="AL"), fault) == enhanced
    assert code(message(msh_15="AL"), fault, "always_aa") == original
    assert not fault.text.translate(None, ascii_letters.encode() + b" ")


@pytest.mark.parametrize(
    ("version", "fault", "msa"),
    [
        ("2.5.1", None, "MSA|AA|A1||7"),
        ("2.3", NOT_STORED, "MSA|AR|A1|Not stored send again later|7"),
        ("2.7", NOT_STORED, "MSA|AR|A1||7"),
    ],
)
def test_under_the_sequence_number_protocol_msa_4_says_what_comes_next(
    version: str, fault: Fault | None, msa: str
) -> None:
    header = read_header(message().replace(b"2.5.1", version.encode()))
    segments = answer(header, fault, expected=7)
    assert segments
    assert segments[1] == msa


@pytest.mark.parametrize("mode", ["msh", "always_aa"])
def test_an_acknowledgment_is_not_acknowledged_for_that_would_never_end(mode: AcknowledgeMode) -> None:
    ack = read_header(b"MSH|^~\\&|S|F|R|G|2027||ACK^S12^ACK|9|P|2.5")
    assert answer(ack, None, mode) is None


GOLDEN = [
    (
        "MSH|^~\\&|SCHED|NORTH|TEXTS|SOUTH|2027||SIU^S12^SIU_S12|A1|P|2.5.1",
        None,
        ["MSH|^~\\&|TEXTS|SOUTH|SCHED|NORTH|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.5.1", "MSA|AA|A1"],
    ),
    (  # the version's country, a test system, blanks and a long control id come back as they are
        "MSH|^~\\&|S^1.2^ISO|F|R|G|2027||SIU^S15|Q 1 A-LONG-CONTROL-ID-OF-30-SIGNS|T^R|2.3.1^USA|1||AL|NE|US",
        None,
        [
            "MSH|^~\\&|R|G|S^1.2^ISO|F|20270301120005+0000||ACK^S15^ACK|OURS1|T^R|2.3.1^USA",
            "MSA|CA|Q 1 A-LONG-CONTROL-ID-OF-30-SIGNS",
        ],
    ),
    (  # before 2.3.1 MSH-9 has two components
        "MSH|^~\\&|S|F|R|G|2027||SIU^S12|A1|P|2.3",
        None,
        ["MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK^S12|OURS1|P|2.3", "MSA|AA|A1"],
    ),
    (  # no trigger event
        "MSH|^~\\&|S|F|R|G|2027||SIU|A1|P|2.4",
        None,
        ["MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK|OURS1|P|2.4", "MSA|AA|A1"],
    ),
    (  # no control id
        "MSH|^~\\&|S|F|R|G|2027||SIU^S12||P|2.4",
        None,
        ["MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.4", "MSA|AA|"],
    ),
    (  # the character set is the sender's, and so are the bytes
        "MSH|^~\\&|CL\xcdNICA|F|R|G|2027||SIU^S12|\xd1-1|P|2.5||||||8859/1",
        None,
        [
            "MSH|^~\\&|R|G|CL\xcdNICA|F|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.5||||||8859/1",
            "MSA|AA|\xd1-1",
        ],
    ),
    (  # a delimiter that would stand in MSH-7
        "MSH+^~\\&+S+F+R+G+2027++SIU^S12+A1+P+2.5.1",
        None,
        ["MSH+^~\\&+R+G+S+F+20270301120005-0000++ACK^S12^ACK+OURS1+P+2.5.1", "MSA+AA+A1"],
    ),
    (  # two such
        "MSH+-~\\&+S+F+R+G+2027++SIU-S12+A1+P+2.5.1",
        None,
        ["MSH+-~\\&+R+G+S+F+20270301120005++ACK-S12-ACK+OURS1+P+2.5.1", "MSA+AA+A1"],
    ),
    (  # other delimiters
        "MSH#*~\\$#S#F#R#G#2027##SIU*S12*SIU_S12#A1#P#2.5",
        NOT_STORED,
        [
            "MSH#*~\\$#R#G#S#F#20270301120005+0000##ACK*S12*ACK#OURS1#P#2.5",
            "MSA#AR#A1#Not stored send again later",
            "ERR###207*Application error*HL70357#E####Not stored send again later",
        ],
    ),
    (  # the truncation character of 2.7, and no MSA-3 any more
        "MSH|^~\\&#|S|F|R|G|2027||SIU^S12|A1|P|2.7|||AL|NE",
        NOT_STORED,
        [
            "MSH|^~\\&#|R|G|S|F|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.7",
            "MSA|CE|A1",
            "ERR|||207^Application error^HL70357|E||||Not stored send again later",
        ],
    ),
    (  # ERR-1 alone before 2.5
        "MSH|^~\\&|S|F|R|G|2027||SIU^S12|A1|P|2.4",
        NOT_STORED,
        [
            "MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.4",
            "MSA|AR|A1|Not stored send again later",
            "ERR|^^^207&Application error&HL70357",
        ],
    ),
    (
        "MSH|^|S|F|R|G|2027||SIU^S12|A1|P|2.3",
        NOT_STORED,
        [
            "MSH|^|R|G|S|F|20270301120005+0000||ACK^S12|OURS1|P|2.3",
            "MSA|AR|A1|Not stored send again later",
            "ERR|^^^207",
        ],
    ),
]


@pytest.mark.parametrize(("msh", "fault", "segments"), GOLDEN)
def test_golden_acknowledgments(msh: str, fault: Fault | None, segments: list[str]) -> None:
    assert answer(read_header(msh.encode("latin-1") + b"\rPID|1"), fault) == segments


UNREADABLE = [
    (
        "hello",
        [
            "MSH|^~\\&|||||20270301120005+0000||ACK|OURS1|P|2.5",
            "MSA|AR||Message header cannot be read",
            "ERR||MSH^1|100^Segment sequence error^HL70357|E||||Message header cannot be read",
        ],
    ),
    (
        "PID|1\rMSH|^~\\&|S|F|R|G|2027||SIU^S12|A1|P|2.4",
        [
            "MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.4",
            "MSA|AR|A1|Message header cannot be read",
            "ERR|MSH^1^^100&Segment sequence error&HL70357",
        ],
    ),
    (
        "MSH||S|F|R|G|2027||SIU^S12|A1|P|2.5",
        [
            "MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.5",
            "MSA|AR|A1|Message header cannot be read",
            "ERR||MSH^1^2|101^Required field missing^HL70357|E||||Message header cannot be read",
        ],
    ),
    (  # a version that is none of ours is answered as the newest that is
        "MSH|^~\\&|S|F|R|G|2027||SIU^S12|A1|P|3.0",
        [
            "MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK^S12^ACK|OURS1|P|3.0",
            "MSA|AR|A1",
            "ERR||MSH^1^12|203^Unsupported version id^HL70357|E||||Message header cannot be read",
        ],
    ),
    (
        "MSH|^~\\&|S|F|R|G|2027|||A1|P|2.8|||AL|NE",
        [
            "MSH|^~\\&|R|G|S|F|20270301120005+0000||ACK|OURS1|P|2.8",
            "MSA|CR|A1",
            "ERR||MSH^1^9|101^Required field missing^HL70357|E||||Message header cannot be read",
        ],
    ),
]


@pytest.mark.parametrize(("payload", "segments"), UNREADABLE)
def test_an_unreadable_header_is_answered_with_what_was_read_of_it(payload: str, segments: list[str]) -> None:
    with pytest.raises(HeaderError) as caught:
        read_header(payload.encode())
    assert answer(caught.value.header, unreadable(caught.value)) == segments


@given(st.binary(max_size=80).map(lambda data: b"MSH|^~\\&|" + data))
def test_an_acknowledgment_never_gains_a_segment_from_what_the_sender_wrote(payload: bytes) -> None:
    try:
        header = read_header(payload)
    except HeaderError as error:
        segments = answer(error.header, unreadable(error), "always_aa")
        assert segments is None or [segment[:3] for segment in segments] == ["MSH", "MSA", "ERR"]
    else:
        segments = answer(header, None, "always_aa")
        assert segments is None or [segment[:3] for segment in segments] == ["MSH", "MSA"]


def test_nothing_beyond_msh_is_ever_repeated() -> None:
    for fault in (None, NOT_STORED, MSH_9):
        assert b"Sample" not in (
            acknowledge(read_header(message()), fault, mode="msh", at=NOON, control_id="X") or b""
        )
