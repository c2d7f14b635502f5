"""MSH is read by its own delimiters or refused by path; frames are split into messages."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_listener.framing import FrameSplitter
from hl7_listener.header import HeaderError, is_fragment, read_header, split_messages

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "hl7v2"

MSH = b"MSH|^~\\&|SCHED|NORTH|TEXTS|SOUTH|20270301||SIU^S12^SIU_S12|A 1|P|2.5.1^USA|||AL|NE||UNICODE UTF-8"


def test_the_fields_an_acknowledgment_needs_are_read() -> None:
    header = read_header(MSH + b"\rPID|1")
    assert (header.separator, header.encoding_characters) == (b"|", b"^~\\&")
    assert header.fields[2:6] == [b"SCHED", b"NORTH", b"TEXTS", b"SOUTH"]
    assert (header.message_code, header.trigger_event, header.version) == (b"SIU", b"S12", b"2.5.1")
    assert header.control_id == "A 1"
    assert header.fields[14:18] == [b"AL", b"NE", b"", b"UNICODE UTF-8"]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b""])
def test_the_segment_ends_at_any_line_end(end: bytes) -> None:
    header = read_header(MSH + end + (b"PID|1||7" if end else b""))
    assert header.fields[17] == b"UNICODE UTF-8"
    assert b"PID" not in b"|".join(header.fields)


@pytest.mark.parametrize("before", [b"\r\n", b"\n", b"\0\0", b" ", b"\xef\xbb\xbf", b"\t"])
def test_blanks_nul_and_a_byte_order_mark_before_msh_are_passed_over(before: bytes) -> None:
    assert read_header(before + MSH).control_id == "A 1"


@pytest.mark.parametrize(
    ("msh", "code", "trigger", "control_id"),
    [
        (b"MSH#*~\\&#S#F#R#G#2027##ADT*A08#77#P#2.3", b"ADT", b"A08", "77"),
        (b"MSH|@~!%|S|F|R|G|2027||SIU@S15|78|P|2.4", b"SIU", b"S15", "78"),
        (b"MSH|^~\\&#|S|F|R|G|2027||SIU^S15|79|P|2.7", b"SIU", b"S15", "79"),
        (b"MSH|^|S|F|R|G|2027||SIU^S15|80|P|2.1", b"SIU", b"S15", "80"),
        (b"MSH|^~\\&amp;|S|F|R|G|2027||SIU^S15|81|P|2.1", b"SIU", b"S15", "81"),
        (b"MSH|^~\\&|S|F|R|G|2027||ACK|82", b"ACK", b"", "82"),
        (b"MSH|^~\\&|S|F|R|G|2027||SIU^S12||P|2.5", b"SIU", b"S12", ""),
        (b"MSH|^~\\&|S|F|R|G|2027||SIU^S12|\xe9\xff|P|2.5", b"SIU", b"S12", "\xe9\xff"),
    ],
)
def test_any_delimiters_and_any_length(msh: bytes, code: bytes, trigger: bytes, control_id: str) -> None:
    header = read_header(msh + b"\r")
    assert (header.message_code, header.trigger_event, header.control_id) == (code, trigger, control_id)


@pytest.mark.parametrize(
    ("payload", "path", "error_code", "answers_to"),
    [
        (b"", "MSH", "100", None),
        (b"hello", "MSH", "100", None),
        (b"msh|^~\\&|S", "MSH", "100", None),
        (b"PID|1\r" + MSH, "MSH", "100", "A 1"),
        (b"PID|1\rMSH|", "MSH", "100", ""),
        (b"MSH", "MSH-1", "101", None),
        (b"MSH\rPID|1", "MSH-1", "101", None),
        (b"MSHA^~\\&AS", "MSH-1", "102", None),
        (b"MSH||S|F|R|G|2027||SIU^S12|83|P|2.5", "MSH-2", "101", "83"),
        (b"MSH|abcd|S|F|R|G|2027||SIU^S12|84|P|2.5", "MSH-2", "102", "84"),
        (b"MSH^^S^F^R^G^2027^^SIU^85^P^2.5", "MSH-2", "101", None),
        (b"MSH|^~\\&|S|F|R|G|2027|||86|P|2.5", "MSH-9", "101", "86"),
        (b"MSH|^~\\&|S|F|R|G|2027||^S12|87|P|2.5", "MSH-9", "101", "87"),
        (b"MSH|^~\\&", "MSH-9", "101", ""),
        (b"MSH|^~\\&|S|F|R|G|2027||SIU^S12|88|P|3.0", "MSH-12", "203", "88"),
        (b"MSH|^~\\&|S|F|R|G|2027||SIU^S12|89|P|XML", "MSH-12", "203", "89"),
        ("MSH|^~\\&|S".encode("utf-16-le"), "MSH-18", "102", None),
        ("MSH|^~\\&|S".encode("utf-16-be"), "MSH-18", "102", None),
        ("MSH|^~\\&|S".encode("utf-16"), "MSH-18", "102", None),
        ("MSH|^~\\&|S".encode("utf-32"), "MSH-18", "102", None),
    ],
)
def test_an_unreadable_header_is_named_by_its_path_and_what_could_be_read_is_given(
    payload: bytes, path: str, error_code: str, answers_to: str | None
) -> None:
    with pytest.raises(HeaderError) as caught:
        read_header(payload)
    assert str(caught.value) == f"unreadable-header {path}"
    assert (caught.value.path, caught.value.error_code) == (path, error_code)
    assert (caught.value.header.control_id if caught.value.header else None) == answers_to


@pytest.mark.parametrize(
    "version", [b"", b" ", b"2", b"2.5.1", b"2.3.1^USA", b" 2.4 ", b"V2.3", b"v 2.6", b"2.5.1.0"]
)
def test_any_way_to_write_a_version_2_is_taken_and_so_is_none(version: bytes) -> None:
    assert read_header(b"MSH|^~\\&|S|F|R|G|2027||SIU^S12|90|P|" + version).fields[11] == version


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda data: b"MSH|" + data)))
def test_no_bytes_raise_anything_else(payload: bytes) -> None:
    for part in split_messages(payload):
        try:
            header = read_header(part)
        except HeaderError:
            continue
        assert header.message_code
        assert b"\r" not in header.control_id.encode("latin-1")


A, B, C = (b"MSH|^~\\&|S|F|R|G|2027||SIU^S12|%c\rPID|1\r" % letter for letter in b"ABC")


@pytest.mark.parametrize(
    ("payload", "messages"),
    [
        (A, [A]),
        (A + B + C, [A, B, C]),
        (A + b"\n" + B, [A + b"\n", B]),
        (
            A.replace(b"\r", b"\n") + B.replace(b"\r", b"\n"),
            [A.replace(b"\r", b"\n"), B.replace(b"\r", b"\n")],
        ),
        (b"FHS|^~\\&|S\rBHS|^~\\&|S\r" + A + B + b"BTS|2\rFTS|1\r", [A, B]),
        (b"BHS|^~\\&|S\r" + A + b"BTS|1\rBHS|^~\\&|S\r" + B + b"BTS|1\r", [A, B]),
        (b"\r\nBHS|^~\\&|S\r" + A, [A]),
        (b"\r\n" + A, [b"\r\n" + A]),
        (b"PID|1\r" + A + B, [b"PID|1\r" + A, B]),
        (b"FHS|^~\\&|S\rFTS|0\r", [b"FHS|^~\\&|S\rFTS|0\r"]),
        (b"", [b""]),
        (A + b"NTE|1||see MSH|^~\\&|\r", [A + b"NTE|1||see MSH|^~\\&|\r"]),
        (A + b"NTE|1||\nMSHA is a name\r", [A + b"NTE|1||\nMSHA is a name\r"]),
    ],
)
def test_a_frame_is_split_at_each_msh_and_batch_wrappers_fall_away(
    payload: bytes, messages: list[bytes]
) -> None:
    assert split_messages(payload) == messages


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not beside the repository")
def test_the_header_of_every_public_sample_message_can_be_read() -> None:
    messages = [
        message
        for file in sorted(SAMPLES.rglob("*"))
        if file.is_file()
        for payload in [*FrameSplitter().feed(file.read_bytes())] or [file.read_bytes()]
        for message in split_messages(payload)
    ]
    assert len(messages) > 1000
    for message in messages:
        header = read_header(message)
        assert header.message_code
        assert not is_fragment(header, message)
