"""What a store says of itself, read with the bare drivers so that the listener stays small.

A store that is up to date is opened by three short queries. Alembic and SQLAlchemy are needed only to make or
migrate one.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from integration.adapters.store.addresses import PATIENCE, postgres_url, sqlite_path
from integration.adapters.store.keys import find_data_key, missing_key, open_keys
from integration.ports.store import StoreUnavailable, WrongStamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from integration.adapters.store.keys import Keys

NEWEST_REVISION = "0009"

Kind = Literal["real", "demo", "simulated"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the store is, and the hash key as each of its data keys has wrapped it."""

    revision: str
    kind: str
    wrapped: tuple[tuple[int, bytes], ...]


def read_stamp(url: str) -> Stamp | None:
    """The stamp of a store, None when there is no store yet. Raises `StoreUnavailable`."""
    path = sqlite_path(url)
    if path is not None:
        return _read_sqlite(path)
    return _read_postgres(postgres_url(url))


def open_stamped(stamp: Stamp, kind: str, *, data_directory: Path, data_key: str | None) -> Keys:
    """The keys of a store that is up to date. Raises `WrongStamp`, `WrongKey`."""
    if stamp.kind != kind:
        raise WrongStamp(f"this store was made for {stamp.kind} data and is never opened for {kind} data")
    found = find_data_key(data_directory, data_key)
    if found is None:
        raise missing_key(data_directory)
    key, source = found
    return open_keys(key, stamp.wrapped, source=source)


def _read_sqlite(path: Path) -> Stamp | None:
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'stamp'").fetchone() is None:
                return None
            return _read(lambda query: connection.execute(query).fetchall())
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the store cannot be read ({type(error).__name__})") from error


def _read_postgres(url: str) -> Stamp | None:
    import psycopg  # noqa: PLC0415 - a store on SQLite does without

    try:
        with psycopg.connect(url, connect_timeout=PATIENCE, autocommit=True) as connection:
            if connection.execute("SELECT to_regclass('stamp')").fetchone() == (None,):
                return None
            return _read(lambda query: connection.execute(query.encode()).fetchall())
    except psycopg.Error as error:
        raise StoreUnavailable(f"the store cannot be read ({type(error).__name__})") from error


def _read(query: Callable[[str], list[Any]]) -> Stamp:
    ((revision,),) = query("SELECT version_num FROM alembic_version")
    ((kind,),) = query("SELECT kind FROM stamp")
    wrapped = query("SELECT id, sealed_hash_key FROM data_keys ORDER BY id DESC")
    return Stamp(revision, kind, tuple((number, bytes(sealed)) for number, sealed in wrapped))
