"""One transaction's view of the world: what forbids a text, holds it up, or lets it go."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from integration.aftermath import call_instead, open_task
from integration.domain.appointment import AppointmentEvent
from integration.domain.consequences import budget_breaker, mass_change_breaker, texts_breaker
from integration.domain.cost import USED_UP
from integration.domain.feed_silence import silence
from integration.domain.gathering import Candidate
from integration.domain.last_look import (
    AWAITS_RELEASE,
    LATER,
    OTHER_NUMBER,
    PRIVATE,
    SOON,
    Hold,
    Skip,
    Verdict,
    of_patient,
    of_visit,
    suppressed,
)
from integration.domain.plan_revision import told_off
from integration.domain.recipient_zone import recipient_zones
from integration.domain.reminder import ReminderState
from integration.domain.sender_pace import NO_TURN, WAITS_ITS_TURN, turn, usual_rate, went
from integration.domain.staff_task import StaffTask, TaskKind
from integration.domain.text_message import Attempt, AttemptState
from integration.domain.write_back import WriteBackKind
from integration.pipeline.send.waiting import is_waiting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from integration.domain.consent import SuppressionKind
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.text_message import TextMessage
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Practice

HOUR = timedelta(hours=1)
NO_PROVIDER = "no provider"


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
    breakers: Collection[str]  # the open ones
    now: datetime = field(init=False)  # calendar
    wall: datetime = field(init=False)
    breakers_to_open: dict[str, str] = field(default_factory=dict)
    unsayable: set[Skip] = field(default_factory=set)  # no words were found, though no rule forbids the text
    to_ask: str | None = None  # the number whose line the provider is to be asked about

    def __post_init__(self) -> None:
        """Read both clocks once."""
        self.now = self.workshop.clock.calendar()
        self.wall = self.workshop.clock.wall()

    def attempt(self, text: TextMessage) -> Attempt:
        """Write down that the text is about to leave; whoever it is for, its sender is busy with it."""
        rate, sender = self._rate(self.workshop.settings.practices.get(text.practice))
        if rate is not None:
            pace = self.unit.paces.take(sender, self.now)
            self.unit.paces.keep(went(pace, text.segments, rate, self.now))
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

    def hold_still(self, reminders: Iterable[Reminder]) -> None:
        """From here on nobody changes or plans the visits of these until this unit ends."""
        self.unit.changes.waits(sorted({reminder.appointment_id for reminder in reminders}))

    def candidate(self, reminder: Reminder, practice: Practice) -> Candidate | None:
        """The reminder with all it is about; None when its step is no longer in the plan."""
        step = practice.plan.step(reminder.step)
        if step is None:
            return None
        if step.on is AppointmentEvent.BOOKED:
            stored = self.unit.reminders.of_appointment(reminder.appointment_id)
            cancelled = practice.plan.on(AppointmentEvent.CANCELLED)
            if cancelled is not None and told_off(stored, practice.plan, reminder.patient_id):
                # Who was told that it is off must hear that it is on as they heard the former.
                step = replace(step, outranks_caps=cancelled.outranks_caps)
        return Candidate(
            reminder,
            step,
            self.unit.appointments.get(reminder.appointment_id),
            self.unit.patients.get(reminder.patient_id),
        )

    def of_number(
        self, number: str, practice: Practice | None, *, despite: Collection[SuppressionKind] = ()
    ) -> Verdict:
        """What forbids, or holds up, every text to this number, `despite` these suppressions."""
        settings, sms = self.workshop.settings, self.workshop.sms
        if practice is None or not practice.sms:
            return Skip("texts are off for this practice")
        if sms is None:
            return Hold(self.now + LATER, NO_PROVIDER)
        if self.workshop.simulated and not sms.loopback:
            return Skip("a simulated calendar texts nobody but the sandbox")
        if settings.mode == "test" and not sms.loopback and number not in settings.allowed_numbers:
            return Skip("test mode: the number is not on the allow-list")
        if self.unit.replies.waits(number):
            return Hold(self.now + SOON, "a text from this number is being read")
        suppressions = [one for one in self.unit.numbers.suppressions(number) if one.kind not in despite]
        return suppressed(suppressions, self._scope(practice))

    def of_turn(self, practice: Practice, *, waited: bool, not_after: datetime) -> Verdict:
        """Whether it is its turn at the sender; what may not wait is not asked about."""
        rate, sender = self._rate(practice)
        if rate is None:
            return None
        at, pace = turn(self.unit.paces.take(sender, self.now), rate, self.now, waited=waited)
        if at is not None and at > not_after:
            return Skip(NO_TURN)
        self.unit.paces.keep(pace)
        return None if at is None else Hold(at, WAITS_ITS_TURN)

    def _rate(self, practice: Practice | None) -> tuple[float | None, str]:
        """Segments a second of the practice's sender, None without a limit; and the sender."""
        sms, rates = self.workshop.sms, self.workshop.settings.sending.segments_per_second
        sender = (practice and practice.sender) or (sms and sms.usual_sender) or ""
        if sms is None or self.workshop.simulated:
            return None, sender
        return rates.get(sender) or (None if sms.loopback else usual_rate(sender)), sender

    def _scope(self, practice: Practice) -> str | None:
        """The sender whose opt-outs count beside those of all; None: everybody's do.

        Who texts from a service, or from the site's usual sender, may do so from any number of the pool.
        """
        own = practice.sender
        if self.workshop.settings.sending.opt_out_covers_all_senders or own is None or own.startswith("MG"):
            return None
        return own

    def of_reminder(self, candidate: Candidate) -> Verdict:
        """What forbids, or holds up, this reminder."""
        reminder, appointment, patient = candidate.reminder, candidate.appointment, candidate.patient
        practice = self.workshop.settings.practices[reminder.practice]
        feed = self.workshop.settings.feeds.get(appointment.feed)
        if feed is None or feed.state == "shadow":
            return Skip("the feed is in shadow")
        if reminder.reason == NO_PROVIDER:
            return Skip("was due while there was no provider")  # a switch-on sends nothing already due
        waiting = is_waiting(self.unit, self.workshop, appointment, patient)
        verdict = of_visit(reminder, candidate.step, appointment, waiting=waiting, now=self.now)
        if verdict is None and candidate.step.outranks_caps:
            verdict = self._breaker(mass_change_breaker(practice.name))
        if verdict is None and feed.hold_when_silent:
            watch = self.unit.feeds.get(feed.name)
            if watch is not None and watch.silent_since is not None:
                verdict = Hold(self.now + LATER, silence(feed.name, watch.silent_since, feed.zone))
        if verdict is not None:
            return verdict
        recorded = self.unit.patients.consent(patient.id)
        local = self.now.astimezone(practice.plan.zone)
        # Laws let minors see some clinicians without their parents (45 CFR 164.502(g)(3)).
        if patient.is_minor(local.date()) and feed.is_sensitive(appointment.practice, appointment.slot.place):
            return Skip(PRIVATE)
        return of_patient(patient, reminder.number, practice.consent, recorded=recorded, now=local)

    def zones_of(self, patients: Iterable[Patient], practice: Practice) -> tuple[ZoneInfo, ...]:
        """By whose clocks a text about these patients is read, the likeliest first."""
        return recipient_zones(patients, practice.plan.zone)

    def zones_of_text(self, text: TextMessage, practice: Practice) -> tuple[ZoneInfo, ...]:
        """The same of a text that is written already."""
        return self.zones_of((self.unit.patients.get(each.patient_id) for each in text.subjects), practice)

    def of_budget(self, practice: Practice) -> Verdict:
        """Whether the practice has spent what it meant to spend this month."""
        stopped = budget_breaker(practice.name) in self.breakers
        return Hold(self.now + LATER, USED_UP) if stopped else None

    def of_practice(self, practice: Practice) -> Verdict:
        """Whether the practice has texted more in an hour than it should (design: no blast)."""
        name = texts_breaker(practice.name)
        verdict = self._breaker(name)
        since = max(self.now - HOUR, self.unit.breakers.released().get(name, self.now - HOUR))
        if verdict is None and self.unit.texts.offered_by(practice.name, since) >= practice.texts_per_hour:
            self.breakers_to_open[name] = "more texts in an hour than expected"
            open_task(
                self.unit,
                StaffTask(
                    id=0,
                    kind=TaskKind.RELEASE,
                    practice=practice.name,
                    reason="More texts went out in an hour than expected: release the others or drop them.",
                    created_at=self.now,
                ),
                self.workshop.settings,
            )
            verdict = Hold(self.now + LATER, AWAITS_RELEASE)
        return verdict

    def _breaker(self, name: str) -> Verdict:
        return Hold(self.now + LATER, AWAITS_RELEASE) if name in self.breakers else None


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
        changed = [skipped(desk, reminder, verdict) for reminder in reminders]
    else:
        return
    desk.unit.reminders.update(changed)


def skipped(desk: Desk, reminder: Reminder, verdict: Skip) -> Reminder:
    """The reminder that will not go; it goes to the patient's number of today, if that is why.

    Planning cannot have sent it there: the reminder had its text already, or the patient has come of age.
    """
    if verdict.reason == OTHER_NUMBER:
        zone = desk.workshop.settings.practices[reminder.practice].plan.zone
        number = desk.unit.patients.get(reminder.patient_id).number_on(desk.now.astimezone(zone).date())
        if number is not None:
            moved = replace(reminder, id=0, number=number, state=ReminderState.PLANNED, reason=None)
            desk.unit.reminders.add(
                [replace(moved, due_at=desk.now, text_id=None, after_text_id=None, decided_at=desk.now)]
            )
    elif reminder.after_text_id is not None:
        call_instead(desk.unit, reminder, verdict.reason, desk.now, desk.workshop.settings)
    elif desk.workshop.settings.write_back.skipped and reminder.text_id is None:
        desk.unit.write_backs.want(WriteBackKind.SKIPPED, reminder.id, reminder.patient_id)
    return replace(reminder, state=ReminderState.SKIPPED, reason=verdict.reason, decided_at=desk.now)
