"""The second answer of HL7 v2's enhanced mode: what became of a message that had its accept acknowledgment.

It is a message of its own, sent later to the port of its sender (chapter 2, acknowledgment): MSH-16 is NE,
MSA-2 the control id of the message it speaks of, and the code AA, AE or AR.

    applied                                 AA
    MSH-9, MSH-11 or MSH-12 is not ours     AR
    refused for anything else               AE
"""

from datetime import datetime
from typing import Literal

from hl7_listener.acknowledgment import AcknowledgeMode, Fault, compose, wanted, wish
from hl7_listener.header import MessageHeader

_NOT_OURS = ("MSH-9", "MSH-11", "MSH-12")
_TEXT = b"Message was not applied"


def refused(error_code: str, path: str) -> Fault:
    """Why a message was not applied: a code of HL7 table 0357, and an HL7 path, if one is to blame."""
    return Fault(b"CE", error_code, path, _TEXT)


def is_owed(header: MessageHeader, mode: AcknowledgeMode, *, failed: bool) -> bool:
    """Whether the sender of a kept message waits for it.

    So it is when the answer on the message's own connection was the accept one (`acknowledge`) and MSH-16
    asks for this outcome. Whoever had the application acknowledgment there gets no second one.
    """
    if mode == "always_aa" or header.message_code == b"ACK":
        return False
    accept, application = wish(header.fields[14]), wish(header.fields[15])  # MSH-15, MSH-16
    return wanted(accept, failed=False) and wanted(application, failed=failed)


def application_acknowledgment(
    header: MessageHeader,
    fault: Fault | None,
    *,
    accept: Literal[b"AL", b"NE"],
    at: datetime,
    control_id: str,
) -> bytes:
    """The message, unframed, in the sender's delimiters, character set and version.

    `accept`: its MSH-15, whether we ask for an accept acknowledgment of it. `at` (aware) and `control_id`
    (ASCII) become its MSH-7 and MSH-10.
    """
    code = b"AA"
    if fault is not None:
        code = b"AR" if fault.path.partition(".")[0] in _NOT_OURS else b"AE"
    return compose(header, code, fault, at=at, control_id=control_id, accept=accept)
