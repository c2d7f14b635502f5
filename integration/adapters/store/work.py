"""One transaction under way: what every set of rows works with."""

from __future__ import annotations

from collections import defaultdict, deque
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from integration.adapters.store.many_rows import insert_many
from integration.adapters.store.tables.people import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from integration.adapters.store.keys import Keys

    _Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

NUMBERS_REMEMBERED = 10_000

_GET_NUMBER = sa.select(numbers.c.sealed_number).where(numbers.c.number_hash == sa.bindparam("hash"))
_LOCK_NUMBER = (
    sa.select(numbers.c.number_hash)
    .where(numbers.c.number_hash == sa.bindparam("hash"))
    .with_for_update(key_share=True)
)
# In blocks, as a unit of the pipeline needs them.
_NEXT_IDS = sa.select(sa.func.nextval(sa.bindparam("sequence"))).select_from(sa.func.generate_series(1, 50))
_LAST_ID = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")


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


class Ids:
    """Ids given out before their rows are written, so that rows can be written many at once.

    PostgreSQL's sequences give each id to one client only, so a block may be kept from unit to unit.
    """

    def __init__(self) -> None:
        self._blocks: dict[str, deque[int]] = defaultdict(deque)

    def take(self, connection: sa.Connection, table: sa.Table) -> int:
        """An id nobody else gets."""
        block = self._blocks[table.name]
        while True:
            try:
                return block.popleft()
            except IndexError:
                block.extend(connection.execute(_NEXT_IDS, {"sequence": f"{table.name}_id_seq"}).scalars())


class Work:
    """A transaction with the keys of its store.

    Much is held back until the unit ends or something asks for it: what a hundred messages
    write then goes in a few statements, not in a thousand.
    """

    def __init__(self, connection: sa.Connection, keys: Keys, known: KnownNumbers, ids: Ids) -> None:
        self.connection = connection
        self.keys = keys
        self.sqlite = connection.dialect.name == "sqlite"
        self._known = known
        self._fresh: dict[bytes, str] = {}
        self._new_numbers: list[dict[str, Any]] = []
        self._ids = ids
        self._next_ids: dict[str, int] = {}  # on SQLite, whose units are alone
        self._writers: list[Callable[[], None]] = [self._write_numbers]
        self._something_held = False

    def run(self, statement: sa.Executable, parameters: _Parameters = None) -> sa.CursorResult[Any]:
        """Execute a statement, after all that was held back."""
        self.flush()
        return self.connection.execute(statement, parameters)

    def rows(self, statement: sa.Executable, parameters: _Parameters = None) -> Sequence[sa.Row[Any]]:
        """All rows of a query."""
        return self.run(statement, parameters).all()

    def row(self, statement: sa.Executable, parameters: _Parameters = None) -> sa.Row[Any] | None:
        """The first row of a query, None when there is none."""
        return self.run(statement, parameters).first()

    def early_rows(self, statement: sa.Executable, parameters: _Parameters = None) -> Sequence[sa.Row[Any]]:
        """All rows of a query that does not ask for anything held back, or whose asker adds it himself."""
        return self.connection.execute(statement, parameters).all()

    def add_writer(self, write: Callable[[], None]) -> None:
        """Call `write` to write what is held back; in the order of these calls, as rows refer to rows."""
        self._writers.append(write)

    def hold(self) -> None:
        """Something is held back."""
        self._something_held = True

    def flush(self) -> None:
        """Write what was held back."""
        if self._something_held:
            self._something_held = False
            for write in self._writers:
                write()

    def write(self, statement: sa.Executable, held: list[dict[str, Any]]) -> int:
        """Write rows held back, and forget them; how many took effect."""
        if not held:
            return 0
        result = self.connection.execute(statement, held)
        held.clear()
        return result.rowcount

    def insert(self, table: sa.Table, held: list[dict[str, Any]], *, unless_there: bool = False) -> int:
        """Insert rows held back, and forget them; how many were inserted. See `insert_many`."""
        inserted = insert_many(self.connection, table, held, unless_there=unless_there)
        held.clear()
        return inserted

    def committed(self) -> None:
        """The commit succeeded: what this unit wrote may be remembered."""
        self._known.learn(self._fresh)

    def bite(self, limit: int, milliseconds_worth: int) -> int:
        """How many rows to claim at once: on SQLite the only writer is to be done within milliseconds."""
        return min(limit, milliseconds_worth) if self.sqlite else limit

    def next_id(self, table: sa.Table) -> int:
        """An id for a row that is held back."""
        if not self.sqlite:
            return self._ids.take(self.connection, table)
        last = self._next_ids.get(table.name)
        if last is None:
            last = self.connection.execute(_LAST_ID, {"table": table.name}).scalar() or 0
        self._next_ids[table.name] = last + 1
        return last + 1

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
        """What a number is known by; its row is there before any row that is written from now on."""
        number_hash = self.hash_of(number)
        if self._known.get(number_hash) is None and number_hash not in self._fresh:
            sealed = self.keys.seal("numbers.sealed_number", number)
            self._new_numbers.append({"number_hash": number_hash, "sealed_number": sealed})
            self._fresh[number_hash] = number
            self.hold()
        return number_hash

    def number(self, number_hash: bytes) -> str:
        """The number itself."""
        known = self._known.get(number_hash) or self._fresh.get(number_hash)
        if known is None:
            (row,) = self.early_rows(_GET_NUMBER, {"hash": number_hash})
            known = self.unsealed_number(number_hash, row.sealed_number)
        return known

    def unsealed_number(self, number_hash: bytes, sealed: bytes) -> str:
        """The number itself, whose row was read."""
        known = self._known.get(number_hash) or self._fresh.get(number_hash)
        if known is None:
            known = self.keys.read("numbers.sealed_number", sealed)
            self._fresh[number_hash] = known
        return known

    def lock_number(self, number: str) -> bytes:
        """Hold the number's row until the unit ends, waiting for whoever holds it now."""
        number_hash = self.keep_number(number)
        self.run(_LOCK_NUMBER, {"hash": number_hash})
        return number_hash

    def _write_numbers(self) -> None:
        # By their hashes: of two units that write the same ones, one waits for the other, never in a circle.
        self._new_numbers.sort(key=itemgetter("number_hash"))
        self.insert(numbers, self._new_numbers, unless_there=True)
