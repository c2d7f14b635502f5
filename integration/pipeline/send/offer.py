"""The reminders of one number that are due: look once more, then write down one text and its attempt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fhir_mappers.siu_to_bundle import identity_keys
from integration.domain.consent import SuppressionKind
from integration.domain.conversation import QUESTION_LIFE, Question
from integration.domain.gathering import Candidate, gather
from integration.domain.identity import appointment_key, patient_key
from integration.domain.last_look import (
    LATER,
    Hold,
    Skip,
    Verdict,
    of_caps,
    of_hours,
    of_patient,
    of_visit,
    suppressed,
)
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import Attempt, AttemptState, Subject, TextKind, TextMessage
from integration.domain.wording import PracticeWords, VisitWords, WordingError, compose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.gathering import Gathered
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.wording import Composed
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Practice

WEEK = timedelta(hours=168)
HOUR = timedelta(hours=1)
MOST_WAITING = 200  # unread messages looked into for one text; behind more than that, texts wait
PATIENCE = 5  # settling may hold a text back this many times over, not for ever


@dataclass(frozen=True, slots=True)
class Offer:
    """A text written down and about to leave."""

    text: TextMessage
    attempt: Attempt
    valid_for: timedelta


@dataclass(slots=True)
class Desk:
    """One transaction's view of the world, at one moment."""

    unit: Unit
    workshop: Workshop
    breakers: Mapping[str, str]
    now: datetime = field(init=False)  # calendar
    wall: datetime = field(init=False)
    breakers_to_open: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read both clocks once."""
        self.now = self.workshop.clock.calendar()
        self.wall = self.workshop.clock.wall()

    def attempt(self, text: TextMessage) -> Attempt:
        """Write down that the text is about to leave."""
        return self.unit.texts.add_attempt(
            Attempt(
                id=0,
                text_id=text.id,
                token=self.workshop.new_token(),
                state=AttemptState.OFFERED,
                offered_at=self.wall,
                deadline=self.wall + self.workshop.settings.sending.offer_deadline,
            )
        )

    def of_number(self, number: str, practice: Practice | None, *, after_stop: bool = False) -> Verdict:
        """What forbids, or holds up, every text to this number; `after_stop` overlooks its opt-out."""
        settings, sms = self.workshop.settings, self.workshop.sms
        if practice is None or not practice.sms:
            return Skip("texts are off for this practice")
        if sms is None:
            return Hold(self.now + LATER, "no provider")
        if self.workshop.simulated and not sms.loopback:
            return Skip("a simulated calendar texts nobody but the sandbox")
        if settings.mode == "test" and not sms.loopback and number not in settings.allowed_numbers:
            return Skip("test mode: the number is not on the allow-list")
        suppressions = self.unit.numbers.suppressions(number)
        if after_stop:
            suppressions = [one for one in suppressions if one.kind is not SuppressionKind.OPT_OUT]
        return suppressed(suppressions, sender=None)

    def of_reminder(self, candidate: Candidate) -> Verdict:
        """What forbids, or holds up, this reminder."""
        reminder, appointment, patient = candidate.reminder, candidate.appointment, candidate.patient
        practice = self.workshop.settings.practices[reminder.practice]
        feed = self.workshop.settings.feeds.get(appointment.feed)
        if feed is None or feed.state == "shadow":
            return Skip("the feed is in shadow")
        waiting = self._is_waiting(appointment, patient)
        verdict = of_visit(reminder, candidate.step, appointment, waiting=waiting, now=self.now)
        if verdict is None and candidate.step.outranks_caps:
            verdict = self._breaker(f"mass change {practice.name}")
        if verdict is not None:
            return verdict
        recorded = self.unit.patients.consent(patient.id)
        return of_patient(patient, reminder.number, practice.consent, recorded=recorded, now=self.now)

    def of_practice(self, practice: Practice) -> Verdict:
        """Whether the practice has texted more in an hour than it should (design: no blast)."""
        name = f"texts {practice.name}"
        verdict = self._breaker(name)
        if (
            verdict is None
            and self.unit.texts.offered_by(practice.name, self.now - HOUR) >= practice.texts_per_hour
        ):
            self.breakers_to_open[name] = "more texts in an hour than expected"
            verdict = Hold(self.now + LATER, "waits for a person's release")
        return verdict

    def _breaker(self, name: str) -> Verdict:
        return Hold(self.now + LATER, "waits for a person's release") if name in self.breakers else None

    def _is_waiting(self, appointment: Appointment, patient: Patient) -> bool:
        """Whether a message or a change of this appointment or patient waits unapplied (promise 4)."""
        if self.unit.changes.waits([appointment.id]):
            return True
        feeds = self.workshop.settings.feeds
        channels = [feed.name for feed in feeds.values() if feed.scope == appointment.scope]
        messages = self.unit.inbox.waiting(channels, MOST_WAITING)
        if len(messages) >= MOST_WAITING:
            return True
        known = {*appointment.identifiers, *patient.identifiers}
        for message in messages:
            feed = feeds[message.channel]
            keys = identity_keys(message.payload, feed.vendor, feed.facts)
            shown = {appointment_key(k.path, k.value, k.namespace, keys.occurrence) for k in keys.appointment}
            shown |= {patient_key(k.authority, k.type, k.value) for k in keys.patients}
            if known & shown:
                return True
        return False


def offer_reminders(desk: Desk, number: str) -> Offer | None:
    """Write down the next text to this number, or say of each due reminder why not."""
    reminders = desk.unit.reminders.open_of_number(number)
    due = [reminder for reminder in reminders if reminder.due_at <= desk.now]
    practice = desk.workshop.settings.practices.get(due[0].practice)
    due = [reminder for reminder in due if reminder.practice == due[0].practice]
    verdict = desk.of_number(number, practice)
    if practice is None or verdict is not None:
        settle(desk, due, verdict or Skip("texts are off for this practice"))
        return None
    going = _going(desk, due)
    if not going:
        return None
    settled_at = _settled_at(desk, reminders, going, practice)
    if settled_at is not None:
        settle(desk, [c.reminder for c in going], Hold(settled_at, "waits for further news"))
        return None
    gathered = gather([*going, *_companions(desk, reminders, due, practice)], practice.plan, desk.now)
    verdict = desk.of_practice(practice) or _of_moment(desk, gathered, practice, number)
    if verdict is None:
        try:
            return _write(desk, gathered, practice, number)
        except WordingError as why:
            verdict = Skip(str(why))
    _hold_back(desk, gathered, verdict, practice)
    return None


def _going(desk: Desk, due: Iterable[Reminder]) -> list[Candidate]:
    """The due reminders that pass the last look; the others get their reason."""
    going = []
    for reminder in due:
        candidate = _candidate(desk, reminder)
        verdict = desk.of_reminder(candidate)
        if verdict is None:
            going.append(candidate)
        else:
            settle(desk, [reminder], verdict)
    return going


def _candidate(desk: Desk, reminder: Reminder) -> Candidate:
    plan = desk.workshop.settings.practices[reminder.practice].plan
    return Candidate(
        reminder,
        plan.step(reminder.step),
        desk.unit.appointments.get(reminder.appointment_id),
        desk.unit.patients.get(reminder.patient_id),
    )


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
        and practice.plan.step(reminder.step).on is not None
    ]
    waited = desk.now - min(candidate.reminder.due_at for candidate in going)
    return max(fresh) if fresh and waited < settle * PATIENCE else None


def _companions(
    desk: Desk, reminders: Iterable[Reminder], due: Sequence[Reminder], practice: Practice
) -> list[Candidate]:
    """What else would be said to this number later today: one text a day says it all now."""
    today = desk.now.astimezone(practice.plan.zone).date()
    later = [
        reminder
        for reminder in reminders
        if reminder not in due
        and reminder.practice == practice.name
        and reminder.due_at > desk.now
        and reminder.due_at.astimezone(practice.plan.zone).date() == today
    ]
    candidates = [_candidate(desk, reminder) for reminder in later]
    return [candidate for candidate in candidates if desk.of_reminder(candidate) is None]


def _of_moment(desk: Desk, gathered: Gathered, practice: Practice, number: str) -> Verdict:
    """Whether this text may arrive at this hour, and on this day."""
    not_after = _not_after(gathered.visits)
    verdict = of_hours(practice.plan, not_after=not_after, now=desk.now)
    if verdict is not None or all(visit.step.outranks_caps for visit in gathered.visits) or gathered.silent:
        return verdict
    return of_caps(
        desk.unit.texts.offered_to(number, desk.now - WEEK),
        per_day=practice.caps.per_day,
        per_week=practice.caps.per_week,
        rules=practice.plan,
        not_after=not_after,
        now=desk.now,
    )


def _hold_back(desk: Desk, gathered: Gathered, verdict: Verdict, practice: Practice) -> None:
    """Give the due reminders their reason; bad news that will not arrive is a call to make."""
    candidates = [c for c in (*gathered.visits, *gathered.silent) if c.reminder.due_at <= desk.now]
    settle(desk, [candidate.reminder for candidate in candidates], verdict)
    if not isinstance(verdict, Skip):
        return
    for candidate in candidates:
        if candidate.step.outranks_caps:
            desk.unit.tasks.add(
                StaffTask(
                    id=0,
                    kind=TaskKind.CALL_PATIENT,
                    practice=practice.name,
                    reason=f"The text '{candidate.step.name}' was not sent: {verdict.reason}. Please call.",
                    created_at=desk.now,
                    due_at=candidate.start,
                    patient_id=candidate.patient.id,
                    appointment_id=candidate.appointment.id,
                )
            )


def settle(desk: Desk, reminders: Sequence[Reminder], verdict: Verdict) -> None:
    """Write down why these reminders do not go now."""
    if isinstance(verdict, Hold):
        changed = [
            replace(
                reminder,
                state=ReminderState.HELD,
                reason=verdict.reason,
                due_at=verdict.until,
                decided_at=desk.now,
            )
            for reminder in reminders
        ]
    elif isinstance(verdict, Skip):
        changed = [
            replace(reminder, state=ReminderState.SKIPPED, reason=verdict.reason, decided_at=desk.now)
            for reminder in reminders
        ]
    else:
        return
    desk.unit.reminders.update(changed)


def _not_after(candidates: Iterable[Candidate]) -> datetime:
    return min(candidate.reminder.not_after for candidate in candidates)


def _write(desk: Desk, gathered: Gathered, practice: Practice, number: str) -> Offer:
    """Compose the text and write it down with its attempt, its reminders and its questions."""
    language = next(
        (c.patient.language for c in gathered.visits if c.patient.language in practice.languages),
        practice.languages[0],
    )
    composed, spoken = _compose(desk, gathered, practice, language)
    not_after = _not_after(spoken)
    text = desk.unit.texts.add(
        TextMessage(
            id=0,
            practice=practice.name,
            number=number,
            kind=TextKind.REMINDER,
            occasion=gathered.occasion,
            language=language,
            body=composed.body,
            encoding=composed.encoding,
            segments=composed.segments,
            created_at=desk.now,
            not_after=not_after,
            subjects=_subjects(composed, spoken),
            offered_at=desk.now,
        )
    )
    desk.unit.reminders.update(
        [
            replace(c.reminder, state=ReminderState.SENT, reason=None, text_id=text.id, decided_at=desk.now)
            for c in (*spoken, *gathered.silent)
        ]
    )
    if gathered.ask:
        _ask(desk, text, spoken)
    ends = min(not_after, practice.plan.hours.closing(desk.now, practice.plan.zone))
    return Offer(text, desk.attempt(text), ends - desk.now)


def _compose(
    desk: Desk, gathered: Gathered, practice: Practice, language: str
) -> tuple[Composed, list[Candidate]]:
    """The first text that speaks of these visits, and the visits it speaks of."""
    words = [
        VisitWords(
            first_name=c.patient.given,
            start=c.start.astimezone(ZoneInfo(c.appointment.zone)),
            modality=c.appointment.slot.modality,
            patient=str(c.patient.id),
        )
        for c in gathered.visits
    ]
    composed = compose(
        desk.workshop.settings.catalogs[language],
        gathered.occasion,
        ask=gathered.ask,
        practice=PracticeWords(practice.public_name, practice.phone, practice.emergency),
        visits=words,
        max_segments=practice.max_segments,
        name_patients=practice.first_names,
        sent_on=desk.now.astimezone(practice.plan.zone).date(),
    )[0]
    return composed, [gathered.visits[index] for index in composed.visits]


def _subjects(composed: Composed, spoken: Sequence[Candidate]) -> tuple[Subject, ...]:
    """Whom the text speaks of; each chart gets only its own patient's part (promise 12)."""
    return tuple(
        Subject(c.patient.id, c.appointment.id, None if part == composed.body else part)
        for c, part in zip(spoken, composed.parts, strict=True)
    )


def _ask(desk: Desk, text: TextMessage, spoken: Iterable[Candidate]) -> None:
    """Open a question for each visit the text asks about."""
    for candidate in spoken:
        desk.unit.replies.ask(
            Question(
                id=0,
                text_id=text.id,
                number=text.number,
                appointment_id=candidate.appointment.id,
                patient_id=candidate.patient.id,
                slot_number=candidate.appointment.slot_number,
                visit_start=candidate.start,
                asked_at=desk.now,
                expires_at=desk.now + QUESTION_LIFE,
            )
        )
