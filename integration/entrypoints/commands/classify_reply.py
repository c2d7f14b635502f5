"""`classify-reply`: shows how replies are understood, one a line on standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from integration.domain.reply_intent import Intent, ReplyReader
from integration.domain.text_template import choices
from integration.entrypoints.printing import json_line, say
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.troubles import Usage

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The language, and what the text had offered."""
    parser.add_argument("--language", help="the patient's, such as en (all there are)")
    parser.add_argument(
        "--options", default="C=confirm,R=reschedule", help="the answers our text offered (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one reply a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 0 whatever the replies mean."""
    offered = read_options(options.options)
    settings = the_settings(the_environment())
    if options.language is not None and options.language not in settings.catalogs:
        raise Usage(f"--language {options.language}: {choices(options.language, settings.catalogs)}")
    reader = ReplyReader(
        {language: catalog.replies for language, catalog in settings.catalogs.items()},
        offered,
        None if options.language is None else [options.language],
    )
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        understood = reader.understand(text)
        if options.json:
            json_line(
                {
                    "text": text,
                    "intent": understood.intent.value,
                    "urgent": understood.urgent,
                    "reason": understood.reason,
                }
            )
        else:
            urgent = "  URGENT" if understood.urgent else ""
            say(f"{understood.intent.value:<12} {text}  ({understood.reason}){urgent}")
        sys.stdout.flush()
    return 0


def read_options(text: str) -> dict[str, str]:
    """`C=confirm,R=reschedule` as a mapping; raises Usage."""
    offered = {}
    intents = [intent.value for intent in Intent]
    for part in filter(None, (part.strip() for part in text.split(","))):
        label, separator, intent = (piece.strip() for piece in part.partition("="))
        if not separator or not label:
            raise Usage(f"--options: write LABEL=intent, such as C=confirm,R=reschedule; found {part!r}")
        if intent not in intents:
            raise Usage(f"--options {label}={intent}: unknown intent; {choices(intent, intents)}")
        offered[label] = intent
    return offered
