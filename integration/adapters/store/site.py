"""The site's configurations, its processes, and the feeds that are expected to speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.site import (
    IN_FORCE,
    PROPOSED,
    configurations,
    processes,
)
from integration.adapters.store.tables.site import feed_watches as watches
from integration.adapters.store.tables.visits import inbox
from integration.ports.site import Anew, Configuration, ConfigurationNews, FeedWatch, Process
from integration.settings.differences import Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from integration.adapters.store.work import Work

_TEXTS = "configurations.sealed_texts"
_GENERATION = configurations.c.id == sa.bindparam("generation")
_FORCED = sa.select(configurations).where(IN_FORCE)
_GET = sa.select(configurations).where(_GENERATION)
_KNOWS = sa.select(configurations.c.id).where(
    configurations.c.digest == sa.bindparam("of_digest"),
    configurations.c.state.in_(("in_force", "past")),
)
_ADD = configurations.insert().returning(configurations.c.id)
_LOCK = (
    sa.select(configurations.c.id, configurations.c.state, configurations.c.anew)
    .where(sa.or_(IN_FORCE, PROPOSED))
    .order_by(configurations.c.id)
    .with_for_update()
)
_SETTLE = (
    configurations.update()
    .where(_GENERATION)
    .values(state=sa.bindparam("new_state"), reason=sa.bindparam("new_reason"), at=sa.bindparam("new_at"))
)
_FORGET_TEXTS = configurations.update().where(_GENERATION).values(sealed_texts=None, anew=None)
_CLAIM_ANEW = (
    sa.select(configurations)
    .where(IN_FORCE, _GENERATION, configurations.c.anew.is_not(None))
    .with_for_update(skip_locked=True)
)
_ADVANCE = configurations.update().where(_GENERATION).values(anew_after=sa.bindparam("so_far"))
_ALL_DONE = configurations.update().where(_GENERATION).values(anew=None)
_BEGIN_ANEW = configurations.update().where(_GENERATION).values(anew=sa.bindparam("new_scope"), anew_after=0)
_NEWS = sa.select(configurations.c.id, configurations.c.state).where(sa.or_(IN_FORCE, PROPOSED))

_SAID = insert(processes)
_SAY = _SAID.on_conflict_do_update(
    index_elements=["name"],
    set_={name: _SAID.excluded[name] for name in ("role", "generation", "answered", "refusal", "seen_at")},
)
_SEEN = (
    sa.select(processes)
    .where(processes.c.seen_at >= sa.bindparam("since", type_=processes.c.seen_at.type))
    .order_by(processes.c.name)
)
_ENDED = processes.delete().where(processes.c.name.in_(sa.bindparam("names", expanding=True)))

_WATCHED = insert(watches)
_WATCH = _WATCHED.on_conflict_do_update(
    index_elements=["name"],
    set_={
        name: _WATCHED.excluded[name]
        for name in ("since", "looked_at", "looked_up_to", "last_heard", "silent_since")
    },
)
_WATCHES = sa.select(watches).order_by(watches.c.name)
_ONE_WATCH = sa.select(watches).where(watches.c.name == sa.bindparam("wanted"))
_UNWATCH = watches.delete().where(watches.c.name == sa.bindparam("wanted"))
_TRY_WATCH_LOCK = sa.select(
    sa.func.pg_try_advisory_xact_lock(sa.literal(0x66656564, sa.BigInteger))
)  # "feed"
_NEWEST = sa.select(sa.func.max(inbox.c.id))
_HEARD = (
    sa.select(
        inbox.c.channel,
        sa.func.max(inbox.c.id).label("newest"),
        sa.func.max(inbox.c.received_at).label("heard"),
    )
    .where(inbox.c.id > sa.bindparam("after_id"))
    .group_by(inbox.c.channel)
)


def configuration_news(connection: sa.Connection) -> ConfigurationNews:
    """Takes no lock."""
    found = {row.state: row.id for row in connection.execute(_NEWS)}
    return ConfigurationNews(found.get("in_force"), found.get("proposed"))


def feed_watches(connection: sa.Connection) -> list[FeedWatch]:
    """Takes no lock."""
    return [_watch(row) for row in connection.execute(_WATCHES)]


class SqlConfigurationRows:
    """See `integration.ports.site.ConfigurationRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def in_force(self) -> Configuration | None:
        """At most one is."""
        return self._read(self._work.row(_FORCED))

    def get(self, generation: int) -> Configuration | None:
        """By its generation."""
        return self._read(self._work.row(_GET, {"generation": generation}))

    def knows(self, digest: str) -> bool:
        """Now or before."""
        return self._work.row(_KNOWS, {"of_digest": digest}) is not None

    def propose(self, texts: Mapping[str, str], digest: str, at: datetime) -> int:
        """The newest stands."""
        for row in self._work.rows(_LOCK):
            if row.state == "proposed":
                self.refuse(row.id, "another was proposed", at)
        facts = {
            "digest": digest,
            "sealed_texts": self._work.seal_json(_TEXTS, dict(texts)),
            "state": "proposed",
            "reason": None,
            "at": at,
            "anew": None,
        }
        return int(self._work.run(_ADD, facts).scalar_one())

    def put_in_force(self, generation: int, scope: Scope, at: datetime) -> bool:
        """Under a lock on both."""
        locked = {row.id: row for row in self._work.rows(_LOCK)}
        if generation not in locked or locked[generation].state != "proposed":
            return False
        for row in locked.values():
            if row.state == "in_force":
                scope |= _scope(row.anew)
                self._settle(row.id, "past", None, at)
                self._work.run(_FORGET_TEXTS, {"generation": row.id})
        self._settle(generation, "in_force", None, at)
        if scope:
            self._work.run(_BEGIN_ANEW, {"generation": generation, "new_scope": _written(scope)})
        return True

    def refuse(self, generation: int, reason: str, at: datetime) -> None:
        """Unless it is decided already."""
        row = self._work.row(_GET, {"generation": generation})
        if row is not None and row.state == "proposed":
            self._settle(generation, "refused", reason, at)
            self._work.run(_FORGET_TEXTS, {"generation": generation})

    def claim_anew(self, generation: int) -> Anew | None:
        """Locked, or passed over."""
        row = self._work.row(_CLAIM_ANEW, {"generation": generation})
        return None if row is None else Anew(row.id, _scope(row.anew), row.anew_after, row.at)

    def advance(self, generation: int, after_id: int | None) -> None:
        """In the unit that did it."""
        if after_id is None:
            self._work.run(_ALL_DONE, {"generation": generation})
        else:
            self._work.run(_ADVANCE, {"generation": generation, "so_far": after_id})

    def _settle(self, generation: int, state: str, reason: str | None, at: datetime) -> None:
        facts = {"generation": generation, "new_state": state, "new_reason": reason, "new_at": at}
        self._work.run(_SETTLE, facts)

    def _read(self, row: sa.Row[Any] | None) -> Configuration | None:
        if row is None:
            return None
        sealed = row.sealed_texts
        texts = {} if sealed is None else self._work.read_json(_TEXTS, sealed)
        return Configuration(row.id, row.digest, texts, row.state, row.reason, row.at)


def _written(scope: Scope) -> str:
    return orjson.dumps({"feeds": sorted(scope.feeds), "practices": sorted(scope.practices)}).decode()


def _scope(written: str | None) -> Scope:
    if written is None:
        return Scope()
    facts = orjson.loads(written)
    return Scope(frozenset(facts["feeds"]), frozenset(facts["practices"]))


class SqlProcessRows:
    """See `integration.ports.site.ProcessRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def say(self, process: Process) -> None:
        """The newest word stands."""
        names = ("name", "role", "generation", "answered", "refusal", "seen_at")
        self._work.run(_SAY, {name: getattr(process, name) for name in names})

    def seen_since(self, at: datetime) -> Sequence[Process]:
        """By name."""
        return [
            Process(row.name, row.role, row.generation, row.answered, row.refusal, row.seen_at)
            for row in self._work.rows(_SEEN, {"since": at})
        ]

    def forget(self, names: Collection[str]) -> None:
        """Gone."""
        self._work.run(_ENDED, {"names": list(names)})


class SqlFeedRows:
    """See `integration.ports.site.FeedRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def claim(self) -> Sequence[FeedWatch] | None:
        """Under an advisory lock; on SQLite a unit is alone anyway."""
        if not self._work.sqlite and not self._work.run(_TRY_WATCH_LOCK).scalar_one():
            return None
        return self.all()

    def get(self, name: str) -> FeedWatch | None:
        """By name."""
        row = self._work.row(_ONE_WATCH, {"wanted": name})
        return None if row is None else _watch(row)

    def all(self) -> Sequence[FeedWatch]:
        """By name."""
        return [_watch(row) for row in self._work.rows(_WATCHES)]

    def save(self, watch: FeedWatch) -> None:
        """In place of what was known."""
        names = ("name", "since", "looked_at", "looked_up_to", "last_heard", "silent_since")
        self._work.run(_WATCH, {name: getattr(watch, name) for name in names})

    def forget(self, name: str) -> None:
        """Gone."""
        self._work.run(_UNWATCH, {"wanted": name})

    def newest(self) -> int:
        """Along the inbox's own key."""
        return int(self._work.run(_NEWEST).scalar_one() or 0)

    def heard_since(self, message_id: int) -> tuple[int, Mapping[str, datetime]]:
        """Along the inbox's own key: only what came since is looked at."""
        rows = self._work.rows(_HEARD, {"after_id": message_id})
        newest = max((row.newest for row in rows), default=message_id)
        return newest, {row.channel: row.heard for row in rows}


def _watch(row: sa.Row[Any]) -> FeedWatch:
    return FeedWatch(row.name, row.since, row.looked_at, row.looked_up_to, row.last_heard, row.silent_since)
