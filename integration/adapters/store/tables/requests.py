"""Texts that charts ask for."""

import sqlalchemy as sa

from integration.adapters.store.tables.columns import (
    BIG,
    Instant,
    Word,
    metadata,
    own_id,
    partial_index,
    plain_word,
    to,
)
from integration.domain.catalog_sections import FreeForm
from integration.domain.text_request import RequestSource, RequestState

text_requests = sa.Table(
    "text_requests",
    metadata,
    own_id(),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("ehr_id_hash", sa.LargeBinary, nullable=False),
    sa.Column("sealed_ehr_id", sa.LargeBinary, nullable=False),
    to("patients.id", "patient_id", nullable=False),
    sa.Column("practice", sa.Text),
    sa.Column("sealed_body", sa.LargeBinary, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("not_after", Instant, nullable=False),
    sa.Column("state", Word(RequestState), nullable=False),
    sa.Column("reason", sa.Text),
    to("texts.id", "text_id", unique=True),
    sa.Column("source", Word(RequestSource)),  # NULL: the chart
    sa.Column("sealed_author", sa.LargeBinary),
    sa.Column("form", Word(FreeForm)),  # NULL: own words
    sa.Column("minutes", sa.Integer),
    sa.Column("appointment_id", BIG),
    sa.Column("slot_number", sa.Integer),
    sa.Column("sealed_override", sa.LargeBinary),
    sa.Column("to_related", sa.Boolean),
    sa.Column("asked_at", Instant),
    sa.UniqueConstraint("feed", "ehr_id_hash"),
    sqlite_autoincrement=True,
)
sa.Index("text_requests_by_patient", text_requests.c.patient_id)
WAITING = text_requests.c.state == plain_word(RequestState.WAITING)
partial_index("text_requests_waiting", text_requests.c.due_at, text_requests.c.id, where=WAITING)
