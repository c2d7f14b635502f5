"""Makes a store or brings it up to date: one transaction, under a lock, so that two may start at once."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from integration.adapters.store.addresses import sqlite_path
from integration.adapters.store.engines import answering, make_engine
from integration.adapters.store.keys import find_data_key, make_key_file, new_store_keys
from integration.adapters.store.tables.upkeep import data_keys, stamp
from integration.domain.clock import wall_now
from integration.ports.store import WrongStamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = 0x61707074  # of PostgreSQL's advisory locks; "appt"


def migrate(url: str, *, kind: str, data_directory: Path, data_key: str | None) -> None:
    """Bring the tables up to date; stamp an empty store. Raises `WrongStamp`, `WrongKey`."""
    path = sqlite_path(url)
    engine = make_engine(url, pool_size=1)
    try:
        with _alone(path), answering(), engine.begin() as connection:
            if path is None:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            is_new = not sa.inspect(connection).has_table("stamp")
            _upgrade(connection)
            if is_new:
                _stamp(connection, kind=kind, data_directory=data_directory, data_key=data_key)
    finally:
        engine.dispose()


@contextmanager
def _alone(path: Path | None) -> Iterator[None]:
    """Keep others from making the same SQLite file: turning WAL on waits for nobody, whatever the timeout.

    The file is its owner's alone, and so is what SQLite puts beside it.
    """
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A file of its own: closing the database's would let go of every lock this process has on it.
    with path.with_name(f"{path.name}.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path.touch(mode=0o600)
        yield


def newest_revision() -> str | None:
    """The newest migration there is."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "integration.adapters.store:migrations")
    return config


def _upgrade(connection: sa.Connection) -> None:
    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if sa.inspect(connection).has_table("alembic_version"):
        stored = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if stored not in known:
            raise WrongStamp("this store was made by a newer release")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _stamp(connection: sa.Connection, *, kind: str, data_directory: Path, data_key: str | None) -> None:
    key, _source = find_data_key(data_directory, data_key) or make_key_file(data_directory)
    _keys, number, wrapped = new_store_keys(key)
    connection.execute(stamp.insert(), {"id": 1, "kind": kind, "created_at": wall_now()})
    connection.execute(data_keys.insert(), {"id": number, "sealed_hash_key": wrapped})
