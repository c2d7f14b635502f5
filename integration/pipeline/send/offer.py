"""The reminders of one number that are due: look once more, then write down one text, or say why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from integration.aftermath import ask_to_call
from integration.domain.gathering import Candidate, gather
from integration.domain.last_look import Hold, Skip, Verdict, of_caps, of_hours
from integration.domain.law import Jurisdiction
from integration.domain.line_type import LANDLINE
from integration.domain.reminder import ReminderState
from integration.domain.sender_pace import NO_TURN, WAITS_ITS_TURN
from integration.domain.wording import WordingError
from integration.pipeline.send.desk import Desk, Offer, settle
from integration.pipeline.send.line import of_line
from integration.pipeline.send.write import useful_until, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from integration.domain.gathering import Gathered
    from integration.domain.reminder import Reminder
    from integration.settings.model import Practice

A_DAY = timedelta(days=1)
WEEK = timedelta(hours=168)
SETTLING = "waits for further news"
OVERTAKEN = "a later text speaks of the visit"
LITTLE_TIME = timedelta(minutes=30)
PATIENCE = 5  # settling may hold a text back this many times over, not for ever


def offer_reminders(desk: Desk, number: str) -> Offer | None:
    """Write down the next text to this number, or say of each due reminder why not."""
    today = [each for each in desk.unit.reminders.open_of_number(number) if each.due_at <= desk.now + A_DAY]
    desk.hold_still(today)
    # Only what is read from here on stays as it is.
    reminders = desk.unit.reminders.open_of_number(number)
    due = [reminder for reminder in reminders if reminder.due_at <= desk.now]
    if not due:
        return None  # withdrawn a moment ago
    practice = desk.workshop.settings.practices.get(due[0].practice)
    due = [reminder for reminder in due if reminder.practice == due[0].practice]
    verdict = desk.of_number(number, practice)
    if practice is None or verdict is not None:
        settle(desk, due, verdict or Skip("texts are off for this practice"))
        return None
    going = _without_overtaken(desk, _going(desk, due, practice))
    if not going:
        return None
    settled_at = _settled_at(desk, reminders, going, practice)
    if settled_at is not None:
        _let_settle(desk, going, settled_at)
        return None
    zones = desk.zones_of((c.patient for c in going), practice)
    companions = _companions(desk, reminders, due, practice, zones[0])
    gathered = _gathered(desk, going, companions, practice, zones[0])
    verdict = (
        desk.of_practice(practice)
        or _of_moment(desk, gathered, practice, number, useful_until(gathered.visits))
        or of_line(desk, number)
        or _of_turn(desk, gathered, practice)
    )
    if verdict is None:
        try:
            return write(desk, gathered, practice, number)
        except WordingError as why:
            verdict = Skip(str(why))
            desk.unsayable.add(verdict)
    _hold_back(desk, gathered, verdict, practice, number)
    return None


def _going(desk: Desk, due: Iterable[Reminder], practice: Practice) -> list[Candidate]:
    """The due reminders that pass the last look; the others get their reason."""
    going = []
    for reminder in due:
        candidate = desk.candidate(reminder, practice)
        verdict = Skip("no longer in the plan") if candidate is None else desk.of_reminder(candidate)
        if candidate is not None and verdict is None:
            going.append(candidate)
        else:
            settle(desk, [reminder], verdict)
    return going


def _without_overtaken(desk: Desk, going: list[Candidate]) -> list[Candidate]:
    """Without second tries of what another text now says of the same visit and patient.

    Bad news is not overtaken: the other text may be held by a cap that bad news passes.
    """
    said = Counter((c.appointment.id, c.patient.id) for c in going if c.reminder.after_text_id is None)
    tried = [c for c in going if c.reminder.after_text_id and not c.step.outranks_caps]
    overtaken = [c for c in tried if said[c.appointment.id, c.patient.id]]
    desk.unit.reminders.update(
        [
            replace(c.reminder, state=ReminderState.SKIPPED, reason=OVERTAKEN, decided_at=desk.now)
            for c in overtaken
        ]
    )
    return [c for c in going if c not in overtaken]


def _settled_at(
    desk: Desk, reminders: Iterable[Reminder], going: Sequence[Candidate], practice: Practice
) -> datetime | None:
    """When the number's news will have settled; None when it has, or when patience has run out."""
    settle = practice.plan.settle
    fresh = [
        reminder.due_at
        for reminder in reminders
        if desk.now < reminder.due_at <= desk.now + settle
        and reminder.practice == practice.name
        and _follows_an_event(practice, reminder)
    ]
    waited = desk.now - min(_waits_since(candidate.reminder) for candidate in going)
    return max(fresh) if fresh and waited < settle * PATIENCE else None


def _waits_since(reminder: Reminder) -> datetime:
    """When it was first due, or first held back for further news: a hold moves its due time on."""
    if reminder.reason == SETTLING and reminder.decided_at is not None:
        return reminder.decided_at
    return reminder.due_at


def _let_settle(desk: Desk, going: Sequence[Candidate], until: datetime) -> None:
    """Hold them; those held so before keep the time of their first hold."""
    settle(desk, [c.reminder for c in going if c.reminder.reason != SETTLING], Hold(until, SETTLING))
    desk.unit.reminders.update(
        [replace(c.reminder, due_at=until) for c in going if c.reminder.reason == SETTLING]
    )


def _follows_an_event(practice: Practice, reminder: Reminder) -> bool:
    step = practice.plan.step(reminder.step)
    return step is not None and step.on is not None


def _gathered(
    desk: Desk, going: list[Candidate], companions: list[Candidate], practice: Practice, zone: ZoneInfo
) -> Gathered:
    """What is due, with what else would be said later on the day, if one text may say both."""
    together = gather(_for_one_reader(desk, [*going, *companions], practice, zone), practice.plan, desk.now)
    if any(each in going for each in (*together.visits, *together.silent)):
        return together
    # What is to come outranks what is due, as bad news that waits for the morning: it has its own time.
    return gather(_for_one_reader(desk, going, practice, zone), practice.plan, desk.now)


def _for_one_reader(
    desk: Desk, candidates: list[Candidate], practice: Practice, zone: ZoneInfo
) -> list[Candidate]:
    """In the United Kingdom a text speaks of one adult alone, with the children (UK GDPR art. 5(1)(f)).

    Two adults who share a telephone have not said that each may read of the other's visits. The other's
    reminders stay due, and get a text of their own.
    """
    if practice.jurisdiction is not Jurisdiction.GB:
        return candidates
    today = desk.now.astimezone(zone).date()
    ordered = sorted(candidates, key=lambda c: (c.reminder.due_at > desk.now, c.start))
    first = next((c.patient.id for c in ordered if not c.patient.is_minor(today)), None)
    return [c for c in candidates if c.patient.is_minor(today) or c.patient.id == first]


def _companions(
    desk: Desk, reminders: Iterable[Reminder], due: Sequence[Reminder], practice: Practice, zone: ZoneInfo
) -> list[Candidate]:
    """What else would be said to this number later on the recipient's day: one text a day says it all now."""
    today = desk.now.astimezone(zone).date()
    later = [
        reminder
        for reminder in reminders
        if reminder not in due
        and reminder.practice == practice.name
        and reminder.due_at > desk.now
        and reminder.due_at.astimezone(zone).date() == today
    ]
    candidates = [desk.candidate(reminder, practice) for reminder in later]
    return [c for c in candidates if c is not None and desk.of_reminder(c) is None]


def _of_moment(
    desk: Desk, gathered: Gathered, practice: Practice, number: str, not_after: datetime
) -> Verdict:
    """Whether this text, useful until `not_after`, may arrive at this hour, and on this day."""
    bad_news = all(visit.step.outranks_caps for visit in gathered.visits) or bool(gathered.silent)
    zones = desk.zones_of((visit.patient for visit in gathered.visits), practice)
    verdict = of_hours(practice.plan.hours, zones, not_after=not_after, now=desk.now, bad_news=bad_news)
    if verdict is not None or bad_news:
        return verdict
    return desk.of_budget(practice) or of_caps(
        desk.unit.texts.offered_to(number, desk.now - WEEK),
        per_day=practice.caps.per_day,
        per_week=practice.caps.per_week,
        hours=practice.plan.hours,
        zones=zones,
        not_after=not_after,
        now=desk.now,
    )


def _of_turn(desk: Desk, gathered: Gathered, practice: Practice) -> Verdict:
    """Whether it is its turn at the sender; bad news waits for nobody, nor what has little time left."""
    not_after = useful_until(gathered.visits)
    if any(visit.step.outranks_caps for visit in gathered.visits) or not_after - desk.now < LITTLE_TIME:
        return None
    waited = any(visit.reminder.reason == WAITS_ITS_TURN for visit in gathered.visits)
    return desk.of_turn(practice, waited=waited, not_after=not_after)


def _hold_back(desk: Desk, gathered: Gathered, of_all: Verdict, practice: Practice, number: str) -> None:
    """Give the due reminders their reason; bad news that will not arrive is a call to make.

    One that is useful for longer than those it would have shared a text with may wait where they cannot.
    """
    for candidate in (*gathered.visits, *gathered.silent):
        if candidate.reminder.due_at > desk.now:
            continue
        verdict = of_all
        if isinstance(of_all, Skip):
            not_after = candidate.reminder.not_after
            verdict = _of_moment(desk, gathered, practice, number, not_after) or of_all
        settle(desk, [candidate.reminder], verdict)
        if isinstance(verdict, Skip) and (
            verdict in desk.unsayable or _is_to_be_called(desk, candidate, verdict.reason)
        ):
            why = f"was not sent: {verdict.reason}"
            ask_to_call(desk.unit, candidate.reminder, why, desk.now, desk.workshop.settings)


def _is_to_be_called(desk: Desk, candidate: Candidate, reason: str) -> bool:
    """Whether somebody calls in the text's place: about a visit whose number is a landline, once."""
    if candidate.step.outranks_caps or reason == NO_TURN:
        return True
    earlier = (
        each.reason == LANDLINE and each.id != candidate.reminder.id
        for each in desk.unit.reminders.of_appointment(candidate.appointment.id)
        if each.patient_id == candidate.reminder.patient_id
    )
    return reason == LANDLINE and not any(earlier)
