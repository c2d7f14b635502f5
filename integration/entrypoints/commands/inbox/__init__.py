"""`inbox`: what was kept, what could not be applied and why, and what to do about it after a fix."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from integration import bootstrap
from integration.entrypoints.commands.inbox.listing import show_list, show_reasons
from integration.entrypoints.surroundings import the_environment, the_settings

if TYPE_CHECKING:
    from integration.settings.environment import Environment

_STATES = ("new", "done", "dead")
_MORE = """\
  list      messages, newest last (the default)
  reasons   how many messages are dead, by reason
  show      some messages field by field, masked, and what has become of them
  replay    apply some again after a fix: first it says what that would do, then it asks
  dismiss   give up on dead ones: nothing is made of them, and they hold no reminder any more

  appointment-texts inbox reasons
  appointment-texts inbox list --reason no-appointment-identifier --since 2027-03-01T00:00-05:00
  appointment-texts inbox show 4711
  appointment-texts inbox replay --reason no-appointment-identifier

A replay applies messages in the order they arrived, texts nobody twice and nobody late: it plans the future
only. What is older than what has been heard since changes nothing. A reason is a code as the list shows it,
or code and path ("no-patient PID").

Exit status: 0 done; 1 a message is unknown, or nothing was confirmed; 2 wrong usage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The deed, and the messages it is about."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _MORE
    parser.add_argument(
        "deed",
        nargs="?",
        choices=("list", "reasons", "show", "replay", "dismiss"),
        default="list",
        help="see below",
    )
    parser.add_argument(
        "ids", nargs="*", type=int, metavar="ID", help="messages, by their number in the list"
    )
    parser.add_argument("--state", choices=_STATES, help="those in this state")
    parser.add_argument(
        "--feed", help="those of this feed (channel); fhir:ehr: the notifications to the feed ehr"
    )
    parser.add_argument("--reason", help="those with this reason")
    parser.add_argument("--since", metavar="T", help="those received then or later: 2027-03-01T09:00-05:00")
    parser.add_argument("--until", metavar="T", help="those received before")
    parser.add_argument("--limit", type=int, help="list: the newest so many (100 in a table, all as JSON)")
    parser.add_argument(
        "--reveal", action="store_true", help="show: with people's data, which is masked else"
    )
    parser.add_argument("--yes", action="store_true", help="replay, dismiss: without asking")
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one message a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a message is unknown, or the deed was not confirmed."""
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    if options.deed == "replay":
        return _replay(environment, options)
    store = bootstrap.open_existing_store(environment)
    try:
        if options.deed == "show":
            from integration.entrypoints.commands.inbox.showing import show_messages

            base = environment.ehr_fhir_base_url or ""
            return show_messages(store, the_settings(environment), options, base)
        if options.deed == "dismiss":
            from integration.entrypoints.commands.inbox.mending import dismiss

            return dismiss(store, options)
        return show_reasons(store, options) if options.deed == "reasons" else show_list(store, options)
    finally:
        store.close()


def _replay(environment: Environment, options: argparse.Namespace) -> int:
    from integration.entrypoints.commands.inbox.mending import replay

    kind = bootstrap.kind_of_existing(environment)
    workshop = bootstrap.open_workshop(environment, the_settings(environment), kind=kind)
    try:
        return replay(workshop, options)
    finally:
        workshop.store.close()
