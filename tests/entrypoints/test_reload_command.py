"""A changed configuration is read as a whole, told, tried, and taken by all that runs, or by nothing."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from integration.entrypoints.cli import main
from integration.entrypoints.in_force import SettingsWatch, begin_with
from integration.settings.files import SHIPPED
from integration.settings.written import read_folder
from tests.messages import CARLA, siu
from tests.site import Site, TurnedClock
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.adapters.store.unit_of_work import SqlStore
    from integration.entrypoints.in_force import Running
    from tests.stores import StorePlace

NOW = datetime.now(ZoneInfo("America/New_York")).replace(microsecond=0)
VISIT = (NOW + timedelta(days=20)).replace(hour=14, minute=30, second=0)


class Scene:
    """A store whose settings are in force, and a folder to change."""

    def __init__(self, place: StorePlace, config: Path) -> None:
        self.config = config
        shutil.copytree(SHIPPED, config)
        self.store: SqlStore = place.open()
        self.first = begin_with(self.store, read_folder(config), NOW, whole_site=True)
        self.site = Site(self.store, TurnedClock(NOW), settings=self.first.settings)
        self.site.hear(siu("S12", at=NOW, start=VISIT))
        self.site.hear(siu("S12", at=NOW, start=VISIT, visit="C1", person=CARLA))
        self.taken: list[Running] = []
        self.watches: list[SettingsWatch] = []

    def write(self, file: str, old: str, new: str) -> None:
        text = (self.config / file).read_text()
        assert old in text
        (self.config / file).write_text(text.replace(old, new))

    def run_process(self, refusal: str | None = None) -> None:
        """One process that looks for settings."""
        watch = SettingsWatch(
            self.store,
            f"web {len(self.watches)}",
            self.first.generation,
            wall=lambda: datetime.now(UTC),
            take=self.taken.append,
            check=lambda _: refusal,
        )
        watch.name = f"web {len(self.watches)}"
        watch.look()
        watch.start()
        self.watches.append(watch)

    @property
    def in_force(self) -> int | None:
        return self.store.configuration_news().in_force


@pytest.fixture
def scene(sqlite_place: StorePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATABASE_URL", sqlite_place.url)
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(sqlite_place.data_directory))
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA_KEY", TEST_DATA_KEY)
    monkeypatch.setenv("APPOINTMENT_TEXTS_CONFIG", str(tmp_path / "config"))
    scene = Scene(sqlite_place, tmp_path / "config")
    yield scene
    for watch in scene.watches:
        watch.stop()
    scene.store.close()


def correct_the_zone(scene: Scene) -> None:
    scene.write("feeds/main.toml", 'zone = "America/New_York"', 'zone = "America/Chicago"')


def test_every_mistake_is_told_at_once_and_nothing_changes(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.write("feeds/main.toml", 'zone = "America/New_York"', 'zone = "America/Chicgo"')
    scene.write("settings.toml", 'mode = "test"', 'mode = "tset"')
    before = scene.in_force
    assert main(["reload", "--yes"]) == 1
    told = capsys.readouterr().err
    assert "feeds/main.toml: zone:" in told
    assert "settings.toml: mode:" in told
    assert scene.in_force == before


@pytest.mark.usefixtures("scene")
def test_nothing_is_asked_when_nothing_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reload"]) == 0
    assert "Nothing differs" in capsys.readouterr().out


def test_it_says_what_would_change_and_what_would_follow(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    correct_the_zone(scene)
    before, reminders = scene.in_force, scene.site.reminders
    assert main(["reload", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert 'feeds/main.toml: zone: "America/New_York" → "America/Chicago"' in told
    assert "2 appointments to come would be thought over: 2 start at another time" in told
    assert "Reminders: 0 more (at most so many texts), 0 fewer, 2 at another time." in told
    assert scene.in_force == before
    assert scene.site.reminders == reminders


def test_a_program_reads_the_same_as_json(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.write("reminders.toml", "days_ahead = 5", "days_ahead = 6")
    scene.write("settings.toml", "threads = 8", "threads = 9")
    assert main(["reload", "--dry-run", "--json"]) == 0
    told: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["what"] for each in told] == ["difference", "difference", "consequences", "needs restart"]
    assert told[0] == {
        "what": "difference",
        "file": "reminders.toml",
        "key": "steps.five_days.days_ahead",
        "before": "5",
        "after": "6",
    }
    assert told[2]["moved"] == 2


def test_without_a_yes_nothing_changes(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    correct_the_zone(scene)
    before = scene.in_force
    assert main(["reload"]) == 1
    assert "Nothing has changed; --yes does it." in capsys.readouterr().err
    assert scene.in_force == before


def test_every_process_takes_it(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.run_process()
    scene.run_process()
    correct_the_zone(scene)
    assert main(["reload", "--yes"]) == 0
    assert "2 processes run with it." in capsys.readouterr().out
    assert [taken.settings.feeds["main"].zone.key for taken in scene.taken] == ["America/Chicago"] * 2
    assert {taken.generation for taken in scene.taken} == {scene.in_force}


def test_what_one_process_refuses_none_takes(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.run_process()
    scene.run_process(refusal="feed main: 127.0.0.1:2575 cannot be listened on")
    correct_the_zone(scene)
    before = scene.in_force
    assert main(["reload", "--yes"]) == 1
    told = capsys.readouterr().out
    assert "Refused, nothing has changed: web 1: feed main: 127.0.0.1:2575 cannot be listened on" in told
    assert scene.in_force == before
    assert scene.taken == []
    assert scene.store.configuration_news().proposed is None


def test_where_nothing_runs_the_next_start_begins_with_it(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    correct_the_zone(scene)
    assert main(["reload", "--yes"]) == 0
    assert "nothing runs, the next start begins with it" in capsys.readouterr().out
    running = begin_with(scene.store, read_folder(scene.config), NOW, whole_site=True)
    assert running.generation == scene.in_force


def test_other_identifiers_are_told_of(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    path = scene.config / "feeds" / "main.toml"
    text = path.read_text()
    path.write_text(f'identity = ["PV1-19"]\n{text}')
    assert main(["reload", "--dry-run"]) == 0
    assert "feeds/main.toml: appointments are known by other identifiers now" in capsys.readouterr().out


def test_a_feed_that_goes_is_told_of_with_what_becomes_of_its_messages(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds = scene.config / "feeds"
    (feeds / "main.toml").rename(feeds / "north.toml")
    assert main(["reload", "--dry-run"]) == 0
    assert "feeds/main.toml is gone: its port is closed" in capsys.readouterr().out


def test_typed_in_the_wrong_place_it_does_not_put_the_shipped_configuration_in_force(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    correct_the_zone(scene)
    assert main(["reload", "--yes"]) == 0
    before = scene.in_force
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.delenv("APPOINTMENT_TEXTS_CONFIG")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["reload", "--yes"]) == 1
    assert "set APPOINTMENT_TEXTS_CONFIG" in capsys.readouterr().err
    assert scene.in_force == before


def test_a_store_that_is_not_there_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(tmp_path))
    monkeypatch.setenv("APPOINTMENT_TEXTS_CONFIG", str(SHIPPED))
    assert main(["reload"]) == 1
    assert "There is no store" in capsys.readouterr().err
