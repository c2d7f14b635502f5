"""Writes the inbox into PostgreSQL: one statement a batch, its columns as binary arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from hl7_listener.inbox import StoreUnavailable
from integration.adapters.store.addresses import POSTGRES_CONNECTION, POSTGRES_DURABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.adapters.store.kept_row import Row

_INSERT = """
INSERT INTO inbox (channel, control_id, digest, sealed_payload, received_at, state, reason)
SELECT * FROM unnest(
    %b::text[], %b::text[], %b::bytea[], %b::bytea[], %b::bigint[], %b::text[], %b::text[]
) ON CONFLICT (digest, channel) DO NOTHING RETURNING channel, digest
"""


class PostgresWriter:
    """One connection, made anew after a failure."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[tuple[str, bytes]] | None = None

    def write(self, rows: Sequence[Row]) -> Sequence[bool]:
        """All in one."""
        try:
            connection = self._connection or self._connect()
            with connection.cursor(binary=True) as cursor:
                cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)], prepare=True)
                stored = set(cursor.fetchall())
        except psycopg.OperationalError as error:
            self.close()
            raise StoreUnavailable(type(error).__name__) from error
        return [(row[0], row[2]) in stored for row in rows]

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection[tuple[str, bytes]]:
        self._connection = psycopg.connect(self._url, autocommit=True, **POSTGRES_CONNECTION)
        self._connection.execute(POSTGRES_DURABLE)
        return self._connection
