"""`inbox replay` and `inbox dismiss`: what a person does about messages dead or mapped wrongly."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from integration.entrypoints.commands.inbox.messages import the_ids
from integration.entrypoints.printing import json_line, say, warn
from integration.entrypoints.process_logging import silence
from integration.entrypoints.trial import try_replay
from integration.entrypoints.troubles import Usage
from integration.pipeline.translate.holding import let_go

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from integration.ports.store import Store
    from integration.ports.workshop import Workshop

_AT_ONCE: Final = 200  # messages in one transaction


def replay(workshop: Workshop, options: argparse.Namespace) -> int:
    """Try it, say what it would do, ask, make the messages new again. Exit status 1 when not confirmed."""
    if options.state == "new":
        raise Usage("new messages are applied without a replay")
    ids = the_ids(workshop.store, options, "replay")
    with silence():
        outcome = try_replay(workshop, ids)
    _say(
        options,
        {
            "messages": len(ids),
            "texts": outcome.reminders,
            "dead_again": outcome.dead,
            "withdrawn": outcome.withdrawn,
            "let_go": outcome.let_go,
        },
        f"Replaying {len(ids)} messages would plan at most {outcome.reminders} texts and withdraw "
        f"{outcome.withdrawn}; {outcome.dead} would be dead again. At most {outcome.let_go} that they hold "
        "would go. No other text about an event, and no step that is already due.",
    )
    if not ids or not (options.yes or _confirmed("replayed")):
        return int(bool(ids))
    count = 0
    for some in _in_parts(ids):
        with workshop.store.unit() as unit:
            count += unit.inbox.replay(some)
    _say(options, {"replayed": count}, f"{count} messages are new again and will be applied in their order.")
    if count < len(ids):
        warn(f"{len(ids) - count} could not be: they are new already, or their content has been purged.")
    return 0


def dismiss(store: Store, options: argparse.Namespace) -> int:
    """Give up on dead messages: nothing is made of them, and they hold nothing any more."""
    if options.state not in {None, "dead"}:
        raise Usage("only dead messages are dismissed")
    ids = the_ids(store, options, "dismiss")
    _say(
        options,
        {"messages": len(ids)},
        f"Dismissing {len(ids)} messages: nothing will be made of them, and reminders they hold may go.",
    )
    if not ids or not (options.yes or _confirmed("dismissed")):
        return int(bool(ids))
    count = 0
    for some in _in_parts(ids):
        with store.unit() as unit:
            for message_id in some:
                message = unit.inbox.get(message_id)
                if message is not None and message.state == "dead":
                    unit.inbox.done(message_id, ", ".join(filter(None, ("dismissed", message.reason))))
                    let_go(unit, message_id)
                    count += 1
    _say(options, {"dismissed": count}, f"{count} messages are dismissed.")
    if count < len(ids):
        warn(f"{len(ids) - count} are not dead.")
    return int(count < len(ids))


def _in_parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


def _say(options: argparse.Namespace, facts: dict[str, Any], words: str) -> None:
    if options.json:
        json_line(facts)
    else:
        say(words)


def _confirmed(done: str) -> bool:
    if not sys.stdin.isatty():
        warn(f"Nothing was {done}; --yes does it.")
        return False
    sys.stderr.write("Do it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
