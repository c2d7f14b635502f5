"""Which kept messages a person means, and one of them as `inbox --json` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integration.entrypoints.moments import moment
from integration.entrypoints.troubles import Refused, Usage
from integration.ports.store import InboxFilter

if TYPE_CHECKING:
    import argparse

    from integration.ports.store import InboxState, KeptMessage, Store


def the_filter(options: argparse.Namespace, state: InboxState | None = None) -> InboxFilter:
    """What the options narrow down; `state` when they name none. Raises Usage."""
    since = None if options.since is None else moment("--since", options.since)
    until = None if options.until is None else moment("--until", options.until)
    if since is not None and until is not None and until <= since:
        raise Usage("--until is not after --since")
    return InboxFilter(options.state or state, options.feed, options.reason, since, until)


def the_ids(store: Store, options: argparse.Namespace, deed: str) -> list[int]:
    """The messages to do something with: those named, or those narrowed down, in order of arrival.

    Raises Usage when neither or both were given, Refused for a number that is not there.
    """
    narrowed = [options.state, options.feed, options.reason, options.since, options.until]
    if bool(options.ids) == any(each is not None for each in narrowed):
        raise Usage(
            f"inbox {deed} needs the numbers of messages, or which are meant: --reason, --feed, --since, "
            "--until (of the dead ones), or --state"
        )
    with store.reading() as unit:
        if not options.ids:
            return list(unit.inbox.ids(the_filter(options, "dead")))
        for message_id in options.ids:
            if unit.inbox.get(message_id) is None:
                raise Refused(f"There is no message {message_id}.")
    return sorted(set(options.ids))


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
