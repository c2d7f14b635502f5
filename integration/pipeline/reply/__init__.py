"""Step 6: what patients write is understood and obeyed, or handed to a person (promises 6 and 7).

Replies of one number are heard in the order they came, each in one transaction under the
number's lock: what it means, what we do about it and what we answer are written together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from integration.aftermath import open_task
from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind, obeyed_by_the_carrier
from integration.domain.reply_decision import decide
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.surprise import describe
from integration.pipeline.reply.answers import write_answer
from integration.pipeline.reply.deeds import obey
from integration.pipeline.reply.surroundings import look_around
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from integration.domain.conversation import Reply
    from integration.ports.workshop import Workshop

MOST = 100  # replies in one call
TRIES = 3  # before a reply that surprises is left to a person
_log = structlog.get_logger(__name__)


def hear(workshop: Workshop) -> int:
    """Work the waiting replies, at most `MOST`; returns how many were worked."""
    for worked in range(MOST):
        if not _hear_one(workshop):
            return worked
    return MOST


def _hear_one(workshop: Workshop) -> bool:
    """Hear the oldest reply; one that surprises again and again goes to a person."""
    claimed: list[Reply] = []
    for _ in range(TRIES):
        claimed.clear()
        try:
            return _try(workshop, claimed)
        except StoreUnavailable:
            raise
        except Exception as surprise:
            _log.error("reply surprised", reply=[one.id for one in claimed], surprise=describe(surprise))
            if not claimed:
                raise
    _leave_to_a_person(workshop, claimed[0])
    return True


def _try(workshop: Workshop, claimed: list[Reply]) -> bool:
    """Hear one reply; it is put into `claimed` first, in case it surprises."""
    with workshop.store.unit() as unit:
        reply = unit.replies.claim()
        if reply is None:
            return False
        claimed.append(reply)
        unit.numbers.lock(reply.number)
        around = look_around(unit, workshop, reply)
        decision = decide(around.heard)
        done = obey(unit, workshop, around, decision)
        answered = write_answer(unit, workshop, around, decision, done)
        unit.replies.update(done)
        _log.info("reply heard", reply=reply.id, intent=done.intent, urgent=done.urgent, answered=answered)
    if answered:
        workshop.knock("send")
    workshop.knock("write_back")
    return True


def _leave_to_a_person(workshop: Workshop, reply: Reply) -> None:
    """Somebody reads it; but a STOP that any carrier would obey holds, whatever goes wrong with us."""
    stops = obeyed_by_the_carrier(reply.body, keyword_handled=reply.keyword_handled)
    done = "Only its opt-out was obeyed" if stops else "Nothing was done about it, not even an opt-out"
    task = StaffTask(
        id=0,
        kind=TaskKind.READ_REPLY,
        practice=None,
        reason=f"A reply that software could not read. {done}.",
        created_at=workshop.clock.calendar(),
        reply_id=reply.id,
    )
    with workshop.store.unit() as unit:
        unit.replies.update(replace(reply, reason="software could not read it", done=True))
        if stops:
            unit.numbers.lock(reply.number)
            unit.numbers.suppress(
                Suppression(
                    id=0,
                    number=reply.number,
                    kind=SuppressionKind.OPT_OUT,
                    sender=ALL_SENDERS,
                    since=reply.heard_at,
                    source="keyword",
                    evidence=reply.body,
                )
            )
        open_task(unit, task, workshop.settings)
