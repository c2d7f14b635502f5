"""The stores that pipeline stories are told on."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING

import pytest

from integration.testing.store import FakeStore
from tests.pipeline import network
from tests.stores import StorePlace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.ports.store import Store
    from tests.postgres import Postgres


@pytest.fixture(
    params=[
        "memory",
        pytest.param("sqlite", marks=pytest.mark.slow),
        pytest.param("postgres", marks=pytest.mark.slow),
    ]
)
def every_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The story's sites get stores of this kind, each a new one."""
    opened: list[Store] = []
    numbers = count(1)

    def new_store() -> Store:
        place = _new_place(request, tmp_path / str(next(numbers)))
        opened.append(place.open())
        return opened[-1]

    if request.param != "memory":
        monkeypatch.setattr(network, "new_store", new_store)
    yield
    for store in opened:
        store.close()


@pytest.fixture(
    params=[
        "memory",
        pytest.param("sqlite", marks=pytest.mark.slow),
        pytest.param("postgres", marks=pytest.mark.slow),
    ]
)
def story_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A new store of each kind, for the stories that are many."""
    if request.param == "memory":
        yield FakeStore()
        return
    place: StorePlace = request.getfixturevalue(f"{request.param}_place")
    opened = place.open()
    yield opened
    opened.close()


def _new_place(request: pytest.FixtureRequest, folder: Path) -> StorePlace:
    folder.mkdir()
    if request.param == "sqlite":
        place = StorePlace.on_sqlite(folder)
        shutil.copy(request.getfixturevalue("empty_sqlite_store"), place.file)
        return place
    postgres: Postgres = request.getfixturevalue("postgres")
    return StorePlace(postgres.make_database(request.getfixturevalue("empty_postgres_store")), folder)
