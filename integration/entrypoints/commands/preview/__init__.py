"""`preview`: shows the texts that messages would cause on an empty store, and what would not go and why."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from integration.entrypoints.commands.preview.rehearsal import rehearse
from integration.entrypoints.message_files import HELP, read_messages
from integration.entrypoints.moments import moment
from integration.entrypoints.printing import json_line, say, warn
from integration.entrypoints.process_logging import silence
from integration.entrypoints.surroundings import (
    fitting,
    the_environment,
    the_feed,
    the_practice,
    the_settings,
)
from integration.entrypoints.terminal import Paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.entrypoints.commands.preview.rehearsal import Silence

_MORE = """\
Messages arrive one after another, each at its MSH-7 (of FHIR: meta.lastUpdated) or, if that is later, at
--now. Consent is taken as given, nobody answers, and nothing is stored or sent. Texts show people's names
to you alone. It is meant for hundreds of messages at a time; of thousands it takes minutes.

  appointment-texts preview booking.hl7
  appointment-texts preview samples/ --now 2027-03-01T09:00-05:00 --practice riverside

Exit status: 0 done; 1 a message could not be applied; 2 wrong usage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files, the feed they came from, and when they arrive."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _MORE
    parser.add_argument("files", nargs="+", metavar="FILE", help=HELP)
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
    if messages:
        feed = fitting(settings, feed, messages[0], named=options.feed is not None)
    name = None if practice is None else practice.name
    with silence():
        lines, silences = rehearse(messages, settings=settings, feed=feed, practice=name, now=now)
    for line in lines:
        if options.json:
            json_line(line)
        else:
            _show(line)
    if not options.json:
        _sum_up(lines)
    warn(*(f"{each.control_id or '(no control id)'}: {_why(each)}" for each in silences))
    return int(any(each.refused for each in silences))


def _why(silent: Silence) -> str:
    return f"cannot be applied: {silent.reason}" if silent.refused else f"no text: {silent.reason}"


def _show(line: dict[str, Any]) -> None:
    when = datetime.fromisoformat(line["due_at"]).strftime("%a %Y-%m-%d %H:%M")
    to = line["to"] or "(no number)"
    head = f"{when}  {line['step']:<12} {to}"
    because = f"    because of {line['control_id'] or '(no control id)'}, for {line['practice']}"
    if line["skip"] is not None:
        say(head, paint=Paint.FAINT)
        say(f"    not sent: {line['skip']}", paint=Paint.WARNED)
        say(because, paint=Paint.FAINT)
        return
    many = "segment" if line["segments"] == 1 else "segments"
    price = "" if line["price"] is None else f", {line['price']}"
    say(head, paint=Paint.STRONG)
    say(f"    {line['text']}")
    say(
        f"{because}; {line['language']}, {line['encoding']}, {line['segments']} {many}{price}",
        paint=Paint.FAINT,
    )


def _sum_up(lines: Sequence[dict[str, Any]]) -> None:
    sent = [line for line in lines if line["skip"] is None]
    if not sent:
        say("No texts." if not lines else "No texts: every reminder is skipped, for the reasons above.")
        return
    numbers = len({line["to"] for line in sent})
    segments = sum(line["segments"] for line in sent)
    texts = "1 text" if len(sent) == 1 else f"{len(sent)} texts"
    to = "1 number" if numbers == 1 else f"{numbers} numbers"
    say("", f"{texts} to {to}, {segments} segments; {len(lines) - len(sent)} reminders not sent.")
