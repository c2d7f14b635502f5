"""The HTTP ports: the raw address comes through, bodies are bounded, and a stop lets answers out."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from integration.entrypoints.http_ports import silent_feeds, stopped_subscriptions
from integration.entrypoints.metrics import metrics_app
from integration.entrypoints.receiving import Receiver, mounted
from integration.entrypoints.troubles import Refused
from integration.pipeline.watch import Watching
from integration.ports.ehr_reading import Reference
from integration.ports.ehr_store import EhrSubscription
from integration.ports.store import StoreUnavailable
from tests.messages import siu
from tests.ports import free_ports
from tests.settings import feed, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from integration.ports.store import Store


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(environ["REQUEST_URI"]).encode()]


@pytest.fixture
def port() -> int:
    return free_ports().http


@pytest.fixture
def receiver(port: int) -> Iterator[Receiver]:
    receiver = Receiver(echo, "127.0.0.1", port, "APPOINTMENT_TEXTS_HTTP_PORT")
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize("address", ["/sms/a%2Fb/status/x?y=%20&y=+", "/sms//status/%41"])
def test_the_address_comes_through_as_it_was_written(address: str, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {address} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.endswith(address.encode())


@pytest.mark.usefixtures("receiver")
def test_a_body_beyond_all_measure_is_refused(port: int) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/", content=b"x" * 2_000_000, trust_env=False)
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.usefixtures("receiver")
def test_a_port_in_use_is_refused_with_its_variable(port: int) -> None:
    with pytest.raises(Refused, match=f"127.0.0.1:{port} cannot be listened on .* set APPOINTMENT"):
        Receiver(echo, "127.0.0.1", port, "APPOINTMENT_TEXTS_HTTP_PORT")


def test_what_is_under_way_is_answered_before_the_stop(port: int) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        begun.set()
        go_on.wait(30)
        return echo(environ, start_response)

    receiver = Receiver(slow, "127.0.0.1", port, "")
    receiver.start()
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code)
    )
    asking.start()
    assert begun.wait(30)
    stopping = threading.Thread(target=receiver.stop)
    stopping.start()
    go_on.set()
    stopping.join(30)
    asking.join(30)
    assert answers == [200]


def test_pages_are_mounted_by_their_whole_path() -> None:
    app = mounted({"/metrics": page(b"figures")}, page(b"other"))
    assert [body(app, path) for path in ("/metrics", "/metrics/x", "/")] == [b"figures", b"other", b"other"]


def page(content: bytes) -> WSGIApplication:
    return lambda _environ, _start: [content]


def body(app: WSGIApplication, path: str) -> bytes:
    def start_response(*_: Any) -> Any:
        return None

    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": ""}
    return b"".join(app(environ, start_response))


def test_metrics_count_what_waits_and_name_nobody(store: Store) -> None:
    site = Site(store, TurnedClock(local("2027-03-01T11:00")))
    site.receive(siu("S12", at=site.clock.now, start=local("2027-03-11T14:30")))
    site.hear(b"MSH|^~\\&|A|B|C|D|20270301||SIU^S12|X|P|2.5.1\rSCH|1\r")
    store.open_breaker("texts riverside", "too many")
    told = body(metrics_app(site.workshop), "/metrics").decode()
    assert 'appointment_texts_inbox_messages{state="done"} 1.0' in told
    assert 'appointment_texts_inbox_messages{state="dead"} 1.0' in told
    assert "appointment_texts_open_breakers 1.0" in told
    assert 'appointment_texts_application_acknowledgments{state="gave_up"} 0.0' in told
    assert "appointment_texts_store_up 1.0" in told
    assert "6175550" not in told
    assert "Sample" not in told


def test_a_silent_feed_is_shown_to_machines_and_to_people(store: Store) -> None:
    wanted = settings(feeds={"main": feed(expected_silence=timedelta(hours=2))})
    site = Site(store, TurnedClock(local("2027-03-01T11:00")), settings=wanted)
    site.receive(siu("S12", at=site.clock.now, start=local("2027-03-11T14:30")))
    watching = Watching(site.workshop)
    watching.look()
    assert silent_feeds(site.workshop) == []
    for _ in range(125):
        site.clock.now += timedelta(minutes=1)
        watching.look()
    told = body(metrics_app(site.workshop), "/metrics").decode()
    assert 'appointment_texts_feed_silent{feed="main"} 1.0' in told
    heard_at = local("2027-03-01T11:00").timestamp()
    (line,) = [each for each in told.splitlines() if each.startswith("appointment_texts_feed_last_heard_s")]
    assert float(line.rpartition(" ")[2]) == heard_at
    assert silent_feeds(site.workshop) == ["nothing has been heard from feed main since 2027-03-01 11:00"]


def test_a_subscription_that_was_stopped_is_shown_to_machines_and_to_people(store: Store) -> None:
    site = Site(store, TurnedClock(local("2027-03-01T11:00")))
    well = EhrSubscription("ehr", "Appointment", "1", "classic", "active", heard_at=site.clock.now)
    stopped = EhrSubscription("ehr", "Patient", "2", "classic", "error", tries=3, reason="HTTP 503")
    with store.unit() as unit:
        unit.subscriptions.save(well)
        unit.subscriptions.save(stopped)
    told = body(metrics_app(site.workshop), "/metrics").decode()
    labels = '{feed="ehr",resource_type="Appointment",topic=""}'
    assert f"appointment_texts_ehr_subscription_active{labels} 1.0" in told
    assert 'active{feed="ehr",resource_type="Patient",topic=""} 0.0' in told
    (line,) = [
        each for each in told.splitlines() if each.startswith("appointment_texts_ehr_subscription_last_h")
    ]
    assert float(line.rpartition(" ")[2]) == site.clock.now.timestamp()
    assert stopped_subscriptions(site.workshop) == [
        "the EHR's Subscription of feed ehr for Patient is error: HTTP 503"
    ]


def test_what_the_ehr_has_not_shown_yet_and_polls_in_vain_are_counted(store: Store) -> None:
    site = Site(store, TurnedClock(local("2027-03-01T11:00")))
    with store.unit() as unit:
        unit.wants.tell("ehr", [Reference("Appointment", "7"), Reference("Patient", "4")], site.clock.now)
        unit.polls.want("ehr", "", site.clock.now)
    with store.unit() as unit:
        poll = unit.polls.claim(site.clock.now, site.clock.now)
        assert poll is not None
        unit.polls.settle(replace(poll, tries=3, next_at=site.clock.now))
    told = body(metrics_app(site.workshop), "/metrics").decode()
    assert 'appointment_texts_ehr_wants{state="pending"} 2.0' in told
    assert 'appointment_texts_ehr_wants{state="refused"} 0.0' in told
    assert 'appointment_texts_ehr_poll_failures{feed="ehr",location=""} 3.0' in told


def test_metrics_say_when_the_store_does_not_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise StoreUnavailable

    site = Site(store, TurnedClock(local("2027-03-01T11:00")))
    monkeypatch.setattr(store, "unit", away)
    assert "appointment_texts_store_up 0.0" in body(metrics_app(site.workshop), "/metrics").decode()
