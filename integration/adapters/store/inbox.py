"""Keeps what the listener hears, one durable transaction a batch, before it is acknowledged (promise 1).

Here the bare drivers speak: the listener's process stays small. The rows are those of `tables/visits.py`.
All work is done by the event loop, which a batch keeps busy for a fraction of a millisecond and a commit for
the time that the disk takes: threads taking turns at Python's one interpreter lock cost several times that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from hl7_listener.inbox import Receipt, Sequenced
from hl7_listener.sequence import Numbers
from integration.adapters.store.addresses import postgres_url, sqlite_path
from integration.adapters.store.opening import open_keys_of
from integration.adapters.store.sqlite_writer import SqliteWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hl7_listener.inbox import ReceivedMessage
    from integration.adapters.store.kept_row import Row
    from integration.adapters.store.keys import Keys
    from integration.adapters.store.stamp import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def open_inbox(url: str, *, data_directory: Path, data_key: str | None, stamp: Kind) -> GroupInbox:
    """The inbox of a store, which is made or migrated if need be. Raises as `opening.open_keys_of` does."""
    keys = open_keys_of(url, data_directory=data_directory, data_key=data_key, stamp=stamp)
    path = sqlite_path(url)
    return PostgresInbox(postgres_url(url), keys) if path is None else SqliteInbox(path, keys)


class Writer(Protocol):
    """One connection, used by one batch at a time."""

    async def write(self, rows: Sequence[Row], numbers: Mapping[str, int | None]) -> Sequence[bool]:
        """Commit the rows, and the last sequence numbers of channels; whether each row is new.

        Raises `StoreUnavailable`, or what this batch provoked.
        """

    async def last_number(self, channel: str) -> int | None:
        """The last sequence number of a channel. Raises `StoreUnavailable`."""

    def close(self) -> None:
        """Let go of it."""


class GroupInbox:
    """See `hl7_listener.inbox.Inbox`."""

    def __init__(self, writer: Writer, keys: Keys) -> None:
        self._writer = writer
        self._keys = keys

    async def keep(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt | Sequenced]:
        """One transaction; afterwards every message would survive a power cut.

        A message twice in one batch is stored once.
        """
        places: dict[tuple[str, bytes], int] = {}
        rows: list[Row] = []
        numbered = {message.channel for message in messages if message.sequence is not None}
        last = {channel: await self._writer.last_number(channel) for channel in numbered}
        numbers = Numbers(last.__getitem__)
        judged: dict[int, tuple[bool, int]] = {}  # of messages with a number: admitted, expected then
        for position, message in enumerate(messages):
            if message.sequence is not None:
                admitted = numbers.admit(message.channel, message.sequence)
                judged[position] = admitted, numbers.expected(message.channel)
                if not (admitted and message.has_content):
                    continue
            if (message.channel, message.digest) not in places:
                places[message.channel, message.digest] = len(rows)
                rows.append(self._row(message))
        is_new = list(await self._writer.write(rows, numbers.changed)) if rows or numbers.changed else []
        receipts: list[Receipt | Sequenced] = []
        for position, message in enumerate(messages):
            receipt = Receipt.STORED
            admitted, expected = judged.get(position, (True, None))
            if not admitted:
                receipt = Receipt.OUT_OF_SEQUENCE
            elif message.has_content:
                place = places[message.channel, message.digest]
                receipt = Receipt.STORED if is_new[place] else Receipt.DUPLICATE
                is_new[place] = False
            receipts.append(receipt if expected is None else Sequenced(receipt, expected))
        return receipts

    def close(self) -> None:
        """Let go of the store; nothing may be under way."""
        self._writer.close()

    def _row(self, message: ReceivedMessage) -> Row:
        return (
            message.channel,
            message.control_id.replace("\0", "\N{SYMBOL FOR NULL}"),  # PostgreSQL's text knows no NUL
            message.digest,
            self._keys.seal("inbox.sealed_payload", message.payload),
            (message.received_at - _EPOCH) // _MILLISECOND,
            "new" if message.refusal is None else "dead",
            message.refusal,
        )


class SqliteInbox(GroupInbox):
    """The inbox in a SQLite file."""

    def __init__(self, path: Path, keys: Keys) -> None:
        super().__init__(SqliteWriter(path), keys)


class PostgresInbox(GroupInbox):
    """The inbox in a PostgreSQL database."""

    def __init__(self, url: str, keys: Keys) -> None:
        from integration.adapters.store.postgres_writer import PostgresWriter  # noqa: PLC0415 - SQLite does without

        super().__init__(PostgresWriter(url), keys)
