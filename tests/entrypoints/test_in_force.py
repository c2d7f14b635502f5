"""Processes run with the settings in force: as a whole, the same everywhere, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from integration.entrypoints.in_force import GONE, SAY, Running, SettingsWatch, begin_with, go_on_with
from integration.settings.differences import Scope
from integration.settings.files import SHIPPED
from integration.settings.written import Written, read_again, read_folder
from tests.adapters.store.records import add_visit

if TYPE_CHECKING:
    from integration.ports.store import Store
    from integration.settings.model import Settings

NOW = datetime(2027, 3, 1, 16, tzinfo=UTC)
SHIPPED_ONE = read_folder(SHIPPED)


def another(**lines: str) -> Written:
    """The shipped configuration with other words in `feeds/main.toml`."""
    text = SHIPPED_ONE.texts["feeds/main.toml"]
    for old, new in lines.items():
        text = text.replace(f"{old} = ", f"{old} = {new} # was: ")
    return read_again({**SHIPPED_ONE.texts, "feeds/main.toml": text})


CHICAGO = another(zone='"America/Chicago"')


def propose(store: Store, written: Written) -> int:
    with store.unit() as unit:
        return unit.configurations.propose(written.texts, written.digest, NOW)


def force(store: Store, generation: int) -> bool:
    with store.unit() as unit:
        return unit.configurations.put_in_force(generation, Scope(), NOW)


def left(store: Store) -> Scope | None:
    news = store.configuration_news()
    assert news.in_force is not None
    with store.unit() as unit:
        anew = unit.configurations.claim_anew(news.in_force)
    return None if anew is None else anew.scope


def test_the_first_settings_are_in_force_and_an_empty_store_has_nothing_to_think_over(store: Store) -> None:
    running = begin_with(store, SHIPPED_ONE, NOW, whole_site=True)
    assert running.generation == store.configuration_news().in_force
    assert left(store) is None
    assert begin_with(store, SHIPPED_ONE, NOW, whole_site=True) == running


def test_a_store_of_an_earlier_release_is_thought_over_as_a_whole(store: Store) -> None:
    with store.unit() as unit:
        add_visit(unit)
    begin_with(store, SHIPPED_ONE, NOW, whole_site=True)
    assert left(store) == Scope(frozenset(SHIPPED_ONE.settings.feeds), frozenset({"riverside"}))


def test_a_start_with_other_settings_is_as_good_as_a_reload(store: Store) -> None:
    first = begin_with(store, SHIPPED_ONE, NOW, whole_site=True)
    second = begin_with(store, CHICAGO, NOW, whole_site=True)
    assert second.generation > first.generation
    assert left(store) == Scope(frozenset({"main"}))


def test_what_was_left_to_think_over_is_not_forgotten_by_the_next_start(store: Store) -> None:
    begin_with(store, SHIPPED_ONE, NOW, whole_site=True)
    begin_with(store, CHICAGO, NOW, whole_site=True)
    texts = dict(CHICAGO.texts)
    texts["reminders.toml"] = texts["reminders.toml"].replace('evening = "19:00"', 'evening = "18:00"')
    begin_with(store, read_again(texts), NOW, whole_site=True)
    assert left(store) == Scope(frozenset({"main"}), frozenset({"riverside"}))


def test_going_back_by_a_restart_is_a_change_like_any_other(store: Store) -> None:
    begin_with(store, SHIPPED_ONE, NOW, whole_site=True)
    begin_with(store, CHICAGO, NOW, whole_site=True)
    again = begin_with(store, SHIPPED_ONE, NOW, whole_site=True)
    assert again.settings.feeds["main"].zone.key == "America/New_York"
    assert store.configuration_news().in_force == again.generation


def test_a_host_that_was_left_behind_runs_with_what_is_in_force(store: Store) -> None:
    begin_with(store, SHIPPED_ONE, NOW, whole_site=False)
    newest = begin_with(store, CHICAGO, NOW, whole_site=False)
    with capture_logs() as log:
        stale = begin_with(store, SHIPPED_ONE, NOW, whole_site=False)
    assert stale.generation == newest.generation
    assert stale.settings.feeds["main"].zone.key == "America/Chicago"
    assert [entry["log_level"] for entry in log] == ["warning"]


def test_one_that_is_born_again_goes_on_with_what_is_in_force(store: Store) -> None:
    assert go_on_with(store) is None
    begin_with(store, CHICAGO, NOW, whole_site=True)
    again = go_on_with(store)
    assert again is not None
    assert again.settings.feeds["main"].zone.key == "America/Chicago"


class Host:
    """A process that looks when told to."""

    def __init__(self, store: Store, *, refusal: str | None = None, surprise: bool = False) -> None:
        self.store = store
        self.now = NOW
        self.taken: list[Running] = []
        self.refusal, self.surprise = refusal, surprise
        running = begin_with(store, SHIPPED_ONE, NOW, whole_site=True)
        self.watch = SettingsWatch(
            store,
            "web",
            running.generation,
            wall=lambda: self.now,
            take=self.take,
            check=self.check,
            rest=self.rest,
        )
        self.rests = 0

    def take(self, running: Running) -> None:
        if self.surprise:
            raise RuntimeError("Ana Sample")
        self.taken.append(running)

    def rest(self) -> None:
        self.rests += 1

    def troubled(self) -> bool:
        return self.watch.trouble is not None

    def check(self, settings: Settings) -> str | None:
        assert settings.feeds
        return self.refusal

    def seen(self) -> list[tuple[int, int | None, str | None]]:
        with self.store.unit() as unit:
            known = unit.processes.seen_since(self.now - GONE)
        return [(each.generation, each.answered, each.refusal) for each in known]


def test_a_process_says_that_it_lives_and_with_what(store: Store) -> None:
    host = Host(store)
    host.watch.look()
    assert host.seen() == [(host.watch.generation, None, None)]
    host.now += SAY
    host.watch.look()
    host.now += GONE - timedelta(seconds=1)
    assert host.seen() != []
    host.now += timedelta(seconds=2)
    assert host.seen() == []


def test_one_that_is_alone_knows_that_an_earlier_one_has_ended(store: Store) -> None:
    former, host = Host(store), Host(store)
    former.watch.name = "an earlier one"
    former.watch.look()
    host.watch._alone = True
    host.watch.look()
    assert len(host.seen()) == 1


@pytest.mark.parametrize("refusal", [None, "feed main: 127.0.0.1:2575 cannot be listened on"])
def test_a_process_answers_what_is_proposed_and_takes_nothing_yet(store: Store, refusal: str | None) -> None:
    host = Host(store, refusal=refusal)
    host.watch.look()
    before = host.watch.generation
    proposed = propose(store, CHICAGO)
    host.watch.look()
    assert host.seen() == [(before, proposed, refusal)]
    assert host.taken == []


def test_what_is_in_force_is_taken_at_the_next_look(store: Store) -> None:
    host = Host(store)
    proposed = propose(store, CHICAGO)
    host.watch.look()
    assert force(store, proposed)
    host.watch.look()
    assert [taken.settings.feeds["main"].zone.key for taken in host.taken] == ["America/Chicago"]
    assert host.watch.generation == proposed
    assert host.seen() == [(proposed, proposed, None)]
    host.watch.look()
    assert len(host.taken) == 1


def test_a_configuration_that_another_proposal_replaced_is_not_put_in_force(store: Store) -> None:
    Host(store)
    first, second = propose(store, CHICAGO), propose(store, another(region='"CA"'))
    assert not force(store, first)
    assert force(store, second)
    with store.unit() as unit:
        found = unit.configurations.get(first)
    assert found is not None
    assert (found.state, found.reason, dict(found.texts)) == ("refused", "another was proposed", {})


def test_what_cannot_be_taken_is_said_once_and_tried_again(store: Store) -> None:
    host = Host(store, surprise=True)
    force(store, propose(store, CHICAGO))
    with capture_logs() as log:
        host.watch.look()
        host.watch.look()
    assert len(log) == 1
    assert "Ana" not in str(log)
    assert host.troubled()
    assert host.rests == 1
    host.surprise = False
    host.watch.look()
    assert not host.troubled()
    assert len(host.taken) == 1


def test_texts_with_a_mistake_for_this_release_are_refused_with_it(store: Store) -> None:
    host = Host(store)
    texts = {**CHICAGO.texts, "settings.toml": 'moon = "full"\n'}
    propose(store, replace(CHICAGO, texts=texts))
    host.watch.look()
    ((_, _, refusal),) = host.seen()
    assert refusal is not None
    assert "settings.toml: moon: unknown key" in refusal
