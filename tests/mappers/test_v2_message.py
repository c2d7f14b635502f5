"""The reader: paths, delimiters, escapes, line ends, character sets, batches, and what it refuses."""

import pytest

from fhir_mappers.errors import BadPath, UnreadableMessage
from fhir_mappers.v2_message import NULL, V2Message, split_messages

HEADER = "MSH|^~\\&|A|B|C|D|20270301||SIU^S12|77|P|2.5.1"
SEGMENTS = [
    HEADER,
    "SCH|P1^NS|F1",
    'PID|1||900^^^HOSP&1.2.3&ISO^MR~S1^^^STATE^DL~||Rossi&van^Paola||19800101|""|||""^x',
    "PD1||||N",
    "PID|2||901^^^HOSP^MR||Bianchi^Marco",
    "PV1|1|O",
    "RGS|1",
    "AIS|1||X^Service",
    "AIS|2||Y^Other|20270311143000",
    "ZZZ|own&data",
]
MESSAGE = "\r".join(SEGMENTS).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("PID-3", "900"),
        ("PID-3.1", "900"),
        ("PID-3[1].1.1", "900"),
        ("PID-3[2]", "S1"),
        ("PID-3[2].5", "DL"),
        ("PID-3[3]", ""),
        ("PID-3[4]", ""),
        ("PID-3.4", "HOSP"),
        ("PID-3.4.2", "1.2.3"),
        ("PID-3.4.3", "ISO"),
        ("PID-3.4.4", ""),
        ("PID-5", "Rossi"),
        ("PID-5.1.2", "van"),
        ("PID-5.2", "Paola"),
        ("PID-5.9", ""),
        ("PID[2]-5.2", "Marco"),
        ("PID[3]-5", ""),
        ("AIS[2]-4", "20270311143000"),
        ("AIS-4", ""),
        ("ZZZ-1.1.2", "data"),
        ("QQQ-1", ""),
        ("MSH-1", "|"),
        ("MSH-2", "^~\\&"),
        ("MSH-9.2", "S12"),
        ("MSH-10", "77"),
        ("PID-8", ""),
        ("PID-11.2", "x"),
    ],
)
def test_a_path_gives_the_value_where_it_points(path: str, value: str) -> None:
    assert V2Message.parse(MESSAGE)[path] == value


def test_null_is_told_from_absent() -> None:
    message = V2Message.parse(MESSAGE)
    assert message.is_null("PID-8")
    assert message.raw("PID-8") == NULL
    assert message.is_null("PID-11.1")
    assert not message.is_null("PID-12")
    assert not message.is_null("PID-5")


@pytest.mark.parametrize(
    "path",
    ["", "PID", "PID-", "PID-0", "pid-3", "PID3", "PID-3.0", "PID-3[0]", "PID-3.1.1.1", "PID-3 ", "PID-1234"],
)
def test_what_is_no_path_is_said_to_be_none(path: str) -> None:
    with pytest.raises(BadPath):
        V2Message.parse(MESSAGE).get(path)


def test_repetitions_and_segments_are_counted() -> None:
    message = V2Message.parse(MESSAGE)
    assert [message.repetitions(path) for path in ("PID-3", "PID-5", "PID-6", "QQQ-1")] == [3, 1, 0, 0]
    assert [message.count(name) for name in ("PID", "AIS", "QQQ")] == [2, 2, 0]
    assert message.segments == ["MSH", "SCH", "PID", "PD1", "PID", "PV1", "RGS", "AIS", "AIS", "ZZZ"]


def test_a_field_gives_its_repetitions_part_by_part() -> None:
    first, second, empty = V2Message.parse(MESSAGE).field("PID-3")
    assert [first.get(1), first.get(4), first.get(4, 2), first.get(5), first.get(9)] == [
        "900",
        "HOSP",
        "1.2.3",
        "MR",
        "",
    ]
    assert (second.get(1), second.get(1, 2), empty.get(1)) == ("S1", "", "")


def test_each_patient_has_the_segments_that_follow() -> None:
    first, second = V2Message.parse(MESSAGE).patients()
    assert (first["PID-5"], first["PD1-4"], first["PV1-2"]) == ("Rossi", "N", "")
    assert (second["PID-5"], second["PD1-4"], second["PV1-2"]) == ("Bianchi", "", "O")


@pytest.mark.parametrize(
    ("segments", "groups"),
    [
        ("RGS|1\rAIS|1\rAIL|1\rRGS|2\rAIP|1", [["RGS", "AIS", "AIL"], ["RGS", "AIP"]]),
        ("AIG|1\rAIL|1\rAIP|1", [["AIG", "AIL", "AIP"]]),
        ("RGS|1\rAIS|1\rNTE|1\rAIG|1", [["RGS", "AIS", "AIG"]]),
        ("ZZ1|1", []),
    ],
)
def test_resources_are_grouped_with_or_without_rgs(segments: str, groups: list[list[str]]) -> None:
    message = V2Message.parse(f"{HEADER}\r{segments}\r".encode())
    assert [group.segments for group in message.resources()] == groups


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r", "\r\r"])
def test_any_line_end_will_do(end: str) -> None:
    message = V2Message.parse(MESSAGE.decode().replace("\r", end).encode())
    assert (message["PID[2]-5.2"], message.warnings) == ("Marco", ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b"\x0b", b"\x1c\r"),
        (b"\x0b", b"\x1c"),
        (b"\xef\xbb\xbf", b"\r\n"),
        (b"\r\n\r\n", b""),
        (b"noise\r", b""),
        (b"  ", b""),
        (b"FHS|^~\\&|X\rBHS|^~\\&|X\r", b"\rBTS|1\rFTS|1\r"),
    ],
)
def test_framing_and_noise_around_a_message_are_cut_away(before: bytes, after: bytes) -> None:
    message = V2Message.parse(before + MESSAGE + after)
    assert (message["MSH-10"], message["ZZZ-1.1.2"], message.warnings) == ("77", "data", ())


def test_utf_16_from_an_editor_is_read() -> None:
    assert V2Message.parse(MESSAGE.decode().encode("utf-16"))["PID-5"] == "Rossi"


def test_other_delimiters_are_taken_from_the_header() -> None:
    raw = b"MSH$%?!@#$A$B$C$D$1$$SIU%S12$9$P$2.7\rPID$1$$1%%%H@9?2$$Ro!T!ssi|^~\\&!P!\r"
    message = V2Message.parse(raw)
    assert message.delimiters == "$%?!@#"
    assert message["PID-3[2]"] == "2"
    assert message["PID-3.4.2"] == "9"
    assert message["PID-5"] == "Ro@ssi|^~\\&#"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"O\X27\Neill", "O'Neill"),
        (r"one\X0D0A\two", "one\ntwo"),
        (r"nul\X00\here", "nulhere"),
        (r"one\.br\two", "one\ntwo"),
        (r"\.sp2\x\.sk3\y", "\n\nx   y"),
        (r"\.in+4\x\.fi\y\.ce\z", "xy\nz"),
        (r"\H\loud\N\ still", "loud still"),
        (r"\C2842\x\M2470\y", "xy"),
        ("\\Zlocal\\", "Zlocal"),
        (r"C:\dir", "C:\\dir"),
        ("\\", "\\"),
        (r"\E\E\E\F", "\\E\\F"),
        (r"\XZZ\x", "XZZx"),
        (r"\P\ ", "P "),
    ],
)
def test_escape_sequences_are_undone(written: str, meant: str) -> None:
    message = V2Message.parse(f"{HEADER}\rNTE|1||{written}\r".encode())
    assert message["NTE-3"] == meant
    assert message.field("NTE-3")[0].get(1) == meant


@pytest.mark.parametrize(
    ("declared", "fallback", "encoding", "codes"),
    [
        ("", None, "utf-8", []),
        ("UNICODE UTF-8", None, "utf-8", []),
        ("8859/1", None, "latin-1", []),
        ("8859/15", None, "iso8859-15", []),
        ("8859/1~UNICODE UTF-8", None, "latin-1", []),
        ("", "8859/1", "latin-1", []),
        ("", "windows-1252", "cp1252", []),
        ("", None, "cp1252", ["charset-guessed"]),
        ("ASCII", None, "utf-8", ["charset-contradicted"]),
        ("ASCII", None, "cp1252", ["charset-contradicted"]),
        ("UNICODE UTF-8", None, "latin-1", ["charset-contradicted"]),
        ("KLINGON", None, "utf-8", ["unknown-charset"]),
        ("", "rot13", "utf-8", ["unknown-charset"]),
        ("UNICODE UTF-16", None, "utf-8", ["unknown-charset"]),
    ],
)
def test_the_character_set_is_found(
    declared: str, fallback: str | None, encoding: str, codes: list[str]
) -> None:
    raw = f"{HEADER}||||||{declared}\rPID|1||||Müñoz\r".encode(encoding)
    message = V2Message.parse(raw, fallback_charset=fallback)
    assert message["PID-5"] == "Müñoz"
    assert [warning.code for warning in message.warnings] == codes


def test_a_japanese_message_is_read_by_its_charset() -> None:
    raw = f"{HEADER}||||||ISO IR87\rPID|1||||山田^太郎\r".encode("iso2022_jp")
    assert V2Message.parse(raw)["PID-5.2"] == "太郎"


def test_bytes_of_no_charset_are_replaced_and_said() -> None:
    message = V2Message.parse(HEADER.encode() + b"\rPID|1||||a\x81\xffb\r")
    assert message["PID-5"] == "a�ÿb"
    assert [warning.code for warning in message.warnings] == ["charset-guessed"]


def test_a_nul_byte_is_dropped_and_said() -> None:
    message = V2Message.parse(HEADER.encode() + b"\rPID|1||||Ro\x00s\x07si\r")
    assert (message["PID-5"], [w.code for w in message.warnings]) == ("Rossi", ["nul-byte"])


def test_a_line_break_inside_a_field_is_joined_and_said() -> None:
    message = V2Message.parse(f"{HEADER}\rNTE|1||first\nsecond line\rPID|1||9\r".encode())
    assert message["NTE-3"] == "first\nsecond line"
    assert message["PID-3"] == "9"
    assert [(w.path, w.code) for w in message.warnings] == [("NTE-1", "broken-line")]


def test_a_second_message_in_the_same_bytes_is_left_and_said() -> None:
    message = V2Message.parse(MESSAGE + b"\r" + MESSAGE)
    assert (message.count("PID"), [w.code for w in message.warnings]) == (2, ["second-message"])


def test_missing_encoding_characters_are_the_usual_ones() -> None:
    message = V2Message.parse(b"MSH||A|B|||1||SIU^S12|9\rPID|1||1^^^H~2\r")
    assert (message["PID-3.4"], message["PID-3[2]"]) == ("H", "2")
    assert [w.code for w in message.warnings] == ["delimiters-missing"]


def test_a_missing_fourth_encoding_character_is_the_usual_one() -> None:
    assert V2Message.parse(b"MSH|^~\\|A").delimiters == "|^~\\&"


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        (b"", "MSH", "no-header"),
        (b"\x0b\x1c\r", "MSH", "no-header"),
        (b"GET / HTTP/1.1\r\n\r\n", "MSH", "no-header"),
        (b"PID|1||9\r", "MSH", "no-header"),
        (b"xMSH|^~\\&|A", "MSH", "no-header"),
        (b"MSH", "MSH-1", "no-delimiters"),
        (b"MSH\r", "MSH-1", "no-delimiters"),
        (b"MSHABCDE", "MSH-1", "no-delimiters"),
        (b"MSH|^^^^|A", "MSH-2", "bad-delimiters"),
        (b"MSH|^~\\&ABC", "MSH-2", "bad-delimiters"),
        (b"MSH|~~|A", "MSH-2", "bad-delimiters"),
    ],
)
def test_what_has_no_readable_header_is_refused_by_name(raw: bytes, path: str, code: str) -> None:
    with pytest.raises(UnreadableMessage) as refused:
        V2Message.parse(raw)
    assert (refused.value.path, refused.value.code) == (path, code)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 0),
        (b"\r\n \r\n", 0),
        (b"no header at all", 1),
        (MESSAGE, 1),
        (MESSAGE + b"\r" + MESSAGE + b"\r", 2),
        (MESSAGE.replace(b"\r", b"\n") + b"\n\n" + MESSAGE.replace(b"\r", b"\n"), 2),
        (b"\x0b" + MESSAGE + b"\x1c\r\x0b" + MESSAGE + b"\x1c\r", 2),
        (b"\x0b" + MESSAGE + b"\x1c\x0b" + MESSAGE + b"\x1c", 2),
        (b"FHS|^~\\&|X\rBHS|^~\\&|X\r" + MESSAGE + b"\r" + MESSAGE + b"\rBTS|2\rFTS|1\r", 2),
        (b"\xef\xbb\xbf" + MESSAGE + b"\r\n" + MESSAGE, 2),
        ((MESSAGE + b"\r" + MESSAGE).decode().encode("utf-16"), 2),
    ],
)
def test_a_file_is_cut_into_its_messages(data: bytes, count: int) -> None:
    messages = split_messages(data)
    assert len(messages) == count
    if b"no header" not in data:
        assert all(V2Message.parse(message)["ZZZ-1.1.2"] == "data" for message in messages)
        assert all(V2Message.parse(message).warnings == () for message in messages)


def test_a_file_of_line_breaks_alone_is_cut_at_once() -> None:
    assert split_messages(b"\n" * 2_000_000 + MESSAGE) == [MESSAGE]
