"""`map`: shows what each message becomes and why, without any store, or what a change alters."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fhir_mappers.explanation import Explainer
from fhir_mappers.translate_message import translate
from integration.entrypoints.commands.map import differences, mapped_message
from integration.entrypoints.commands.map.side import side
from integration.entrypoints.message_source import add_source, messages
from integration.entrypoints.printing import json_line
from integration.entrypoints.surroundings import fitting, the_environment, the_feed, the_settings
from integration.settings.files import SHIPPED

if TYPE_CHECKING:
    from fhir_mappers.fact import Fact
    from fhir_mappers.translation import Translation
    from integration.settings.environment import Environment
    from integration.settings.model import Feed, Settings

_MORE = """\
The values are the patients' own and are shown to you alone; nothing of them is logged.

  appointment-texts map samples/                      every message of a folder, with what made each fact so
  appointment-texts map booking.hl7 --feed north      as the feed config/feeds/north.toml reads it
  appointment-texts map searchset.json --feed ehr     the Appointments of a FHIR server, each with its patient
  appointment-texts map --diff generic new.toml samples/
                                                      what a profile on trial alters, before it goes live
  appointment-texts map --diff config new-config --inbox 500
                                                      the same of a whole configuration, over what was heard

OLD and NEW are each a vendor's profile (a TOML file, or the name of one of the configuration's), or a
configuration folder, of which the feed of the same name is taken.

Exit status: 0 done, warnings and differences included; 1 a message was refused (by NEW); 2 wrong usage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files and the feed they came from."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _MORE
    add_source(parser)
    parser.add_argument(
        "--diff", nargs=2, metavar=("OLD", "NEW"), help="only what differs between two mappings"
    )
    parser.add_argument("--json", action="store_true", help="one message a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a message was refused."""
    environment = the_environment()
    settings = the_settings(environment)
    feed = the_feed(settings, options.feed)
    if options.diff is not None:
        return _differ(options, environment, settings, feed)
    reader = _Reader(settings, feed, named=options.feed is not None)
    refused = False
    for file, message in messages(options, environment, feed):
        translation, facts = reader.read(message)
        refused = refused or translation.refusal is not None
        if options.json:
            json_line(mapped_message.as_json(file, translation, facts))
        else:
            mapped_message.show(file, translation, facts)
    return int(refused)


def _differ(options: argparse.Namespace, environment: Environment, settings: Settings, feed: Feed) -> int:
    site = environment.config_folder or SHIPPED
    old, new = (
        _Reader(*side(named, settings, feed, site), named=options.feed is not None) for named in options.diff
    )
    summary, refused = differences.Summary(), False
    for file, message in messages(options, environment, feed):
        before, after = old.read(message), new.read(message)
        refused = refused or after[0].refusal is not None
        found = differences.compare(before, after)
        summary.add(found)
        if found:
            told = (file, after[0].control_id, after[0].trigger, found)
            if options.json:
                json_line(differences.as_json(*told))
            else:
                differences.show(*told)
    if options.json:
        json_line(summary.as_json())
    else:
        summary.show()
    return int(refused)


class _Reader:
    """Maps and explains as one feed does."""

    def __init__(self, settings: Settings, feed: Feed, *, named: bool) -> None:
        self._settings = settings
        self._feed = feed
        self._named = named
        self._explainers: dict[str, Explainer] = {}

    def read(self, message: bytes) -> tuple[Translation, list[Fact]]:
        feed = fitting(self._settings, self._feed, message, named=self._named)
        translation = translate(message, feed.vendor, feed.facts)
        how = f"{feed.name} {'HL7 v2' if feed.fhir is None else 'FHIR'}"
        explainer = self._explainers.setdefault(how, Explainer(feed.vendor, feed.facts))
        facts = explainer.facts(message, translation)
        if translation.appointment is not None:
            facts.append(mapped_message.practice_fact(self._settings, feed, translation.appointment))
        return translation, facts
