"""What a failed text means for its number, for its patients, and for sending at all.

Pure. A provider's code may come at once (a refusal) or later (a callback); it
means the same either way, so both steps ask here and write down what comes out.
A provider's fault opts nobody out (promise 6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.failure import Failure
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import TextKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from integration.domain.text_message import Subject, TextMessage

ACCOUNT_BREAKER = "account"
OPT_OUT_BREAKER = "carrier opt-outs"
MANY_FILTERED = 5  # texts of a practice in an hour


def mass_change_breaker(practice: str) -> str:
    """The name of the breaker that stops a practice's flood of cancellations."""
    return f"mass change {practice}"


def texts_breaker(practice: str) -> str:
    """The name of the breaker that stops a practice's flood of texts."""
    return f"texts {practice}"


def budget_breaker(practice: str) -> str:
    """The name of the breaker that stops a practice's reminders when its month's budget is used up."""
    return f"budget {practice}"


# What failed → what the person who calls is told
_WHY_CALL = {
    Failure.BAD_NUMBER: "the number cannot receive texts; ask for another",
    Failure.OPTED_OUT: "the carrier reports that the number stopped texts",
    Failure.UNREACHABLE: "the handset could not be reached",
    Failure.RETRY_LATER: "the carrier could not deliver the text",
    Failure.FILTERED: "the carrier filtered the text",
    Failure.EXPIRED: "the text could not be delivered in time",
    Failure.SLOW_DOWN: "the provider or the carrier was too busy",
    Failure.DAILY_CAP: "the carrier takes no more texts from us today",
    Failure.ACCOUNT: "the provider refused our account or sender",
    Failure.OUR_FAULT: "the provider refused the request as faulty",
    Failure.UNKNOWN: "the text was not delivered",
}


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker to open, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Consequences:
    """What to write down; a breaker is opened when that is committed."""

    suppressions: tuple[Suppression, ...] = ()
    tasks: tuple[StaffTask, ...] = ()
    breaker: Breaker | None = None


def of_failure(
    text: TextMessage,
    failure: Failure,
    code: str | None,
    *,
    now: datetime,
    visits: Mapping[int, datetime],
    opt_outs_left: int,
    covers_all_senders: bool,
    again: Collection[int] = (),
    filtered: int = 0,
) -> Consequences:
    """What follows from a text that definitively failed.

    `now` is the calendar's; `visits` are the starts of the visits the text speaks of, by
    appointment id; `opt_outs_left` is how many more the carrier's word alone may cause this hour;
    `again` are the visits that a second try will speak of, so that nobody need call yet; `filtered` is
    how many of the practice's texts were filtered in the last hour, this one included.
    """
    calls = tuple(
        call
        for call in _calls(text, failure, code, now=now, visits=visits)
        if call.appointment_id not in again
    )
    alarm = _alarm(text, failure, code, now=now, filtered=filtered)
    if alarm is not None:
        return Consequences(tasks=(*calls, alarm))
    if failure is Failure.ACCOUNT:
        reason = f"the provider refused our account or sender ({code or 'no code'})"
        return Consequences((), (*calls, _release(text, reason, now)), Breaker(ACCOUNT_BREAKER, reason))
    if failure is Failure.OPTED_OUT and opt_outs_left <= 0:
        reason = "more opt-outs reported by the carrier within an hour than patients would ask for"
        return Consequences((), (*calls, _release(text, reason, now)), Breaker(OPT_OUT_BREAKER, reason))
    if failure is Failure.OPTED_OUT:
        sender = ALL_SENDERS if covers_all_senders else text.sender or ALL_SENDERS
        stops = tuple(replace(call, kind=TaskKind.OPTED_OUT) for call in calls)
        return Consequences((_suppression(text, SuppressionKind.OPT_OUT, sender, code, now),), stops)
    if failure is Failure.BAD_NUMBER:
        return Consequences((_suppression(text, SuppressionKind.BAD_NUMBER, ALL_SENDERS, code, now),), calls)
    return Consequences(tasks=calls)


def _suppression(
    text: TextMessage, kind: SuppressionKind, sender: str, code: str | None, now: datetime
) -> Suppression:
    return Suppression(
        id=0,
        number=text.number,
        kind=kind,
        sender=sender,
        since=now,
        source="carrier",
        evidence=" ".join(filter(None, (code, text.sender))),  # a carrier blocks one sender
    )


def _release(text: TextMessage, reason: str, now: datetime) -> StaffTask:
    return StaffTask(id=0, kind=TaskKind.RELEASE, practice=text.practice, reason=reason, created_at=now)


def _alarm(
    text: TextMessage, failure: Failure, code: str | None, *, now: datetime, filtered: int
) -> StaffTask | None:
    """What whoever runs the product should look at, beside the calls."""
    if failure is Failure.OUR_FAULT:
        reason = f"The provider refuses a request of ours as faulty ({code or 'no code'}): tell the operator."
    elif failure is Failure.FILTERED and filtered >= MANY_FILTERED:
        reason = "Carriers filter many texts: look at wording, links and the sender's registration."
    else:
        return None
    return StaffTask(id=0, kind=TaskKind.SENDER, practice=text.practice, reason=reason, created_at=now)


def _calls(
    text: TextMessage, failure: Failure, code: str | None, *, now: datetime, visits: Mapping[int, datetime]
) -> tuple[StaffTask, ...]:
    """A call for each visit still to come; an answer of ours that did not arrive matters little."""
    if text.kind is TextKind.ANSWER:
        return ()
    reason = _WHY_CALL[failure] + (f" ({code})" if code else "")
    calls = (
        about(subject, text, TaskKind.CALL_PATIENT, reason, now=now, visits=visits)
        for subject in text.subjects
    )
    return tuple(call for call in calls if call.due_at is None or call.due_at > now)


def about(
    subject: Subject,
    text: TextMessage,
    kind: TaskKind,
    reason: str,
    *,
    now: datetime,
    visits: Mapping[int, datetime],
) -> StaffTask:
    """A task about one patient of a text, due before the visit it speaks of."""
    visit = subject.appointment_id
    return StaffTask(
        id=0,
        kind=kind,
        practice=text.practice,
        reason=reason,
        created_at=now,
        due_at=None if visit is None else visits.get(visit),
        patient_id=subject.patient_id,
        appointment_id=visit,
        text_id=text.id,
    )
