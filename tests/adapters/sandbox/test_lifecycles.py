"""What the network makes of a text, and what it tells of it."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from integration.sandbox.faults import Fault
from integration.sandbox.lifecycles import LIFECYCLES, UnknownPlay, script
from integration.sandbox.webhooks import signature
from tests.adapters.sms_worlds import PATIENT

if TYPE_CHECKING:
    from integration.sandbox.exchange import Exchange
    from tests.adapters.sandbox.conftest import Api
    from tests.adapters.sms_worlds import Receiver

SERVICE = "MG" + "1" * 32

# name → how it ends, with which code, and which callbacks tell of it
PLAYS = {
    "normal": ("delivered", None, ["sent", "delivered"]),
    "landline": ("undelivered", 30006, ["sent", "undelivered"]),
    "unreachable": ("undelivered", 30003, ["sent", "undelivered"]),
    "unknown-number": ("undelivered", 30005, ["sent", "undelivered"]),
    "filtered": ("undelivered", 30007, ["sent", "undelivered"]),
    "unregistered": ("failed", 30034, ["failed"]),
    "opted-out": ("failed", 21610, ["failed"]),
    "slow": ("delivered", None, ["sent", "delivered"]),
    "sent-only": ("sent", None, ["sent"]),
    "stuck": ("queued", None, []),
    "lost": ("delivered", None, []),
    "duplicated": ("delivered", None, ["sent", "sent", "delivered", "delivered"]),
    "out-of-order": ("delivered", None, ["delivered", "sent"]),
}


def played(api: Api, exchange: Exchange, receiver: Receiver, **form: str | None) -> tuple[str, list[str]]:
    sid = api.made(StatusCallback=f"{receiver.url}/status/abc", **form)["sid"]
    assert exchange.timetable.settle(10)
    return sid, [heard.form["MessageStatus"] for heard in receiver.heard]


def test_every_script_is_in_the_table() -> None:
    assert PLAYS.keys() == LIFECYCLES.keys()


@pytest.mark.parametrize("name", PLAYS)
def test_a_script_is_played_as_written(api: Api, exchange: Exchange, receiver: Receiver, name: str) -> None:
    exchange.choose(LIFECYCLES[name], PATIENT)
    sid, told = played(api, exchange, receiver)
    ending, code, callbacks = PLAYS[name]
    text = api.fetched(sid)
    assert (text["status"], text["error_code"], told) == (ending, code, callbacks)


def test_no_callback_tells_the_first_status_and_a_service_adds_queued(
    api: Api, exchange: Exchange, receiver: Receiver
) -> None:
    _, told = played(api, exchange, receiver, From=None, MessagingServiceSid=SERVICE)
    assert told == ["queued", "sent", "delivered"]


@pytest.mark.parametrize("words", list(permutations(["queued", "sent", "delivered"])))
def test_callbacks_may_come_in_any_order_and_the_text_still_only_moves_forward(
    api: Api, exchange: Exchange, receiver: Receiver, words: tuple[str, ...]
) -> None:
    exchange.choose(script({"words": list(words)}), PATIENT)
    sid, told = played(api, exchange, receiver)
    assert told == list(words)
    assert api.fetched(sid)["status"] == "delivered"


def test_a_callback_is_the_signed_form_that_twilio_sends(
    api: Api, exchange: Exchange, receiver: Receiver
) -> None:
    exchange.choose(LIFECYCLES["landline"], None)
    exchange.behaviour.extra = {"NewOfTwilio": "é"}
    sid, _ = played(api, exchange, receiver, From=None, MessagingServiceSid=SERVICE)
    heard = receiver.heard[-1]
    done = heard.form.pop("RawDlrDoneDate")
    assert (len(done), done.isdecimal()) == (10, True)
    heard.form["RawDlrDoneDate"] = done
    assert heard.form == {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": exchange.account.sid,
        "MessageStatus": "undelivered",
        "SmsStatus": "undelivered",
        "From": "+15005550006",
        "To": PATIENT,
        "ApiVersion": "2010-04-01",
        "MessagingServiceSid": SERVICE,
        "ErrorCode": "30006",
        "RawDlrDoneDate": done,
        "NewOfTwilio": "é",
    }
    assert heard.signature == signature(heard.url, heard.form, exchange.account.tokens[0])


def test_without_a_callback_url_nothing_is_told(api: Api, exchange: Exchange) -> None:
    api.made()
    assert exchange.timetable.settle(10)
    assert not exchange.webhooks


@pytest.mark.parametrize(
    ("fault", "told"),
    [("twice", ["sent", "sent", "delivered"]), ("silent", ["delivered"])],
)
def test_a_single_webhook_may_come_twice_or_not_at_all(
    api: Api, exchange: Exchange, receiver: Receiver, fault: str, told: list[str]
) -> None:
    exchange.faults.order(Fault.read({"kind": fault, "on": "webhook", "to": PATIENT}))
    assert played(api, exchange, receiver)[1] == told


@pytest.mark.parametrize(
    "play",
    [{}, {"play": "drums"}, {"play": 3}, {"words": "sent"}, {"words": ["lost"]}, {"words": [], "code": "x"}],
)
def test_a_script_nobody_knows_is_refused(play: dict[str, object]) -> None:
    with pytest.raises(UnknownPlay):
        script(play)
