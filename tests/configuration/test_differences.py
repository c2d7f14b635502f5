"""What another configuration would change, told by file and key, and whom it touches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from integration.settings.differences import (
    Difference,
    Scope,
    differences,
    everything,
    known_otherwise,
    needs_restart,
    touched,
)
from integration.settings.files import SHIPPED
from integration.settings.mistakes import ConfigError
from integration.settings.model import FeedLocation
from integration.settings.written import read_again, read_folder
from tests.settings import feed, practice, sending, settings

if TYPE_CHECKING:
    from pathlib import Path

    from integration.settings.model import Settings

CHICAGO = ZoneInfo("America/Chicago")


def test_keys_that_differ_are_told_by_file_and_key() -> None:
    before = {"a.toml": 'x = 1\n[t]\ny = "old"\n', "b.toml": "z = 1\n"}
    after = {"a.toml": 'x = 1 # the same\n[t]\ny = "new"\nn = 2\n', "c.toml": "z = 1\n"}
    assert differences(before, after) == [
        Difference("a.toml", "t.n", None, "2"),
        Difference("a.toml", "t.y", '"old"', '"new"'),
        Difference("b.toml", "", "a file", None),
        Difference("c.toml", "", None, "a file"),
    ]


def test_a_file_that_comes_is_told_by_its_name() -> None:
    (told,) = differences({}, {"feeds/north.toml": "port = 2576\n"})
    assert str(told) == "feeds/north.toml: nothing → a file"


def test_the_numbers_of_people_are_counted_and_not_shown() -> None:
    (told,) = differences(
        {"settings.toml": 'allowed_numbers = ["+12025550123"]'},
        {"settings.toml": 'allowed_numbers = ["+12025550124", "+12025550125"]'},
    )
    assert str(told) == "settings.toml: allowed_numbers: 1 of them → 2 of them"


@pytest.mark.parametrize(
    ("after", "scope"),
    [
        (settings(), Scope()),
        (settings(sending=sending(threads=9)), Scope()),
        (settings(feeds={"main": feed(state="shadow", port=2600)}), Scope()),
        (settings(feeds={"main": feed(zone=CHICAGO)}), Scope(frozenset({"main"}))),
        (
            settings(feeds={"main": feed(locations={"RIVER": FeedLocation("riverside", place="North")})}),
            Scope(frozenset({"main"})),
        ),
        (settings(mode="live"), Scope(frozenset({"main"}))),  # what nobody claims is nobody's now
        (settings(practices={"riverside": practice(public_name="Riverbank")}), Scope()),
        (
            settings(
                practices={"riverside": practice(plan=replace(practice().plan, settle=timedelta(minutes=9)))}
            ),
            Scope(),
        ),
        (
            settings(
                practices={"riverside": practice(plan=replace(practice().plan, zone=CHICAGO))},
            ),
            Scope(practices=frozenset({"riverside"})),
        ),
        (
            settings(practices={"riverside": practice(), "hill": practice(name="hill")}),
            Scope(practices=frozenset({"hill"})),
        ),
    ],
)
def test_only_what_reads_or_plans_appointments_touches_them(after: Settings, scope: Scope) -> None:
    assert touched(settings(), after) == scope


def test_what_nobody_remembers_touches_all() -> None:
    assert (
        touched(None, settings())
        == everything(settings())
        == Scope(frozenset({"main"}), frozenset({"riverside"}))
    )


def test_other_keys_are_told_since_stored_appointments_keep_theirs() -> None:
    other = settings(feeds={"main": feed(identity=("PV1-19",))})
    assert known_otherwise(settings(), other) == ["main"]
    assert known_otherwise(settings(), settings(feeds={"main": feed(zone=CHICAGO)})) == []


def test_threads_are_made_at_the_start_only() -> None:
    other = settings(sending=sending(threads=9))
    assert [each.key for each in needs_restart(settings(), other)] == ["sending.threads"]
    assert needs_restart(settings(), settings(mode="live")) == []


def test_what_was_read_from_a_folder_is_read_again_from_memory(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('mode = "live"\n')
    written = read_folder(tmp_path)
    again = read_again(written.texts)
    assert replace(again.settings, catalogs={}) == replace(written.settings, catalogs={})
    assert again.settings.mode == "live"
    assert again.digest == written.digest
    assert written.digest != read_folder(SHIPPED).digest


def test_a_text_that_is_missing_is_a_mistake() -> None:
    texts = dict(read_folder(SHIPPED).texts)
    del texts["reminders.toml"]
    with pytest.raises(ConfigError, match=r"reminders\.toml: is missing"):
        read_again(texts)
