"""The last look: whether this reminder may go out now (promise 4).

Pure. Facts read under the number's lock go in; go, hold until, or skip comes
out, the latter two with a reason a nurse can read. The order of the checks is
the order of their weight: what forbids a text for good comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from integration.domain.appointment import AppointmentEvent
from integration.domain.consent import ALL_SENDERS, ConsentPolicy, SuppressionKind, permits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from integration.domain.appointment import Appointment
    from integration.domain.consent import Suppression
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.reminder_plan import PlanRules, Step

WEEK = timedelta(hours=168)
SOON = timedelta(seconds=1)  # "in a moment": what waits is our own pipeline
LATER = timedelta(minutes=5)  # what waits is a person


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now; look again at `until`."""

    until: datetime  # calendar
    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Never."""

    reason: str


Verdict = Hold | Skip | None  # None: it may go
PRIVATE = "a minor's visit to a sensitive place is not told to a guardian"
OTHER_NUMBER = "the patient has another number now"
NO_GUARDIAN = "the patient is a minor and no guardian's number is known"

_SUPPRESSED = {
    SuppressionKind.OPT_OUT: "opted out",
    SuppressionKind.WRONG_NUMBER: "the number is not the patient's",
    SuppressionKind.BAD_NUMBER: "the number cannot receive texts",
}


def suppressed(suppressions: Iterable[Suppression], sender: str | None) -> Verdict:
    """Whether the number may be texted from our sender at all."""
    for suppression in suppressions:
        if suppression.sender in {ALL_SENDERS, sender} or sender is None:
            return Skip(_SUPPRESSED[suppression.kind])
    return None


def of_visit(
    reminder: Reminder, step: Step, appointment: Appointment, *, waiting: bool, now: datetime
) -> Verdict:
    """Whether the visit still calls for this reminder."""
    called_off = step.on is AppointmentEvent.CANCELLED
    is_theirs = reminder.patient_id in appointment.patients
    goes_on = is_theirs and appointment.is_expected  # for whoever was taken off a visit it does not
    slot = appointment.slot_numbered(reminder.slot_number)
    checks: tuple[tuple[bool, Verdict], ...] = (
        (now > reminder.not_after, Skip("too late to be useful")),
        (waiting, Hold(now + SOON, "a newer message about the visit is being read")),
        (
            appointment.held_by is not None,
            Hold(now + LATER, f"inbox message {appointment.held_by} about the visit could not be read"),
        ),
        (not called_off and not is_theirs, Skip("the visit is another patient's now")),
        (not called_off and reminder.slot_number != appointment.slot_number, Skip("the visit was moved")),
        (not called_off and not goes_on, Skip("the visit is not to take place")),
        (called_off and goes_on, Skip("the visit is to take place after all")),
        (slot.start is None, Skip("the visit has no start")),
        (step.only_unconfirmed and appointment.confirmed, Skip("confirmed")),
    )
    return next((verdict for applies, verdict in checks if applies), None)


def of_patient(
    patient: Patient, number: str, policy: ConsentPolicy, *, recorded: bool | None, now: datetime
) -> Verdict:
    """Whether this patient may be texted at this number; `now` is in the practice's time."""
    today = now.date()
    unguarded = patient.is_minor(today) and patient.guardian_number is None
    consent = "no consent to texts" if recorded is None else "consent to texts was refused"
    checks: tuple[tuple[bool, str], ...] = (
        (patient.silence is not None, patient.silence or ""),
        (unguarded, NO_GUARDIAN),
        (patient.number_on(today) != number, OTHER_NUMBER),
        (not permits(policy, recorded=recorded), consent),
    )
    return next((Skip(reason) for applies, reason in checks if applies), None)


def of_hours(rules: PlanRules, *, not_after: datetime, now: datetime) -> Verdict:
    """Whether this is a decent hour."""
    if rules.hours.allow(now, rules.zone):
        return None
    opening = rules.hours.next_opening(now, rules.zone)
    if opening > not_after:
        return Skip("quiet hours until it is too late to be useful")
    return Hold(opening, "quiet hours")


def of_caps(
    offered: Sequence[datetime],
    *,
    per_day: int,
    per_week: int,
    rules: PlanRules,
    not_after: datetime,
    now: datetime,
) -> Verdict:
    """Whether the number has had its share (47 CFR 64.1200(a)(9)(iv)(F)).

    `offered` tells when texts were offered to it in the last 168 hours.
    """
    offered = [at for at in offered if now - at < WEEK]  # one of exactly a week ago counts no more
    today = now.astimezone(rules.zone).date()
    if sum(at.astimezone(rules.zone).date() == today for at in offered) >= per_day:
        tomorrow = datetime.combine(today + timedelta(days=1), time(), rules.zone).astimezone(UTC)
        free = rules.hours.next_opening(tomorrow, rules.zone)
        reason = "the number has had its text of the day"
    elif len(offered) >= per_week:
        free = rules.hours.next_opening(sorted(offered)[-per_week] + WEEK, rules.zone)
        reason = "the number has had its texts of the week"
    else:
        return None
    return Skip(reason) if free > not_after else Hold(free, reason)
