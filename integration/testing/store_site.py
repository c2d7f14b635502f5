"""The fake store's configurations, processes, and feeds that are expected to speak."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integration.ports.site import Anew, Configuration
from integration.settings.differences import Scope
from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from integration.ports.site import ConfigurationState, FeedWatch, Process
    from integration.testing.store_tables import Tables


class FakeConfigurationRows:
    """See `integration.ports.site.ConfigurationRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def in_force(self) -> Configuration | None:
        """At most one is."""
        return self._in("in_force")

    def get(self, generation: int) -> Configuration | None:
        """By its generation."""
        return self._tables.configurations.get(generation)

    def knows(self, digest: str) -> bool:
        """Now or before."""
        return any(
            each.digest == digest and each.state in {"in_force", "past"}
            for each in self._tables.configurations.values()
        )

    def propose(self, texts: Mapping[str, str], digest: str, at: datetime) -> int:
        """The newest stands."""
        earlier = self._in("proposed")
        if earlier is not None:
            self.refuse(earlier.generation, "another was proposed", at)
        generation = self._tables.next_id("configurations")
        proposed = Configuration(generation, digest, dict(texts), "proposed", None, at)
        self._tables.configurations[generation] = as_stored(proposed)
        return generation

    def put_in_force(self, generation: int, scope: Scope, at: datetime) -> bool:
        """In the place of the former."""
        proposed = self._tables.configurations.get(generation)
        if proposed is None or proposed.state != "proposed":
            return False
        former = self._in("in_force")
        if former is not None:
            left = self._tables.anew.pop(former.generation, None)
            scope |= Scope() if left is None else left.scope
            self._settle(former, "past", None, at)
        stored = as_stored(replace(proposed, state="in_force", at=at))
        self._tables.configurations[generation] = stored
        if scope:
            self._tables.anew[generation] = Anew(generation, scope, 0, stored.at)
        return True

    def refuse(self, generation: int, reason: str, at: datetime) -> None:
        """Unless it is decided already."""
        known = self._tables.configurations.get(generation)
        if known is not None and known.state == "proposed":
            self._settle(known, "refused", reason, at)

    def claim_anew(self, generation: int) -> Anew | None:
        """A unit is alone."""
        return self._tables.anew.get(generation)

    def advance(self, generation: int, after_id: int | None) -> None:
        """So far."""
        if after_id is None:
            self._tables.anew.pop(generation, None)
        else:
            self._tables.anew[generation] = replace(self._tables.anew[generation], after_id=after_id)

    def _in(self, state: ConfigurationState) -> Configuration | None:
        return next((each for each in self._tables.configurations.values() if each.state == state), None)

    def _settle(
        self, known: Configuration, state: ConfigurationState, reason: str | None, at: datetime
    ) -> None:
        settled = replace(known, state=state, reason=reason, at=at, texts={})
        self._tables.configurations[known.generation] = as_stored(settled)


class FakeProcessRows:
    """See `integration.ports.site.ProcessRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def say(self, process: Process) -> None:
        """The newest word stands."""
        self._tables.processes[process.name] = as_stored(process)

    def seen_since(self, at: datetime) -> Sequence[Process]:
        """By name."""
        return [
            self._tables.processes[name]
            for name in sorted(self._tables.processes)
            if self._tables.processes[name].seen_at >= at
        ]

    def forget(self, names: Collection[str]) -> None:
        """Gone."""
        for name in names:
            self._tables.processes.pop(name, None)


class FakeFeedRows:
    """See `integration.ports.site.FeedRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def claim(self) -> Sequence[FeedWatch] | None:
        """A unit is alone."""
        return self.all()

    def get(self, name: str) -> FeedWatch | None:
        """By name."""
        return self._tables.feed_watches.get(name)

    def all(self) -> Sequence[FeedWatch]:
        """By name."""
        return [self._tables.feed_watches[name] for name in sorted(self._tables.feed_watches)]

    def save(self, watch: FeedWatch) -> None:
        """In place of what was known."""
        self._tables.feed_watches[watch.name] = as_stored(watch)

    def forget(self, name: str) -> None:
        """Gone."""
        self._tables.feed_watches.pop(name, None)

    def newest(self) -> int:
        """The last one."""
        return max(self._tables.inbox, default=0)

    def heard_since(self, message_id: int) -> tuple[int, Mapping[str, datetime]]:
        """What came since."""
        new = [message for message in self._tables.inbox.values() if message.id > message_id]
        heard: dict[str, datetime] = {}
        for message in new:
            heard[message.channel] = max(message.received_at, heard.get(message.channel, message.received_at))
        return max((message.id for message in new), default=message_id), heard
