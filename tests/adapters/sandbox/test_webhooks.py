"""How webhooks are posted: within limits, again when asked to, signed, and never beyond this machine."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from integration.sandbox.texts import Webhook
from integration.sandbox.webhooks import Limits, deliver, signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.sandbox.exchange import Exchange
    from tests.adapters.sms_worlds import Receiver

FORM = {"MessageSid": "SM1", "ErrorCode": ""}


def posted(url: str, fragment: str = "") -> Webhook:
    webhook = Webhook("SM1", "sent", url, "token-1")
    deliver(webhook, FORM, "secret", fragment)
    return webhook


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port nobody listens on, held so that nobody else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# what the receiver answers, the fragment, and how often it is asked
@pytest.mark.parametrize(
    ("answers", "fragment", "heard"),
    [
        ([204], "", ["204"]),
        ([500], "", ["500"]),
        ([404], "rc=5", ["404"]),
        ([500, 500, 204], "rc=3&rp=5xx", ["500", "500", "204"]),
        ([500, 500, 500], "rc=2&rp=all", ["500", "500", "500"]),
        ([404, 204], "rc=1&rp=4xx", ["404", "204"]),
        ([404], "rc=1&rp=5xx", ["404"]),
        ([503] * 9, "rc=9&rp=5xx", ["503"] * 6),
    ],
)
def test_what_is_tried_again_is_what_the_fragment_says(
    receiver: Receiver, answers: list[int], fragment: str, heard: list[str]
) -> None:
    receiver.answers = answers
    assert posted(f"{receiver.url}/status", fragment).answers == heard
    assert len(receiver.heard) == len(heard)
    assert len({hook.headers["I_TWILIO_IDEMPOTENCY_TOKEN"] for hook in receiver.heard}) == 1


def test_a_connection_that_fails_is_tried_once_more_unless_told_otherwise(closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/status"
    assert posted(url).answers == ["ct", "ct"]
    assert posted(url, "rc=0").answers == ["ct"]
    assert posted(url, "rp=5xx").answers == ["ct"]


def test_an_answer_that_does_not_come_in_time_is_given_up(receiver: Receiver) -> None:
    receiver.held.clear()
    assert posted(f"{receiver.url}/status", "rt=100").answers == ["rt"]
    assert posted(f"{receiver.url}/status", "tt=100&rp=rt").answers == ["rt", "rt"]


def test_the_signature_covers_the_address_without_its_fragment(receiver: Receiver) -> None:
    url = f"{receiver.url}/status/caf%C3%A9?t=a%2Fb"
    posted(url, "rc=3")
    (heard,) = receiver.heard
    assert heard.url == url
    assert heard.form == FORM
    assert heard.signature == signature(url, FORM, "secret")


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "127.0.0.1.example.org"])
def test_nothing_is_posted_beyond_this_machine(host: str) -> None:
    assert posted(f"http://{host}/status").answers == ["not-here"]


@pytest.mark.parametrize(
    ("fragment", "limits"),
    [
        ("", Limits()),
        ("ct=2000&rt=3000&tt=4000", Limits(connect=2.0, read=3.0, total=4.0)),
        ("ct=1&rt=99999&tt=x", Limits(connect=0.1)),
        ("rc=2&rp=4xx,5xx", Limits(retries=2, retried=frozenset({"4xx", "5xx"}))),
        ("rc=-1&zz=1", Limits()),
    ],
)
def test_a_fragment_is_read_within_bounds(fragment: str, limits: Limits) -> None:
    assert Limits.of(fragment) == limits


def test_the_whole_way_from_a_callback_url_with_a_fragment(exchange: Exchange, receiver: Receiver) -> None:
    receiver.answers = [500, 204]
    exchange.create(
        {
            "To": ["+12025550123"],
            "From": ["+15005550006"],
            "Body": ["x"],
            "StatusCallback": [f"{receiver.url}/status/abc#rc=2&rp=5xx"],
        }
    )
    assert exchange.timetable.settle(10)
    assert [heard.form["MessageStatus"] for heard in receiver.heard] == ["sent", "sent", "delivered"]
    assert [heard.url.partition("#")[1] for heard in receiver.heard] == ["", "", ""]
    sent, delivered = exchange.webhooks
    assert (sent.answers, sent.heard, delivered.answers) == (["500", "204"], True, ["204"])
