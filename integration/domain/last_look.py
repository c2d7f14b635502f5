"""The last look: whether this reminder may go out now (promise 4).

Pure. Facts read under the number's lock go in; go, hold until, or skip comes
out, the latter two with a reason a nurse can read. The order of the checks is
the order of their weight: what forbids a text for good comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from integration.domain.appointment import NO_SHOW, AppointmentEvent
from integration.domain.consent import ALL_SENDERS, ConsentPolicy, SuppressionKind, permits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from integration.domain.appointment import Appointment
    from integration.domain.consent import Suppression
    from integration.domain.plan_rules import Step
    from integration.domain.quiet_hours import DecentHours
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder

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
NO_NO_SHOW = "the EHR does not say no-show any more"
NOT_SEEN_YET = "the EHR has not said yet that the visit took place"
NEVER_SEEN = "the EHR never said that the visit took place"
OTHER_NUMBER = "the patient has another number now"
NO_GUARDIAN = "the patient is a minor and no guardian's number is known"
AWAITS_RELEASE = "waits for a person's release"
DROPPED = "dropped by staff"  # instead of a release
QUIET_HOURS = "quiet hours"
QUIET_DAY = "the practice texts nobody on that day"
QUIET_TOO_LONG = "quiet hours until it is too late to be useful"
DAY_IS_FULL = "the number has had its text of the day"
WEEK_IS_FULL = "the number has had its texts of the week"

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
    if step.looks_back:
        return _of_visit_that_is_over(reminder, step, appointment, waiting=waiting, now=now)
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
        (step.only_unconfirmed and appointment.is_confirmed_by(reminder.patient_id), Skip("confirmed")),
        (not step.visits.covers(appointment), Skip(step.visits.against(appointment) or "")),
    )
    return next((verdict for applies, verdict in checks if applies), None)


def _of_visit_that_is_over(
    reminder: Reminder, step: Step, appointment: Appointment, *, waiting: bool, now: datetime
) -> Verdict:
    """Whether it may be spoken of: a no-show only while the EHR says so, a visit only once it says it was.

    To thank who did not come, or to miss who came, harms; a start that has passed proves neither.
    """
    missed, no_show = appointment.status == NO_SHOW, step.on is AppointmentEvent.NO_SHOW
    unseen = appointment.is_expected and not no_show
    checks: tuple[tuple[bool, Verdict], ...] = (
        (now > reminder.not_after, Skip(NEVER_SEEN if unseen else "too late to be useful")),
        (waiting, Hold(now + SOON, "a newer message about the visit is being read")),
        (
            appointment.held_by is not None,
            Hold(now + LATER, f"inbox message {appointment.held_by} about the visit could not be read"),
        ),
        (reminder.patient_id not in appointment.patients, Skip("the visit is another patient's now")),
        (reminder.slot_number != appointment.slot_number, Skip("the visit was moved")),
        (no_show and not missed, Skip(NO_NO_SHOW)),
        (appointment.slot.start is None, Skip("the visit has no start")),
        (unseen and now >= reminder.not_after, Skip(NEVER_SEEN)),
        (unseen, Hold(reminder.not_after, NOT_SEEN_YET)),
        (not no_show and not appointment.took_place, Skip("the visit did not take place")),
        (step.only_unconfirmed and appointment.is_confirmed_by(reminder.patient_id), Skip("confirmed")),
        (not step.visits.covers(appointment), Skip(step.visits.against(appointment) or "")),
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


def of_hours(
    hours: DecentHours,
    zones: Sequence[ZoneInfo],
    *,
    not_after: datetime,
    now: datetime,
    bad_news: bool = False,
) -> Verdict:
    """Whether this is a decent hour wherever the recipient may be (`zones`, the likeliest first)."""
    if hours.allow(now, *zones, bad_news=bad_news):
        return None
    opening = hours.next_opening(now, *zones, bad_news=bad_news)
    if opening > not_after:
        return Skip(QUIET_TOO_LONG)
    return Hold(opening, QUIET_DAY if hours.is_quiet_day(now, *zones, bad_news=bad_news) else QUIET_HOURS)


def of_caps(
    offered: Sequence[datetime],
    *,
    per_day: int,
    per_week: int,
    hours: DecentHours,
    zones: Sequence[ZoneInfo],
    not_after: datetime,
    now: datetime,
) -> Verdict:
    """Whether the number has had its share (47 CFR 64.1200(a)(9)(iv)(F)).

    `offered` tells when texts were offered to it in the last 168 hours. A day is the recipient's, and
    where two zones are open (`zones`) that of either.
    """
    offered = [at for at in offered if now - at < WEEK]  # one of exactly a week ago counts no more
    full = [zone for zone in zones if _on_the_day_of(now, offered, zone) >= per_day]
    if full:
        days = ((now.astimezone(zone).date() + timedelta(days=1), zone) for zone in full)
        midnight = max(datetime.combine(day, time(), zone).astimezone(UTC) for day, zone in days)
        free = hours.next_opening(midnight, *zones)
        reason = DAY_IS_FULL
    elif len(offered) >= per_week:
        free = hours.next_opening(sorted(offered)[-per_week] + WEEK, *zones)
        reason = WEEK_IS_FULL
    else:
        return None
    return Skip(reason) if free > not_after else Hold(free, reason)


def _on_the_day_of(now: datetime, offered: Iterable[datetime], zone: ZoneInfo) -> int:
    """How many of these fall on the local day of `now`."""
    today = now.astimezone(zone).date()
    return sum(at.astimezone(zone).date() == today for at in offered)
