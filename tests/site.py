"""A site in a test: the real steps, a store, a telephone network in memory, and a clock to turn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from integration.adapters.write_back.log_only import LogOnlyMode
from integration.pipeline.plan import plan_changes
from integration.pipeline.reply import hear
from integration.pipeline.send import send_next
from integration.pipeline.track import look_up, track
from integration.pipeline.translate import translate
from integration.ports.store import Callback, KeptMessage
from integration.ports.workshop import Workshop
from integration.testing.sms import FakeSmsProvider
from tests.settings import ZONE, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.domain.reminder import Reminder
    from integration.domain.staff_task import StaffTask
    from integration.domain.text_message import TextMessage
    from integration.ports.store import Store
    from integration.settings.model import Settings


def local(text: str) -> datetime:
    """A local time of the practice: `2027-03-01T11:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@dataclass
class TurnedClock:
    """Both clocks stand where a story puts them."""

    now: datetime

    def calendar(self) -> datetime:
        return self.now

    def wall(self) -> datetime:
        return self.now


@dataclass
class Site:
    """Everything between the inbox and the provider."""

    store: Store
    clock: TurnedClock
    sms: FakeSmsProvider = field(default_factory=FakeSmsProvider)
    settings: Settings = field(default_factory=settings)

    def __post_init__(self) -> None:
        tokens = count(1)
        self._digests = count(1)
        self.workshop = Workshop(
            store=self.store,
            sms=self.sms,
            write_back=LogOnlyMode(),
            clock=self.clock,
            settings=self.settings,
            public_base_url="http://127.0.0.1:8080",
            new_token=lambda: f"token-{next(tokens)}",
            random=lambda: 0.0,
        )

    def change(self, **changes: Any) -> None:
        """Change the workshop, as a restart with other settings would."""
        self.workshop = replace(self.workshop, **changes)

    def receive(self, payload: bytes, channel: str = "main") -> None:
        """Keep one message, and do nothing about it yet."""
        message = KeptMessage(0, channel, "", payload, self.clock.wall())
        with self.store.unit() as unit:
            unit.inbox.add(message, hashlib.sha256(payload + str(next(self._digests)).encode()).digest())

    def hear(self, payload: bytes, channel: str = "main") -> None:
        """Receive one message and work until nothing is left to do now."""
        self.receive(payload, channel)
        self.work()

    def work(self) -> None:
        """Run every step until nothing is left to do now."""
        for _ in range(1000):
            busy = [translate(self.workshop), plan_changes(self.workshop), send_next(self.workshop)]
            busy += [track(self.workshop), hear(self.workshop), look_up(self.workshop)]
            if not any(busy):
                return
        raise AssertionError("the steps never come to rest")

    def until(self, end: datetime) -> None:
        """Turn the clock from due time to due time, working at each, and stop at `end`."""
        for _ in range(1000):
            with self.store.unit() as unit:
                due = unit.reminders.next_due()
            if due is None or due > end:
                break
            self.clock.now = max(self.clock.now, due)
            self.work()
        self.clock.now = max(self.clock.now, end)
        self.work()

    def told(self, provider_id: str, word: str) -> None:
        """Let the provider report a status."""
        webhook = self.sms.tell(provider_id, word)
        with self.store.unit() as unit:
            token = webhook.url.rsplit("/", 1)[-1]
            unit.callbacks.add(
                Callback(0, self.sms.name, token, urlencode(dict(webhook.form)), self.clock.wall())
            )
        self.work()

    @property
    def texts(self) -> list[TextMessage]:
        """Every text written down, oldest first."""
        with self.store.unit() as unit:
            return list(unit.texts.between(local("2000-01-01T00:00"), self.clock.now + timedelta(days=1)))

    @property
    def sent(self) -> list[tuple[str, str]]:
        """What went out: local time and occasion."""
        return [
            (text.offered_at.astimezone(ZONE).strftime("%m-%d %H:%M"), text.occasion)
            for text in self.texts
            if text.offered_at is not None
        ]

    @property
    def reminders(self) -> dict[str, Reminder]:
        """The newest reminder of each step of the practice."""
        with self.store.unit() as unit:
            found: Sequence[Reminder] = unit.reminders.states_of_practice(
                "riverside", local("2000-01-01T00:00")
            )
        return {reminder.step: reminder for reminder in found}

    @property
    def tasks(self) -> Sequence[StaffTask]:
        """What staff are asked to do."""
        with self.store.unit() as unit:
            return unit.tasks.open()
