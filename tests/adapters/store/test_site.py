"""The site's configurations, processes and watched feeds, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from integration.ports.site import ConfigurationNews, FeedWatch, Process
from integration.settings.differences import Scope
from tests.adapters.store.records import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    add_visit,
    appointment,
    change,
    digest,
    kept,
    patient,
)

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.store import Store

TEXTS = {"settings.toml": 'allowed_numbers = ["+12025550123"]\n', "feeds/main.toml": 'region = "US"\n'}
MAIN = Scope(frozenset({"main"}))
RIVERSIDE = Scope(practices=frozenset({"riverside"}))


def propose(store: Store, digest_of_it: str = "d1") -> int:
    with store.unit() as unit:
        return unit.configurations.propose(TEXTS, digest_of_it, NOW)


def force(store: Store, generation: int, scope: Scope = MAIN, at: datetime = NOW) -> bool:
    with store.unit() as unit:
        return unit.configurations.put_in_force(generation, scope, at)


def test_a_new_store_has_no_configuration(store: Store) -> None:
    assert store.configuration_news() == ConfigurationNews(None, None)
    with store.unit() as unit:
        assert unit.configurations.in_force() is None
        assert unit.configurations.get(1) is None


def test_a_proposed_one_comes_back_with_its_texts(store: Store) -> None:
    generation = propose(store)
    assert store.configuration_news() == ConfigurationNews(None, generation)
    with store.unit() as unit:
        found = unit.configurations.get(generation)
        assert found is not None
        assert (found.digest, dict(found.texts), found.state, found.at) == ("d1", TEXTS, "proposed", NOW)
        assert not unit.configurations.knows("d1")


def test_one_takes_the_place_of_the_other_and_the_former_keeps_only_its_digest(store: Store) -> None:
    first = propose(store)
    assert force(store, first)
    second = propose(store, "d2")
    assert force(store, second, at=NOW + HOUR)
    assert store.configuration_news() == ConfigurationNews(second, None)
    with store.unit() as unit:
        former, now = unit.configurations.get(first), unit.configurations.in_force()
        assert former is not None
        assert now is not None
        assert (former.state, dict(former.texts)) == ("past", {})
        assert (now.generation, dict(now.texts), now.at) == (second, TEXTS, NOW + HOUR)
        assert unit.configurations.knows("d1")
        assert unit.configurations.knows("d2")


def test_what_is_decided_stays_decided(store: Store) -> None:
    generation = propose(store)
    with store.unit() as unit:
        unit.configurations.refuse(generation, "a port is taken", NOW)
    assert not force(store, generation)
    with store.unit() as unit:
        found = unit.configurations.get(generation)
        assert found is not None
        assert (found.state, found.reason) == ("refused", "a port is taken")
    other = propose(store, "d2")
    assert force(store, other)
    assert not force(store, other)
    with store.unit() as unit:
        unit.configurations.refuse(other, "too late", NOW)
    assert store.configuration_news() == ConfigurationNews(other, None)


def test_what_is_left_to_think_over_is_claimed_by_who_runs_with_it_and_goes_on(store: Store) -> None:
    first = propose(store)
    force(store, first)
    assert "anew" in store.has_work(NOW, NOW)
    with store.unit() as unit:
        left = unit.configurations.claim_anew(first)
        assert left is not None
        assert (left.scope, left.after_id, left.since) == (MAIN, 0, NOW)
        assert unit.configurations.claim_anew(first + 1) is None
        unit.configurations.advance(first, 4711)
    second = propose(store, "d2")
    force(store, second, RIVERSIDE)
    with store.unit() as unit:
        assert unit.configurations.claim_anew(first) is None
        left = unit.configurations.claim_anew(second)
        assert left is not None
        assert (left.scope, left.after_id) == (MAIN | RIVERSIDE, 0)
        unit.configurations.advance(second, None)
    with store.unit() as unit:
        assert unit.configurations.claim_anew(second) is None
    assert "anew" not in store.has_work(NOW, NOW)


def test_without_a_scope_there_is_nothing_to_think_over(store: Store) -> None:
    force(store, propose(store), Scope())
    assert "anew" not in store.has_work(NOW, NOW)


def test_touched_appointments_are_found_in_order_a_few_at_a_time(store: Store) -> None:
    with store.unit() as unit:
        whose = unit.patients.save(patient()).id
        slot = appointment(whose).slot
        visits: tuple[dict[str, Any], ...] = (
            {},
            {"feed": "other", "practice": "hill"},
            {"slot": replace(slot, start=NOW - DAY)},
            {"slot": replace(slot, start=None)},
            {"feed": "other"},
        )
        for number, facts in enumerate(visits):
            unit.appointments.save(appointment(whose, identifiers=(f"SCH-2||{number}|",), **facts))
    assert walk(store, MAIN) == [1, 4]
    assert walk(store, RIVERSIDE) == [1, 4, 5]
    assert walk(store, Scope()) == []
    with store.unit() as unit:
        assert unit.appointments.touched(MAIN, after_id=5, since=NOW, limit=2) == ([], None)


def walk(store: Store, scope: Scope) -> list[int]:
    found: list[int] = []
    after: int | None = 0
    while after is not None:
        with store.unit() as unit:
            ids, after = unit.appointments.touched(scope, after_id=after, since=NOW, limit=1)
        found += ids
    return found


def test_locked_appointments_come_in_order(store: Store) -> None:
    with store.unit() as unit:
        ids = [add_visit(unit, number)[0] for number in (1, 2, 3)]
    with store.unit() as unit:
        assert [each.id for each in unit.appointments.lock(ids[::-1])] == ids
        assert list(unit.appointments.lock([])) == []


def test_a_backlog_is_counted_no_further_than_asked(store: Store) -> None:
    with store.unit() as unit:
        visit, _ = add_visit(unit)
        for _ in range(3):
            unit.changes.add(change(visit))
    with store.unit() as unit:
        assert [unit.changes.backlog(most) for most in (2, 3, 9)] == [2, 3, 3]


def test_a_process_is_what_it_said_last(store: Store) -> None:
    web = Process("web 7", "web", 1, None, None, NOW)
    told = replace(web, generation=2, answered=3, refusal="a port is taken", seen_at=NOW + MINUTE)
    with store.unit() as unit:
        unit.processes.say(web)
        unit.processes.say(replace(web, name="listen 8", role="listen"))
        unit.processes.say(told)
    with store.unit() as unit:
        assert [each.name for each in unit.processes.seen_since(NOW)] == ["listen 8", "web 7"]
        assert list(unit.processes.seen_since(NOW + MINUTE)) == [told]
        unit.processes.forget(["web 7", "nobody"])
    with store.unit() as unit:
        assert [each.name for each in unit.processes.seen_since(NOW)] == ["listen 8"]


def test_a_watched_feed_comes_back_as_saved_until_it_is_forgotten(store: Store) -> None:
    watch = FeedWatch("main", NOW, NOW + MINUTE, 7, NOW - HOUR, NOW - HOUR)
    with store.unit() as unit:
        unit.feeds.save(replace(watch, last_heard=None, silent_since=None))
        unit.feeds.save(watch)
        unit.feeds.save(replace(watch, name="a"))
    with store.unit() as unit:
        assert unit.feeds.get("main") == watch
        assert [each.name for each in unit.feeds.claim() or ()] == ["a", "main"]
    assert [each.name for each in store.feed_watches()] == ["a", "main"]
    with store.unit() as unit:
        unit.feeds.forget("a")
        unit.feeds.forget("a")
        assert unit.feeds.get("a") is None
        assert list(unit.feeds.all()) == [watch]


def test_a_feed_was_last_heard_with_its_newest_message_whatever_became_of_it(store: Store) -> None:
    messages = [
        kept(1),
        kept(2, channel="other"),
        kept(3, state="dead", reason="no-patient PID"),
        kept(4, channel="other", state="done"),
    ]
    with store.unit() as unit:
        assert unit.feeds.newest() == 0
        assert unit.feeds.heard_since(0) == (0, {})
        for message in messages:
            unit.inbox.add(message, digest(message))
    with store.unit() as unit:
        assert unit.feeds.newest() == 4
        assert unit.feeds.heard_since(0) == (4, {"main": NOW + 3 * MINUTE, "other": NOW + 4 * MINUTE})
        assert unit.feeds.heard_since(3) == (4, {"other": NOW + 4 * MINUTE})
        assert unit.feeds.heard_since(4) == (4, {})
