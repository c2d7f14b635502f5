"""What the pipeline asks of a store: transactions over rows, in our words.

A `Unit` is one transaction: it commits when its `with` block ends, and leaves
no trace when the block raises. "Claim" means: these rows are this unit's alone
until it ends; rows claimed elsewhere are passed over, never waited for.
Numbers, names, bodies and payloads are plain here and encrypted below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from integration.domain.application_acknowledgment import AcknowledgmentState, ApplicationAcknowledgment
    from integration.domain.appointment import Appointment, AppointmentEvent, Slot
    from integration.domain.consent import Suppression, SuppressionKind
    from integration.domain.conversation import Question, Reply
    from integration.domain.failure import Failure
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.staff_task import Done, StaffTask
    from integration.domain.text_message import Attempt, TextMessage
    from integration.domain.text_request import TextRequest
    from integration.domain.write_back import WriteBack, WriteBackKind, WriteBackState
    from integration.ports.breaker_store import BreakerRows
    from integration.ports.consent_store import ConsentRows
    from integration.ports.conversation_store import ChoiceRows
    from integration.ports.cost_store import CostRows
    from integration.ports.ehr_store import EhrSubscriptionRows, PollRows, SnapshotRows, TokenRows, WantRows
    from integration.ports.line_store import LineRows
    from integration.ports.pace_store import PaceRows
    from integration.ports.site import ConfigurationNews, ConfigurationRows, FeedRows, FeedWatch, ProcessRows
    from integration.settings.differences import Scope

InboxState = Literal["new", "done", "dead"]
Step = Literal[
    "translate",
    "acknowledge",
    "plan",
    "send",
    "track",
    "look_up",
    "reply",
    "write_back",
    "anew",
    "silence",
    "subscriptions",
    "fetch",
    "poll",
    "bill",
]
STEPS: Final[tuple[Step, ...]] = get_args(Step)


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """One message of the durable inbox."""

    id: int  # grows in order of arrival
    channel: str  # feed name, or `fhir:<source>`
    control_id: str  # MSH-10
    payload: bytes
    received_at: datetime  # wall
    state: InboxState = "new"
    reason: str | None = None
    replayed: bool = False  # a person asked for it again: it plans the future only (design: no blast)


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to an appointment and its reminders must be thought over again."""

    id: int  # 0 until stored
    appointment_id: int
    event: AppointmentEvent
    at: datetime  # calendar
    before: Slot | None = None  # the slot until now, None for a new appointment
    quiet: bool = False  # plan the future only: no booked, moved, cancelled, no step already due
    inbox_id: int | None = None
    patients_before: tuple[int, ...] | None = None  # None: the appointment has the patients it had


@dataclass(frozen=True, slots=True)
class Callback:
    """One status callback, as it came."""

    id: int  # 0 until stored
    provider: str
    token: str
    form: str  # the raw form body
    received_at: datetime  # wall


@dataclass(frozen=True, slots=True)
class NextTimes:
    """The earliest times at which waiting rows become due; None: no row waits."""

    calendar: datetime | None  # reminders
    wall: datetime | None  # texts to be offered again, attempts to be looked up, write-backs, acknowledgments


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which messages of the inbox are meant; what is None does not matter."""

    state: InboxState | None = None
    channel: str | None = None
    reason: str | None = None  # one of its reasons: the code, or code and path as they stand there
    since: datetime | None = None  # received then or later (wall)
    until: datetime | None = None  # received before


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many messages share channel, state and reason."""

    channel: str
    state: InboxState
    reason: str
    count: int
    first_id: int
    last_id: int


class InboxRows(Protocol):
    """The durable inbox; the listener fills it by its own group commit."""

    def claim(self, limit: int) -> Sequence[KeptMessage]:
        """The oldest `new` messages of one channel, in order of arrival.

        A channel is claimed as a whole: no other unit gets messages of it
        until this one ends, so its messages are applied one after another.
        A store may hand out fewer than `limit` while more wait: ask again until none come.
        """

    def done(self, message_id: int, reason: str | None = None) -> None:
        """It has been applied (or needs no deed, and `reason` says why)."""

    def dead(self, message_id: int, reason: str) -> None:
        """It could not be applied; a person may replay it after a fix."""

    def replay(self, message_ids: Collection[int]) -> int:
        """Make messages that are done or dead `new` again, marked replayed; returns how many."""

    def add(self, message: KeptMessage, digest: bytes) -> bool:
        """Keep one message outside the group commit; False when it is there already."""

    def waiting(self, channels: Collection[str], limit: int) -> Sequence[KeptMessage]:
        """Up to `limit` messages of these channels not yet applied, oldest first; not claimed."""

    def same_control_id(self, message: KeptMessage) -> bool:
        """Whether its channel has an earlier message under the same MSH-10 (with other bytes)."""

    def get(self, message_id: int) -> KeptMessage | None:
        """One message with its payload, None when unknown."""

    def listing(
        self, state: InboxState | None = None, *, after_id: int = 0, limit: int = 100
    ) -> Sequence[KeptMessage]:
        """Messages in order of arrival, payloads included."""

    def ids(self, wanted: InboxFilter, newest: int | None = None) -> Sequence[int]:
        """All that are meant, or the newest so many, in order of arrival. For a reading unit."""

    def reasons(self, wanted: InboxFilter) -> Sequence[ReasonCount]:
        """Those meant that have a reason, by reason, the most first. For a reading unit."""

    def count(self, state: InboxState) -> int:
        """How many messages are in a state."""


class HoldRows(Protocol):
    """What dead messages are about, so that the appointment is held while any of them remains (promise 3)."""

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """`of` will be asked for these: a store may look all of them up at once."""

    def of(self, scope: str, identifiers: Collection[str]) -> Sequence[int]:
        """The messages that hold whatever is known by any of these, oldest first."""

    def add(self, message_id: int, scope: str, identifiers: Collection[str]) -> None:
        """A message is dead that is about what these name, be it known yet or not."""

    def let_go(self, message_id: int) -> None:
        """It holds nothing any more."""

    def held_by(self, message_id: int) -> Sequence[int]:
        """The appointments whose `held_by` is this message; not locked."""


class AcknowledgmentRows(Protocol):
    """Application acknowledgments that senders are yet to hear; one a message, in order within a feed."""

    def owe(self, row: ApplicationAcknowledgment) -> None:
        """Write it down, unless the message has one: the first outcome is the one its sender hears."""

    def claim(
        self, now: datetime, lease_until: datetime, *, but: Collection[str] = ()
    ) -> ApplicationAcknowledgment | None:
        """The oldest waiting row of a feed, due at or before `now` (wall), leased as a write-back is.

        While it is leased or rests, nothing of its feed comes. Nothing of the feeds in `but` comes at all.
        """

    def find(self, inbox_id: int) -> ApplicationAcknowledgment | None:
        """That of one message, None when none is or was owed."""

    def settle(self, row: ApplicationAcknowledgment) -> None:
        """Write state, tries, next_try_at, reason, if it still waits; end the lease."""

    def count(self, state: AcknowledgmentState) -> int:
        """How many are in a state."""


class PatientRows(Protocol):
    """Patients, found by any identifier ever seen."""

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """`find` will be asked for these: a store may look all of them up at once."""

    def find(self, scope: str, identifiers: Collection[str]) -> Patient | None:
        """The patient who has the first known of these identifiers."""

    def get(self, patient_id: int) -> Patient:
        """One patient; KeyError when unknown."""

    def save(self, patient: Patient, *, claimed: Collection[str] = ()) -> Patient:
        """Insert (id 0) or update; identifiers are added, never removed. Returns it with its id.

        An identifier that has an owner stays with it. A new record whose first one has an owner, one that is
        `claimed` and has got an owner meanwhile, and a record that another unit wrote after this one read it:
        `Overtaken`, at the latest when the unit ends.
        """

    def heard(self, patient: Patient, at: datetime) -> Patient:
        """A message of this event time said nothing new of the patient: older ones will be passed over.

        Returns the patient so; touches nothing else.
        """

    def link(self, patient_id: int, ehr_id: str) -> None:
        """Remember the chart, and touch nothing else: news of the patient may be on its way."""

    def hold_still(self, patient_id: int) -> None:
        """Until this unit ends nobody else gives the patient an appointment, or writes of the patient."""

    def survivor(self, patient_id: int) -> Patient:
        """The patient, or the one whose record that patient's has become part of; KeyError when unknown."""

    def merge(self, gone_id: int, survivor_id: int) -> None:
        """One record becomes part of another: its identifiers lead there for ever, its numbers go."""

    def with_number(self, number: str) -> Sequence[Patient]:
        """All patients who have this number, or are texted about by way of it (their guardian's)."""

    def consent(self, patient_id: int) -> bool | None:
        """The recorded consent to texts; None when nothing is recorded."""

    def record_consent(self, patient_id: int, *, given: bool, source: str, at: datetime) -> None:
        """Record it; the newest record counts, all are kept."""


class AppointmentRows(Protocol):
    """Appointments, found by any identifier ever seen."""

    def expect(self, scope: str, identifiers: Collection[str]) -> None:
        """`find` will be asked for these: a store may look up, and lock, all of them at once."""

    def find(self, scope: str, identifiers: Collection[str]) -> Appointment | None:
        """The appointment that has the first known of these identifiers, locked until the unit ends."""

    def get(self, appointment_id: int) -> Appointment:
        """One appointment; KeyError when unknown."""

    def of_patient(self, patient_id: int) -> Sequence[int]:
        """The ids of all appointments of a patient, past ones too; not locked."""

    def parts_of(self, scope: str, parents: Collection[str]) -> Sequence[int]:
        """The ids of the appointments that have one of these keys among their `parents`; not locked."""

    def to_come(self, patient_id: int, after: datetime) -> Sequence[int]:
        """The ids of a patient's appointments that start after then, whatever their status; not locked."""

    def touched(
        self, scope: Scope, *, after_id: int, since: datetime, limit: int
    ) -> tuple[Sequence[int], int | None]:
        """Ids above `after_id`, in order, within the scope, of visits that start since then or have no start.

        Few at a time: beside them, up to which id has been looked; None when nothing is above. Not locked.
        """

    def lock(self, appointment_ids: Collection[int]) -> Sequence[Appointment]:
        """These, locked until the unit ends, in order of id."""

    def save(self, appointment: Appointment) -> Appointment:
        """Insert (id 0) or update; identifiers are added, never removed. Returns it with its id.

        An identifier that has an owner stays with it. A new record whose first one has an owner, and a record
        that another unit wrote after this one read it: `Overtaken`, at the latest when the unit ends.
        """


class ChangeRows(Protocol):
    """Changes of appointments, waiting to be planned."""

    def add(self, change: Change) -> None:
        """Write it down."""

    def claim(self, limit: int) -> Sequence[Change]:
        """The oldest changes, in order; all waiting changes of one appointment come together.

        No other unit applies a message to these appointments until this one ends. As with the inbox,
        fewer than `limit` may come while more wait.
        """

    def done(self, change_ids: Collection[int]) -> None:
        """They have been planned."""

    def backlog(self, at_most: int) -> int:
        """How many are not yet planned, counted up to `at_most`."""

    def waits(self, appointment_ids: Collection[int]) -> bool:
        """Whether any of these appointments has a change not yet planned.

        Until this unit ends none is written and none is planned: the last look stays true (promise 4).
        """


class ReminderRows(Protocol):
    """Reminders; unique by `Reminder.key`."""

    def of_appointment(self, appointment_id: int) -> Sequence[Reminder]:
        """All its reminders, oldest first."""

    def add(self, reminders: Sequence[Reminder]) -> None:
        """Insert those whose key is new; the others stay as they are."""

    def update(self, reminders: Sequence[Reminder]) -> None:
        """Write practice, state, reason, due_at, not_after, text_id, decided_at."""

    def hand_over(self, appointment_ids: Collection[int], gone_id: int, survivor_id: int) -> None:
        """A patient's, for these appointments, are another's now, unless the other has the same ones."""

    def claim_number(self, now: datetime) -> str | None:
        """A number with an open reminder due at or before `now` (earliest first), locked until the unit ends.

        A reminder that has its text already is not due. Numbers locked by another unit are passed over.
        None: nothing is due.
        """

    def claim_numbers(self, now: datetime, limit: int) -> Sequence[str]:
        """As `claim_number`, up to `limit` different numbers at once."""

    def open_of_number(self, number: str) -> Sequence[Reminder]:
        """Its planned and held reminders, due or not, also those that have their text, by due time."""

    def of_text(self, text_id: int) -> Sequence[Reminder]:
        """The reminders a text speaks for."""

    def get(self, reminder_id: int) -> Reminder:
        """One; KeyError when it is no longer there."""

    def awaiting(self, due_by: datetime) -> Sequence[Reminder]:
        """The open reminders without a text that fall due until then (for a person to read), by due time."""

    def next_due(self) -> datetime | None:
        """When the earliest open reminder without a text falls due."""

    def count_planned(self, practice: str, step: str, since: datetime) -> int:
        """How many reminders of a step a practice has had since then, by due time (mass changes)."""

    def states_of_practice(self, practice: str, since: datetime) -> Sequence[Reminder]:
        """Reminders of a practice decided or due since then (for a person to read), oldest first."""


class NumberRows(Protocol):
    """Telephone numbers: their lock, and what forbids texting them."""

    def lock(self, number: str) -> None:
        """Hold the number's lock until the unit ends; STOP, wrong number, merge and sending all take it."""

    def suppressions(self, number: str) -> Sequence[Suppression]:
        """Those in force."""

    def suppress(self, suppression: Suppression) -> None:
        """Write it down unless the same (number, kind, sender) is already in force.

        One that awaits START awaits it no more, unless it is only the carrier that says so again.
        """

    def lift(self, number: str, kinds: Collection[SuppressionKind], *, at: datetime, by: str) -> int:
        """Lift what is in force of these kinds; returns how many."""

    def unusable(self, numbers: Collection[str]) -> Mapping[str, datetime]:
        """Those of these numbers that cannot receive texts, as far as is known, with since when."""

    def automatic_opt_outs(self, since: datetime) -> int:
        """How many opt-outs the carrier's word alone has caused since then (their cap: promise 6)."""


class TextRows(Protocol):
    """Texts and the attempts to send them."""

    def add(self, text: TextMessage) -> TextMessage:
        """Insert it with its subjects. A second answer to one reply raises `AlreadyAnswered`."""

    def get(self, text_id: int) -> TextMessage:
        """One text; KeyError when unknown."""

    def update(self, text: TextMessage) -> None:
        """Write everything but number, kind, practice, subjects and created_at."""

    def claim_queued(self, now: datetime) -> TextMessage | None:
        """A queued text without a holding attempt whose not_before (wall) has come; its number locked."""

    def add_attempt(self, attempt: Attempt) -> Attempt:
        """Insert it. One holding attempt a text: a second raises `AlreadyOffered`."""

    def update_attempt(self, attempt: Attempt, expected: Collection[str]) -> bool:
        """Compare and set: write it if its stored state is among `expected`; returns whether it was."""

    def attempts(self, text_id: int) -> Sequence[Attempt]:
        """Of one text, oldest first."""

    def attempt_by_token(self, token: str) -> Attempt | None:
        """The attempt a callback speaks of."""

    def attempt_by_provider_id(self, provider: str, provider_id: str) -> Attempt | None:
        """The attempt the provider knows under its id."""

    def claim_overdue(self, now: datetime) -> Attempt | None:
        """An offered attempt past its deadline, or an uncertain one due for its next look (wall)."""

    def claim_stale(self, before: datetime) -> TextMessage | None:
        """An accepted or sent text not final, last heard of or checked before then (wall)."""

    def offered_to(self, number: str, since: datetime) -> Sequence[datetime]:
        """When reminders and free texts to a number were offered (calendar), uncertain ones included.

        Not those of which the provider has said that they did not arrive: no phone rang.
        """

    def failures_since(self, since: datetime, practice: str | None = None) -> Mapping[Failure, int]:
        """How many texts offered since then (calendar) failed, by kind."""

    def unreachable_in_a_row(self, number: str) -> int:
        """How many of its newest texts could not reach the handset, counted up to `GIVEN_UP`."""

    def was_texted(self, number: str, practice: str) -> bool:
        """Whether a reminder or free text of this practice may ever have reached this number."""

    def offered_by(self, practice: str, since: datetime) -> int:
        """How many texts a practice has offered since then (calendar)."""

    def answers_to(self, number: str, since: datetime) -> Sequence[TextMessage]:
        """Our answers to a number created since then (calendar), sent or not, newest first."""

    def for_slot(self, appointment_id: int, slot_number: int) -> bool:
        """Whether any text about this slot went out or may have: held by an attempt, and not failed."""

    def of_patient(self, patient_id: int, since: datetime) -> Sequence[TextMessage]:
        """What speaks of a patient and was written down since then (calendar), oldest first, sent or not."""

    def between(self, start: datetime, end: datetime, practice: str | None = None) -> Sequence[TextMessage]:
        """Texts offered in [start, end), oldest first (for usage)."""


class CallbackRows(Protocol):
    """Status callbacks, every one kept."""

    def add(self, callback: Callback) -> None:
        """Keep it."""

    def claim(self, limit: int) -> Sequence[Callback]:
        """Those not yet read, oldest first."""

    def done(self, callback_id: int) -> None:
        """It has been read."""


class ReplyRows(Protocol):
    """Replies, and the questions they may answer."""

    def add(self, reply: Reply) -> bool:
        """Keep it; False when (provider, provider_id) is there already."""

    def claim(self) -> Reply | None:
        """The oldest one not yet done; its number's earlier ones are done before it."""

    def waits(self, number: str) -> bool:
        """Whether a reply of this number is not yet done."""

    def update(self, reply: Reply) -> None:
        """Write what was understood."""

    def get(self, reply_id: int) -> Reply:
        """One reply; KeyError when unknown."""

    def heard_since(self, number: str, since: datetime) -> Sequence[Reply]:
        """What a number wrote since then (heard_at, calendar), newest first, done or not."""

    def ask(self, question: Question) -> None:
        """Open a question; it replaces any open one for the same visit and patient."""

    def questions(self, number: str) -> Sequence[Question]:
        """Those of a number not replaced, newest first; the caller judges whether they are still open."""

    def answered(self, question_id: int, at: datetime) -> None:
        """An answer was taken."""

    def hand_over(self, appointment_ids: Collection[int], gone_id: int, survivor_id: int) -> None:
        """Questions put to one patient about these appointments were put to another.

        Where the other was asked about the same appointment, that question alone stands.
        """

    def last_text_to(self, number: str) -> TextMessage | None:
        """The newest reminder or free text offered to a number."""


class TaskRows(Protocol):
    """The staff's list."""

    def add(self, task: StaffTask) -> int | None:
        """Open it, unless the same kind about the same patient, visit, reply and text is open.

        Returns the id of the one opened, None when it was open already.
        """

    def get(self, task_id: int) -> StaffTask:
        """One task, open or done; KeyError when unknown."""

    def open(self, practice: str | None = None) -> Sequence[StaffTask]:
        """What is to be done, oldest first."""

    def of_reply(self, reply_id: int) -> Sequence[StaffTask]:
        """What is to be done about one reply, oldest first."""

    def done(self, since: datetime, practice: str | None = None) -> Sequence[StaffTask]:
        """What was done at or after `since` (calendar), in the order in which it was."""

    def close(self, task_id: int, at: datetime, done: Done | None = None) -> None:
        """Done, unless it is already; `done` says what came of it."""

    def assign(self, task_id: int, owner: str | None) -> None:
        """Give it to a queue or person of the practice; None takes it back."""

    def hand_over(self, gone_id: int, survivor_id: int, at: datetime) -> Sequence[int]:
        """What is open about one patient is about another; what is open there already is done once.

        Returns the ids of those that are done so.
        """


class WriteBackRows(Protocol):
    """What the chart should be told."""

    def want(self, kind: WriteBackKind, subject_id: int, patient_id: int) -> None:
        """The fact is new or has changed: pending again, its revision one higher."""

    def renew(self, kind: WriteBackKind, subject_id: int) -> None:
        """It has changed: what was wanted of it, for whatever chart, is pending again, as by `want`."""

    def claim(
        self, now: datetime, lease_until: datetime, kinds: Collection[WriteBackKind] | None = None
    ) -> WriteBack | None:
        """A pending row due at or before `now` (wall), leased: no one else gets it before `lease_until`.

        Of these kinds, None: of any. A reply waits until the text it answers is no longer pending, a
        confirmation, consent or task until its reply is, and a task without a
        reply until its text is: the chart hears things in order.
        """

    def find(self, kind: WriteBackKind, subject_id: int, patient_id: int) -> WriteBack | None:
        """One row, None when it was never wanted."""

    def settle(self, row: WriteBack) -> None:
        """Write state, written_revision, tries, next_try_at, ehr_id, ehr_version, reason and mode.

        The lease ends. Should the revision have grown meanwhile, the row stays pending.
        """

    def reopen(self, patient_id: int) -> None:
        """What was refused or given up for this patient, by whatever record, is pending again.

        What may be in the chart (`mode` without `ehr_id`) is then taken not to be: a person has looked.
        """

    def get(self, row_id: int) -> WriteBack:
        """One row, with the EHR's words about a refusal; KeyError when unknown."""

    def listed(
        self, states: Collection[WriteBackState], *, after_id: int = 0, limit: int = 1000
    ) -> Sequence[WriteBack]:
        """Rows in these states above an id, by id, for a person."""

    def again(self, row_ids: Collection[int]) -> int:
        """Those of these rows that were refused or given up are pending again; how many."""

    def count(self, state: WriteBackState) -> int:
        """How many rows are in a state."""


class TextRequestRows(Protocol):
    """Texts that people ask for, in a chart or on our page; unique by feed and id."""

    def find(self, feed: str, ehr_id: str) -> TextRequest | None:
        """By the EHR's id, locked until the unit ends."""

    def get(self, request_id: int) -> TextRequest:
        """By ours; KeyError when unknown."""

    def of_text(self, text_id: int) -> TextRequest | None:
        """The one that became this text, None when the text is none's."""

    def of_patient(self, patient_id: int) -> Sequence[TextRequest]:
        """All of one patient, oldest first."""

    def save(self, request: TextRequest) -> int:
        """Insert (id 0) or update; its id."""

    def claim_due(self, now: datetime) -> TextRequest | None:
        """A waiting one due at or before `now` (calendar), locked until the unit ends; the earliest first."""


class Unit(Protocol):
    """One transaction over all rows."""

    inbox: InboxRows
    holds: HoldRows
    patients: PatientRows
    appointments: AppointmentRows
    changes: ChangeRows
    reminders: ReminderRows
    numbers: NumberRows
    texts: TextRows
    callbacks: CallbackRows
    replies: ReplyRows
    tasks: TaskRows
    write_backs: WriteBackRows
    configurations: ConfigurationRows
    processes: ProcessRows
    feeds: FeedRows
    acknowledgments: AcknowledgmentRows
    tokens: TokenRows
    costs: CostRows
    subscriptions: EhrSubscriptionRows
    wants: WantRows
    polls: PollRows
    paces: PaceRows
    lines: LineRows
    requests: TextRequestRows
    choices: ChoiceRows
    snapshots: SnapshotRows
    consents: ConsentRows
    breakers: BreakerRows


class Store(Protocol):
    """A durable store."""

    def unit(self) -> AbstractContextManager[Unit]:
        """One transaction; raises `StoreUnavailable` when the database cannot be reached."""

    def reading(self) -> AbstractContextManager[Unit]:
        """A transaction that writes nothing and keeps no writer waiting, however long it looks."""

    def has_work(self, calendar: datetime, wall: datetime) -> frozenset[Step]:
        """The steps that have rows to work on now; takes no lock."""

    def next_times(self) -> NextTimes:
        """When waiting rows become due; takes no lock."""

    def configuration_news(self) -> ConfigurationNews:
        """Which configuration is in force, and which is proposed; takes no lock."""

    def feed_watches(self) -> Sequence[FeedWatch]:
        """The feeds that are expected to speak, by name; takes no lock."""

    def breakers(self) -> Mapping[str, str]:
        """The open breakers by name, each with its reason. Read outside any unit."""

    def open_breaker(self, name: str, reason: str) -> None:
        """Stop what the breaker guards until a person releases it."""

    def release(self, name: str, at: datetime) -> None:
        """A person has looked at this time (calendar); go on."""

    def released(self) -> Mapping[str, datetime]:
        """The breakers that are closed, with the time of their last release. Read outside any unit."""

    def close(self) -> None:
        """Let go of all connections."""


class StoreUnavailable(Exception):
    """The database cannot be reached or will not answer."""


class Overtaken(StoreUnavailable):
    """Another unit wrote the same record first; nothing is wrong, run this one again."""


class WrongKey(Exception):
    """The data key is missing, malformed, or not this store's."""


class WrongStamp(Exception):
    """The store is of another kind (real, demo, simulated), or of a newer release."""


class AlreadyAnswered(Exception):
    """This reply has its answer."""


class AlreadyOffered(Exception):
    """This text has an attempt that holds it."""
