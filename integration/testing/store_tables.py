"""The fake store's tables: dictionaries of records, with the rules that the real tables enforce."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

import orjson

from integration.ports.store import Overtaken

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from integration.domain.application_acknowledgment import ApplicationAcknowledgment
    from integration.domain.appointment import Appointment
    from integration.domain.consent import ConsentRecord, Suppression
    from integration.domain.conversation import Choice, Question, Reply
    from integration.domain.line_type import Line
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.sender_pace import SenderPace
    from integration.domain.staff_task import StaffTask
    from integration.domain.text_message import Attempt, TextMessage
    from integration.domain.text_request import TextRequest
    from integration.domain.write_back import WriteBack
    from integration.ports.cost_store import BillingDay
    from integration.ports.ehr_reading import Reference
    from integration.ports.ehr_store import AccessToken, EhrSubscription, Poll, Want
    from integration.ports.site import Anew, Configuration, FeedWatch, Process
    from integration.ports.store import Callback, Change, KeptMessage

_Record = TypeVar("_Record")


class NoSuchRow(Exception):
    """A row refers to another that is not there: a foreign key would have refused it."""


@dataclass(slots=True)
class Tables:
    """Everything stored. A unit works on it directly; a copy taken before is what it falls back to."""

    inbox: dict[int, KeptMessage] = field(default_factory=dict)
    digests: dict[tuple[str, bytes], int] = field(default_factory=dict)
    patients: dict[int, Patient] = field(default_factory=dict)
    patient_owners: dict[tuple[str, str], int] = field(default_factory=dict)
    consents: dict[int, ConsentRecord] = field(default_factory=dict)
    appointments: dict[int, Appointment] = field(default_factory=dict)
    appointment_owners: dict[tuple[str, str], int] = field(default_factory=dict)
    holds: dict[tuple[str, str, int], None] = field(default_factory=dict)
    changes: dict[int, Change] = field(default_factory=dict)  # those not planned
    reminders: dict[int, Reminder] = field(default_factory=dict)
    suppressions: dict[int, Suppression] = field(default_factory=dict)
    texts: dict[int, TextMessage] = field(default_factory=dict)
    attempts: dict[int, Attempt] = field(default_factory=dict)
    callbacks: dict[int, Callback] = field(default_factory=dict)
    callbacks_read: dict[int, bool] = field(default_factory=dict)
    replies: dict[int, Reply] = field(default_factory=dict)
    questions: dict[int, Question] = field(default_factory=dict)  # those not replaced
    answered: dict[int, Question] = field(default_factory=dict)  # those ever answered, replaced or not
    choices: dict[int, Choice] = field(default_factory=dict)
    tasks: dict[int, StaffTask] = field(default_factory=dict)
    write_backs: dict[int, WriteBack] = field(default_factory=dict)
    leases: dict[int, datetime] = field(default_factory=dict)
    acknowledgments: dict[int, ApplicationAcknowledgment] = field(default_factory=dict)
    acknowledgment_leases: dict[int, datetime] = field(default_factory=dict)
    breakers: dict[str, str] = field(default_factory=dict)
    released: dict[str, datetime] = field(default_factory=dict)
    configurations: dict[int, Configuration] = field(default_factory=dict)
    anew: dict[int, Anew] = field(default_factory=dict)  # of the one in force, while something is left
    processes: dict[str, Process] = field(default_factory=dict)
    feed_watches: dict[str, FeedWatch] = field(default_factory=dict)
    ehr_subscriptions: dict[tuple[str, str, str], EhrSubscription] = field(default_factory=dict)
    ehr_subscription_leases: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    text_requests: dict[int, TextRequest] = field(default_factory=dict)
    ehr_polls: dict[tuple[str, str], Poll] = field(default_factory=dict)
    ehr_snapshots: dict[tuple[str, Reference], tuple[bytes, bytes, datetime]] = field(default_factory=dict)
    ehr_poll_leases: dict[tuple[str, str], datetime] = field(default_factory=dict)
    wants: dict[int, Want] = field(default_factory=dict)
    want_leases: dict[int, datetime] = field(default_factory=dict)
    tokens: dict[str, AccessToken] = field(default_factory=dict)
    token_leases: dict[str, datetime] = field(default_factory=dict)
    billing_days: dict[tuple[str, datetime], BillingDay] = field(default_factory=dict)
    billing_leases: dict[tuple[str, datetime], datetime] = field(default_factory=dict)
    budget_news: dict[tuple[str, datetime, str], None] = field(default_factory=dict)
    sender_paces: dict[str, SenderPace] = field(default_factory=dict)
    number_lines: dict[str, Line] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Tables:
        """The same records in other dictionaries."""
        return Tables(**{each.name: dict(getattr(self, each.name)) for each in fields(self)})

    def next_id(self, table: str) -> int:
        """An id never given before."""
        self.last_ids[table] = self.last_ids.get(table, 0) + 1
        return self.last_ids[table]


def as_stored(record: _Record) -> _Record:
    """The record as it comes back: times in UTC, whole milliseconds; what is not JSON is refused."""
    there = cast("Any", record)
    changed = {each.name: _as_stored(getattr(record, each.name)) for each in fields(there)}
    return cast("_Record", replace(there, **changed))


def must_be_there(table: Container[int], *row_ids: int | None) -> None:
    """What a foreign key asks for."""
    for row_id in row_ids:
        if row_id is not None and row_id not in table:
            raise NoSuchRow(row_id)


def own(
    owners: dict[tuple[str, str], int],
    scope: str,
    identifiers: Iterable[str],
    record_id: int,
    *,
    is_new: bool,
) -> None:
    """Give identifiers to a record, those that have no owner yet."""
    for position, identifier in enumerate(identifiers):
        owner = owners.setdefault((scope, identifier), record_id)
        if is_new and position == 0 and owner != record_id:
            raise Overtaken("another unit stored the same record first; run this one again")


def _as_stored(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time without an offset cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, tuple):
        return tuple(_as_stored(each) for each in value)
    if isinstance(value, dict):
        return orjson.loads(orjson.dumps(value))
    if is_dataclass(value) and not isinstance(value, type):
        return as_stored(value)
    return value
