"""Telephone numbers: their lock, and what forbids texting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.consents import read_suppression
from integration.adapters.store.tables.people import BY_THE_CARRIER_ALONE, IN_FORCE, suppressions
from integration.domain.consent import SuppressionKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work
    from integration.domain.consent import Suppression

_IN_FORCE = (
    sa.select(suppressions)
    .where(IN_FORCE, suppressions.c.number_hash == sa.bindparam("of"))
    .order_by(suppressions.c.id)
)
_SUPPRESS = insert(suppressions).on_conflict_do_nothing()
_LIFT = (
    suppressions.update()
    .where(
        IN_FORCE,
        suppressions.c.number_hash == sa.bindparam("of"),
        suppressions.c.kind.in_(sa.bindparam("kinds", expanding=True)),
    )
    .values(lifted_at=sa.bindparam("at"), lifted_by=sa.bindparam("by"))
)
_AWAIT_NO_MORE = (
    suppressions.update()
    .where(
        IN_FORCE,
        suppressions.c.number_hash == sa.bindparam("of"),
        suppressions.c.kind == sa.bindparam("of_kind", type_=suppressions.c.kind.type),
        suppressions.c.awaiting_start.is_not(None),
    )
    .values(awaiting_start=None)
)
_UNUSABLE = sa.select(suppressions.c.number_hash, suppressions.c.since).where(
    IN_FORCE,
    suppressions.c.number_hash.in_(sa.bindparam("hashes", expanding=True)),
    suppressions.c.kind == SuppressionKind.BAD_NUMBER,
)
_AUTOMATIC = (
    sa.select(sa.func.count())
    .select_from(suppressions)
    .where(BY_THE_CARRIER_ALONE, suppressions.c.since >= sa.bindparam("from_then_on"))
)


class SqlNumberRows:
    """See `integration.ports.store.NumberRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def lock(self, number: str) -> None:
        """Waits for whoever holds it."""
        self._work.lock_number(number)

    def suppressions(self, number: str) -> Sequence[Suppression]:
        """In force, oldest first."""
        rows = self._work.rows(_IN_FORCE, {"of": self._work.hash_of(number)})
        return [read_suppression(self._work, row) for row in rows]

    def suppress(self, suppression: Suppression) -> None:
        """Once."""
        self._work.run(
            _SUPPRESS,
            {
                "number_hash": self._work.keep_number(suppression.number),
                "kind": suppression.kind,
                "sender": suppression.sender,
                "since": suppression.since,
                "source": suppression.source,
                "sealed_evidence": self._work.keys.seal("suppressions.sealed_evidence", suppression.evidence),
                "lifted_at": suppression.lifted_at,
                "lifted_by": suppression.lifted_by,
            },
        )
        if suppression.source != "carrier":
            of = self._work.hash_of(suppression.number)
            self._work.run(_AWAIT_NO_MORE, {"of": of, "of_kind": suppression.kind})

    def lift(self, number: str, kinds: Collection[SuppressionKind], *, at: datetime, by: str) -> int:
        """Kept as a record."""
        wanted = {"of": self._work.hash_of(number), "kinds": list(kinds), "at": at, "by": by}
        return self._work.run(_LIFT, wanted).rowcount

    def unusable(self, numbers: Collection[str]) -> Mapping[str, datetime]:
        """In one query, before anything held back is written."""
        hashes = {self._work.hash_of(number): number for number in numbers}
        if not hashes:
            return {}
        rows = self._work.early_rows(_UNUSABLE, {"hashes": list(hashes)})
        return {hashes[bytes(row.number_hash)]: row.since for row in rows}

    def automatic_opt_outs(self, since: datetime) -> int:
        """Lifted ones included."""
        return int(self._work.run(_AUTOMATIC, {"from_then_on": since}).scalar_one())
