"""The messages a command is about: of files and folders, or the newest that the inbox has kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration import bootstrap
from integration.entrypoints.message_files import HELP, read_messages
from integration.entrypoints.troubles import Refused, Usage
from integration.ports.store import InboxFilter

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from integration.settings.environment import Environment
    from integration.settings.model import Feed


def add_source(parser: argparse.ArgumentParser) -> None:
    """Files, or the inbox, and the feed they came from."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=HELP)
    parser.add_argument(
        "--inbox", type=int, metavar="N", help="in place of files: the newest N messages kept of the feed"
    )
    parser.add_argument("--demo", action="store_true", help="with --inbox: of the store of `run --demo`")
    parser.add_argument("--feed", help="the feed they came from (the only one, or main)")


def messages(
    options: argparse.Namespace, environment: Environment, feed: Feed
) -> Iterator[tuple[str, bytes]]:
    """Where each message stands, with its bytes. Raises Usage, Refused, NoStore."""
    if bool(options.files) == (options.inbox is not None):
        raise Usage(
            "name the FILEs to read, or --inbox N" if not options.files else "FILE or --inbox, not both"
        )
    if options.inbox is None:
        return read_messages(options.files)
    if options.inbox < 1:
        raise Usage("--inbox needs a number from 1")
    return iter(_kept(options, environment, feed))


def _kept(options: argparse.Namespace, environment: Environment, feed: Feed) -> list[tuple[str, bytes]]:
    store = bootstrap.open_existing_store(bootstrap.demo_places(environment) if options.demo else environment)
    try:
        with store.reading() as unit:
            ids = unit.inbox.ids(InboxFilter(channel=feed.name), options.inbox)
            kept = [message for each in ids if (message := unit.inbox.get(each)) is not None]
    finally:
        store.close()
    found = [(f"inbox {message.id}", message.payload) for message in kept if message.payload]
    if not found:
        raise Refused(f"The inbox has kept no message of the feed {feed.name}.")
    return found
