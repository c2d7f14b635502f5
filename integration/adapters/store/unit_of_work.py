"""The store itself: units over one engine, and the few things that are asked outside any unit."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store import peek
from integration.adapters.store.acknowledgments import SqlAcknowledgmentRows
from integration.adapters.store.addresses import PATIENCE
from integration.adapters.store.appointments import SqlAppointmentRows
from integration.adapters.store.breakers import SqlBreakerRows
from integration.adapters.store.callbacks import SqlCallbackRows
from integration.adapters.store.changes import SqlChangeRows
from integration.adapters.store.choices import SqlChoiceRows
from integration.adapters.store.consents import SqlConsentRows
from integration.adapters.store.costs import SqlCostRows
from integration.adapters.store.ehr_subscriptions import SqlEhrSubscriptionRows
from integration.adapters.store.engines import answering
from integration.adapters.store.holds import SqlHoldRows
from integration.adapters.store.inbox_rows import SqlInboxRows
from integration.adapters.store.lines import SqlLineRows
from integration.adapters.store.numbers import SqlNumberRows
from integration.adapters.store.paces import SqlPaceRows
from integration.adapters.store.patients import SqlPatientRows
from integration.adapters.store.polls import SqlPollRows
from integration.adapters.store.reminders import SqlReminderRows
from integration.adapters.store.replies import SqlReplyRows
from integration.adapters.store.site import (
    SqlConfigurationRows,
    SqlFeedRows,
    SqlProcessRows,
    configuration_news,
    feed_watches,
)
from integration.adapters.store.snapshots import SqlSnapshotRows
from integration.adapters.store.tables.upkeep import breakers
from integration.adapters.store.tasks import SqlTaskRows
from integration.adapters.store.text_requests import SqlTextRequestRows
from integration.adapters.store.texts import SqlTextRows
from integration.adapters.store.tokens import SqlTokenRows
from integration.adapters.store.turnstile import Turnstile
from integration.adapters.store.wants import SqlWantRows
from integration.adapters.store.work import Ids, KnownNumbers, Work
from integration.adapters.store.write_backs import SqlWriteBackRows
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integration.adapters.store.keys import Keys
    from integration.ports.breaker_store import BreakerRows
    from integration.ports.consent_store import ConsentRows
    from integration.ports.conversation_store import ChoiceRows
    from integration.ports.cost_store import CostRows
    from integration.ports.ehr_store import EhrSubscriptionRows, PollRows, SnapshotRows, TokenRows, WantRows
    from integration.ports.line_store import LineRows
    from integration.ports.pace_store import PaceRows
    from integration.ports.site import ConfigurationNews, ConfigurationRows, FeedRows, FeedWatch, ProcessRows
    from integration.ports.store import (
        AcknowledgmentRows,
        AppointmentRows,
        CallbackRows,
        ChangeRows,
        HoldRows,
        InboxRows,
        NextTimes,
        NumberRows,
        PatientRows,
        ReminderRows,
        ReplyRows,
        Step,
        TaskRows,
        TextRequestRows,
        TextRows,
        WriteBackRows,
    )

_OPENED = insert(breakers)
_OPEN_BREAKER = _OPENED.on_conflict_do_update(
    index_elements=["name"],
    set_={"reason": _OPENED.excluded.reason, "released_at": None},
    where=breakers.c.released_at.is_not(None),
)
_RELEASE = (
    breakers.update()
    .where(breakers.c.name == sa.bindparam("wanted"), breakers.c.released_at.is_(None))
    .values(released_at=sa.bindparam("at"))
)


class SqlUnit:
    """See `integration.ports.store.Unit`."""

    def __init__(self, work: Work) -> None:
        # Rows that are held back are written in this order: what is referred to comes first.
        patients = SqlPatientRows(work)
        appointments = SqlAppointmentRows(work)
        reminders = SqlReminderRows(work)
        texts = SqlTextRows(work, reminders)
        self.patients: PatientRows = patients
        self.appointments: AppointmentRows = appointments
        self.reminders: ReminderRows = reminders
        self.changes: ChangeRows = SqlChangeRows(work, appointments, patients, reminders)
        self.holds: HoldRows = SqlHoldRows(work)
        self.inbox: InboxRows = SqlInboxRows(work)
        self.numbers: NumberRows = SqlNumberRows(work)
        self.texts: TextRows = texts
        self.callbacks: CallbackRows = SqlCallbackRows(work)
        self.replies: ReplyRows = SqlReplyRows(work, texts)
        self.tasks: TaskRows = SqlTaskRows(work)
        self.write_backs: WriteBackRows = SqlWriteBackRows(work)
        self.configurations: ConfigurationRows = SqlConfigurationRows(work)
        self.processes: ProcessRows = SqlProcessRows(work)
        self.feeds: FeedRows = SqlFeedRows(work)
        self.acknowledgments: AcknowledgmentRows = SqlAcknowledgmentRows(work)
        self.tokens: TokenRows = SqlTokenRows(work)
        self.costs: CostRows = SqlCostRows(work)
        self.wants: WantRows = SqlWantRows(work)
        self.polls: PollRows = SqlPollRows(work)
        self.paces: PaceRows = SqlPaceRows(work)
        self.lines: LineRows = SqlLineRows(work)
        self.requests: TextRequestRows = SqlTextRequestRows(work)
        self.choices: ChoiceRows = SqlChoiceRows(work)
        self.consents: ConsentRows = SqlConsentRows(work)
        self.breakers: BreakerRows = SqlBreakerRows(work)
        self.snapshots: SnapshotRows = SqlSnapshotRows(work)
        self.subscriptions: EhrSubscriptionRows = SqlEhrSubscriptionRows(work)


class SqlStore:
    """See `integration.ports.store.Store`; `opening.open_store` makes one. Threads may share it."""

    def __init__(self, engine: sa.Engine, keys: Keys) -> None:
        self._engine = engine
        self._keys = keys
        self._known = KnownNumbers()
        self._ids = Ids()
        self._turn = threading.Lock()
        self._turnstile = (
            Turnstile(Path(str(engine.url.database))) if engine.dialect.name == "sqlite" else None
        )

    @contextmanager
    def unit(self) -> Iterator[SqlUnit]:
        """One transaction. On SQLite it is the only one that writes, so let it be one of milliseconds."""
        with answering():
            with self._writing() as connection:
                work = Work(connection, self._keys, self._known, self._ids)
                yield SqlUnit(work)
                work.flush()
            work.committed()

    @contextmanager
    def reading(self) -> Iterator[SqlUnit]:
        """Takes no lock on SQLite; what is not flushed is never written."""
        with self._reading() as connection:
            yield SqlUnit(Work(connection, self._keys, self._known, self._ids))

    def has_work(self, calendar: datetime, wall: datetime) -> frozenset[Step]:
        """Takes no lock."""
        with self._reading() as connection:
            return peek.has_work(connection, calendar, wall)

    def next_times(self) -> NextTimes:
        """Takes no lock."""
        with self._reading() as connection:
            return peek.next_times(connection)

    def configuration_news(self) -> ConfigurationNews:
        """Takes no lock."""
        with self._reading() as connection:
            return configuration_news(connection)

    def feed_watches(self) -> list[FeedWatch]:
        """Takes no lock."""
        with self._reading() as connection:
            return feed_watches(connection)

    def breakers(self) -> dict[str, str]:
        """Takes no lock."""
        with self.reading() as unit:
            return dict(unit.breakers.open())

    def open_breaker(self, name: str, reason: str) -> None:
        """The first reason stands."""
        with answering(), self._writing() as connection:
            connection.execute(_OPEN_BREAKER, {"name": name, "reason": reason, "released_at": None})

    def released(self) -> dict[str, datetime]:
        """Takes no lock."""
        with self.reading() as unit:
            return dict(unit.breakers.released())

    def release(self, name: str, at: datetime) -> None:
        """Close it."""
        with answering(), self._writing() as connection:
            connection.execute(_RELEASE, {"wanted": name, "at": at})

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()
        if self._turnstile is not None:
            self._turnstile.close()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction; on SQLite after the listener, and one thread after another: it has no queue."""
        if self._turnstile is None:
            with self._engine.begin() as connection:
                yield connection
            return
        if not self._turn.acquire(timeout=PATIENCE):
            raise StoreUnavailable("the store does not answer (busy)")
        try:
            self._turnstile.pass_through()
            with self._engine.begin() as connection:
                yield connection
        finally:
            self._turn.release()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with answering(), self._engine.connect() as connection:
            yield connection.execution_options(read_only=True)
