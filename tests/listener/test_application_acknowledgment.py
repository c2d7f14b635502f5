"""The answer that comes later: who is owed it, and what it says."""

import pytest

from hl7_listener.acknowledgment import AcknowledgeMode, Fault, acknowledge
from hl7_listener.application_acknowledgment import application_acknowledgment, is_owed, refused
from hl7_listener.client import read_acknowledgment
from hl7_listener.header import read_header
from tests.listener.fakes import NOON, message


def said(msh: str, fault: Fault | None = None, accept: bytes = b"AL") -> list[str]:
    payload = application_acknowledgment(
        read_header(msh.encode("latin-1")),
        fault,
        accept=accept,  # type: ignore[arg-type] # one of the two
        at=NOON,
        control_id="OURS1",
    )
    return payload.decode("latin-1").rstrip("\r").split("\r")


@pytest.mark.parametrize(
    ("msh_15", "msh_16", "applied", "failed"),
    [
        ("AL", "AL", True, True),
        ("AL", "ER", False, True),
        ("AL", "SU", True, False),
        ("SU", "AL", True, True),
        ("al", " al ", True, True),
        ("AL", "NE", False, False),
        ("AL", "", False, False),
        ("AL", '""', False, False),
        # it was given on the connection itself
        ("", "", False, False),
        ("NE", "AL", False, False),
        ("", "AL", False, False),
        ("ER", "AL", False, False),
    ],
)
def test_it_is_owed_to_who_had_the_accept_one_and_asks_for_this_outcome(
    msh_15: str, msh_16: str, *, applied: bool, failed: bool
) -> None:
    header = read_header(message(msh_15=msh_15, msh_16=msh_16))
    assert [is_owed(header, "msh", failed=outcome) for outcome in (False, True)] == [applied, failed]
    assert not is_owed(header, "always_aa", failed=True)


@pytest.mark.parametrize("mode", ["msh", "always_aa"])
@pytest.mark.parametrize("msh_15", ["", "AL", "NE", "ER", "SU"])
@pytest.mark.parametrize("msh_16", ["", "AL", "NE", "ER", "SU"])
def test_nobody_gets_it_twice(mode: AcknowledgeMode, msh_15: str, msh_16: str) -> None:
    header = read_header(message(msh_15=msh_15, msh_16=msh_16))
    at_once = acknowledge(header, None, mode=mode, at=NOON, control_id="OURS1")
    if at_once is not None and read_acknowledgment(at_once).code == "AA":
        assert not is_owed(header, mode, failed=False)
        assert not is_owed(header, mode, failed=True)


def test_an_acknowledgment_is_owed_none() -> None:
    header = read_header(b"MSH|^~\\&|S|F|R|G|2027||ACK^S12^ACK|9|P|2.5|||AL|AL")
    assert not is_owed(header, "msh", failed=False)


def test_it_asks_for_an_accept_acknowledgment_and_for_nothing_more() -> None:
    assert said("MSH|^~\\&|SCHED|NORTH|TEXTS|SOUTH|2027||SIU^S12^SIU_S12|A1|P|2.5.1|||AL|AL") == [
        "MSH|^~\\&|TEXTS|SOUTH|SCHED|NORTH|20270301120005+0000||ACK^S12^ACK|OURS1|P|2.5.1|||AL|NE",
        "MSA|AA|A1",
    ]


def test_it_speaks_the_senders_delimiters_version_and_character_set() -> None:
    msh = "MSH#*~\\$#CL\xcdNICA#F#R#G#2027##ADT*A08#Q 1#T#2.3###AL#AL##8859/1"
    assert said(msh, accept=b"NE") == [
        "MSH#*~\\$#R#G#CL\xcdNICA#F#20270301120005+0000##ACK*A08#OURS1#T#2.3###NE#NE##8859/1",
        "MSA#AA#Q 1",
    ]


@pytest.mark.parametrize(
    ("version", "error_code", "path", "msa", "err"),
    [
        ("2.5.1", "101", "SCH-2", "AE", "ERR||SCH^1^2|101^Required field missing^HL70357|E||||"),
        ("2.5.1", "102", "PID-3[2].4.2", "AE", "ERR||PID^1^3^2^4^2|102^Data type error^HL70357|E||||"),
        ("2.7", "100", "AIS[2]", "AE", "ERR||AIS^2|100^Segment sequence error^HL70357|E||||"),
        ("2.5", "201", "MSH-9.2", "AR", "ERR||MSH^1^9^1^2|201^Unsupported event code^HL70357|E||||"),
        ("2.5", "202", "MSH-11", "AR", "ERR||MSH^1^11|202^Unsupported processing id^HL70357|E||||"),
        ("2.5", "207", "", "AE", "ERR|||207^Application error^HL70357|E||||"),
        ("2.4", "101", "SCH-2", "AE", "ERR|SCH^1^2^101&Required field missing&HL70357"),
        ("2.3", "207", "", "AE", "ERR|^^^207&Application error&HL70357"),
    ],
)
def test_a_refusal_names_code_and_place_as_the_version_has_it(
    version: str, error_code: str, path: str, msa: str, err: str
) -> None:
    msh = f"MSH|^~\\&|S|F|R|G|2027||SIU^S12|A1|P|{version}|||AL|AL"
    _, second, third = said(msh, refused(error_code, path))
    assert second.split("|")[:3] == ["MSA", msa, "A1"]
    assert third.removesuffix("Message was not applied") == err
