"""What dead messages are about: hashes of identifiers, whether or not an appointment is known by them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.identifiers import MANY, one_of_them
from integration.adapters.store.tables.visits import appointments, holds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from integration.adapters.store.work import Work

_ANY = sa.select(holds.c.inbox_id).limit(1)
_LET_GO = holds.delete().where(holds.c.inbox_id == sa.bindparam("message_id"))
_HELD = (
    sa.select(appointments.c.id)
    .where(appointments.c.held_by == sa.bindparam("message_id"))
    .order_by(appointments.c.id)
)


@cache
def _find(count: int) -> sa.Select[Any]:
    return sa.select(holds.c.identifier_hash, holds.c.inbox_id).where(one_of_them(holds, count))


class SqlHoldRows:
    """See `integration.ports.store.HoldRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._there_are: bool | None = None
        self._known: dict[tuple[str, bytes], set[int]] = {}

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """In few queries; in one, while no message is dead."""
        if self._there_are_some():
            self._look(scope, {self._hash(scope, identifier) for identifier in identifiers})

    def of(self, scope: str, identifiers: Collection[str]) -> Sequence[int]:
        """Oldest first."""
        if not self._there_are_some():
            return ()
        hashes = {self._hash(scope, identifier) for identifier in identifiers}
        self._look(scope, hashes)
        return sorted(set().union(*(self._known[scope, each] for each in hashes)))

    def add(self, message_id: int, scope: str, identifiers: Collection[str]) -> None:
        """Once each."""
        hashes = {self._hash(scope, identifier) for identifier in identifiers}
        rows = [{"scope": scope, "identifier_hash": each, "inbox_id": message_id} for each in sorted(hashes)]
        self._work.insert(holds, rows, unless_there=True)
        self._known.clear()
        self._there_are = None

    def let_go(self, message_id: int) -> None:
        """All of one message."""
        self._work.run(_LET_GO, {"message_id": message_id})
        self._known.clear()
        self._there_are = None

    def held_by(self, message_id: int) -> Sequence[int]:
        """By the column of the appointments."""
        return [row.id for row in self._work.rows(_HELD, {"message_id": message_id})]

    def _there_are_some(self) -> bool:
        if self._there_are is None:
            self._there_are = bool(self._work.early_rows(_ANY))
        return self._there_are

    def _look(self, scope: str, hashes: Collection[bytes]) -> None:
        wanted = sorted(each for each in hashes if (scope, each) not in self._known)
        self._known |= {(scope, each): set() for each in wanted}
        for start in range(0, len(wanted), MANY):
            some = wanted[start : start + MANY]
            asked = {f"hash{index}": some[min(index, len(some) - 1)] for index in range(MANY)}
            for row in self._work.early_rows(_find(MANY), {**asked, "of_scope": scope}):
                self._known[scope, bytes(row.identifier_hash)].add(row.inbox_id)

    def _hash(self, scope: str, identifier: str) -> bytes:
        return self._work.keys.hash(f"identifier\0{scope}", identifier)
