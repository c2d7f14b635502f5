"""The inbox, appointments, what happened to them, and the reminders that should exist."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import (
    BIG,
    Ids,
    Instant,
    Word,
    metadata,
    one_of,
    own_id,
    partial_index,
    plain_word,
    revision,
    to,
)
from integration.domain.appointment import AppointmentEvent, Modality
from integration.domain.reminder import OPEN, ReminderState

# `inbox.py` writes these rows too, in SQL of its own.
inbox = sa.Table(
    "inbox",
    metadata,
    own_id(),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("control_id", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),  # SHA-256; outlives the payload
    sa.Column("sealed_payload", sa.LargeBinary),  # NULL once purged
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="new"),
    sa.Column("reason", sa.Text),
    sa.Column("replayed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("digest", "channel"),  # the same message is kept once
    sqlite_autoincrement=True,
)
NEW = inbox.c.state == plain_word("new")
DEAD = inbox.c.state == plain_word("dead")
partial_index("inbox_new", inbox.c.channel, inbox.c.id, where=NEW)
partial_index("inbox_dead", inbox.c.id, where=DEAD)
sa.Index("inbox_by_control_id", inbox.c.control_id, inbox.c.channel, inbox.c.id)

appointments = sa.Table(
    "appointments",
    metadata,
    own_id(),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("sealed_identifiers", sa.LargeBinary, nullable=False),  # a JSON list, the preferred one first
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("start_at", Instant),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("modality", Word(Modality), nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("slot_number", sa.Integer, nullable=False),
    sa.Column("practice", sa.Text),
    sa.Column("confirmed", sa.Boolean, nullable=False),
    sa.Column("event_time", Instant),
    sa.Column("held_by", BIG),  # an inbox id; no foreign key, the inbox is purged by its own rules
    sa.Column("sealed_resource", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("sealed_ehr_id", sa.LargeBinary),
    revision(),
    sa.Column("slot_from", BIG),  # an inbox id, as `held_by`: the newest message that told the start
    sa.Column("sealed_parents", sa.LargeBinary),  # a JSON list of keys; NULL: none
    sa.Column("sealed_past", sa.LargeBinary),  # JSON: former slots, and facts older than the event time
    sa.Column("confirmed_by", Ids),  # NULL: all its patients have, or none
    sqlite_autoincrement=True,
)

appointment_identifiers = sa.Table(
    "appointment_identifiers",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),
    to("appointments.id", "appointment_id", nullable=False),
    sqlite_with_rowid=False,
)

# Which appointments are parts of which; the parent need not be known.
appointment_parents = sa.Table(
    "appointment_parents",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),  # of a key of the parent
    to("appointments.id", "appointment_id", primary_key=True),
    sqlite_with_rowid=False,
)

# What a dead message is about: it holds the appointment, known already or not, while it is dead.
holds = sa.Table(
    "holds",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),
    sa.Column("inbox_id", BIG, primary_key=True, autoincrement=False),  # no foreign key, as above
    sqlite_with_rowid=False,
)
sa.Index("holds_by_message", holds.c.inbox_id)
partial_index("appointments_held", appointments.c.held_by, where=appointments.c.held_by.is_not(None))

appointment_patients = sa.Table(
    "appointment_patients",
    metadata,
    to("appointments.id", "appointment_id", primary_key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
    to("patients.id", "patient_id", nullable=False),
    sqlite_with_rowid=False,
)
sa.Index("appointments_by_patient", appointment_patients.c.patient_id)

changes = sa.Table(
    "changes",
    metadata,
    own_id(),
    to("appointments.id", "appointment_id", nullable=False),
    sa.Column("event", Word(AppointmentEvent), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("before_start_at", Instant),
    sa.Column("before_place", sa.Text),
    sa.Column("before_modality", Word(Modality)),  # NULL: there was no slot before
    sa.Column("quiet", sa.Boolean, nullable=False),
    sa.Column("inbox_id", BIG),  # no foreign key, as above
    sa.Column("planned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("patients_before", Ids),  # NULL: they are the same
    sqlite_autoincrement=True,
)
NOT_PLANNED = sa.not_(changes.c.planned)
partial_index("changes_waiting", changes.c.id, where=NOT_PLANNED)
partial_index("changes_waiting_by_appointment", changes.c.appointment_id, changes.c.id, where=NOT_PLANNED)

reminders = sa.Table(
    "reminders",
    metadata,
    own_id(),
    to("appointments.id", "appointment_id", nullable=False),
    to("patients.id", "patient_id", nullable=False),
    to("numbers.number_hash", "number_hash", nullable=False),
    sa.Column("practice", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("slot_number", sa.Integer, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("not_after", Instant, nullable=False),
    sa.Column("state", Word(ReminderState), nullable=False),
    sa.Column("reason", sa.Text),
    to("texts.id", "text_id"),
    sa.Column("inbox_id", BIG),  # no foreign key, as above
    sa.Column("decided_at", Instant),
    sa.Column("after_text_id", BIG),  # of texts; no foreign key, which SQLite cannot add later
    # `Reminder.key`
    sa.UniqueConstraint(
        "appointment_id", "patient_id", "number_hash", "step", "slot_number", name="one_reminder"
    ),
    sqlite_autoincrement=True,
)
OPEN_REMINDER = one_of(reminders.c.state, OPEN)
AWAITS_A_TEXT = sa.and_(OPEN_REMINDER, reminders.c.text_id.is_(None))
partial_index("reminders_due", reminders.c.due_at, reminders.c.id, where=AWAITS_A_TEXT)
partial_index("reminders_open_by_number", reminders.c.number_hash, where=OPEN_REMINDER)
partial_index("reminders_by_text", reminders.c.text_id, where=reminders.c.text_id.is_not(None))
sa.Index("reminders_by_practice", reminders.c.practice, reminders.c.step, reminders.c.due_at)
