"""How SQLAlchemy is to speak with SQLite and PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from integration.adapters.store.addresses import (
    PATIENCE,
    POSTGRES_CONNECTION,
    POSTGRES_DURABLE,
    postgres_url,
    sqlite_path,
)
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

# These say that our statement was wrong; whatever else a driver raises, that the database did not answer.
_OUR_FAULT = (exc.IntegrityError, exc.ProgrammingError, exc.DataError, exc.NotSupportedError)


def make_engine(url: str, pool_size: int) -> sa.Engine:
    """An engine whose transactions are short, durable, and on SQLite exclusive from their begin.

    An execution option `read_only` makes one that takes no lock on SQLite. Errors never show parameters.
    """
    path = sqlite_path(url)
    if path is None:
        engine = sa.create_engine(
            postgres_url(url).replace("postgresql://", "postgresql+psycopg://", 1),
            isolation_level="READ COMMITTED",
            connect_args=POSTGRES_CONNECTION,
            **_pool(pool_size),
        )
        event.listen(engine, "connect", _prepare_postgres)
        return engine
    engine = sa.create_engine(
        f"sqlite:///{path}",
        poolclass=sa.QueuePool,
        connect_args={"timeout": PATIENCE, "check_same_thread": False, "cached_statements": 400},
        **_pool(pool_size),
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _pool(size: int) -> dict[str, Any]:
    return {"pool_size": size, "max_overflow": 0, "pool_timeout": PATIENCE, "hide_parameters": True}


def _prepare_postgres(connection: Any, _record: Any) -> None:
    connection.execute(POSTGRES_DURABLE)
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")
    # The listener moves the log into the file, off everybody's way; this is for when no listener runs.
    connection.execute("PRAGMA wal_autocheckpoint = 10000")


def _begin_sqlite(connection: sa.Connection) -> None:
    """A transaction that may write takes the write lock first: one that came to it later could be refused."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def answering() -> Iterator[None]:
    """Turn what says that the database does not answer into `StoreUnavailable`; leave the rest as it is."""
    try:
        yield
    except _OUR_FAULT:
        raise
    except (exc.DBAPIError, exc.TimeoutError) as error:
        cause = type(getattr(error, "orig", None) or error).__name__
        raise StoreUnavailable(f"the store does not answer ({cause})") from error
