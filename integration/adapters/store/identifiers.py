"""By which keys appointments and patients are found: hashes in a table of their own, each with one owner."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.ports.store import Overtaken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from integration.adapters.store.work import Work

# Hashes in one query, for one record and for many: always as many, so that each is prepared once.
A_FEW, MANY = 4, 64


def one_of_them(table: sa.Table, count: int) -> sa.ColumnElement[bool]:
    """The rows of a table of identifiers that `Identifiers` asks for, `count` hashes at a time."""
    hashes: list[sa.BindParameter[Any]] = [sa.bindparam(f"hash{index}") for index in range(count)]
    return sa.and_(table.c.scope == sa.bindparam("of_scope"), table.c.identifier_hash.in_(hashes))


@cache
def _owner_of(table: sa.Table, owner: str) -> sa.Select[Any]:
    return sa.select(table.c[owner]).where(
        table.c.scope == sa.bindparam("of_scope"), table.c.identifier_hash == sa.bindparam("hash")
    )


class Identifiers:
    """The identifiers of the records of one kind, whose column `owner` refers to them, in one unit.

    `query` gives the query that selects records by `one_of_them` of so many, with the column
    `identifier_hash`.
    """

    def __init__(
        self, work: Work, table: sa.Table, owner: str, query: Callable[[int], sa.Select[Any]]
    ) -> None:
        self._work = work
        self._table = table
        self._query = query
        self._owner = owner
        self._hashes: dict[tuple[str, str], bytes] = {}
        self._expected: dict[tuple[str, bytes], list[sa.Row[Any]]] = {}
        self._held: list[dict[str, Any]] = []
        self._ours: dict[tuple[str, bytes], int] = {}  # owners of what this unit has made known
        self._claimed: list[tuple[str, bytes, int]] = []  # that must not have had an owner

    def expect(self, scope: str, identifiers: Iterable[str]) -> None:
        """Look all of these up at once: `find` will be asked for them."""
        hashes = {self._hash(scope, identifier) for identifier in identifiers}
        self._expected |= self._look(
            scope, sorted(each for each in hashes if (scope, each) not in self._expected)
        )

    def find(self, scope: str, identifiers: Collection[str]) -> list[sa.Row[Any]] | int | None:
        """The rows of the record that has the first known of these, or its id if this unit has saved it."""
        hashes = [self._hash(scope, identifier) for identifier in identifiers]
        known = self._expected
        if any((scope, each) not in known for each in hashes):
            known = self._look(scope, hashes)
        for each in hashes:
            if known[scope, each]:
                return known[scope, each]
            if (scope, each) in self._ours:
                return self._ours[scope, each]
        return None

    def forget(self) -> None:
        """Ask anew for what was expected: it has changed."""
        self._expected.clear()

    def hold(
        self,
        scope: str,
        identifiers: Sequence[str],
        record_id: int,
        *,
        is_new: bool,
        claimed: Collection[str] = (),
    ) -> None:
        """Make them known when the unit flushes. One that has an owner stays with it.

        The first of a new record, and those `claimed`, must not have one.
        """
        claimed = {*claimed, *identifiers[:1]} if is_new else claimed
        for identifier in identifiers:
            each = self._hash(scope, identifier)
            self._held.append({"scope": scope, "identifier_hash": each, self._owner: record_id})
            self._ours.setdefault((scope, each), record_id)
            if identifier in claimed:
                self._claimed.append((scope, each, record_id))
            self._work.hold()

    def write(self) -> None:
        """Write what is held.

        An identifier that must not have an owner, and has one, was stored by another unit a moment ago:
        `Overtaken`.
        """
        expected = len(self._held)
        if self._work.insert(self._table, self._held, unless_there=True) != expected:
            for scope, each, record_id in self._claimed:
                wanted = {"of_scope": scope, "hash": each}
                owner_of = _owner_of(self._table, self._owner)
                if self._work.connection.execute(owner_of, wanted).scalar() != record_id:
                    raise Overtaken("another unit stored the same record first; run this one again")
            self._expected.clear()
            self._ours.clear()
        self._claimed.clear()

    def _look(self, scope: str, hashes: Sequence[bytes]) -> dict[tuple[str, bytes], list[sa.Row[Any]]]:
        """The rows of each of these hashes."""
        found: dict[tuple[str, bytes], list[sa.Row[Any]]] = {(scope, each): [] for each in hashes}
        at_a_time = A_FEW if len(hashes) <= A_FEW else MANY
        for start in range(0, len(hashes), at_a_time):
            some = hashes[start : start + at_a_time]
            wanted = {f"hash{index}": some[min(index, len(some) - 1)] for index in range(at_a_time)}
            for row in self._work.early_rows(self._query(at_a_time), {**wanted, "of_scope": scope}):
                found[scope, bytes(row.identifier_hash)].append(row)
        return found

    def _hash(self, scope: str, identifier: str) -> bytes:
        known = self._hashes.get((scope, identifier))
        if known is None:
            known = self._work.keys.hash(f"identifier\0{scope}", identifier)
            self._hashes[scope, identifier] = known
        return known


def united(first: Collection[str], then: Collection[str]) -> tuple[str, ...]:
    """All of both, each once, in order."""
    return tuple(dict.fromkeys((*first, *then)))
