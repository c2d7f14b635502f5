"""`preview`: shows the texts that messages would cause on an empty store, and what would not go and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from integration.entrypoints.message_files import read_messages
from integration.entrypoints.printing import json_line, say, warn
from integration.entrypoints.process_logging import silence
from integration.entrypoints.rehearsal import rehearse
from integration.entrypoints.surroundings import the_environment, the_feed, the_practice, the_settings
from integration.entrypoints.troubles import Usage

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files, the feed they came from, and when they arrive."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="HL7 v2 messages; - is standard input")
    parser.add_argument("--feed", help="the feed they come from (the only one, or main)")
    parser.add_argument("--practice", help="the practice that takes every location")
    parser.add_argument("--now", metavar="T", help="when they arrive, such as 2027-03-01T09:00-05:00 (now)")
    parser.add_argument("--json", action="store_true", help="one text a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a message could not be applied."""
    settings = the_settings(the_environment())
    feed = the_feed(settings, options.feed)
    practice = the_practice(settings, options.practice)
    now = datetime.now(UTC) if options.now is None else moment("--now", options.now)
    messages = [message for _, message in read_messages(options.files)]
    name = None if practice is None else practice.name
    with silence():
        lines, refusals = rehearse(messages, settings=settings, feed=feed, practice=name, now=now)
    for line in lines:
        if options.json:
            json_line(line)
        else:
            _show(line)
    if not lines and not options.json:
        say("no texts")
    warn(*(f"{refusal.control_id or '(no control id)'}: {refusal.reason}" for refusal in refusals))
    return int(bool(refusals))


def moment(option: str, text: str) -> datetime:
    """A time with an offset; raises Usage."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"{option} {text}: is no time; write 2027-03-01T09:00-05:00") from None
    if found.tzinfo is None:
        raise Usage(f"{option} {text}: has no offset; write {text}-05:00 or {text}Z")
    return found


def _show(line: dict[str, Any]) -> None:
    when = str(line["due_at"])[:16].replace("T", " ")
    to = line["to"] or "(no number)"
    if line["skip"] is not None:
        say(f"{when}  {line['step']:<12} {to}  not sent: {line['skip']}")
        return
    size = f"{line['encoding']}, {line['segments']} segment(s)"
    price = "" if line["price"] is None else f", {line['price']}"
    say(f"{when}  {line['step']:<12} {to}  {line['language']}, {size}{price}", f"    {line['text']}")
