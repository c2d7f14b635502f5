"""By which keys appointments and patients are found: hashes in a table of their own, each with one owner."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.ports.store import Overtaken

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.adapters.store.work import Work


class Identifiers:
    """The identifiers of one kind of record, whose column `owner` refers to it."""

    def __init__(self, table: sa.Table, owner: str) -> None:
        self.table = table
        self.owner = table.c[owner]
        self.one_of_them = sa.and_(
            table.c.scope == sa.bindparam("scope"),
            table.c.identifier_hash.in_(sa.bindparam("hashes", expanding=True)),
        )
        # Built once for each count, so that SQLAlchemy compiles it once.
        self._insert = cache(self._build_insert)

    def add(
        self, work: Work, scope: str, identifiers: Sequence[str], record_id: int, *, is_new: bool
    ) -> None:
        """Make them known. One that has an owner stays with it.

        A new record that is not even found by its first identifier was stored by another unit a moment
        ago: `Overtaken`.
        """
        if not identifiers:
            return
        hashes = [hash_of(work, scope, identifier) for identifier in dict.fromkeys(identifiers)]
        wanted: dict[str, Any] = {f"hash{index}": value for index, value in enumerate(hashes)}
        rows = work.rows(self._insert(len(hashes)), {**wanted, "the_scope": scope, "record_id": record_id})
        if is_new and hashes[0] not in {bytes(row.identifier_hash) for row in rows}:
            raise Overtaken("another unit stored the same record first; run this one again")

    def _build_insert(self, count: int) -> sa.Executable:
        return (
            insert(self.table)
            .values(
                [
                    {
                        "scope": sa.bindparam("the_scope"),
                        "identifier_hash": sa.bindparam(f"hash{index}"),
                        self.owner.name: sa.bindparam("record_id"),
                    }
                    for index in range(count)
                ]
            )
            .on_conflict_do_nothing()
            .returning(self.table.c.identifier_hash)
        )


def hash_of(work: Work, scope: str, identifier: str) -> bytes:
    """What an identifier is found by."""
    return work.keys.hash(f"identifier\0{scope}", identifier)


def united(first: Collection[str], then: Collection[str]) -> tuple[str, ...]:
    """All of both, each once, in order."""
    return tuple(dict.fromkeys((*first, *then)))
