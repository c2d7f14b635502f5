"""The network's STOP list, in each of the ways a Twilio account may be set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.sms_worlds import OTHER, PATIENT, Receiver, exchange_for

if TYPE_CHECKING:
    from integration.sandbox.exchange import Exchange
    from tests.adapters.sandbox.conftest import Api

TOLL_FREE = "+18885550123"
SERVICE = "MG" + "1" * 32


def refused(api: Api, **form: Any) -> bool:
    answer = api.create(**form)
    assert answer.status_code == 201 or answer.get_json()["code"] == 21610
    return bool(answer.status_code == 400)


@pytest.mark.parametrize(
    ("words", "blocked"),
    [
        (["STOP"], True),
        ([" stop\n"], True),
        (["Unsubscribe"], True),
        (["END"], True),
        (["QUIT"], True),
        (["STOPALL"], True),
        (["REVOKE"], True),
        (["OPTOUT"], True),
        (["CANCEL"], True),
        (["STOP PLEASE"], False),
        (["PLEASE CANCEL"], False),
        (["ALTO"], False),
        (["stop."], False),
        (["STOP", "START"], False),
        (["STOP", "YES"], False),
        (["STOP", "UNSTOP"], False),
        (["STOP", "HELP"], True),
        (["STOP", "C"], True),
    ],
)
def test_only_a_whole_keyword_blocks(
    api: Api, exchange: Exchange, words: list[str], *, blocked: bool
) -> None:
    for word in words:
        exchange.reply(PATIENT, word)
    assert refused(api) is blocked
    assert not refused(api, To=OTHER)


@pytest.mark.parametrize(("word", "blocked"), [("YES", True), ("START", False), ("unstop", False)])
def test_yes_does_not_undo_a_toll_free_block(
    api: Api, exchange: Exchange, word: str, *, blocked: bool
) -> None:
    exchange.reply(PATIENT, "stop", to=TOLL_FREE)
    exchange.reply(PATIENT, word, to=TOLL_FREE)
    assert refused(api, From=TOLL_FREE) is blocked
    answers = [text.body for text in exchange.texts.newest(PATIENT) if text.direction == "network"]
    assert all(answer.startswith("NETWORK MSG") for answer in answers)


def test_a_block_holds_for_one_sender_or_for_a_whole_service(api: Api, exchange: Exchange) -> None:
    through_service = {"From": None, "MessagingServiceSid": SERVICE}
    api.made(**through_service)
    assert exchange.timetable.settle(10)
    exchange.reply(PATIENT, "STOP")
    assert refused(api, **through_service)
    assert not refused(api)


def test_the_network_answers_keywords_but_those_answers_are_no_messages(api: Api, exchange: Exchange) -> None:
    for word in ("STOP", "HELP", "START", "HELP", "C"):
        exchange.reply(PATIENT, word)
    answers = [text.body[:30] for text in exchange.texts.newest(PATIENT) if text.direction == "network"]
    assert answers == [
        "Reply STOP to unsubscribe. Msg",
        "You have successfully been re-",
        "You have successfully been uns",
    ]
    assert api.listed(To=PATIENT)["messages"] == []


@pytest.mark.parametrize(
    ("behaviour", "blocked", "opt_out_type"),
    [
        ({}, True, None),
        ({"advanced_opt_out": True}, True, "STOP"),
        ({"keyword_blocking": False}, False, None),
        ({"redaction": True, "advanced_opt_out": True}, False, None),
    ],
)
def test_the_account_decides_who_handles_stop_and_the_product_always_hears_of_it(
    receiver: Receiver, behaviour: dict[str, Any], *, blocked: bool, opt_out_type: str | None
) -> None:
    exchange = exchange_for(receiver, **behaviour)
    try:
        exchange.reply(PATIENT, "STOP")
        (heard,) = receiver.wait_for(1)
        assert (heard.form["Body"], heard.form.get("OptOutType")) == ("STOP", opt_out_type)
        assert exchange.keywords.blocks_any(PATIENT) is blocked
    finally:
        exchange.stop()


def test_a_reply_goes_to_the_number_that_texted_last_or_to_the_one_it_names(exchange: Exchange) -> None:
    form = {"To": [PATIENT], "Body": ["x"]}
    for sender in ("+12025550111", "+12025550112"):
        exchange.create(form | {"From": [sender]})
    assert exchange.reply(PATIENT, "C").to == "+12025550112"
    assert exchange.reply(PATIENT, "C", to="+12025550111").to == "+12025550111"
    assert exchange.reply(OTHER, "who is this").to == "+15005550006"


def test_an_inbound_text_is_the_form_that_twilio_sends(receiver: Receiver) -> None:
    exchange = exchange_for(receiver)
    try:
        sid = exchange.reply(PATIENT, "", media=["http://127.0.0.1/a", "http://127.0.0.1/b"]).sid
        (heard,) = receiver.wait_for(1)
    finally:
        exchange.stop()
    assert sid.startswith("MM")
    expected = {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "From": PATIENT,
        "To": "+15005550006",
        "Body": "",
        "NumMedia": "2",
        "MediaUrl1": "http://127.0.0.1/b",
        "MediaContentType0": "image/jpeg",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "FromCity": "",
        "ToCountry": "US",
    }
    assert expected.items() <= heard.form.items()
    assert heard.url.endswith("/sms/twilio/reply")
