"""Whether there is work, and when there will be: one query each, which locks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integration.adapters.store.acknowledgments import HEADS
from integration.adapters.store.polls import READY_AT as POLL_AT
from integration.adapters.store.tables.answers import application_acknowledgments as acknowledgments
from integration.adapters.store.tables.chart import PENDING, write_backs
from integration.adapters.store.tables.columns import Instant
from integration.adapters.store.tables.conversation import NOT_DONE, replies
from integration.adapters.store.tables.costs import billing_days
from integration.adapters.store.tables.ehr import PENDING_WANT, ehr_polls, ehr_subscriptions, ehr_wants
from integration.adapters.store.tables.requests import WAITING, text_requests
from integration.adapters.store.tables.site import IN_FORCE, configurations
from integration.adapters.store.tables.texts import (
    HOLDS_ITS_TEXT,
    OFFERED,
    QUEUED,
    UNCERTAIN,
    UNREAD,
    attempts,
    callbacks,
    texts,
)
from integration.adapters.store.tables.visits import (
    AWAITS_A_TEXT,
    NEW,
    NOT_PLANNED,
    changes,
    inbox,
    reminders,
)
from integration.adapters.store.write_backs import IN_TURN
from integration.ports.store import NextTimes

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.store import Step

_CALENDAR = sa.bindparam("calendar", type_=Instant)
_WALL = sa.bindparam("wall", type_=Instant)

_NOT_HELD = ~sa.exists().where(attempts.c.text_id == texts.c.id, HOLDS_ITS_TEXT)
_MAY_GO = sa.and_(QUEUED, _NOT_HELD, sa.or_(texts.c.not_before.is_(None), texts.c.not_before <= _WALL))

_WORK: dict[Step, sa.ColumnElement[bool]] = {
    "translate": sa.exists(sa.select(inbox.c.id).where(NEW)),
    "acknowledge": sa.exists(HEADS.where(acknowledgments.c.ready_at <= _WALL)),
    "plan": sa.exists(sa.select(changes.c.id).where(NOT_PLANNED)),
    "send": sa.or_(
        sa.exists(sa.select(reminders.c.id).where(AWAITS_A_TEXT, reminders.c.due_at <= _CALENDAR)),
        sa.exists(sa.select(texts.c.id).where(_MAY_GO)),
        sa.exists(sa.select(text_requests.c.id).where(WAITING, text_requests.c.due_at <= _CALENDAR)),
    ),
    "track": sa.exists(sa.select(callbacks.c.id).where(UNREAD)),
    "look_up": sa.or_(
        sa.exists(sa.select(attempts.c.id).where(OFFERED, attempts.c.deadline <= _WALL)),
        sa.exists(sa.select(attempts.c.id).where(UNCERTAIN, attempts.c.next_look_at <= _WALL)),
    ),
    "reply": sa.exists(sa.select(replies.c.id).where(NOT_DONE)),
    "write_back": sa.exists(
        sa.select(write_backs.c.id).where(PENDING, write_backs.c.ready_at <= _WALL, IN_TURN)
    ),
    "anew": sa.exists(sa.select(configurations.c.id).where(IN_FORCE, configurations.c.anew.is_not(None))),
    "subscriptions": sa.exists(
        sa.select(ehr_subscriptions.c.feed).where(ehr_subscriptions.c.ready_at <= _WALL)
    ),
    "fetch": sa.exists(sa.select(ehr_wants.c.id).where(PENDING_WANT, ehr_wants.c.ready_at <= _WALL)),
    "poll": sa.exists(sa.select(ehr_polls.c.feed).where(POLL_AT <= _WALL)),
    "bill": sa.exists(
        sa.select(billing_days.c.day).where(
            billing_days.c.next_look_at <= _WALL, billing_days.c.leased_until <= _WALL
        )
    ),
}
_HAS_WORK = sa.select(*(there_is.label(step) for step, there_is in _WORK.items()))


def _earliest(column: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    return sa.select(sa.func.min(column)).where(*conditions).scalar_subquery()


_heads = HEADS.subquery("waiting_heads")
_NEXT_TIMES = sa.select(
    _earliest(reminders.c.due_at, AWAITS_A_TEXT).label("reminder"),
    _earliest(text_requests.c.due_at, WAITING).label("text_request"),
    _earliest(texts.c.not_before, QUEUED, _NOT_HELD).label("text"),
    _earliest(attempts.c.deadline, OFFERED).label("offer"),
    _earliest(attempts.c.next_look_at, UNCERTAIN).label("look"),
    _earliest(write_backs.c.ready_at, PENDING, IN_TURN).label("write_back"),
    sa.select(sa.func.min(_heads.c.ready_at)).scalar_subquery().label("acknowledgment"),
    _earliest(ehr_subscriptions.c.ready_at).label("subscription"),
    _earliest(ehr_wants.c.ready_at, PENDING_WANT).label("want"),
    sa.select(sa.func.min(POLL_AT)).scalar_subquery().label("poll"),
)


def has_work(connection: sa.Connection, calendar: datetime, wall: datetime) -> frozenset[Step]:
    """The steps that have rows to work on."""
    row = connection.execute(_HAS_WORK, {"calendar": calendar, "wall": wall}).one()
    return frozenset(step for step, there_is in zip(_WORK, row, strict=True) if there_is)


def next_times(connection: sa.Connection) -> NextTimes:
    """The earliest times that rows wait for."""
    row = connection.execute(_NEXT_TIMES).one()
    wall = (
        row.text,
        row.offer,
        row.look,
        row.write_back,
        row.acknowledgment,
        row.subscription,
        row.want,
        row.poll,
    )
    return NextTimes(
        calendar=min(filter(None, (row.reminder, row.text_request)), default=None),
        wall=min(filter(None, wall), default=None),
    )
