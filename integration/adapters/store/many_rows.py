"""Inserts many rows of one table at once: PostgreSQL takes them all in one statement, columns as arrays."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_POSTGRES = sa.make_url("postgresql+psycopg://").get_dialect()()


def insert_many(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, unless_there: bool
) -> int:
    """Insert rows that all name the same columns; how many were inserted.

    `unless_there`: rows that some constraint of uniqueness forbids are left out, else they raise.
    """
    if not rows:
        return 0
    columns = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        return connection.execute(_one_by_one(table, unless_there=unless_there), rows).rowcount
    into_store = _into_store(table, columns)
    arrays = {
        name: [row[name] for row in rows] if process is None else [process(row[name]) for row in rows]
        for name, process in into_store
    }
    return connection.exec_driver_sql(_at_once(table, columns, unless_there=unless_there), arrays).rowcount


@cache
def _one_by_one(table: sa.Table, *, unless_there: bool) -> sa.Insert:
    statement = insert(table)  # whose ON CONFLICT both understand
    statement = statement.on_conflict_do_nothing() if unless_there else statement
    return statement.execution_options(preserve_rowcount=True)


@cache
def _at_once(table: sa.Table, columns: tuple[str, ...], *, unless_there: bool) -> str:
    names = ", ".join(columns)
    arrays = ", ".join(f"%({name})b::{table.c[name].type.compile(_POSTGRES)}[]" for name in columns)
    otherwise = " ON CONFLICT DO NOTHING" if unless_there else ""
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}){otherwise}"  # noqa: S608 - names of ours


@cache
def _into_store(
    table: sa.Table, columns: tuple[str, ...]
) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """The columns, each with what makes its values the database's."""
    return tuple((name, _of_type(table.c[name].type)) for name in columns)


def _of_type(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(kind, sa.types.TypeDecorator):
        return lambda value: kind.process_bind_param(value, _POSTGRES)
    return None
