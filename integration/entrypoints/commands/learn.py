"""`learn`: reads sample messages and proposes a vendor's profile, what it could not decide as comments."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_mappers.learning import Survey, propose, write
from fhir_mappers.v2_to_fhir import translate
from integration.domain.text_template import choices
from integration.entrypoints.message_source import add_source, messages
from integration.entrypoints.printing import json_line, warn
from integration.entrypoints.surroundings import the_environment, the_feed, the_settings
from integration.entrypoints.troubles import Refused, Usage
from integration.settings.files import SHIPPED
from integration.settings.vendor_file import read_vendor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.settings.model import Feed

_NAME = "learned"
_MORE = """\
What is proposed loads as it is and maps at least as many of these messages as before. No value of a patient
stands in it: counts and code words only, and a word seen once is no code.

  appointment-texts learn samples/ --output config/vendors/north.toml
  appointment-texts map --diff generic config/vendors/north.toml samples/
  appointment-texts check-config

Exit status: 0 done; 1 no message can be read, or the output file is there already; 2 wrong usage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The samples, what the profile extends, and where it goes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _MORE
    add_source(parser)
    parser.add_argument(
        "--extends", default="generic", metavar="X", help="the profile to extend (%(default)s)"
    )
    parser.add_argument("--output", metavar="FILE", help="write it there, a new file (standard output)")
    parser.add_argument("--json", action="store_true", help="how many messages each profile maps, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when no message can be read."""
    environment = the_environment()
    settings = the_settings(environment)
    feed = the_feed(settings, options.feed)
    if options.extends not in settings.vendors:
        raise Usage(
            f"--extends {options.extends}: no such vendor; {choices(options.extends, settings.vendors)}"
        )
    if options.output is not None and Path(options.output).exists():
        raise Refused(f"{options.output} is there already; learn writes over nothing.")
    if options.json and options.output is None:
        raise Usage("--json needs --output: standard output cannot hold both")
    samples = [message for _, message in messages(options, environment, feed)]
    base = replace(feed, vendor=settings.vendors[options.extends])
    survey = Survey(base.vendor, base.facts)
    for message in samples:
        survey.add(message)
    if not survey.triggers:
        raise Refused("None of these is an HL7 v2 message.")
    text, mapped = _proposed(survey, samples, base, options.extends, environment.config_folder or SHIPPED)
    if options.output is None:
        sys.stdout.write(text)
    else:
        _write(Path(options.output), text)
    told = {"messages": survey.messages, "mapped": mapped, f"mapped_by_{options.extends}": survey.mapped}
    if options.json:
        json_line(told)
    else:
        warn(f"{mapped} of {survey.messages} messages are mapped; {options.extends} maps {survey.mapped}.")
    return 0


def _proposed(
    survey: Survey, samples: Sequence[bytes], base: Feed, extends: str, site: Path
) -> tuple[str, int]:
    """The profile, and how many messages it maps: never fewer than what it extends."""
    proposal = propose(survey)
    mapped = _mapped(write(survey, proposal, extends=extends), samples, base, site)
    decided = mapped >= survey.mapped
    outcome = f"As proposed: {mapped} of {survey.messages} mapped."
    if not decided:
        outcome = "What follows would map fewer of these messages, so all of it is a comment."
        mapped = survey.mapped
    return write(survey, proposal, extends=extends, decided=decided, outcome=[outcome]), mapped


def _mapped(text: str, samples: Sequence[bytes], base: Feed, site: Path) -> int:
    vendor = read_vendor(text, "the proposal", _NAME, site)
    return sum(translate(message, vendor, base.facts).refusal is None for message in samples)


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
