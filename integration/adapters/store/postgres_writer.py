"""Writes the inbox into PostgreSQL: one statement a batch, its columns as binary arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from hl7_listener.inbox import StoreUnavailable
from integration.adapters.store.addresses import POSTGRES_CONNECTION, POSTGRES_DURABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.adapters.store.kept_row import Row

_INSERT = """
INSERT INTO inbox (channel, control_id, digest, sealed_payload, received_at, state, reason)
SELECT * FROM unnest(
    %b::text[], %b::text[], %b::bytea[], %b::bytea[], %b::bigint[], %b::text[], %b::text[]
) ON CONFLICT (digest, channel) DO NOTHING RETURNING channel, digest
"""

_NUMBER = """
INSERT INTO sequence_numbers (channel, last) VALUES (%s, %s)
ON CONFLICT (channel) DO UPDATE SET last = excluded.last
"""
_LAST_NUMBER = "SELECT last FROM sequence_numbers WHERE channel = %s"


class PostgresWriter:
    """One connection, made anew after a failure."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def write(self, rows: Sequence[Row], numbers: Mapping[str, int | None]) -> Sequence[bool]:
        """All in one."""
        try:
            connection = self._connection or await self._connect()
            if not numbers:
                stored = await self._insert(connection, rows)
            else:
                async with connection.transaction():
                    stored = await self._insert(connection, rows) if rows else set()
                    for number in numbers.items():
                        await connection.execute(_NUMBER, number)
        except psycopg.OperationalError as error:
            self.close()
            raise StoreUnavailable(type(error).__name__) from error
        return [(row[0], row[2]) in stored for row in rows]

    @staticmethod
    async def _insert(
        connection: psycopg.AsyncConnection[Any], rows: Sequence[Row]
    ) -> set[tuple[str, bytes]]:
        cursor = connection.cursor(binary=True)
        await cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)], prepare=True)
        return set(await cursor.fetchall())

    async def last_number(self, channel: str) -> int | None:
        """See `inbox.Writer`."""
        try:
            connection = self._connection or await self._connect()
            row = await (await connection.execute(_LAST_NUMBER, (channel,))).fetchone()
        except psycopg.OperationalError as error:
            self.close()
            raise StoreUnavailable(type(error).__name__) from error
        return None if row is None else row[0]

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.pgconn.finish()
            self._connection = None

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        self._connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, **POSTGRES_CONNECTION
        )
        await self._connection.execute(POSTGRES_DURABLE)
        return self._connection
