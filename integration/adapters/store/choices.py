"""Our numbered questions: which of several visits a text means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from integration.adapters.store.tables.conversation import visit_choices
from integration.domain.conversation import Choice, Option

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.store.work import Work

_OFFER = visit_choices.insert().returning(visit_choices.c.id)
_NEWEST = (
    sa.select(visit_choices)
    .where(
        visit_choices.c.number_hash == sa.bindparam("of_number"),
        visit_choices.c.sender == sa.bindparam("to_sender"),
    )
    .order_by(visit_choices.c.id.desc())
    .limit(1)
)


class SqlChoiceRows:
    """See `integration.ports.conversation_store.ChoiceRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def offer(self, choice: Choice) -> int:
        """Beside the earlier ones."""
        options = [[each.appointment_id, each.patient_id, each.slot_number] for each in choice.options]
        values = {
            "number_hash": self._work.keep_number(choice.number),
            "sender": choice.sender,
            "intent": choice.intent,
            "reply_id": choice.reply_id,
            "options": options,
            "asked_at": choice.asked_at,
            "expires_at": choice.expires_at,
        }
        return int(self._work.run(_OFFER, values).scalar_one())

    def newest(self, number: str, sender: str, now: datetime) -> Choice | None:
        """Whatever came before it is over."""
        row = self._work.row(_NEWEST, {"of_number": self._work.hash_of(number), "to_sender": sender})
        if row is None or row.expires_at <= now:
            return None
        return Choice(
            id=row.id,
            number=number,
            sender=row.sender,
            intent=row.intent,
            reply_id=row.reply_id,
            options=tuple(Option(*each) for each in row.options),
            asked_at=row.asked_at,
            expires_at=row.expires_at,
        )
