"""What the engines are held to: durable commits, no lock for a mere look, a plain word when one is away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from integration.adapters.store.engines import make_engine
from integration.adapters.store.postgres_writer import PostgresWriter
from integration.adapters.store.sqlite_writer import SqliteWriter
from integration.adapters.store.unit_of_work import SqlStore
from integration.ports.store import StoreUnavailable
from tests.adapters.store.records import NOW, add_visit, digest, kept
from tests.adapters.store.surgery import cut_all_connections
from tests.postgres import name_of

if TYPE_CHECKING:
    from tests.stores import StorePlace


PRAGMAS = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}


def test_looking_for_work_waits_for_no_writer(store_place: StorePlace) -> None:
    store = store_place.open()
    with store.unit() as unit:
        unit.inbox.add(kept(), digest(kept()))
    with store.unit() as unit:
        add_visit(unit)
        assert store.has_work(NOW, NOW) == {"translate"}
        assert store.next_times().calendar is None
        assert store.breakers() == {}
    store.close()


def test_a_commit_to_sqlite_survives_a_power_cut(sqlite_place: StorePlace) -> None:
    engine = make_engine(sqlite_place.url, 1)
    with engine.connect() as connection:
        asked = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    engine.dispose()
    assert asked == PRAGMAS
    writer = SqliteWriter(sqlite_place.file)
    bare = writer._connect()
    assert bare.execute("PRAGMA synchronous").fetchone() == (2,)
    assert bare.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    writer.close()


def test_a_commit_to_postgres_survives_a_power_cut_whatever_the_server_s_default(
    postgres_place: StorePlace,
) -> None:
    with psycopg.connect(postgres_place.url, autocommit=True) as connection:
        name = name_of(postgres_place.url)
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
    engine = make_engine(postgres_place.url, 1)
    with engine.connect() as through_sqlalchemy:
        assert through_sqlalchemy.execute(sa.text("SHOW synchronous_commit")).scalar() == "on"
    engine.dispose()
    writer = PostgresWriter(postgres_place.url)

    async def shown() -> list[str]:
        cursor = await (await writer._connect()).execute("SHOW synchronous_commit")
        return list(await cursor.fetchone() or ())

    assert asyncio.run(shown()) == ["on"]
    writer.close()


def test_a_unit_whose_connection_is_cut_says_so_and_the_next_one_works(postgres_place: StorePlace) -> None:
    store = postgres_place.open()
    with store.unit() as unit:
        add_visit(unit, 1)

    def work_on_a_cut_connection() -> None:
        with store.unit() as unit:
            add_visit(unit, 2)
            cut_all_connections(postgres_place)

    with pytest.raises(StoreUnavailable):
        work_on_a_cut_connection()
    with store.unit() as unit:
        assert unit.patients.find("main", ["HOSP|MR|1"]) is not None
        assert unit.patients.find("main", ["HOSP|MR|2"]) is None
    store.close()


def test_a_store_whose_units_are_all_taken_says_so(
    postgres_place: StorePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.adapters.store.engines.PATIENCE", 0.01)
    engine = make_engine(postgres_place.url, 1)
    original = postgres_place.open()
    store = SqlStore(engine, original._keys)
    with store.unit(), pytest.raises(StoreUnavailable), store.unit():
        pass
    original.close()
    store.close()


def test_a_sqlite_file_that_another_program_keeps_locked_says_so(
    sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.adapters.store.engines.PATIENCE", 0.01)
    first, second = sqlite_place.open(), sqlite_place.open()
    with first.unit(), pytest.raises(StoreUnavailable), second.unit():
        pass
    with second.unit() as unit:
        add_visit(unit)
    first.close()
    second.close()
