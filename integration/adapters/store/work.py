"""One transaction under way: what every set of rows works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.people import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from integration.adapters.store.keys import Keys

NUMBERS_REMEMBERED = 10_000

# SQLAlchemy writes PostgreSQL's ON CONFLICT in SQLite's words, too, where both say the same.
_ADD_NUMBER = insert(numbers).on_conflict_do_nothing()
_GET_NUMBER = sa.select(numbers.c.sealed_number).where(numbers.c.number_hash == sa.bindparam("hash"))
_LOCK_NUMBER = (
    sa.select(numbers.c.number_hash)
    .where(numbers.c.number_hash == sa.bindparam("hash"))
    .with_for_update(key_share=True)
)


class KnownNumbers:
    """Numbers whose rows are committed, by hash, so that they need not be asked for again; bounded."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def get(self, number_hash: bytes) -> str | None:
        """The number, if remembered."""
        return self._known.get(number_hash)

    def learn(self, fresh: Mapping[bytes, str]) -> None:
        """Remember these; when there are too many, begin anew."""
        if len(self._known) + len(fresh) > NUMBERS_REMEMBERED:
            self._known = {}
        self._known.update(fresh)


class Work:
    """A transaction with the keys of its store."""

    def __init__(self, connection: sa.Connection, keys: Keys, known: KnownNumbers) -> None:
        self.connection = connection
        self.keys = keys
        self.run = connection.execute
        self.sqlite = connection.dialect.name == "sqlite"
        self._known = known
        self._fresh: dict[bytes, str] = {}
        self._unwritten: list[Callable[[], None]] = []

    def rows(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[sa.Row[Any]]:
        """All rows of a query."""
        return self.run(statement, parameters).all()

    def row(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> sa.Row[Any] | None:
        """The first row of a query, None when there is none."""
        return self.run(statement, parameters).first()

    def before_commit(self, write: Callable[[], None]) -> None:
        """Call `write` when the unit is about to commit: what it holds back goes in one statement."""
        self._unwritten.append(write)

    def finish(self) -> None:
        """Write what was held back; the commit follows."""
        for write in self._unwritten:
            write()

    def committed(self) -> None:
        """The commit succeeded: what this unit wrote may be remembered."""
        self._known.learn(self._fresh)

    def seal_json(self, column: str, value: Any) -> bytes:
        """Seal JSON."""
        return self.keys.seal(column, orjson.dumps(value))

    def read_json(self, column: str, sealed: bytes) -> Any:
        """Unseal JSON."""
        return orjson.loads(self.keys.unseal(column, sealed))

    def seal(self, column: str, value: str | None) -> bytes | None:
        """Seal text, if any."""
        return None if value is None else self.keys.seal(column, value)

    def read(self, column: str, sealed: bytes | None) -> str | None:
        """Unseal text, if any."""
        return None if sealed is None else self.keys.read(column, sealed)

    def hash_of(self, number: str) -> bytes:
        """What a number is known by; its row need not be there."""
        return self.keys.hash("number", number)

    def keep_number(self, number: str) -> bytes:
        """What a number is known by; its row is there from now on."""
        number_hash = self.hash_of(number)
        if self._known.get(number_hash) is None and number_hash not in self._fresh:
            sealed = self.keys.seal("numbers.sealed_number", number)
            self.run(_ADD_NUMBER, {"number_hash": number_hash, "sealed_number": sealed})
            self._fresh[number_hash] = number
        return number_hash

    def number(self, number_hash: bytes) -> str:
        """The number itself."""
        known = self._known.get(number_hash) or self._fresh.get(number_hash)
        if known is None:
            row = self.run(_GET_NUMBER, {"hash": number_hash}).one()
            known = self.keys.read("numbers.sealed_number", row.sealed_number)
            self._fresh[number_hash] = known
        return known

    def lock_number(self, number: str) -> bytes:
        """Hold the number's row until the unit ends, waiting for whoever holds it now."""
        number_hash = self.keep_number(number)
        self.run(_LOCK_NUMBER, {"hash": number_hash})
        return number_hash
