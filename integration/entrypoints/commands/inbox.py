"""`inbox`: what was kept, what became of it, and replay after a mapping fix."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from integration import bootstrap
from integration.entrypoints.printing import json_line, say, table, warn
from integration.entrypoints.process_logging import silence
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.troubles import Refused, Usage

if TYPE_CHECKING:
    import argparse

    from integration.adapters.store.unit_of_work import SqlStore
    from integration.ports.store import InboxState, KeptMessage
    from integration.settings.environment import Environment

PAGE = 500
TABLE = 100  # lines a person reads at most unless asked
WIDE = 60  # letters of a control id in a table; some senders write whole paragraphs into MSH-10
_STATES = ("new", "done", "dead")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The deed, and the messages it is about."""
    parser.add_argument(
        "deed",
        nargs="?",
        choices=("list", "show", "replay"),
        default="list",
        help="list messages (the default), show some, or replay some",
    )
    parser.add_argument(
        "ids", nargs="*", type=int, metavar="ID", help="messages, by their number in the list"
    )
    parser.add_argument("--state", choices=_STATES, help="list, or replay, all in this state")
    parser.add_argument("--limit", type=int, help="list: the newest so many (100 in a table, all as JSON)")
    parser.add_argument(
        "--reveal", action="store_true", help="show: with people's data, which is masked else"
    )
    parser.add_argument("--yes", action="store_true", help="replay: without asking")
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one message a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a message is unknown, or the replay was not confirmed."""
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    if options.deed == "replay":
        return _replay(environment, options)
    store = bootstrap.open_existing_store(environment)
    try:
        return _show(store, options) if options.deed == "show" else _list(store, options)
    finally:
        store.close()


def _list(store: SqlStore, options: argparse.Namespace) -> int:
    if options.ids:
        raise Usage("inbox list takes no message numbers; inbox show does")
    limit = options.limit if options.limit is not None else None if options.json else TABLE
    messages = _all(store, options.state)
    messages = messages if limit is None else messages[max(0, len(messages) - limit) :]
    if options.json:
        for message in messages:
            json_line(as_json(message))
    else:
        head = ("id", "channel", "control id", "received", "state", "reason")
        table(
            head,
            ((as_json(each) | {"control_id": _at_most(WIDE, each.control_id)}).values() for each in messages),
        )
        if not messages:
            warn("The inbox is empty.")
    return 0


def _at_most(wide: int, text: str) -> str:
    return text if len(text) <= wide else f"{text[: wide - 1]}…"


def as_json(message: KeptMessage) -> dict[str, Any]:
    """One message, as `inbox list --json` tells it (design: contracts at the edges)."""
    return {
        "id": message.id,
        "channel": message.channel,
        "control_id": message.control_id,
        "received_at": message.received_at.isoformat(timespec="seconds"),
        "state": message.state,
        "reason": message.reason,
    }


def _show(store: SqlStore, options: argparse.Namespace) -> int:
    if not options.ids:
        raise Usage("inbox show needs the number of a message; inbox list shows them")
    unknown = False
    for message_id in options.ids:
        with store.unit() as unit:
            message = unit.inbox.get(message_id)
        if message is None:
            warn(f"There is no message {message_id}.")
            unknown = True
            continue
        text = message.payload.decode("utf-8", "backslashreplace")
        shown = text if options.reveal else masked(text)
        if options.json:
            json_line(as_json(message) | {"message": shown})
        else:
            say(*(f"{name}: {value}" for name, value in as_json(message).items() if value is not None))
            say("", *(f"  {line}" for line in shown.splitlines()), "")
    return int(unknown)


def masked(message: str) -> str:
    """The message with its shape and its MSH, but every other letter and digit replaced (promise 10)."""
    lines = re.split("(\r\n|\r|\n)", message)
    return "".join(
        line if place % 2 or line.startswith("MSH") else line[:3] + _mask(line[3:])
        for place, line in enumerate(lines)
    )


def _mask(text: str) -> str:
    return "".join("9" if each.isdigit() else "x" if each.isalnum() else each for each in text)


def _replay(environment: Environment, options: argparse.Namespace) -> int:
    if bool(options.ids) == bool(options.state):
        raise Usage("inbox replay needs the numbers of messages, or --state dead (or done)")
    if options.state == "new":
        raise Usage("new messages are applied without a replay")
    from integration.entrypoints.trial import try_replay

    kind = bootstrap.kind_of_existing(environment)
    workshop = bootstrap.open_workshop(environment, the_settings(environment), kind=kind)
    try:
        messages = _wanted(workshop.store, options)  # type: ignore[arg-type] # it is opened as one
        ids = [message.id for message in messages]
        with silence():
            outcome = try_replay(workshop, ids)
        _say(
            options,
            {"messages": len(ids), "texts": outcome.reminders, "dead_again": outcome.dead},
            f"Replaying {len(ids)} messages would plan at most {outcome.reminders} texts; "
            f"{outcome.dead} would be dead again. Occasion texts and steps already due are left out.",
        )
        if not ids or not (options.yes or _confirmed()):
            return int(bool(ids))
        with workshop.store.unit() as unit:
            count = unit.inbox.replay(ids)
        _say(options, {"replayed": count}, f"{count} messages are new again and will be applied.")
        return 0
    finally:
        workshop.store.close()


def _say(options: argparse.Namespace, facts: dict[str, int], words: str) -> None:
    if options.json:
        json_line(facts)
    else:
        say(words)


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        warn("Nothing was replayed; --yes does it.")
        return False
    sys.stdout.write("Do it? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _wanted(store: SqlStore, options: argparse.Namespace) -> list[KeptMessage]:
    if options.state:
        return _all(store, options.state)
    messages = []
    with store.unit() as unit:
        for message_id in options.ids:
            message = unit.inbox.get(message_id)
            if message is None:
                raise Refused(f"There is no message {message_id}.")
            messages.append(message)
    return messages


def _all(store: SqlStore, state: InboxState | None) -> list[KeptMessage]:
    """Every message in a state, in order of arrival."""
    found: list[KeptMessage] = []
    while True:
        with store.unit() as unit:
            page = unit.inbox.listing(state, after_id=found[-1].id if found else 0, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found
