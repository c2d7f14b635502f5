"""Builds the ADT messages that stories speak of; the people are those of `tests.messages`."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from tests.messages import ANA, ZONE

if TYPE_CHECKING:
    from datetime import datetime

    from tests.messages import Person

_control_ids = count(1)


def adt(
    trigger: str,
    *,
    at: datetime,
    person: Person = ANA,
    phone: str | None = "",
    visit: str = "",
    patient_class: str = "O",
    dead: str = "",
    died: str = "",
    publicity: str = "",
    protection: str = "",
    gone: str = "",
    gone_visit: str = "",
    typed: bool = True,
) -> bytes:
    """One ADT message as an EHR sends it at `at`.

    `phone` is what PID-13 says: nothing unless given, the person's own number when None. `gone` are the
    identifiers of MRG-1, `typed` or without their authority and type.
    """
    stamp = at.astimezone(ZONE).strftime("%Y%m%d%H%M%S")
    number = person.phone if phone is None else phone
    home = f"{number}^PRS^CP" if number and number != '""' else number
    segments = [
        f"MSH|^~\\&|ADT|RIVER|TEXTS|RIVER|{stamp}||ADT^{trigger}|N{next(_control_ids):06}|P|2.5.1",
        f"EVN|{trigger}|{stamp}",
        (
            f"PID|1||{person.mrn}^^^RIVER^MR||{person.family}^{person.given}||{person.born}|F|||||{home}||"
            f"{person.language}||||||||||||||{died}|{dead}"
        ),
        f"PD1|||||||||||{publicity}|{protection}",
    ]
    if gone or gone_visit:
        segments.append(f"MRG|{gone}{'^^^RIVER^MR' if typed and gone else ''}||||{gone_visit}")
    if visit:
        segments.append(f"PV1|1|{patient_class}|{'|' * 16}{visit}")
    return "\r".join([*segments, ""]).encode()


def with_visit(message: bytes, visit: str) -> bytes:
    """A SIU message that also names the visit by its number (PV1-19)."""
    return message.replace(b"RGS|1", f"PV1|1|O|{'|' * 16}{visit}\rRGS|1".encode())


def and_also(message: bytes, other: bytes) -> bytes:
    """One message with the PID and MRG pairs of both."""
    lines = [line for line in other.split(b"\r") if line[:3] in {b"PID", b"MRG"}]
    return message + b"\r".join([*lines, b""])
