"""Stores for every test that wants one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from integration.testing.store import FakeStore
from tests.postgres import Postgres, name_of, serve
from tests.stores import StorePlace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.ports.store import Store

# A busy machine is no bug: nothing here is asserted about time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with serve() as server:
        yield server


@pytest.fixture(scope="session")
def empty_sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store just made, to copy."""
    place = StorePlace.on_sqlite(tmp_path_factory.mktemp("empty-store"))
    place.open().close()
    return place.file


@pytest.fixture(scope="session")
def empty_postgres_store(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of a store just made, to copy."""
    place = StorePlace(postgres.make_database(), tmp_path_factory.mktemp("empty-store"))
    place.open().close()
    return name_of(place.url)


@pytest.fixture
def sqlite_place(tmp_path: Path, empty_sqlite_store: Path) -> StorePlace:
    """A new store on SQLite."""
    place = StorePlace.on_sqlite(tmp_path)
    shutil.copy(empty_sqlite_store, place.file)
    return place


@pytest.fixture
def postgres_place(tmp_path: Path, postgres: Postgres, empty_postgres_store: str) -> Iterator[StorePlace]:
    """A new store on PostgreSQL."""
    url = postgres.make_database(empty_postgres_store)
    yield StorePlace(url, tmp_path)
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def store_place(request: pytest.FixtureRequest) -> StorePlace:
    """A new store on each engine."""
    place: StorePlace = request.getfixturevalue(f"{request.param}_place")
    return place


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A new store of each kind: the fake, and the real one on each engine."""
    if request.param == "memory":
        yield FakeStore()
        return
    place: StorePlace = request.getfixturevalue(f"{request.param}_place")
    opened = place.open()
    yield opened
    opened.close()
