"""`ehr check`: asks the EHR what it allows, and says what will therefore be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration import bootstrap
from integration.entrypoints.commands.ehr.hl7_page import as_hl7_json, as_hl7_page
from integration.entrypoints.commands.ehr.page import as_json, as_page
from integration.entrypoints.printing import json_line, say
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with it, and the form of the output."""
    parser.add_argument("deed", choices=["check"], help="check: ask it, and print a page for the EHR's team")
    parser.add_argument("--json", action="store_true", help="one finding a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when the server, or the MLLP port, cannot be used."""
    environment = the_environment()
    settings = the_settings(environment)
    partner = settings.write_back.hl7
    if environment.ehr_fhir_base_url is None and partner is None:
        raise Refused("There is no EHR to check: set EHR_FHIR_BASE_URL, or [write_back.hl7].")
    usable = True
    if environment.ehr_fhir_base_url is not None:
        found = bootstrap.examine_ehr(environment, settings)
        usable = found.is_usable
        if options.json:
            for each in as_json(found):
                json_line(each)
        else:
            say(*as_page(found), *([""] if partner else []))
    if partner is not None:
        trouble = bootstrap.trouble_with_partner(partner)
        usable = usable and trouble is None
        if options.json:
            json_line(as_hl7_json(settings.write_back, partner, trouble))
        else:
            say(*as_hl7_page(settings.write_back, partner, trouble))
    return 0 if usable else 1
