"""Which settings a process runs with: those in force when it starts, and others as soon as they are.

The store keeps the texts of the configuration in force, so every process runs with the same, whatever
its folder says meanwhile (docs/decisions/0020). `reload` proposes another; each running process looks at it
and answers whether it could take it; only then is it put in force, and each process takes it between
two pieces of work. A process that cannot take what is in force does nothing any more, and says so.
"""

from __future__ import annotations

import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from integration.domain.surprise import describe
from integration.ports.site import Process
from integration.ports.store import StoreUnavailable
from integration.settings.differences import Scope, everything, touched
from integration.settings.mistakes import ConfigError
from integration.settings.written import Written, read_again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration.ports.store import Store, Unit
    from integration.settings.model import Settings

LOOK: Final = 1.0  # seconds between two looks
SAY: Final = timedelta(seconds=5)  # wall; a process says so often that it lives
GONE: Final = timedelta(seconds=20)  # wall; one that has not said so for so long has ended
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger(__name__)


class Running(NamedTuple):
    """What a process runs with."""

    settings: Settings
    generation: int


def begin_with(store: Store, written: Written, at: datetime, *, whole_site: bool) -> Running:
    """The settings to start with; those that are new to the store come into force.

    `whole_site`: no other process reads another folder. Else a folder whose content was in force before,
    and is not any more, is a host's that was left behind: the one in force holds.
    """
    with store.unit() as unit:
        forced = unit.configurations.in_force()
        if forced is not None and forced.digest == written.digest:
            return Running(written.settings, forced.generation)
        if forced is not None and not whole_site and unit.configurations.knows(written.digest):
            _log.warning("this folder was in force before; newer settings hold", in_force=forced.generation)
            return Running(read_again(forced.texts).settings, forced.generation)
        scope = _scope(unit, None if forced is None else forced.texts, written.settings)
        generation = unit.configurations.propose(written.texts, written.digest, at)
        unit.configurations.put_in_force(generation, scope, at)
    _log.info(
        "settings are in force", generation=generation, to_read=len(scope.feeds), to_plan=len(scope.practices)
    )
    return Running(written.settings, generation)


def go_on_with(store: Store) -> Running | None:
    """The settings in force, for a process that is born again; None when there are none it could read."""
    with store.unit() as unit:
        forced = unit.configurations.in_force()
    if forced is None:
        return None
    try:
        return Running(read_again(forced.texts).settings, forced.generation)
    except ConfigError:
        return None


def _scope(unit: Unit, former: Mapping[str, str] | None, settings: Settings) -> Scope:
    """Whose appointments to think over; nobody's in a store that has none."""
    if former is None:
        stored, more = unit.appointments.touched(everything(settings), after_id=0, since=_EVER, limit=1)
        return everything(settings) if stored or more is not None else Scope()
    try:
        return touched(read_again(former).settings, settings)
    except ConfigError:  # another release wrote it
        return everything(settings)


def own_name(role: str) -> str:
    """What this process is called among those that run."""
    return f"{role} {os.getpid()} on {socket.gethostname()}"


class SettingsWatch:
    """Looks which settings are in force, takes them, and answers for this process what is proposed."""

    def __init__(
        self,
        store: Store,
        role: str,
        generation: int,
        *,
        wall: Callable[[], datetime],
        take: Callable[[Running], None],
        check: Callable[[Settings], str | None] = lambda settings: None,  # noqa: ARG005 - most could take any
        rest: Callable[[], None] = lambda: None,
        alone: bool = False,
    ) -> None:
        """`take` begins to run with others; `check` says why that could not be, None when it could.

        `rest` does nothing any more until something is taken. One that is `alone` in its role knows that
        others of it have ended, however they did.
        """
        self.name = own_name(role)
        self.generation = generation
        self.trouble: str | None = None  # why it does not run with the settings in force
        self._store = store
        self._role = role
        self._wall = wall
        self._take_them = take
        self._check = check
        self._rest = rest
        self._alone = alone
        self._answered: int | None = None
        self._refusal: str | None = None
        self._said_at: datetime | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settings", daemon=True)

    def start(self) -> None:
        """Look once a second, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End, and say so."""
        self._stopping.set()
        self._thread.join()
        try:
            with self._store.unit() as unit:
                unit.processes.forget([self.name])
        except StoreUnavailable:
            pass  # it will be seen to be gone

    def look(self) -> None:
        """Look once. Raises StoreUnavailable."""
        news = self._store.configuration_news()
        if news.in_force is not None and news.in_force != self.generation:
            self._take()
        if news.proposed is not None and news.proposed != self._answered:
            self._answer(news.proposed)
        elif self._said_at is None or self._wall() - self._said_at >= SAY:
            self._say()

    def _take(self) -> None:
        with self._store.unit() as unit:
            forced = unit.configurations.in_force()
        if forced is None:
            return
        try:
            self._take_them(Running(read_again(forced.texts).settings, forced.generation))
        except ConfigError as error:
            self._fail(f"the settings in force have {len(error.mistakes)} mistakes for this release")
        except Exception as surprise:  # noqa: BLE001 - whatever it is, the next look tries again
            self._fail(describe(surprise))
        else:
            self.generation, self.trouble = forced.generation, None
            _log.info("settings taken", generation=forced.generation)
            self._say()

    def _fail(self, why: str) -> None:
        if self.trouble is None:
            self._rest()
        if self.trouble != why:
            _log.error("the settings in force cannot be taken", reason=why)
        self.trouble = why

    def _answer(self, proposed: int) -> None:
        with self._store.unit() as unit:
            found = unit.configurations.get(proposed)
        if found is None or found.state != "proposed":
            return
        try:
            self._refusal = self._check(read_again(found.texts).settings)
        except ConfigError as error:
            self._refusal = f"for its release they have mistakes: {error}"
        self._answered = proposed
        self._say()

    def _say(self) -> None:
        now = self._wall()
        with self._store.unit() as unit:
            if self._alone and self._said_at is None:
                others = unit.processes.seen_since(_EVER)
                unit.processes.forget([each.name for each in others if each.role == self._role])
            unit.processes.say(
                Process(self.name, self._role, self.generation, self._answered, self._refusal, now)
            )
        self._said_at = now

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except StoreUnavailable:
                pass  # whoever works says so
            except Exception as surprise:  # noqa: BLE001 - whatever it is, the next look tries again
                _log.error("looking for settings surprised", surprise=describe(surprise))
            self._stopping.wait(LOOK)
