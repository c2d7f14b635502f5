"""The durable inbox as the pipeline works through it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.visits import DEAD, NEW, inbox
from integration.ports.store import KeptMessage, ReasonCount

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.adapters.store.work import Work
    from integration.ports.store import InboxFilter, InboxState


MESSAGES_IN_A_BITE = 4


def _new_channels() -> sa.Select[Any]:
    """Channels with new messages, the longest waiting first; hops through the index, no queue is too long."""
    first = (
        sa.select(sa.func.min(inbox.c.channel).label("channel")).where(NEW).cte("channels", recursive=True)
    )
    next_one = (
        sa.select(sa.func.min(inbox.c.channel))
        .where(NEW, inbox.c.channel > first.c.channel)
        .scalar_subquery()
    )
    channels = first.union_all(sa.select(next_one).where(first.c.channel.is_not(None)))
    oldest = (
        sa.select(sa.func.min(inbox.c.id)).where(NEW, inbox.c.channel == channels.c.channel).scalar_subquery()
    )
    return sa.select(channels.c.channel).where(channels.c.channel.is_not(None)).order_by(oldest)


_COLUMNS = (
    inbox.c.id,
    inbox.c.channel,
    inbox.c.control_id,
    inbox.c.sealed_payload,
    inbox.c.received_at,
    inbox.c.state,
    inbox.c.reason,
    inbox.c.replayed,
)
_CHANNELS = _new_channels()
_TRY_LOCK = sa.select(sa.func.pg_try_advisory_xact_lock(sa.bindparam("key", type_=sa.BigInteger)))
_earlier = inbox.alias("earlier")
_REPEATS = sa.exists().where(
    _earlier.c.control_id == inbox.c.control_id,
    _earlier.c.channel == inbox.c.channel,
    _earlier.c.id < inbox.c.id,
)
_OLDEST_NEW = (
    sa.select(*_COLUMNS, _REPEATS.label("repeats"))
    .where(NEW, inbox.c.channel == sa.bindparam("channel"))
    .order_by(inbox.c.id)
    .limit(sa.bindparam("at_most"))
)
_WAITING = (
    sa.select(*_COLUMNS)
    .where(NEW, inbox.c.channel.in_(sa.bindparam("channels", expanding=True)))
    .order_by(inbox.c.id)
    .limit(sa.bindparam("at_most"))
)
_GET = sa.select(*_COLUMNS).where(inbox.c.id == sa.bindparam("message_id"))
_LISTING = (
    sa.select(*_COLUMNS)
    .where(inbox.c.id > sa.bindparam("after_id"))
    .order_by(inbox.c.id)
    .limit(sa.bindparam("at_most"))
)
_LISTING_OF_STATE = {
    "new": _LISTING.where(NEW),
    "dead": _LISTING.where(DEAD),
    "done": _LISTING.where(inbox.c.state == "done"),
}
_COUNT = {
    "new": sa.select(sa.func.count()).select_from(inbox).where(NEW),
    "dead": sa.select(sa.func.count()).select_from(inbox).where(DEAD),
    "done": sa.select(sa.func.count()).select_from(inbox).where(inbox.c.state == "done"),
}
_SETTLE = (
    inbox.update()
    .where(inbox.c.id == sa.bindparam("message_id"))
    .values(state=sa.bindparam("new_state"), reason=sa.bindparam("new_reason"))
)
_REPLAY = (
    inbox.update()
    .where(
        inbox.c.id.in_(sa.bindparam("message_ids", expanding=True)),
        inbox.c.state != "new",
        inbox.c.sealed_payload.is_not(None),
    )
    .values(state="new", reason=None, replayed=True)
)
_ADD = insert(inbox).on_conflict_do_nothing().returning(inbox.c.id)
_SAME_CONTROL_ID = (
    sa.select(inbox.c.id)
    .where(
        inbox.c.control_id == sa.bindparam("control_id"),
        inbox.c.channel == sa.bindparam("channel"),
        inbox.c.id < sa.bindparam("message_id"),
    )
    .limit(1)
)


def _meant(wanted: InboxFilter) -> list[sa.ColumnElement[bool]]:
    """The conditions of a filter."""
    found: list[sa.ColumnElement[bool]] = []
    if wanted.state is not None:
        # Spelled out, so that the partial indexes serve.
        found.append({"new": NEW, "dead": DEAD}.get(wanted.state, inbox.c.state == wanted.state))
    if wanted.channel is not None:
        found.append(inbox.c.channel == wanted.channel)
    if wanted.reason is not None:
        listed = sa.literal(", ") + inbox.c.reason + sa.literal(",")
        ends = (f", {wanted.reason},", f", {wanted.reason} ")
        found.append(sa.or_(*(listed.contains(each, autoescape=True) for each in ends)))
    if wanted.since is not None:
        found.append(inbox.c.received_at >= wanted.since)
    if wanted.until is not None:
        found.append(inbox.c.received_at < wanted.until)
    return found


def channel_lock(channel: str) -> int:
    """The number of the advisory lock that stands for a channel."""
    return int.from_bytes(hashlib.sha256(f"inbox\0{channel}".encode()).digest()[:8], "big", signed=True)


class SqlInboxRows:
    """See `integration.ports.store.InboxRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._held: list[dict[str, Any]] = []
        self._repeats: dict[int, bool] = {}
        work.add_writer(self._write_held)

    def claim(self, limit: int) -> Sequence[KeptMessage]:
        """The oldest new messages of one channel that nobody else works on."""
        limit = self._work.bite(limit, MESSAGES_IN_A_BITE)
        for (channel,) in self._work.rows(_CHANNELS):
            if (
                not self._work.sqlite
                and not self._work.run(_TRY_LOCK, {"key": channel_lock(channel)}).scalar_one()
            ):
                continue
            # Only a query begun under the lock sees what the former holder has done.
            rows = self._work.rows(_OLDEST_NEW, {"channel": channel, "at_most": limit})
            if rows:
                self._repeats.update({row.id: row.repeats for row in rows})
                return [self._read(row) for row in rows]
        return []

    def done(self, message_id: int, reason: str | None = None) -> None:
        """Written when the unit ends."""
        self._settle(message_id, "done", reason)

    def dead(self, message_id: int, reason: str) -> None:
        """Written when the unit ends."""
        self._settle(message_id, "dead", reason)

    def replay(self, message_ids: Collection[int]) -> int:
        """New again, if the payload is still there."""
        return self._work.run(_REPLAY, {"message_ids": list(message_ids)}).rowcount

    def add(self, message: KeptMessage, digest: bytes) -> bool:
        """One message, outside the group commit."""
        row = self._work.row(
            _ADD,
            {
                "channel": message.channel,
                "control_id": message.control_id,
                "digest": digest,
                "sealed_payload": self._work.keys.seal("inbox.sealed_payload", message.payload),
                "received_at": message.received_at,
                "state": message.state,
                "reason": message.reason,
                "replayed": message.replayed,
            },
        )
        return row is not None

    def waiting(self, channels: Collection[str], limit: int) -> Sequence[KeptMessage]:
        """Not claimed."""
        wanted = {"channels": list(channels), "at_most": limit}
        return [self._read(row) for row in self._work.rows(_WAITING, wanted)]

    def same_control_id(self, message: KeptMessage) -> bool:
        """An earlier one; other bytes, or it would be this one."""
        known = self._repeats.get(message.id)
        if known is not None:
            return known
        wanted = {"control_id": message.control_id, "channel": message.channel, "message_id": message.id}
        return self._work.row(_SAME_CONTROL_ID, wanted) is not None

    def get(self, message_id: int) -> KeptMessage | None:
        """One message."""
        row = self._work.row(_GET, {"message_id": message_id})
        return None if row is None else self._read(row)

    def listing(
        self, state: InboxState | None = None, *, after_id: int = 0, limit: int = 100
    ) -> Sequence[KeptMessage]:
        """In order of arrival."""
        statement = _LISTING if state is None else _LISTING_OF_STATE[state]
        rows = self._work.rows(statement, {"after_id": after_id, "at_most": limit})
        return [self._read(row) for row in rows]

    def ids(self, wanted: InboxFilter, newest: int | None = None) -> Sequence[int]:
        """Without what they say."""
        statement = sa.select(inbox.c.id).where(*_meant(wanted)).order_by(inbox.c.id.desc()).limit(newest)
        return [row.id for row in reversed(self._work.rows(statement))]

    def reasons(self, wanted: InboxFilter) -> Sequence[ReasonCount]:
        """Counted by the database."""
        count, group = sa.func.count(), (inbox.c.channel, inbox.c.state, inbox.c.reason)
        first, last = sa.func.min(inbox.c.id), sa.func.max(inbox.c.id)
        statement = (
            sa.select(*group, count, first, last)
            .where(inbox.c.reason.is_not(None), *_meant(wanted))
            .group_by(*group)
            .order_by(count.desc(), first)
        )
        return [ReasonCount(*tuple(row)) for row in self._work.rows(statement)]

    def count(self, state: InboxState) -> int:
        """How many are in a state."""
        return int(self._work.run(_COUNT[state]).scalar_one())

    def _settle(self, message_id: int, state: InboxState, reason: str | None) -> None:
        self._work.hold()
        self._held.append({"message_id": message_id, "new_state": state, "new_reason": reason})

    def _write_held(self) -> None:
        self._work.write(_SETTLE, self._held)

    def _read(self, row: sa.Row[Any]) -> KeptMessage:
        sealed = row.sealed_payload
        return KeptMessage(
            id=row.id,
            channel=row.channel,
            control_id=row.control_id,
            payload=b"" if sealed is None else self._work.keys.unseal("inbox.sealed_payload", sealed),
            received_at=row.received_at,
            state=row.state,
            reason=row.reason,
            replayed=row.replayed,
        )
