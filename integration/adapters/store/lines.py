"""What is known of the lines of telephone numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.people import number_lines as _rows
from integration.domain.line_type import Line

if TYPE_CHECKING:
    from integration.adapters.store.work import Work

_GET = sa.select(_rows).where(_rows.c.number_hash == sa.bindparam("of_number"))
_NEW = insert(_rows)
_KEEP = _NEW.on_conflict_do_update(
    index_elements=[_rows.c.number_hash],
    set_={"line_type": _NEW.excluded.line_type, "asked_at": _NEW.excluded.asked_at},
)


class SqlLineRows:
    """See `integration.ports.line_store.LineRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, number: str) -> Line | None:
        """By its hash."""
        row = self._work.row(_GET, {"of_number": self._work.hash_of(number)})
        return None if row is None else Line(number, row.asked_at, row.line_type)

    def keep(self, line: Line) -> None:
        """One row a number."""
        number_hash = self._work.keep_number(line.number)
        values = {"number_hash": number_hash, "line_type": line.type, "asked_at": line.asked_at}
        self._work.run(_KEEP, values)
