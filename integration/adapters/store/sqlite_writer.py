"""Writes the inbox into a SQLite file: commits go to its log, and a thread moves the log into the file.

The event loop itself commits: to hand a batch to another thread and back costs more than the commit, and
until the disk has it there is nothing to answer. For the pipeline's lock it waits without holding up anyone.

A log that need not grow costs a commit half as much, so it is begun anew again and again. That takes a moment
in which all of it is in the file and nobody reads it: the writer looks for one between two batches.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from hl7_listener.inbox import StoreUnavailable
from integration.adapters.store.addresses import PATIENCE
from integration.adapters.store.turnstile import Turnstile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from integration.adapters.store.kept_row import Row

_INSERT = """
INSERT INTO inbox (channel, control_id, digest, sealed_payload, received_at, state, reason)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest, channel) DO NOTHING
"""

_NUMBER = """
INSERT INTO sequence_numbers (channel, "last") VALUES (?, ?)
ON CONFLICT (channel) DO UPDATE SET "last" = excluded."last"
"""
_LAST_NUMBER = 'SELECT "last" FROM sequence_numbers WHERE channel = ?'

# The pipeline holds the write lock for milliseconds; SQLite itself would soon sleep for a tenth of a second.
_LOOK_AGAIN = 0.0002  # seconds


class SqliteWriter:
    """One connection, which the event loop uses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._checkpointer = _Checkpointer(path)
        self._turnstile = Turnstile(path)

    async def write(self, rows: Sequence[Row], numbers: Mapping[str, int | None]) -> Sequence[bool]:
        """One after another; they come in as one."""
        try:
            connection = self._connection or self._connect()
            self._checkpointer.begin_anew(connection)
            await self._begin(connection)
            is_new = [connection.execute(_INSERT, row).rowcount == 1 for row in rows]
            for number in numbers.items():
                connection.execute(_NUMBER, number)
            connection.execute("COMMIT")
        except (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError, OverflowError):
            self.release()
            raise
        except sqlite3.Error as error:
            self.release()
            raise StoreUnavailable(type(error).__name__) from error
        finally:
            self._turnstile.leave()
        self._checkpointer.written(rows)
        return is_new

    async def last_number(self, channel: str) -> int | None:
        """See `inbox.Writer`."""
        try:
            connection = self._connection or self._connect()
            row = connection.execute(_LAST_NUMBER, (channel,)).fetchone()
        except sqlite3.Error as error:
            self.release()
            raise StoreUnavailable(type(error).__name__) from error
        return None if row is None else row[0]

    def release(self) -> None:
        """Let go of the connection, and with it of a transaction that failed."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def close(self) -> None:
        """End the other thread, too."""
        self._checkpointer.close()
        self.release()
        self._turnstile.close()

    def _connect(self) -> sqlite3.Connection:
        self._connection = _connect_sqlite(self._path)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        return self._connection

    async def _begin(self, connection: sqlite3.Connection) -> None:
        give_up = time.monotonic() + PATIENCE
        first = self._turnstile.enter()
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
            else:
                return
            first = first or self._turnstile.enter()
            time.sleep(_LOOK_AGAIN)  # noqa: ASYNC251 - the event loop sleeps no less than a millisecond
            await asyncio.sleep(0)  # it reads on, sends answers, and stops when told to


_PAGE_BYTES = 4096
_PAGES_A_COMMIT, _PAGES_A_ROW = 5, 2  # beside those of the payload: indexes, and what holds them together
_CHECKPOINT_PAGES = 4000
_PASSES = 3  # each moves what came during the one before
_LONG_LOG_PAGES = 16_000  # 64 MiB: time to begin it anew, even if a writer has to wait for readers
_LONG_WAIT = 100  # milliseconds


class _Checkpointer:
    """Moves pages from the write-ahead log into the file, off the commit path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pages = 0
        self._moved: int | None = None  # the pages of a log that is in the file but for its very end
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
        self._thread.start()

    def written(self, rows: Sequence[Row]) -> None:
        """These are in the log."""
        self._pages += _PAGES_A_COMMIT + sum(_PAGES_A_ROW + len(row[3]) // _PAGE_BYTES for row in rows)
        if self._pages >= _CHECKPOINT_PAGES:
            self._pages = 0
            self._wanted.set()

    def begin_anew(self, connection: sqlite3.Connection) -> None:
        """Begin the log anew, if it is time and nobody else is at it; by the writer, between two batches."""
        if self._moved is None:
            return
        patience = _LONG_WAIT if self._moved > _LONG_LOG_PAGES else 0
        self._moved = None
        connection.execute(f"PRAGMA busy_timeout = {patience}")
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while self._wanted.wait() and not self._closing:
            self._wanted.clear()
            with suppress(sqlite3.Error), closing(_connect_sqlite(self._path)) as connection:
                for _ in range(_PASSES):
                    _busy, in_log, _in_file = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                self._moved = in_log


def _connect_sqlite(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there; none is ever made here."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
