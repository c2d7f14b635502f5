"""A store in memory, for tests: the same ports, the same rules, nothing durable.

It passes the suite that the SQL store passes. One unit runs at a time, whatever the number of threads.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hl7_listener.inbox import Receipt, Sequenced
from hl7_listener.inbox import StoreUnavailable as ListenerStoreUnavailable
from hl7_listener.sequence import Numbers
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.text_message import AttemptState
from integration.domain.write_back import WriteBackState
from integration.ports.site import ConfigurationNews
from integration.ports.store import KeptMessage, NextTimes, StoreUnavailable
from integration.testing.store_answers import FakeAcknowledgmentRows
from integration.testing.store_breakers import FakeBreakerRows
from integration.testing.store_consents import FakeConsentRows
from integration.testing.store_conversation import FakeChoiceRows, FakeReplyRows, FakeTaskRows
from integration.testing.store_costs import FakeCostRows
from integration.testing.store_ehr import FakeEhrSubscriptionRows, FakeWantRows
from integration.testing.store_ehr_polls import FakePollRows
from integration.testing.store_ehr_snapshots import FakeSnapshotRows
from integration.testing.store_holds import FakeHoldRows
from integration.testing.store_lines import FakeLineRows
from integration.testing.store_paces import FakePaceRows
from integration.testing.store_requests import FakeTextRequestRows
from integration.testing.store_site import FakeConfigurationRows, FakeFeedRows, FakeProcessRows
from integration.testing.store_tables import Tables
from integration.testing.store_texts import FakeCallbackRows, FakeNumberRows, FakeTextRows, FakeWriteBackRows
from integration.testing.store_tokens import FakeTokenRows
from integration.testing.store_visits import (
    FakeAppointmentRows,
    FakeChangeRows,
    FakeInboxRows,
    FakePatientRows,
    FakeReminderRows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from hl7_listener.inbox import ReceivedMessage
    from integration.ports.breaker_store import BreakerRows
    from integration.ports.consent_store import ConsentRows
    from integration.ports.conversation_store import ChoiceRows
    from integration.ports.cost_store import CostRows
    from integration.ports.ehr_store import EhrSubscriptionRows, PollRows, SnapshotRows, TokenRows, WantRows
    from integration.ports.line_store import LineRows
    from integration.ports.pace_store import PaceRows
    from integration.ports.site import ConfigurationRows, FeedRows, FeedWatch, ProcessRows
    from integration.ports.store import (
        AcknowledgmentRows,
        AppointmentRows,
        CallbackRows,
        ChangeRows,
        HoldRows,
        InboxRows,
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


class FakeUnit:
    """See `integration.ports.store.Unit`."""

    def __init__(self, tables: Tables) -> None:
        self.inbox: InboxRows = FakeInboxRows(tables)
        self.patients: PatientRows = FakePatientRows(tables)
        self.appointments: AppointmentRows = FakeAppointmentRows(tables)
        self.changes: ChangeRows = FakeChangeRows(tables)
        self.holds: HoldRows = FakeHoldRows(tables)
        self.reminders: ReminderRows = FakeReminderRows(tables)
        self.numbers: NumberRows = FakeNumberRows(tables)
        self.texts: TextRows = FakeTextRows(tables)
        self.callbacks: CallbackRows = FakeCallbackRows(tables)
        self.replies: ReplyRows = FakeReplyRows(tables)
        self.tasks: TaskRows = FakeTaskRows(tables)
        self.write_backs: WriteBackRows = FakeWriteBackRows(tables)
        self.configurations: ConfigurationRows = FakeConfigurationRows(tables)
        self.processes: ProcessRows = FakeProcessRows(tables)
        self.feeds: FeedRows = FakeFeedRows(tables)
        self.acknowledgments: AcknowledgmentRows = FakeAcknowledgmentRows(tables)
        self.tokens: TokenRows = FakeTokenRows(tables)
        self.costs: CostRows = FakeCostRows(tables)
        self.wants: WantRows = FakeWantRows(tables)
        self.polls: PollRows = FakePollRows(tables)
        self.paces: PaceRows = FakePaceRows(tables)
        self.breakers: BreakerRows = FakeBreakerRows(tables)
        self.lines: LineRows = FakeLineRows(tables)
        self.requests: TextRequestRows = FakeTextRequestRows(tables)
        self.choices: ChoiceRows = FakeChoiceRows(tables)
        self.snapshots: SnapshotRows = FakeSnapshotRows(tables)
        self.consents: ConsentRows = FakeConsentRows(tables)
        self.subscriptions: EhrSubscriptionRows = FakeEhrSubscriptionRows(tables)


class FakeStore:
    """See `integration.ports.store.Store`. Set `away` and it cannot be reached."""

    def __init__(self) -> None:
        self.away = False
        self.tables = Tables()
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextmanager
    def unit(self) -> Iterator[FakeUnit]:
        """One transaction."""
        with self._alone():
            before = self.tables.copy()
            try:
                yield FakeUnit(self.tables)
            except BaseException:
                self.tables = before
                raise

    @contextmanager
    def reading(self) -> Iterator[FakeUnit]:
        """On a copy."""
        with self._alone():
            yield FakeUnit(self.tables.copy())

    def has_work(self, calendar: datetime, wall: datetime) -> frozenset[Step]:
        """What the steps would claim."""
        with self._alone():
            tables, unit = self.tables, FakeUnit(self.tables)
            steps: dict[Step, bool] = {
                "translate": unit.inbox.count("new") > 0,
                "acknowledge": any(at <= wall for at, _ in FakeAcknowledgmentRows(tables).heads()),
                "plan": bool(tables.changes),
                "send": unit.reminders.claim_number(calendar) is not None
                or unit.texts.claim_queued(wall) is not None
                or unit.requests.claim_due(calendar) is not None,
                "track": bool(unit.callbacks.claim(1)),
                "look_up": unit.texts.claim_overdue(wall) is not None,
                "reply": unit.replies.claim() is not None,
                "write_back": any(time <= wall for time in self._write_back_times()),
                "anew": bool(tables.anew),
                "subscriptions": any(at <= wall for at, _ in FakeEhrSubscriptionRows(tables).looks()),
                "fetch": any(at <= wall for at in self._want_times()),
                "poll": any(at <= wall for at, _ in FakePollRows(tables).times()),
                "bill": FakeCostRows(tables).is_due(wall),
            }
            return frozenset(step for step, there_is in steps.items() if there_is)

    def next_times(self) -> NextTimes:
        """What rows wait for."""
        with self._alone():
            rows = FakeTextRows(self.tables)
            known = self.tables.attempts.values()
            times = [
                *(each.deadline for each in known if each.state is AttemptState.OFFERED),
                *(each.next_look_at for each in known if each.state is AttemptState.UNCERTAIN),
                *(
                    text.not_before
                    for text in self.tables.texts.values()
                    if text.status is DeliveryStatus.QUEUED and not rows.is_held(text.id)
                ),
                *self._write_back_times(),
                *(at for at, _ in FakeAcknowledgmentRows(self.tables).heads()),
                *(at for at, _ in FakeEhrSubscriptionRows(self.tables).looks()),
                *self._want_times(),
                *(at for at, _ in FakePollRows(self.tables).times()),
            ]
            return NextTimes(
                calendar=min(
                    (
                        *filter(None, [FakeReminderRows(self.tables).next_due()]),
                        *(at for at, _ in FakeTextRequestRows(self.tables).due_times()),
                    ),
                    default=None,
                ),
                wall=min((time for time in times if time is not None), default=None),
            )

    def configuration_news(self) -> ConfigurationNews:
        """As they stand."""
        with self._alone():
            found = {each.state: each.generation for each in self.tables.configurations.values()}
            return ConfigurationNews(found.get("in_force"), found.get("proposed"))

    def feed_watches(self) -> list[FeedWatch]:
        """As they stand."""
        with self._alone():
            return list(FakeFeedRows(self.tables).all())

    def breakers(self) -> dict[str, str]:
        """As they stand."""
        with self._alone():
            return dict(self.tables.breakers)

    def open_breaker(self, name: str, reason: str) -> None:
        """The first reason stands."""
        with self._alone():
            self.tables.breakers.setdefault(name, reason)
            self.tables.released.pop(name, None)

    def release(self, name: str, at: datetime) -> None:
        """Close it."""
        with self._alone():
            if self.tables.breakers.pop(name, None) is not None:
                self.tables.released[name] = at

    def released(self) -> dict[str, datetime]:
        """As they stand."""
        with self._alone():
            return dict(self.tables.released)

    def close(self) -> None:
        """Nothing to let go of."""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self.away:
            raise StoreUnavailable("the fake store is away")
        if self._owner == threading.get_ident():
            raise RuntimeError("a unit within a unit: the inner one could wait for the outer one for ever")
        with self._lock:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = None

    def _want_times(self) -> list[datetime]:
        rows = FakeWantRows(self.tables)
        return [rows.ready_at(want) for want in self.tables.wants.values() if want.state == "pending"]

    def _write_back_times(self) -> list[datetime]:
        rows = FakeWriteBackRows(self.tables)
        known = self.tables.write_backs.values()
        return [
            rows.ready_at(row) for row in known if row.state is WriteBackState.PENDING and not rows.waits(row)
        ]


class FakeInbox:
    """See `hl7_listener.inbox.Inbox`: what the listener keeps, the store's units find."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self._last_numbers: dict[str, int | None] = {}

    async def keep(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt | Sequenced]:
        """All in one unit."""
        receipts: list[Receipt | Sequenced] = []
        numbers = Numbers(self._last_numbers.get)
        try:
            with self._store.unit() as unit:
                for message in messages:
                    receipt = Receipt.STORED
                    if message.sequence is not None and not numbers.admit(message.channel, message.sequence):
                        receipt = Receipt.OUT_OF_SEQUENCE
                    elif message.has_content:
                        receipt = self._keep(unit, message)
                    if message.sequence is None:
                        receipts.append(receipt)
                    else:
                        receipts.append(Sequenced(receipt, numbers.expected(message.channel)))
        except StoreUnavailable as away:
            raise ListenerStoreUnavailable(str(away)) from away
        self._last_numbers |= numbers.changed
        return receipts

    @staticmethod
    def _keep(unit: FakeUnit, message: ReceivedMessage) -> Receipt:
        kept = KeptMessage(
            id=0,
            channel=message.channel,
            control_id=message.control_id,
            payload=message.payload,
            received_at=message.received_at,
            state="new" if message.refusal is None else "dead",
            reason=message.refusal,
        )
        return Receipt.STORED if unit.inbox.add(kept, message.digest) else Receipt.DUPLICATE
