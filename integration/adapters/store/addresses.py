"""Where a store lies: what a database URL means to each driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

# How long a writer waits for SQLite's one write lock, and a client for PostgreSQL to answer; seconds.
PATIENCE = 10

# For PostgreSQL: nothing waits for a lock, no transaction for us, and nobody for a dead network, without end.
POSTGRES_CONNECTION: dict[str, Any] = {
    "connect_timeout": PATIENCE,
    "tcp_user_timeout": PATIENCE * 1000,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "options": f"-c lock_timeout={PATIENCE}s -c idle_in_transaction_session_timeout=60s",
}

# A server that acknowledges commits before they are on disk is not believed; stricter settings stay.
POSTGRES_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""

_SQLITE = "sqlite:///"


def sqlite_path(url: str) -> Path | None:
    """The file of a `sqlite:///…` URL, None for any other database."""
    if not url.startswith(_SQLITE):
        return None
    path = unquote(url.removeprefix(_SQLITE).partition("?")[0])
    if path in {"", ":memory:"}:
        raise ValueError("a store needs a file: SQLite in memory forgets what was acknowledged")
    return Path(path)


def postgres_url(url: str) -> str:
    """A PostgreSQL URL as libpq reads it, whichever way it was written; ValueError for any other database."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("a database URL begins with sqlite:/// or postgresql://")
    return f"postgresql://{rest}"
