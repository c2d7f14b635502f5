"""`inbox list` and `inbox reasons`: what was kept, and by which reasons messages are dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integration.entrypoints.commands.inbox.messages import as_json, the_filter
from integration.entrypoints.printing import json_line, say, table, warn
from integration.entrypoints.troubles import Usage

if TYPE_CHECKING:
    import argparse

    from integration.ports.store import Store

TABLE: Final = 100  # lines a person reads at most unless asked
WIDE: Final = 60  # letters of a control id in a table; some senders write whole paragraphs into MSH-10
_HEAD: Final = ("id", "channel", "control id", "received", "state", "reason")


def show_list(store: Store, options: argparse.Namespace) -> int:
    """The newest messages that are meant, in order of arrival."""
    if options.ids:
        raise Usage("inbox list takes no message numbers; inbox show does")
    limit = options.limit if options.limit is not None else None if options.json else TABLE
    if limit is not None and limit < 1:
        raise Usage("--limit needs a number from 1")
    rows = []
    with store.reading() as unit:
        for message_id in unit.inbox.ids(the_filter(options), limit):
            message = unit.inbox.get(message_id)
            if message is None:
                continue
            if options.json:
                json_line(as_json(message))
            else:
                rows.append((as_json(message) | {"control_id": _at_most(WIDE, message.control_id)}).values())
    if rows:
        table(_HEAD, rows)
    elif not options.json:
        warn("The inbox is empty." if _asks_for_all(options) else "No message of the inbox is meant by this.")
    return 0


def show_reasons(store: Store, options: argparse.Namespace) -> int:
    """The reasons of the dead, or of another state, the most frequent first."""
    if options.ids:
        raise Usage("inbox reasons takes no message numbers; inbox show does")
    with store.reading() as unit:
        found = unit.inbox.reasons(the_filter(options, "dead"))
    if options.json:
        for each in found:
            json_line(
                {
                    "count": each.count,
                    "channel": each.channel,
                    "state": each.state,
                    "reason": each.reason,
                    "first_id": each.first_id,
                    "last_id": each.last_id,
                }
            )
        return 0
    if not found:
        say("No message is dead." if options.state in {None, "dead"} else "None of these has a reason.")
        return 0
    head = ("messages", "channel", "state", "reason", "first", "last")
    table(head, ((e.count, e.channel, e.state, e.reason, e.first_id, e.last_id) for e in found))
    return 0


def _asks_for_all(options: argparse.Namespace) -> bool:
    return all(
        each is None for each in (options.state, options.feed, options.reason, options.since, options.until)
    )


def _at_most(wide: int, text: str) -> str:
    return text if len(text) <= wide else f"{text[: wide - 1]}…"
