"""`send`: sends the messages of files over MLLP, one after another, and prints what each is answered."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from hl7_listener.client import AnswerError
from hl7_listener.client import send as send_over_mllp
from integration.entrypoints.message_files import read_messages
from integration.entrypoints.printing import json_line, say, warn
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    import argparse

    from hl7_listener.client import Acknowledgment

GOOD = frozenset({"AA", "CA"})  # HL7 table 0008
MANY = 20  # messages; from here on a bar shows how far it got
_BAR = 30  # characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files and the address of the listener."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="HL7 v2 messages; - is standard input")
    parser.add_argument("--host", default="127.0.0.1", help="of the listener (%(default)s)")
    parser.add_argument("--port", type=int, required=True, help="of the listener, such as 2575")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for each answer (30)")
    parser.add_argument("--json", action="store_true", help="one acknowledgment a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a message was not accepted, or no answer came."""
    messages = list(read_messages(options.files))
    bar = _Bar(len(messages)) if len(messages) >= MANY and sys.stderr.isatty() else None
    answered = accepted = 0
    began = time.monotonic()
    try:
        payloads = (payload for _, payload in messages)
        for answer in send_over_mllp(options.host, options.port, payloads, options.timeout):
            file = messages[min(answered, len(messages) - 1)][0]
            answered += 1
            accepted += answer.code in GOOD
            _show(file, answer, as_json=options.json, briefly=bar is not None)
            if bar is not None:
                bar.show(answered)
    except (OSError, AnswerError) as error:
        if bar is not None:
            bar.end()
        why = getattr(error, "strerror", None) or str(error) or "no answer in time"
        raise Refused(
            f"{options.host}:{options.port}: {why}, after {answered} of {len(messages)} messages"
        ) from None
    if bar is not None:
        bar.end()
    if not options.json and len(messages) > 1:
        warn(f"{accepted} of {answered} accepted in {time.monotonic() - began:.1f} s")
    return int(accepted < answered)


def _show(file: str, answer: Acknowledgment, *, as_json: bool, briefly: bool) -> None:
    if as_json:
        json_line({"file": file, "code": answer.code, "control_id": answer.control_id, "text": answer.text})
    elif not briefly or answer.code not in GOOD:
        say(f"{answer.code}  {answer.control_id}  {answer.text}".rstrip())


class _Bar:
    """How far it got, on a terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._shown = 0.0

    def show(self, done: int) -> None:
        now = time.monotonic()
        if now - self._shown < 0.1 and done < self._total:  # noqa: PLR2004 - ten times a second is enough
            return
        self._shown = now
        full = min(done, self._total) * _BAR // self._total
        sys.stderr.write(f"\r[{'#' * full}{'.' * (_BAR - full)}] {done} of {self._total}")
        sys.stderr.flush()

    def end(self) -> None:
        sys.stderr.write("\n")
