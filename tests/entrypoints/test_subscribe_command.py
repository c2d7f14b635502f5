"""`subscribe` makes what the server takes, says what it does not, and can be run as often as one likes."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.entrypoints.cli import main
from integration.ports.ehr_store import EhrSubscription
from integration.settings.files import SHIPPED
from tests.adapters.ehr.subscribing_server import ANY, BOOKED, Server, serving
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from integration.adapters.store.unit_of_work import SqlStore
    from tests.stores import StorePlace

Capture = pytest.CaptureFixture[str]
SECRET = "of the tests"


class Site:
    """A site's folder, its store, and the command beside a server."""

    def __init__(self, folder: Path, store: SqlStore, environment: Callable[[str, str], None]) -> None:
        self.folder = folder
        self.store = store
        self.environment = environment

    def hears(self, *lines: str) -> None:
        """The [fhir] table of the feed `ehr`."""
        shipped = (SHIPPED / "feeds" / "ehr.toml").read_text()
        before, _, after = shipped.partition("[fhir]\n")
        rest = after[after.index("\n[") :]
        (self.folder / "feeds").mkdir(parents=True, exist_ok=True)
        (self.folder / "feeds" / "ehr.toml").write_text("\n".join([f"{before}[fhir]", *lines]) + rest)

    @contextmanager
    def at(self, server: Server) -> Iterator[Server]:
        """The server runs, and the environment leads to it."""
        with serving(server):
            self.environment("EHR_FHIR_BASE_URL", server.base_url)
            yield server

    @property
    def rows(self) -> list[EhrSubscription]:
        with self.store.reading() as unit:
            return list(unit.subscriptions.all())


@pytest.fixture
def site(sqlite_place: StorePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A site that polls, with a store that `run` has made."""
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATABASE_URL", sqlite_place.url)
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(sqlite_place.data_directory))
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA_KEY", TEST_DATA_KEY)
    monkeypatch.setenv("APPOINTMENT_TEXTS_CONFIG", str(tmp_path / "site"))
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://texts.example.org")
    monkeypatch.setenv("EHR_SUBSCRIPTION_SECRET", SECRET)
    monkeypatch.delenv("EHR_FHIR_BASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    store = sqlite_place.open()
    made = Site(tmp_path / "site", store, monkeypatch.setenv)
    made.hears('poll = "15m"')
    yield made
    store.close()


def lines(capture: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capture.readouterr().out.splitlines()]


def did(capture: Capture) -> list[tuple[str, str, str]]:
    return [(each["resource_type"], each["kind"], each["done"]) for each in lines(capture)]


def test_appointments_and_patients_are_subscribed_to_once(site: Site, capsys: Capture) -> None:
    with site.at(Server("classic")) as server:
        assert main(["subscribe", "--json"]) == 0
        assert did(capsys) == [("Appointment", "classic", "made"), ("Patient", "classic", "made")]
        assert main(["subscribe", "--json"]) == 0
        assert did(capsys) == [("Appointment", "classic", "found"), ("Patient", "classic", "found")]
        endpoints = {each["channel"]["endpoint"] for each in server.resources.values()}
    assert endpoints == {"https://texts.example.org/fhir/subscriptions/ehr"}
    assert [(row.resource_type, row.status) for row in site.rows] == [
        ("Appointment", "active"),
        ("Patient", "active"),
    ]


def test_a_topic_that_tells_of_every_change_is_taken(site: Site, capsys: Capture) -> None:
    site.hears('poll = "15m"')
    with site.at(Server("topic")) as server:
        main(["subscribe", "--json"])
        told = {each["resource_type"]: each for each in lines(capsys) if each["done"] == "made"}
        assert [each["criteria"] for each in server.resources.values()] == [ANY]
    assert told["Appointment"]["topic"] == ANY


def test_a_topic_that_may_miss_a_cancellation_is_not_enough_without_asking(
    site: Site, capsys: Capture
) -> None:
    site.hears('subscribe = "topic"', f'topics = ["{BOOKED}"]')
    with site.at(Server("topic")):
        assert main(["subscribe", "--feed", "ehr"]) == 1
        assert "may not tell that one was cancelled" in capsys.readouterr().err
        site.hears('subscribe = "topic"', f'topics = ["{BOOKED}"]', 'poll = "15m"')
        assert main(["subscribe"]) == 0
        assert "asking finds them" in capsys.readouterr().err


def test_a_server_without_subscriptions_is_asked_or_says_what_to_do(site: Site, capsys: Capture) -> None:
    with site.at(Server("none")) as server:
        assert main(["subscribe"]) == 0
        assert "asked what changed" in capsys.readouterr().err
        site.hears()
        assert main(["subscribe", "--json"]) == 1
        said = capsys.readouterr()
        assert server.resources == {}
    assert said.out == ""
    assert 'poll = "10m"' in said.err
    assert "HL7 v2" in said.err


def test_without_asking_the_site_is_told_that_notifications_may_be_lost(site: Site, capsys: Capture) -> None:
    site.hears()
    with site.at(Server("classic")):
        assert main(["subscribe"]) == 0
    assert "Notifications may be lost" in capsys.readouterr().err


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(site: Site, capsys: Capture) -> None:
    with site.at(Server("classic")) as server:
        assert main(["subscribe", "--dry-run"]) == 0
        assert "would be made" in capsys.readouterr().out
        assert [method for method, _ in server.asked if method != "GET"] == []
    assert site.rows == []


def test_what_was_subscribed_to_is_taken_back(site: Site, capsys: Capture) -> None:
    with site.at(Server("classic")) as server:
        main(["subscribe"])
        assert main(["subscribe", "--remove", "--json"]) == 0
        assert server.resources == {}
        assert site.rows == []
        capsys.readouterr()
        assert main(["subscribe", "--remove"]) == 0
    assert "none of ours" in capsys.readouterr().err


def test_another_way_takes_the_place_of_the_former(site: Site) -> None:
    with site.at(Server("topic")) as server:
        main(["subscribe"])
        site.hears('subscribe = "topic"', f'topics = ["{BOOKED}"]', 'poll = "15m"')
        main(["subscribe"])
        assert [each["criteria"] for each in server.resources.values()] == [BOOKED]
    assert [row.topic for row in site.rows if row.resource_type == "Appointment"] == [BOOKED]


def test_one_that_another_process_is_at_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = EhrSubscription("ehr", "Appointment", "", "classic", "")
    now = datetime.now(UTC)
    with site.store.unit() as unit:
        assert unit.subscriptions.claim(replace(row, next_look_at=now), now, now + timedelta(minutes=5))
    waited = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        with site.store.unit() as unit:  # the other one comes to its end
            unit.subscriptions.forget("ehr", "Appointment")

    monkeypatch.setattr("integration.entrypoints.commands.subscribe.sleep", pause)
    with site.at(Server("classic")) as server:
        assert main(["subscribe"]) == 0
        assert len(server.resources) == 2
    assert len(waited) == 1


def test_one_that_another_process_keeps_is_told(
    site: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = EhrSubscription("ehr", "Appointment", "", "classic", "")
    now = datetime.now(UTC)
    with site.store.unit() as unit:
        assert unit.subscriptions.claim(replace(row, next_look_at=now), now, now + timedelta(minutes=5))
    monkeypatch.setattr("integration.entrypoints.commands.subscribe.feed.HANDSHAKE_WITHIN", 0.0)
    with site.at(Server("classic")):
        assert main(["subscribe"]) == 1
    assert "another process is at it" in capsys.readouterr().err


def test_a_subscription_that_does_not_begin_is_told(site: Site, capsys: Capture) -> None:
    class Deaf(Server):
        def keep(self, resource: dict[str, Any], resource_id: str) -> dict[str, Any]:
            kept = {**super().keep(resource, resource_id), "status": "error"}
            self.resources[resource_id] = kept
            return kept

    with site.at(Deaf("classic")):
        assert main(["subscribe"]) == 1
    assert "is error, not active" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("public", "warning"),
    [
        ("http://127.0.0.1:8080", "names this machine"),
        ("http://texts.example.org", "can be read on the way"),
        ("https://texts.example.org", ""),
    ],
)
def test_an_address_that_cannot_be_reached_or_trusted_is_warned_of(
    site: Site, capsys: Capture, public: str, warning: str
) -> None:
    site.environment("PUBLIC_BASE_URL", public)
    with site.at(Server("classic")):
        main(["subscribe"])
    said = capsys.readouterr().err
    assert warning in said
    assert ("PUBLIC_BASE_URL" in said) is bool(warning)


def test_no_secret_is_printed_and_without_one_nothing_is_asked_for(site: Site, capsys: Capture) -> None:
    with site.at(Server("classic")) as server:
        main(["subscribe"])
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        assert any(SECRET in str(each) for each in server.resources.values())
        server.resources.clear()
        site.environment("EHR_SUBSCRIPTION_SECRET", "")
        assert main(["subscribe"]) == 1
        assert server.resources == {}
    assert "EHR_SUBSCRIPTION_SECRET must be set" in capsys.readouterr().err


def test_without_an_ehr_or_a_feed_that_hears_it_there_is_nothing_to_do(site: Site, capsys: Capture) -> None:
    assert main(["subscribe"]) == 1
    assert "EHR_FHIR_BASE_URL" in capsys.readouterr().err
    with site.at(Server("classic")):
        assert main(["subscribe", "--feed", "main"]) == 2
        assert "[fhir] table" in capsys.readouterr().err
    site.environment("EHR_FHIR_BASE_URL", "http://127.0.0.1:9/fhir")
    assert main(["subscribe"]) == 1
    assert "cannot be asked" in capsys.readouterr().err
