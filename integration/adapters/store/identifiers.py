"""By which keys appointments and patients are found: hashes in a table of their own, each with one owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.ports.store import Overtaken

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from integration.adapters.store.work import Work

AT_A_TIME = 4  # hashes in one query: always as many, so that it is prepared once


def one_of_them(table: sa.Table) -> sa.ColumnElement[bool]:
    """The rows of a table of identifiers that `Identifiers.look` asks for."""
    hashes: list[sa.BindParameter[Any]] = [sa.bindparam(f"hash{index}") for index in range(AT_A_TIME)]
    return sa.and_(table.c.scope == sa.bindparam("of_scope"), table.c.identifier_hash.in_(hashes))


class Identifiers:
    """The identifiers of the records of one kind, whose column `owner` refers to them, in one unit.

    `query` selects records by `one_of_them`, with the column `identifier_hash`.
    """

    def __init__(self, work: Work, table: sa.Table, owner: str, query: sa.Select[Any]) -> None:
        self._work = work
        self._query = query
        self._owner = owner
        self._insert = insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        self._owner_of = sa.select(table.c[owner]).where(
            table.c.scope == sa.bindparam("of_scope"), table.c.identifier_hash == sa.bindparam("hash")
        )
        self._held: list[dict[str, Any]] = []
        self._held_owners: dict[tuple[str, bytes], int] = {}
        self._firsts: list[tuple[str, bytes, int]] = []  # of new records

    def find(self, scope: str, identifiers: Collection[str]) -> list[sa.Row[Any]] | int | None:
        """The rows of the record that has the first known of these, or its id if it is held back."""
        hashes = [self._hash(scope, identifier) for identifier in identifiers]
        rows = self._look(scope, hashes)
        for each in hashes:
            found = [row for row in rows if row.identifier_hash == each]
            if found:
                return found
            if (scope, each) in self._held_owners:
                return self._held_owners[scope, each]
        return None

    def hold(self, scope: str, identifiers: Iterable[str], record_id: int, *, is_new: bool) -> None:
        """Make them known when the unit flushes. One that has an owner stays with it."""
        for position, identifier in enumerate(identifiers):
            each = self._hash(scope, identifier)
            self._held.append({"scope": scope, "identifier_hash": each, self._owner: record_id})
            self._held_owners.setdefault((scope, each), record_id)
            if is_new and position == 0:
                self._firsts.append((scope, each, record_id))
            self._work.hold()

    def write(self) -> None:
        """Write what is held.

        A new record that is not even found by its first identifier was stored by another unit a moment
        ago: `Overtaken`.
        """
        expected = len(self._held)
        if self._work.write(self._insert, self._held) != expected:
            for scope, each, record_id in self._firsts:
                wanted = {"of_scope": scope, "hash": each}
                if self._work.connection.execute(self._owner_of, wanted).scalar() != record_id:
                    raise Overtaken("another unit stored the same record first; run this one again")
        self._firsts.clear()
        self._held_owners.clear()

    def _look(self, scope: str, hashes: Sequence[bytes]) -> list[sa.Row[Any]]:
        rows: list[sa.Row[Any]] = []
        for start in range(0, len(hashes), AT_A_TIME):
            some = [*hashes[start : start + AT_A_TIME], *[hashes[start]] * AT_A_TIME][:AT_A_TIME]
            wanted = {f"hash{index}": each for index, each in enumerate(some)}
            rows += self._work.early_rows(self._query, {**wanted, "of_scope": scope})
        return rows

    def _hash(self, scope: str, identifier: str) -> bytes:
        return self._work.keys.hash(f"identifier\0{scope}", identifier)


def united(first: Collection[str], then: Collection[str]) -> tuple[str, ...]:
    """All of both, each once, in order."""
    return tuple(dict.fromkeys((*first, *then)))
