"""Celery's side: what its tasks are called, what they carry (nothing), and that no surprise speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from integration.entrypoints import worker
from integration.entrypoints.broker import EXPIRES, BrokerKnocks, celery_app, task_name
from integration.entrypoints.troubles import Refused
from integration.entrypoints.worker import worker_app
from integration.ports.store import STEPS
from integration.settings.differences import Scope
from integration.settings.environment import read_environment
from tests.messages import siu
from tests.site import Site, TurnedClock, local
from tests.stores import TEST_DATA_KEY
from tests.waiting import until

if TYPE_CHECKING:
    from celery import Celery

    from integration.settings.environment import Environment
    from tests.stores import StorePlace


@pytest.fixture
def environment(sqlite_place: StorePlace) -> Environment:
    return read_environment(
        {
            "APPOINTMENT_TEXTS_BROKER_URL": "memory://",
            "APPOINTMENT_TEXTS_DATABASE_URL": sqlite_place.url,
            "APPOINTMENT_TEXTS_DATA": str(sqlite_place.data_directory),
            "APPOINTMENT_TEXTS_DATA_KEY": TEST_DATA_KEY,
        }
    )


def take(app: Celery, found: list[tuple[str, Any, str | None]]) -> list[tuple[str, Any, str | None]]:
    """Add what lies in the queue: task, arguments, and when it expires."""
    ours: Any = app.amqp.queues[app.conf.task_default_queue]
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(ours)
        while queue.qsize():
            message = queue.get_nowait()
            message.ack()
            found.append((message.headers["task"], message.payload[:2], message.headers["expires"]))
        queue.close()
    return found


def test_without_a_broker_there_is_nothing_to_run() -> None:
    with pytest.raises(Refused, match="APPOINTMENT_TEXTS_BROKER_URL"):
        celery_app(read_environment({}))


def test_every_step_is_a_task_and_beat_sweeps(environment: Environment) -> None:
    app = worker_app(environment)
    app.finalize()
    assert {name for name in app.tasks if not name.startswith("celery.")} == {
        task_name(step) for step in (*STEPS, "sweep")
    }
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
    assert all(entry["options"]["expires"] == EXPIRES for entry in app.conf.beat_schedule.values())


def test_a_knock_carries_nothing_and_expires(environment: Environment) -> None:
    app = celery_app(environment)
    knocks = BrokerKnocks(app)
    for _ in range(50):
        knocks.knock("translate")
    found: list[tuple[str, Any, str | None]] = []
    until("the knock is in the queue", lambda: bool(take(app, found)))
    assert {(task, str(arguments)) for task, arguments, _ in found} == {
        ("appointment_texts.translate", "[[], {}]")
    }
    assert all(expires for _, _, expires in found)
    assert len(found) < 50


def test_a_broker_that_is_away_is_in_nobodys_way() -> None:
    knocks = BrokerKnocks(
        celery_app(read_environment({"APPOINTMENT_TEXTS_BROKER_URL": "redis://127.0.0.1:1/0"}))
    )
    with capture_logs() as log:
        knocks.knock("translate")
        until("it was noticed", lambda: bool(log))
    assert log[0]["event"] == "the broker does not answer; sweeps go on"


def test_a_task_works_until_nothing_is_left_and_knocks_on_the_next(
    environment: Environment, sqlite_place: StorePlace
) -> None:
    store = sqlite_place.open()
    now = local("2027-03-01T11:00")
    Site(store, TurnedClock(now)).receive(siu("S12", at=now, start=local("2027-03-11T14:30")))
    app = worker_app(environment)
    app.finalize()
    app.tasks[task_name("sweep")]()
    found: list[tuple[str, Any, str | None]] = []
    until("the sweep knocked", lambda: bool(take(app, found)))
    assert {task for task, _, _ in found} == {task_name("translate")}
    app.tasks[task_name("translate")]()
    app.tasks[task_name("plan")]()
    with store.unit() as unit:
        assert unit.inbox.count("done") == 1
        assert unit.reminders.next_due() is not None
    store.close()


def test_a_worker_takes_what_comes_into_force_and_rests_while_it_cannot(
    environment: Environment, sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK", 0.0)
    store = sqlite_place.open()
    now = local("2027-03-01T11:00")
    site = Site(store, TurnedClock(now))
    app = worker_app(environment)
    app.finalize()
    app.tasks[task_name("plan")]()
    first = store.configuration_news().in_force

    def put_in_force(**files: str) -> None:
        with store.unit() as unit:
            forced = unit.configurations.in_force()
            assert forced is not None
            texts = {**forced.texts, **{f"{name}.toml": text for name, text in files.items()}}
            generation = unit.configurations.propose(texts, str(files), now)
            assert unit.configurations.put_in_force(generation, Scope(), now)

    put_in_force(settings="moon = 1\n")  # a key of another release
    site.receive(siu("S12", at=now, start=local("2027-03-11T14:30")))
    with capture_logs() as log:
        app.tasks[task_name("translate")]()
    assert [entry["event"] for entry in log] == ["the settings in force cannot be taken"]
    with store.unit() as unit:
        assert unit.inbox.count("new") == 1
    put_in_force(settings='mode = "live"\n')
    with capture_logs() as log:
        app.tasks[task_name("translate")]()
    assert "settings taken" in [entry["event"] for entry in log]
    with store.unit() as unit:
        assert unit.inbox.count("new") == 0
        assert unit.appointments.get(1).practice is None  # in live mode nobody takes the unclaimed
    assert store.configuration_news().in_force == (first or 0) + 2
    store.close()


def test_a_surprise_keeps_its_words_to_itself(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def surprised(*_: Any, **__: Any) -> Any:
        raise RuntimeError("Ana Sample 617-555-0123")

    monkeypatch.setattr(worker, "open_workshop", surprised)
    app = worker_app(environment)
    app.finalize()
    with capture_logs() as log:
        app.tasks[task_name("plan")]()
    assert log[0]["surprise"].startswith("RuntimeError at test_worker.py:")
    assert "Ana" not in str(log)


def test_celery_finds_the_application_and_importing_makes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPOINTMENT_TEXTS_BROKER_URL", "memory://")
    monkeypatch.delitem(vars(worker), "app", raising=False)
    assert "app" not in vars(worker)
    assert worker.app.main == "appointment_texts"
    assert worker.app is worker.app
    monkeypatch.delitem(vars(worker), "app")
