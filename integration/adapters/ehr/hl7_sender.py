"""Hands HL7 v2 messages to a partner's MLLP port, one after another, in bounded time.

    0x0B  message  0x1C 0x0D  ─►
                              ◄─  an acknowledgment (MSA-2: our MSH-10), an MLLP release 2 commit, or nothing

The connection is opened when there is something to send and kept while there is more. What a partner writes
for people is never passed on: it may speak of a patient.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hl7_listener.client import AnswerError, read_acknowledgment
from hl7_listener.header import read_header
from integration.adapters.ehr.mllp_connection import Broken, Line, MllpConnection, Unheard
from integration.ports.hl7 import NotHeard, Taken, TurnedDown

if TYPE_CHECKING:
    from integration.ports.hl7 import Delivery

__all__ = ["Line", "MllpSender"]

_COMMITS: Final = {b"\x06": True, b"\x15": False}  # MLLP release 2: ACK, NAK
_TAKEN: Final = frozenset({"CA", "AA"})  # HL7 table 0008
_NOT_NOW: Final = frozenset({"CE", "AR"})
_NEVER: Final = frozenset({"CR", "AE"})
_ERROR_CODE: Final = re.compile(rb"[\r\n]ERR[^\r\n]*?\b(10[0-4]|20[0-7])\b")  # HL7 table 0357


class MllpSender:
    """See `integration.ports.hl7.Hl7Sender`; not for several threads at once."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._open: MllpConnection | None = None

    def send(self, message: bytes) -> Delivery:
        """Over the open connection, or a new one."""
        try:
            return self._send(message)
        except Unheard as why:
            self._hang_up()
            return NotHeard(str(why))

    def rest(self) -> None:
        """Close."""
        if self._open is not None and self._line.answer == "none":
            self._open.linger()
        self._hang_up()

    def _send(self, message: bytes) -> Delivery:
        if self._open is not None and self._open.is_alive():
            with suppress(Broken):  # its end may have crossed the message
                return self._exchange(self._open, message)
        self._hang_up()
        self._open = MllpConnection(self._line)
        return self._exchange(self._open, message)

    def _exchange(self, connection: MllpConnection, message: bytes) -> Delivery:
        connection.put(message)
        if self._line.answer == "none":
            return Taken("")
        control_id = read_header(message).control_id
        while True:
            answer = connection.next_frame()
            delivery = _commit(answer) if self._line.answer == "commit" else self._accept(answer, control_id)
            if delivery is not None:
                return delivery

    def _accept(self, answer: bytes, control_id: str) -> Delivery | None:
        """What an acknowledgment says; None for one of another message."""
        if answer in _COMMITS:
            return None
        try:
            read = read_acknowledgment(answer)
        except AnswerError:
            raise Unheard(f"what {self._line.place} answered is no acknowledgment") from None
        if read.control_id not in ("", control_id):
            return None
        if read.code in _TAKEN:
            return Taken(read.code)
        if read.code not in _NOT_NOW | _NEVER:
            return TurnedDown("the partner answered with a code that is not in HL7 table 0008", again=False)
        error_code = _ERROR_CODE.search(answer)
        said = f" with error {error_code[1].decode()} (HL7 table 0357)" if error_code else ""
        return TurnedDown(f"the partner answered {read.code}{said}", again=read.code in _NOT_NOW)

    def _hang_up(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _commit(answer: bytes) -> Delivery | None:
    """What a commit says; None for the HL7 answer beside it."""
    committed = _COMMITS.get(answer)
    if committed is None:
        return None
    return Taken("commit") if committed else TurnedDown("the partner answered a negative commit", again=True)
