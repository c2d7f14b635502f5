"""Writes the inbox into a SQLite file: commits go to its log, and a thread moves the log into the file."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from hl7_listener.inbox import StoreUnavailable
from integration.adapters.store.addresses import PATIENCE

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
_LOOK_AGAIN = 0.0005  # seconds


class SqliteWriter:
    """Commits to the write-ahead log; moving its pages into the file is another thread's work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._checkpointer = _Checkpointer(path)

    def write(self, rows: Sequence[Row], numbers: Mapping[str, int | None]) -> Sequence[bool]:
        """One after another; they come in as one."""
        try:
            connection = self._connection or self._connect()
            with self._checkpointer.pause:
                self._begin(connection)
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
        self._checkpointer.written(sum(2 + len(row[3]) // _PAGE_BYTES for row in rows))
        return is_new

    def last_number(self, channel: str) -> int | None:
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

    def _connect(self) -> sqlite3.Connection:
        self._connection = _connect_sqlite(self._path)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        return self._connection

    @staticmethod
    def _begin(connection: sqlite3.Connection) -> None:
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(_LOOK_AGAIN)
            else:
                return


_PAGE_BYTES = 4096
_CHECKPOINT_PAGES = 1000
_LONG_LOG_PAGES = 16_000  # 64 MiB: time to begin it anew, even if that makes a writer wait a moment


class _Checkpointer:
    """Moves pages from the write-ahead log into the file, off the commit path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.pause = threading.Lock()  # held while the log begins anew, and by who writes
        self._pages = 0
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
        self._thread.start()

    def written(self, pages: int) -> None:
        """About so many pages more are in the log."""
        self._pages += pages
        if self._pages >= _CHECKPOINT_PAGES:
            self._pages = 0
            self._wanted.set()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while self._wanted.wait() and not self._closing:
            self._wanted.clear()
            with suppress(sqlite3.Error), closing(_connect_sqlite(self._path)) as connection:
                self._checkpoint(connection)

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        _busy, in_log, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if in_log > _LONG_LOG_PAGES and moved < in_log:
            connection.execute("PRAGMA busy_timeout = 100")
            with self.pause:
                connection.execute("PRAGMA wal_checkpoint(RESTART)")


def _connect_sqlite(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there; none is ever made here."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
