"""FHIR notifications at the public port: what shows a secret is kept, everything else leaves no trace."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from werkzeug.test import Client

from fhir_mappers.subscription import Received
from integration.adapters.write_back.log_only import LogOnlyMode
from integration.entrypoints.fhir_subscription import MOST_BYTES
from integration.entrypoints.receiving import public_app
from integration.ports.workshop import Workshop
from integration.settings.model import FhirHearing
from integration.testing.store import FakeStore
from tests.mappers.notifications import r4, r4_event
from tests.settings import feed, settings
from tests.site import TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from werkzeug.test import TestResponse

    from integration.ports.store import KeptMessage

AT = "/fhir/subscriptions/ehr"
SECRET, OLD_SECRET, OTHER = "s3cret-now", "s3cret-before", "s3cret-of-north"
SECRETS = {"ehr": (SECRET, OLD_SECRET), "north_clinic": (OTHER,)}
NOTE = json.dumps(r4(r4_event("1", "Appointment/a-7"))).encode()
ZONE = ZoneInfo("America/New_York")


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def bearer(secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@dataclass
class Door:
    """The public port of a site with two FHIR feeds and one of HL7 v2."""

    secrets: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(SECRETS))
    store: FakeStore = field(default_factory=FakeStore)
    knocks: list[str] = field(default_factory=list)
    clock: TurnedClock = field(default_factory=lambda: TurnedClock(local("2027-03-01T11:00")))

    def __post_init__(self) -> None:
        fhir = [feed(name=name, fhir=FhirHearing()) for name in ("ehr", "north-clinic", "mute")]
        workshop = Workshop(
            store=self.store,
            sms=None,
            write_back=LogOnlyMode(),
            clock=self.clock,
            settings=settings(catalogs={}, feeds={each.name: each for each in (feed(), *fhir)}),
            public_base_url="http://127.0.0.1:8080",
            new_token=lambda: "token",
            random=lambda: 0.0,
            knock=self.knocks.append,
        )
        self.client = Client(public_app(workshop, dict, secrets=self.secrets))

    def send(
        self,
        path: str = AT,
        body: bytes = NOTE,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        **named: str,
    ) -> TestResponse:
        """Names of headers are written with _ for - among `named`; none given, as `bearer()` has them."""
        more = {name.replace("_", "-"): value for name, value in named.items()}
        headers = {**(headers or {}), **more} or bearer()
        return self.client.open(
            path, method=method, data=body, headers=headers, content_type="application/fhir+json"
        )

    @property
    def kept(self) -> list[KeptMessage]:
        with self.store.unit() as unit:
            return list(unit.inbox.listing())

    @property
    def received(self) -> list[Received | None]:
        return [Received.from_bytes(message.payload) for message in self.kept]


@pytest.fixture
def door() -> Door:
    return Door()


def test_a_notification_is_kept_as_it_came_and_answered_200_with_nothing(door: Door) -> None:
    answer = door.send()
    assert (answer.status_code, answer.data) == (200, b"")
    [message] = door.kept
    assert (message.channel, message.control_id, message.state) == ("fhir:ehr", "note-1", "new")
    assert door.received == [Received("POST", "", {"content-type": "application/fhir+json"}, NOTE.decode())]
    assert door.knocks == ["translate"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("below", ["", "/", "/Appointment/a-7", "/Appointment/a-7/_history/2"])
def test_what_servers_write_below_the_endpoint_is_kept_with_its_path(
    door: Door, method: str, below: str
) -> None:
    assert door.send(AT + below, b"", method=method).status_code == 200
    [received] = door.received
    assert received is not None
    assert (received.method, received.path, received.body) == (method, below.strip("/"), "")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH"])
def test_nothing_is_done_by_asking(door: Door, method: str) -> None:
    assert door.send(method=method).status_code == 405
    assert door.kept == []


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
@pytest.mark.parametrize("shown", ["Authorization", "X-Signature", "X-Hub-Signature", "path"])
def test_each_secret_opens_in_each_way(door: Door, secret: str, shown: str) -> None:
    headers = {
        "Authorization": f"bearer  {secret}",
        "X-Signature": signed(NOTE, secret),
        "X-Hub-Signature": f"sha256={signed(NOTE, secret).upper()}",
        "path": "",
    }
    path = f"{AT}/{secret}/Appointment/a-7" if shown == "path" else AT
    assert (
        door.send(path, headers={"X-Anything" if shown == "path" else shown: headers[shown]}).status_code
        == 200
    )
    [received] = door.received
    assert received is not None
    assert received.path == ("Appointment/a-7" if shown == "path" else "")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Anything": ""},
        bearer("s3cret-no"),
        bearer(OTHER),
        bearer(""),
        bearer(SECRET + "é"),
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": SECRET},
        {"X-Signature": signed(NOTE, "s3cret-no")},
        {"X-Signature": signed(NOTE + b" ")},
        {"X-Hub-Signature": "sha1=" + signed(NOTE)},
        {"X-Hub-Signature": "sha256="},
    ],
)
def test_what_shows_no_secret_of_its_feed_leaves_no_trace(door: Door, headers: dict[str, str]) -> None:
    answer = door.send(headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (door.kept, door.knocks) == ([], [])


def test_a_secret_further_down_the_path_opens_nothing(door: Door) -> None:
    assert door.send(f"{AT}/Appointment/{SECRET}", X_Anything="").status_code == 401
    assert door.send(f"{AT}/{SECRET}x", X_Anything="").status_code == 401


def test_a_feed_without_a_secret_takes_nothing(door: Door) -> None:
    assert door.send("/fhir/subscriptions/mute", Authorization="Bearer ").status_code == 403
    assert door.send("/fhir/subscriptions/mute", X_Signature=signed(NOTE, "")).status_code == 403
    assert door.kept == []


def test_each_feed_has_secrets_of_its_own(door: Door) -> None:
    assert door.send("/fhir/subscriptions/north-clinic", headers=bearer(OTHER)).status_code == 200
    assert door.send("/fhir/subscriptions/north-clinic").status_code == 401
    assert [message.channel for message in door.kept] == ["fhir:north-clinic"]


@pytest.mark.parametrize("source", ["nobody", "main", "EHR", "fhir:ehr"])
def test_an_unknown_source_is_not_there(door: Door, source: str) -> None:
    assert door.send(f"/fhir/subscriptions/{source}").status_code == 404
    assert door.kept == []


def test_no_secret_is_kept_or_logged_whatever_comes(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise() -> Iterable[Any]:
        raise RuntimeError("the store is not itself")

    with structlog.testing.capture_logs() as logs:
        door.send(f"{AT}/{SECRET}/Appointment/a-7", X_Medplum_Subscription="s-1")
        door.send(f"{AT}/{SECRET}x", X_Anything="")
        door.send(f"{AT}/x", headers=bearer("s3cret-no"))
        monkeypatch.setattr(door.clock, "wall", surprise)
        assert door.send(f"{AT}/{SECRET}").status_code == 503
    everything = repr(logs) + repr([message.payload for message in door.kept])
    assert len(door.kept) == 1
    assert "s3cret" not in everything
    assert signed(NOTE) not in everything


def test_only_headers_that_say_something_are_kept(door: Door) -> None:
    door.send(
        headers=bearer(), X_Medplum_Subscription="s-1", X_Trace_Id="t-1", Cookie="c=1", X_Signature="none"
    )
    [received] = door.received
    assert received is not None
    assert set(received.headers) == {"content-type", "x-medplum-subscription"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<Bundle/>", {"Content-Type": "application/fhir+xml"}),
        (b"  <Bundle/>", {"Content-Type": "application/fhir+json"}),
        (b"{}", {"Content-Type": "text/xml"}),
        (b"\x1f\x8b", {"Content-Encoding": "gzip", "Content-Type": "application/fhir+json"}),
    ],
)
def test_only_plain_json_is_taken(door: Door, body: bytes, headers: dict[str, str]) -> None:
    answer = door.client.post(AT, data=body, headers=bearer() | headers)
    assert (answer.status_code, door.kept) == (415, [])


def test_too_large_a_notification_is_refused(door: Door) -> None:
    assert door.send(body=b" " * (MOST_BYTES + 1)).status_code == 413
    assert door.send(body=b" " * MOST_BYTES).status_code == 200


def test_json_that_cannot_be_read_is_kept_and_answered_200(door: Door) -> None:
    assert door.send(body=b"{").status_code == 200
    assert door.send(body=b"\xff\xfe").status_code == 200
    assert len(door.kept) == 2


def test_a_bundle_sent_again_is_answered_200_and_kept_once(door: Door) -> None:
    for _ in range(3):
        assert door.send().status_code == 200
        door.clock.now += timedelta(minutes=1)
    assert len(door.kept) == 1


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("POST", "", b""),
        ("DELETE", "/Appointment/a-7", b""),
        ("PUT", "/Appointment/a-7", b'{"resourceType":"Appointment","id":"a-7","status":"booked"}'),
        ("POST", "", b'{"resourceType":"Bundle","type":"history","timestamp":"2027-03-01T16:00:00Z"}'),
        ("POST", "", b'{"resourceType":"Bundle","type":"history","id":"always-the-same"}'),
    ],
)
def test_what_says_the_same_later_may_be_news_and_is_kept(
    door: Door, method: str, below: str, body: bytes
) -> None:
    for _ in range(2):
        assert door.send(AT + below, body, method=method).status_code == 200
        door.clock.now += timedelta(minutes=1)
    assert len(door.kept) == 2


def test_without_a_store_the_sender_is_to_come_again(door: Door) -> None:
    door.store.away = True
    assert door.send().status_code == 503
    assert door.knocks == []
    door.store.away = False
    assert door.send().status_code == 200


def test_a_feed_in_shadow_is_heard(door: Door) -> None:
    shadow = feed(name="ehr", fhir=FhirHearing(), state="shadow")
    workshop = Workshop(
        store=door.store,
        sms=None,
        write_back=LogOnlyMode(),
        clock=door.clock,
        settings=replace(settings(catalogs={}), feeds={"ehr": shadow}),
        public_base_url="http://127.0.0.1:8080",
        new_token=lambda: "token",
        random=lambda: 0.0,
    )
    answer = Client(public_app(workshop, dict, secrets=SECRETS)).post(AT, data=NOTE, headers=bearer())
    assert (answer.status_code, len(door.kept)) == (200, 1)
