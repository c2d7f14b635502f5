"""Opens a store: the listener and the pipeline begin here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.adapters.store.stamp import NEWEST_REVISION, open_stamped, read_stamp

if TYPE_CHECKING:
    from pathlib import Path

    from integration.adapters.store.keys import Keys
    from integration.adapters.store.stamp import Kind
    from integration.adapters.store.unit_of_work import SqlStore


def open_keys_of(url: str, *, data_directory: Path, data_key: str | None, stamp: Kind) -> Keys:
    """Make or migrate the store if need be, and return its keys.

    Raises `WrongKey`, `WrongStamp`, `StoreUnavailable`; ValueError for a URL of no database we know.
    """
    found = read_stamp(url)
    if found is None or found.revision != NEWEST_REVISION:
        from integration.adapters.store.migrate import migrate  # noqa: PLC0415 - half a second, rarely needed

        migrate(url, kind=stamp, data_directory=data_directory, data_key=data_key)
        found = read_stamp(url)
        assert found is not None  # noqa: S101 - it was made a moment ago
    return open_stamped(found, stamp, data_directory=data_directory, data_key=data_key)


def open_store(
    url: str, *, data_directory: Path, data_key: str | None, stamp: Kind, pool_size: int = 10
) -> SqlStore:
    """A store to work on, with at most `pool_size` units at once; raises as `open_keys_of` does."""
    keys = open_keys_of(url, data_directory=data_directory, data_key=data_key, stamp=stamp)

    from integration.adapters.store.engines import make_engine  # noqa: PLC0415 - the listener does without SQLAlchemy
    from integration.adapters.store.unit_of_work import SqlStore  # noqa: PLC0415 - as above

    return SqlStore(make_engine(url, pool_size), keys)
