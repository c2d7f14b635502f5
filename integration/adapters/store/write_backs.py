"""What the chart should be told: the outbox."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.chart import PENDING, write_backs
from integration.adapters.store.tables.columns import plain_word, to_time
from integration.adapters.store.tables.conversation import replies, staff_tasks
from integration.adapters.store.tables.people import patients
from integration.domain.write_back import WriteBack, WriteBackKind, WriteBackState

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from integration.adapters.store.work import Work

AT_ONCE = to_time(0)

_FIELDS = (
    "kind",
    "subject_id",
    "patient_id",
    "state",
    "revision",
    "written_revision",
    "tries",
    "next_try_at",
    "ehr_id",
    "ehr_version",
    "reason",
    "mode",
)
_WORDS = "write_backs.sealed_words"
_TIME = write_backs.c.ready_at.type


def _unless_pending(otherwise: Any, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Keep the column of a row that is pending already: its retry and its lease go on."""
    return sa.case((PENDING, column), else_=otherwise)


_ANEW: dict[str, Any] = {
    "state": WriteBackState.PENDING,
    "revision": write_backs.c.revision + 1,
    "tries": _unless_pending(0, write_backs.c.tries),
    "next_try_at": _unless_pending(None, write_backs.c.next_try_at),
    "reason": _unless_pending(None, write_backs.c.reason),
    "sealed_words": None,
    "ready_at": _unless_pending(sa.literal(AT_ONCE, _TIME), write_backs.c.ready_at),
}
_WANT = insert(write_backs).on_conflict_do_update(
    index_elements=["kind", "subject_id", "patient_id"], set_=_ANEW
)
_RENEW = (
    write_backs.update()
    .where(
        write_backs.c.kind == sa.bindparam("of_kind"), write_backs.c.subject_id == sa.bindparam("of_subject")
    )
    .values(_ANEW)
)
_first = write_backs.alias("first_told")
_FIRST_IS_PENDING = _first.c.state == plain_word(WriteBackState.PENDING)


def _of_subject(told: sa.ColumnElement[Any], subject: sa.Table) -> sa.ScalarSelect[Any]:
    """What a row's own subject says; no value where it says nothing."""
    return (
        sa.select(told)
        .where(subject.c.id == write_backs.c.subject_id)
        .correlate(write_backs)
        .scalar_subquery()
    )


def _comes_first(kind: WriteBackKind, subject_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether this fact is still to be told to the same chart."""
    return (
        sa.exists()
        .where(
            _first.c.kind == plain_word(kind),
            _first.c.subject_id == subject_id,
            _first.c.patient_id == write_backs.c.patient_id,
            _FIRST_IS_PENDING,
        )
        .correlate(write_backs)
    )


# A reply waits for the text it answers; what follows from a reply, for the reply.
_IS_TASK = write_backs.c.kind == plain_word(WriteBackKind.TASK)
_FOLLOWS_A_REPLY = write_backs.c.kind.in_(
    [plain_word(WriteBackKind.CONFIRMATION), plain_word(WriteBackKind.CONSENT)]
)
_TEXT_WITHOUT_REPLY = sa.case((staff_tasks.c.reply_id.is_(None), staff_tasks.c.text_id))
IN_TURN = sa.case(
    (
        write_backs.c.kind == plain_word(WriteBackKind.REPLY),
        ~_comes_first(WriteBackKind.TEXT, _of_subject(replies.c.text_id, replies)),
    ),
    (_FOLLOWS_A_REPLY, ~_comes_first(WriteBackKind.REPLY, write_backs.c.subject_id)),
    (
        _IS_TASK,
        ~sa.or_(
            _comes_first(WriteBackKind.REPLY, _of_subject(staff_tasks.c.reply_id, staff_tasks)),
            _comes_first(WriteBackKind.TEXT, _of_subject(_TEXT_WITHOUT_REPLY, staff_tasks)),
        ),
    ),
    else_=sa.true(),
)
_CLAIM = (
    sa.select(write_backs)
    .where(PENDING, write_backs.c.ready_at <= sa.bindparam("now", type_=_TIME), IN_TURN)
    .order_by(write_backs.c.ready_at, write_backs.c.id)
    .limit(1)
    .with_for_update(of=write_backs, key_share=True, skip_locked=True)
)
_CLAIM_OF_KINDS = _CLAIM.where(write_backs.c.kind.in_(sa.bindparam("kinds", expanding=True)))
_LEASE = (
    write_backs.update()
    .where(write_backs.c.id == sa.bindparam("wanted"))
    .values(ready_at=sa.bindparam("until", type_=_TIME))
)
_FIND = sa.select(write_backs).where(
    write_backs.c.kind == sa.bindparam("of_kind"),
    write_backs.c.subject_id == sa.bindparam("of_subject"),
    write_backs.c.patient_id == sa.bindparam("of_patient"),
)
_NOT_GROWN = write_backs.c.revision == sa.bindparam("known_revision")
_SETTLE = (
    write_backs.update()
    .where(write_backs.c.id == sa.bindparam("wanted"))
    .values(
        state=sa.case(
            (_NOT_GROWN, sa.bindparam("new_state", type_=write_backs.c.state.type)),
            else_=plain_word("pending"),
        ),
        written_revision=sa.bindparam("new_written_revision"),
        tries=sa.bindparam("new_tries"),
        next_try_at=sa.bindparam("new_next_try_at", type_=_TIME),
        ready_at=sa.bindparam("new_ready_at", type_=_TIME),
        ehr_id=sa.bindparam("new_ehr_id"),
        ehr_version=sa.bindparam("new_ehr_version"),
        reason=sa.bindparam("new_reason"),
        mode=sa.bindparam("new_mode"),
        sealed_words=sa.bindparam("new_words"),
    )
)
_PARKED = write_backs.c.state.in_([plain_word(WriteBackState.REFUSED), plain_word(WriteBackState.GAVE_UP)])
_PENDING_AGAIN = (
    write_backs.update()
    .where(_PARKED)
    .values(
        state=plain_word(WriteBackState.PENDING),
        ready_at=sa.literal(AT_ONCE, _TIME),
        reason=None,
        sealed_words=None,
        # A person has looked: what nobody knew of may go by any way.
        mode=sa.case((write_backs.c.ehr_id.is_not(None), write_backs.c.mode)),
    )
)
_REOPEN = _PENDING_AGAIN.where(
    sa.or_(
        write_backs.c.patient_id == sa.bindparam("of_patient"),
        write_backs.c.patient_id.in_(
            sa.select(patients.c.id).where(patients.c.merged_into == sa.bindparam("of_patient"))
        ),
    )
)
_AGAIN = _PENDING_AGAIN.where(write_backs.c.id.in_(sa.bindparam("wanted", expanding=True)))
_GET = sa.select(write_backs).where(write_backs.c.id == sa.bindparam("wanted"))
_LISTED = (
    sa.select(write_backs)
    .where(
        write_backs.c.state.in_(sa.bindparam("of_states", expanding=True)),
        write_backs.c.id > sa.bindparam("after"),
    )
    .order_by(write_backs.c.id)
    .limit(sa.bindparam("limit"))
)
_COUNT = (
    sa.select(sa.func.count()).select_from(write_backs).where(write_backs.c.state == sa.bindparam("of_state"))
)


class SqlWriteBackRows:
    """See `integration.ports.store.WriteBackRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def want(self, kind: WriteBackKind, subject_id: int, patient_id: int) -> None:
        """Insert, or make pending again."""
        self._work.run(
            _WANT,
            {
                "kind": kind,
                "subject_id": subject_id,
                "patient_id": patient_id,
                "state": WriteBackState.PENDING,
                "revision": 1,
                "written_revision": 0,
                "tries": 0,
                "ready_at": AT_ONCE,
            },
        )

    def renew(self, kind: WriteBackKind, subject_id: int) -> None:
        """Those wanted before."""
        self._work.run(_RENEW, {"of_kind": kind, "of_subject": subject_id})

    def claim(
        self, now: datetime, lease_until: datetime, kinds: Collection[WriteBackKind] | None = None
    ) -> WriteBack | None:
        """The one ready the longest."""
        if kinds is None:
            row = self._work.row(_CLAIM, {"now": now})
        else:
            row = self._work.row(_CLAIM_OF_KINDS, {"now": now, "kinds": list(kinds)})
        if row is None:
            return None
        self._work.run(_LEASE, {"wanted": row.id, "until": lease_until})
        died = row.ready_at not in (AT_ONCE, row.next_try_at)  # a lease that ran out
        return replace(self._read(row), unsettled=died)

    def find(self, kind: WriteBackKind, subject_id: int, patient_id: int) -> WriteBack | None:
        """By what it is about."""
        wanted = {"of_kind": kind, "of_subject": subject_id, "of_patient": patient_id}
        row = self._work.row(_FIND, wanted)
        return None if row is None else self._read(row)

    def settle(self, row: WriteBack) -> None:
        """How it went."""
        self._work.run(
            _SETTLE,
            {
                "wanted": row.id,
                "known_revision": row.revision,
                "new_state": row.state,
                "new_written_revision": row.written_revision,
                "new_tries": row.tries,
                "new_next_try_at": row.next_try_at,
                "new_ready_at": row.next_try_at or AT_ONCE,
                "new_ehr_id": row.ehr_id,
                "new_ehr_version": row.ehr_version,
                "new_reason": row.reason,
                "new_mode": row.mode,
                "new_words": self._work.seal(_WORDS, row.words),
            },
        )

    def reopen(self, patient_id: int) -> None:
        """Once more."""
        self._work.run(_REOPEN, {"of_patient": patient_id})

    def get(self, row_id: int) -> WriteBack:
        """By its id."""
        row = self._work.row(_GET, {"wanted": row_id})
        if row is None:
            raise KeyError(row_id)
        return self._read(row)

    def listed(
        self, states: Collection[WriteBackState], *, after_id: int = 0, limit: int = 1000
    ) -> list[WriteBack]:
        """By id."""
        asked = {"of_states": list(states), "after": after_id, "limit": limit}
        return [self._read(row) for row in self._work.rows(_LISTED, asked)]

    def again(self, row_ids: Collection[int]) -> int:
        """Those parked among them."""
        return self._work.run(_AGAIN, {"wanted": list(row_ids)}).rowcount

    def count(self, state: WriteBackState) -> int:
        """How many."""
        return int(self._work.run(_COUNT, {"of_state": state}).scalar_one())

    def _read(self, row: sa.Row[Any]) -> WriteBack:
        plain = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        words = self._work.read(_WORDS, row.sealed_words)
        return WriteBack(id=row.id, words=words, **{name: plain[name] for name in _FIELDS})
