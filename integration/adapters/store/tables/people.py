"""Numbers and patients, and what forbids or allows texting them."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import (
    BIG,
    Instant,
    Word,
    metadata,
    own_id,
    partial_index,
    plain_word,
    revision,
    to,
)
from integration.domain.consent import SuppressionKind
from integration.domain.line_type import LineType

# Every number ever seen. Its row is what "the lock on a number" locks, so it is never deleted.
numbers = sa.Table(
    "numbers",
    metadata,
    sa.Column("number_hash", sa.LargeBinary, primary_key=True),
    sa.Column("sealed_number", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

number_lines = sa.Table(
    "number_lines",
    metadata,
    to("numbers.number_hash", "number_hash", primary_key=True),
    sa.Column("line_type", Word(LineType)),
    sa.Column("asked_at", Instant, nullable=False),
)

patients = sa.Table(
    "patients",
    metadata,
    own_id(),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("sealed_identifiers", sa.LargeBinary, nullable=False),  # a JSON list, the preferred one first
    sa.Column("sealed_given", sa.LargeBinary, nullable=False),
    sa.Column("sealed_family", sa.LargeBinary, nullable=False),
    to("numbers.number_hash", "number_hash"),
    sa.Column("sealed_birth_date", sa.LargeBinary),
    sa.Column("language", sa.Text),
    sa.Column("deceased", sa.Boolean, nullable=False),
    sa.Column("suppressed", sa.Boolean, nullable=False),
    sa.Column("event_time", Instant),
    sa.Column("sealed_resource", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("sealed_ehr_id", sa.LargeBinary),
    revision(),
    sa.Column("guardian_number_hash", sa.LargeBinary),  # of `numbers`
    sa.Column("guardian_language", sa.Text),
    sa.Column("silenced_by", sa.Text),  # paths, with blanks between
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("sealed_gone", sa.LargeBinary),  # a JSON list: those of its identifiers that are gone
    sa.Column("merged_into", BIG),  # of `patients`
    sa.Column("number_at", Instant),
    sqlite_autoincrement=True,
)
sa.Index("patients_by_number", patients.c.number_hash)
sa.Index("patients_by_guardian", patients.c.guardian_number_hash)
partial_index("patients_merged", patients.c.merged_into, where=patients.c.merged_into.is_not(None))

patient_identifiers = sa.Table(
    "patient_identifiers",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("identifier_hash", sa.LargeBinary, primary_key=True),
    to("patients.id", "patient_id", nullable=False),
    sqlite_with_rowid=False,
)

consents = sa.Table(
    "consents",
    metadata,
    own_id(),
    to("patients.id", "patient_id", nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("medium", sa.Text),
    sa.Column("number_hash", sa.LargeBinary),  # of `numbers`
    sa.Column("sealed_evidence", sa.LargeBinary),  # JSON: wording, campaign, ip, recorded_by
    sqlite_autoincrement=True,
)
sa.Index("consents_by_patient", consents.c.patient_id, consents.c.recorded_at, consents.c.id)

suppressions = sa.Table(
    "suppressions",
    metadata,
    own_id(),
    to("numbers.number_hash", "number_hash", nullable=False),
    sa.Column("kind", Word(SuppressionKind), nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sealed_evidence", sa.LargeBinary, nullable=False),
    sa.Column("lifted_at", Instant),
    sa.Column("lifted_by", sa.Text),
    sa.Column("awaiting_start", Instant),
    sa.Column("sealed_lift_note", sa.LargeBinary),
    sqlite_autoincrement=True,
)
IN_FORCE = suppressions.c.lifted_at.is_(None)
BY_THE_CARRIER_ALONE = sa.and_(
    suppressions.c.kind == plain_word(SuppressionKind.OPT_OUT),
    suppressions.c.source == plain_word("carrier"),
)
partial_index(
    "one_suppression_in_force",
    suppressions.c.number_hash,
    suppressions.c.kind,
    suppressions.c.sender,
    where=IN_FORCE,
    unique=True,
)
partial_index("automatic_opt_outs", suppressions.c.since, where=BY_THE_CARRIER_ALONE)
