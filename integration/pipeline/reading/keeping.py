"""Keeps what was read in the inbox, like any message, and tells staff what the EHR does not show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from integration.aftermath import close_task, open_task
from integration.domain.staff_task import StaffTask, TaskKind
from integration.ports.store import KeptMessage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from integration.ports.ehr_reading import Snapshot
    from integration.ports.store import Unit
    from integration.settings.model import Settings

LEASE: Final = timedelta(minutes=2)  # longer than one exchange with the EHR may take


def keep(unit: Unit, feed: str, snapshots: Iterable[Snapshot], asked_at: datetime, *, quiet: bool) -> int:
    """Add what is news to the feed's channel; how many. `quiet`: it plans the future only.

    `asked_at` (wall) is when the EHR was asked: what it said then is not older.
    """
    kept = 0
    # In one order, so that two units never wait for each other.
    for snapshot in sorted(snapshots, key=lambda each: (each.reference.type, each.reference.id)):
        digest = unit.snapshots.renew(snapshot, feed, asked_at)
        if digest is not None:
            message = KeptMessage(0, feed, digest.hex()[:20], snapshot.payload, asked_at, replayed=quiet)
            kept += unit.inbox.add(message, digest)
    return kept


def tell_of_refusal(unit: Unit, feed: str, reason: str, at: datetime, settings: Settings) -> None:
    """A person must see to it; one task a feed. `at`: calendar."""
    words = f"The EHR does not show what feed {feed} needs: {reason}"
    open_task(unit, StaffTask(0, TaskKind.UNREAD_EHR, None, words, at, feed=feed), settings)


def close_refusals(unit: Unit, feed: str, at: datetime) -> None:
    """It shows it again. `at`: calendar."""
    for task in unit.tasks.open():
        if task.kind is TaskKind.UNREAD_EHR and task.feed == feed:
            close_task(unit, task.id, at)
