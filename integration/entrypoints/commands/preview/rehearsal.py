"""Rehearses messages on an empty store: the real steps, a provider that sends nothing, a calendar that jumps.

Each message is taken as new and arrives at its MSH-7 (meta.lastUpdated), or at `now` if that is
later; consent is taken as given and nobody answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from fhir_mappers.translate_message import translate as translate_message
from integration.adapters.write_back.log_only import LogOnlyMode
from integration.domain.consent import ConsentPolicy
from integration.domain.reminder import ReminderState
from integration.entrypoints.commands.preview.silence import why_silent
from integration.pipeline.plan import plan_changes
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from integration.ports.store import KeptMessage
from integration.ports.workshop import Workshop
from integration.testing.sms import FakeSmsProvider
from integration.testing.store import FakeStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from integration.domain.reminder import Reminder
    from integration.domain.text_message import TextMessage
    from integration.settings.model import Feed, Practice, Settings

MOST_STEPS = 100_000  # of one rehearsal; it ends long before
EVER = timedelta(days=36_500)


class JumpingClock:
    """A calendar that stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now.astimezone(UTC)

    def jump(self, to: datetime) -> None:
        """Go forward, never back."""
        self.now = max(self.now, to.astimezone(UTC))

    def calendar(self) -> datetime:
        """Where it stands."""
        return self.now

    def wall(self) -> datetime:
        """The same."""
        return self.now


@dataclass(frozen=True, slots=True)
class Silence:
    """A message that would cause no text and no reminder."""

    control_id: str
    reason: str
    refused: bool  # it cannot even be applied


def rehearse(
    messages: Iterable[bytes], *, settings: Settings, feed: Feed, practice: str | None, now: datetime
) -> tuple[list[dict[str, Any]], list[Silence]]:
    """The texts and skipped reminders these messages would cause, as `preview --json` shows them.

    In order of time. `practice` takes every location when given. Beside them, the messages that
    cause nothing, each with the reason.
    """
    stage = _Stage(_rehearsal_settings(settings, feed, practice), feed, JumpingClock(now))
    for message in messages:
        stage.hear(message)
    stage.run_out()
    lines = list(stage.lines())
    return lines, stage.silences(lines)


def _rehearsal_settings(settings: Settings, feed: Feed, practice: str | None) -> Settings:
    """The site as it is, but fearless: live feed, test mode, consent given, no message too old."""
    hearing = None if feed.fhir is None else replace(feed.fhir, role="create")
    changed = replace(feed, state="live", oldest_event=EVER, fhir=hearing)
    practices = {
        name: replace(known, consent=ConsentPolicy.NOT_REQUIRED, sms=True)
        for name, known in settings.practices.items()
    }
    if practice is not None:
        changed = replace(changed, locations={})
        practices = {practice: replace(practices[practice], serves_unclaimed=True)}
    return replace(settings, mode="test", feeds={feed.name: changed}, practices=practices)


class _Stage:
    """The workshop of one rehearsal, and what was heard in it."""

    def __init__(self, settings: Settings, feed: Feed, clock: JumpingClock) -> None:
        tokens = count(1)
        self._silent: dict[int, Silence] = {}
        self._over: set[int] = set()  # messages about visits that had begun when they arrived
        self._clock = clock
        self._feed = feed
        self._store = FakeStore()
        self._workshop = Workshop(
            store=self._store,
            sms=FakeSmsProvider(),
            write_back=LogOnlyMode(),
            clock=clock,
            settings=settings,
            public_base_url="http://127.0.0.1",
            new_token=lambda: f"rehearsal-{next(tokens)}",
            random=lambda: 0.0,
        )
        self._control_ids: dict[int, str] = {}
        self._began = clock.calendar()

    def hear(self, payload: bytes) -> None:
        """Let one message arrive, after everything that is due before it."""
        translation = translate_message(payload, self._feed.vendor, self._feed.facts)
        if translation.occurred_at is not None and translation.occurred_at > self._clock.calendar():
            self._run_until(translation.occurred_at)
            self._clock.jump(translation.occurred_at)
        number = len(self._control_ids) + 1
        message = KeptMessage(
            id=0,
            channel=self._feed.name,
            control_id=translation.control_id,
            payload=payload,
            received_at=self._clock.wall(),
        )
        with self._store.unit() as unit:
            # The same bytes twice are two messages here: an engineer tries things out.
            unit.inbox.add(message, hashlib.sha256(payload + str(number).encode()).digest())
            (kept,) = unit.inbox.listing(after_id=max(self._control_ids, default=0))
        self._control_ids[kept.id] = translation.control_id
        for step in (translate, plan_changes):
            while step(self._workshop):
                pass
        with self._store.unit() as unit:
            after = unit.inbox.get(kept.id)
        assert after is not None  # noqa: S101 - nothing purges a rehearsal
        visit = translation.appointment
        if visit is not None and visit.start is not None and visit.start <= self._clock.now:
            self._over.add(kept.id)
        refused = after.state == "dead"
        why = after.reason or "" if refused else why_silent(translation, after.reason or "", self._clock.now)
        self._silent[kept.id] = Silence(translation.control_id, why, refused)

    def run_out(self) -> None:
        """Let everything that was planned fall due."""
        self._run_until(None)

    def _run_until(self, end: datetime | None) -> None:
        for _ in range(MOST_STEPS):
            with self._store.unit() as unit:
                due = unit.reminders.next_due()
            if due is None or (end is not None and due >= end):
                return
            self._clock.jump(due)
            while send_next(self._workshop):
                pass

    def lines(self) -> Iterator[dict[str, Any]]:
        """What went out and what did not, in order of time."""
        with self._store.unit() as unit:
            texts = unit.texts.between(self._began, self._clock.calendar() + EVER)
            said = {text.id: unit.reminders.of_text(text.id) for text in texts}
            skipped = [
                reminder
                for practice in self._workshop.settings.practices
                for reminder in unit.reminders.states_of_practice(practice, self._began - EVER)
                if reminder.state is not ReminderState.SENT
            ]
        found = [(text.offered_at or self._began, self._of_text(text, said[text.id])) for text in texts]
        found += [(reminder.due_at, self._of_reminder(reminder)) for reminder in skipped]
        yield from (line for _, line in sorted(found, key=lambda pair: pair[0]))

    def silences(self, lines: Sequence[dict[str, Any]]) -> list[Silence]:
        """The messages that none of these lines goes back to; of a visit that is over, none that is sent."""
        spoken = {line["control_id"] for line in lines}
        told = {line["control_id"] for line in lines if line["skip"] is None}
        return [
            each
            for kept_id, each in self._silent.items()
            if each.refused or each.control_id not in (told if kept_id in self._over else spoken)
        ]

    def _of_text(self, text: TextMessage, reminders: Sequence[Reminder]) -> dict[str, Any]:
        practice = self._workshop.settings.practices[text.practice]
        return {
            **self._of_reminder(reminders[0]),
            "to": text.number,
            "occasion": text.occasion,
            "due_at": _local(text.offered_at or self._began, practice),
            "not_after": _local(text.not_after, practice),
            "text": text.body,
            "language": text.language,
            "encoding": text.encoding,
            "segments": text.segments,
            "price": _price(practice, text.segments),
            "skip": None,
        }

    def _of_reminder(self, reminder: Reminder) -> dict[str, Any]:
        practice = self._workshop.settings.practices[reminder.practice]
        step = practice.plan.step(reminder.step)
        return {
            "control_id": self._control_ids.get(reminder.inbox_id or 0),
            "to": reminder.number or None,
            "practice": reminder.practice,
            "occasion": reminder.step if step is None else step.occasion,
            "step": reminder.step,
            "due_at": _local(reminder.due_at, practice),
            "not_after": _local(reminder.not_after, practice),
            "text": None,
            "language": None,
            "encoding": None,
            "segments": None,
            "price": None,
            "skip": reminder.reason or reminder.state.value,
        }


def _local(at: datetime, practice: Practice) -> str:
    return at.astimezone(practice.plan.zone).isoformat(timespec="seconds")


def _price(practice: Practice, segments: int) -> str | None:
    return None if practice.price_per_segment is None else str(practice.price_per_segment * segments)
