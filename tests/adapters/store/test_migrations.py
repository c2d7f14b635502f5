"""The migrations lead to the tables that the code speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from integration.adapters.store.engines import make_engine
from integration.adapters.store.migrate import newest_revision
from integration.adapters.store.stamp import NEWEST_REVISION
from integration.adapters.store.tables.schema import metadata

if TYPE_CHECKING:
    from tests.postgres import Postgres
    from tests.stores import StorePlace


def test_the_newest_migration_is_the_one_a_start_looks_for() -> None:
    assert newest_revision() == NEWEST_REVISION


def test_a_migrated_store_has_the_tables_that_the_code_speaks_of(store_place: StorePlace) -> None:
    engine = make_engine(store_place.url, 1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_migrated_sqlite_store_is_the_same_to_the_letter(sqlite_place: StorePlace) -> None:
    """Comparing metadata overlooks conditions of indexes and the like."""
    made = sa.create_engine("sqlite://")
    metadata.create_all(made)
    migrated = sa.create_engine(f"sqlite:///{sqlite_place.file}")
    query = sa.text("SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'")
    with made.connect() as one, migrated.connect() as other:
        expected = {row.name: clauses(row.sql) for row in one.execute(query)}
        found = {row.name: clauses(row.sql) for row in other.execute(query)}
    made.dispose()
    migrated.dispose()
    assert found == expected


def clauses(statement: str | None) -> list[str]:
    """What a statement says, in no order; a column added later stands right before the last bracket."""
    return sorted(clause.rstrip(" )") for clause in " ".join((statement or "").split()).split(", "))


def test_a_migrated_postgres_store_is_the_same_to_the_letter(
    postgres: Postgres, postgres_place: StorePlace
) -> None:
    made_url = postgres.make_database()
    made, migrated = make_engine(made_url, 1), make_engine(postgres_place.url, 1)
    metadata.create_all(made)
    indexes = sa.text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    constraints = sa.text(
        "SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid <> 0 AND connamespace = 'public'::regnamespace"
    )
    columns = sa.text(
        "SELECT table_name || '.' || column_name, data_type || is_nullable || coalesce(column_default, '')"
        " FROM information_schema.columns WHERE table_schema = 'public'"
    )
    for query in (indexes, constraints, columns):
        with made.connect() as one, migrated.connect() as other:
            expected = [tuple(row) for row in one.execute(query)]
            found = [tuple(row) for row in other.execute(query) if "alembic_version" not in row[0]]
        assert sorted(found) == sorted(expected)
    made.dispose()
    migrated.dispose()
    postgres.drop_database(made_url)
