"""Which stores open, which do not, and what opening costs a small process."""

from __future__ import annotations

import base64
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import psycopg
import pytest

from integration.adapters.store.addresses import postgres_url, sqlite_path
from integration.adapters.store.keys import KEY_FILE
from integration.adapters.store.opening import open_store
from integration.ports.store import StoreUnavailable, WrongKey, WrongStamp
from tests.adapters.store.records import add_visit, patient
from tests.stores import TEST_DATA_KEY, StorePlace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.adapters.store.stamp import Kind
    from tests.postgres import Postgres

OTHER_KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture(params=["sqlite", "postgres"])
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorePlace]:
    """Where a store is to be made."""
    if request.param == "sqlite":
        yield StorePlace.on_sqlite(tmp_path / "var")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.make_database()
    yield StorePlace(url, tmp_path / "var")
    postgres.drop_database(url)


def open_at(place: StorePlace, *, data_key: str | None = None, stamp: Kind = "real") -> None:
    open_store(place.url, data_directory=place.data_directory, data_key=data_key, stamp=stamp).close()


def test_an_empty_store_gets_a_key_of_its_own_and_opens_again_with_it(empty_place: StorePlace) -> None:
    open_at(empty_place)
    key_file = empty_place.data_directory / KEY_FILE
    made = key_file.read_text()
    open_at(empty_place)
    open_at(empty_place, data_key=made)
    assert key_file.read_text() == made


def test_a_key_that_is_there_already_serves_an_empty_store(empty_place: StorePlace) -> None:
    empty_place.data_directory.mkdir()
    (empty_place.data_directory / KEY_FILE).write_text(OTHER_KEY)
    open_at(empty_place)
    open_at(empty_place, data_key=OTHER_KEY)


def test_a_store_made_with_a_given_key_gets_no_key_file(empty_place: StorePlace) -> None:
    open_at(empty_place, data_key=TEST_DATA_KEY)
    assert not (empty_place.data_directory / KEY_FILE).exists()


def test_a_store_whose_key_is_missing_does_not_open_and_gets_no_new_one(empty_place: StorePlace) -> None:
    open_at(empty_place)
    (empty_place.data_directory / KEY_FILE).unlink()
    with pytest.raises(WrongKey, match=KEY_FILE):
        open_at(empty_place)
    assert not (empty_place.data_directory / KEY_FILE).exists()


def test_a_store_does_not_open_with_another_key(store_place: StorePlace) -> None:
    with pytest.raises(WrongKey, match="APPOINTMENT_TEXTS_DATA_KEY"):
        open_at(store_place, data_key=OTHER_KEY)
    (store_place.data_directory / KEY_FILE).write_text(OTHER_KEY)
    with pytest.raises(WrongKey, match=KEY_FILE):
        open_at(store_place)


@pytest.mark.parametrize("stamp", ["demo", "simulated"])
def test_a_store_of_real_data_opens_as_nothing_else(
    store_place: StorePlace, stamp: Literal["demo", "simulated"]
) -> None:
    with pytest.raises(WrongStamp, match=f"real data and is never opened for {stamp}"):
        open_at(store_place, data_key=TEST_DATA_KEY, stamp=stamp)


def test_a_store_of_a_newer_release_does_not_open(postgres_place: StorePlace) -> None:
    with psycopg.connect(postgres_place.url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(WrongStamp, match="newer release"):
        open_at(postgres_place, data_key=TEST_DATA_KEY)


def test_two_processes_may_make_the_store_at_the_same_time(empty_place: StorePlace) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(open_at, empty_place) for _ in range(4)]:
            done.result()
    open_at(empty_place)


def test_what_one_store_object_wrote_another_reads(store_place: StorePlace) -> None:
    writer, reader = store_place.open(), store_place.open()
    with writer.unit() as unit:
        _, whose = add_visit(unit)
    with reader.unit() as unit:
        assert unit.patients.get(whose).number == patient().number
    writer.close()
    reader.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_an_address_of_no_database_we_know_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite in memory|database URL begins"):
        open_at(StorePlace(url, tmp_path))


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "postgres://u@h/d", "postgresql+psycopg://u@h/d"])
def test_postgres_may_be_addressed_in_three_ways(url: str) -> None:
    assert postgres_url(url) == "postgresql://u@h/d"
    assert sqlite_path(url) is None


def test_a_database_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_at(StorePlace(f"postgresql://postgres@/postgres?host={tmp_path}", tmp_path))


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    place = StorePlace.on_sqlite(tmp_path)
    place.file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreUnavailable):
        open_at(place)


def test_the_listener_opens_its_inbox_without_the_weight_of_sqlalchemy(sqlite_place: StorePlace) -> None:
    program = (
        "import sys; from pathlib import Path; from integration.adapters.store.inbox import open_inbox;"
        "open_inbox(sys.argv[1], data_directory=Path('.'), data_key=sys.argv[2], stamp='real').close();"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    modules = subprocess.run(
        [sys.executable, "-c", program, sqlite_place.url, TEST_DATA_KEY],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not {"sqlalchemy", "alembic", "psycopg"} & set(modules)
    assert "hl7_listener" in modules
