"""The Twilio adapter: what only it must get right, against the emulator over HTTP."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.adapters.sms import twilio
from integration.adapters.sms.twilio import build, origin_of
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.line_type import LineType
from integration.ports.sms import (
    Accepted,
    NotSent,
    ProviderUnavailable,
    Refused,
    SendOutcome,
    Throttled,
    Uncertain,
)
from integration.sandbox.emulator import Emulator
from integration.sandbox.lifecycles import LIFECYCLES
from tests.adapters.sms_worlds import CODES, PATIENT, Receiver, TwilioWorld, account, exchange_for

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SERVICE = "MG" + "5" * 32


@pytest.fixture
def world() -> Iterator[TwilioWorld]:
    with Receiver() as receiver, Emulator(exchange_for(receiver)) as emulator:
        yield TwilioWorld(receiver, emulator)


# What goes wrong at Twilio, what we make of it, and whether Twilio has the text (messaging reference §1.8).
OUTCOMES: list[tuple[dict[str, Any], SendOutcome, bool]] = [
    ({"kind": "throttle", "seconds": 7}, Throttled(timedelta(seconds=7)), False),
    ({"kind": "refuse", "code": 21211}, Refused("21211", Failure.BAD_NUMBER), False),
    ({"kind": "refuse", "code": 21610}, Refused("21610", Failure.OPTED_OUT), False),
    ({"kind": "refuse", "code": 99999}, Refused("99999", Failure.UNKNOWN), False),
    ({"kind": "redirect"}, Refused("302", Failure.ACCOUNT), False),
    ({"kind": "error", "status": 403}, Refused("403", Failure.ACCOUNT), False),
    ({"kind": "error", "status": 418}, Refused("418", Failure.UNKNOWN), False),
    ({"kind": "error", "status": 500}, Uncertain("http-500"), False),
    ({"kind": "error", "status": 502, "when": "after"}, Uncertain("http-502"), True),
    ({"kind": "error", "status": 503, "when": "after"}, Uncertain("http-503"), True),
    ({"kind": "drop"}, Uncertain("connection-dropped"), False),
    ({"kind": "drop", "when": "after"}, Uncertain("connection-dropped"), True),
    ({"kind": "slow", "seconds": 30, "when": "after"}, Uncertain("read-timeout"), True),
    ({"kind": "truncate"}, Uncertain("answer-cut-short"), True),
    ({"kind": "garbage"}, Uncertain("unreadable-answer"), True),
]


@pytest.mark.parametrize(("order", "outcome", "kept"), OUTCOMES)
def test_every_fault_has_its_outcome(
    world: TwilioWorld,
    monkeypatch: pytest.MonkeyPatch,
    order: dict[str, Any],
    outcome: SendOutcome,
    *,
    kept: bool,
) -> None:
    if order["kind"] == "slow":
        monkeypatch.setattr(twilio, "READ_SECONDS", 0.5)
    world.orders(**order)
    assert world.provider.send(world.text()) == outcome
    monkeypatch.undo()
    assert len(world.provider.find(PATIENT, LONG_AGO)) == kept


def test_wrong_credentials_stop_everything_even_when_no_table_lists_the_code(world: TwilioWorld) -> None:
    stranger = build(account(world.emulator.url, auth_tokens=("wrong",), error_codes={}))
    assert stranger.send(world.text()) == Refused("20003", Failure.ACCOUNT)


def test_nobody_listening_means_that_nothing_left(world: TwilioWorld) -> None:
    world.emulator.stop()
    assert world.provider.send(world.text()) == NotSent("no-connection")


def test_the_request_says_who_sends_where_to_call_back_and_for_how_long(world: TwilioWorld) -> None:
    world.provider.send(world.text())
    (text,) = world.exchange.texts.newest(PATIENT)
    assert (text.sender, text.callback, text.validity) == ("+15005550006", world.text().callback_url, 3600)


@pytest.mark.parametrize(
    ("sender", "field"), [("+12025550150", "sender"), ("12345", "sender"), (SERVICE, "service")]
)
def test_a_practice_may_have_a_sender_of_its_own(world: TwilioWorld, sender: str, field: str) -> None:
    world.provider = build(account(world.emulator.url, messaging_service_sid="MG" + "6" * 32))
    assert isinstance(world.provider.send(replace(world.text(), sender=sender)), Accepted)

    text = world.exchange.texts.newest(PATIENT)
    assert getattr(next(iter(text)), field) == sender


@pytest.mark.parametrize(
    ("valid_for", "seconds"),
    [
        (timedelta(0), 1),
        (timedelta(milliseconds=1500), 1),
        (timedelta(hours=10), 36_000),
        (timedelta(days=3), 36_000),
    ],
)
def test_validity_stays_within_twilios_bounds(world: TwilioWorld, valid_for: timedelta, seconds: int) -> None:
    text = world.text()
    world.provider.send(type(text)(text.to, text.body, text.callback_url, valid_for))
    assert next(world.exchange.texts.newest(PATIENT)).validity == seconds


def test_a_service_chooses_its_sender_and_counts_segments_later(world: TwilioWorld) -> None:
    through_service = build(account(world.emulator.url, sender=None, messaging_service_sid=SERVICE))
    world.exchange.behaviour.pace = 60.0  # nothing happens to it yet
    outcome = through_service.send(world.text())
    assert isinstance(outcome, Accepted)
    assert (outcome.text.word, outcome.text.sender, outcome.text.segments) == ("accepted", None, None)
    assert (outcome.text.price, outcome.text.sent_at) == (None, None)


def test_a_sent_text_has_its_segments_and_what_it_cost(world: TwilioWorld) -> None:
    (heard,) = world.told(["sent"])
    text = world.provider.fetch(heard.form["MessageSid"])
    assert text is not None
    assert (text.segments, text.price, text.currency) == (1, "0.00830", "USD")


def test_a_text_that_waits_in_the_queue_is_found_and_so_is_every_page(
    world: TwilioWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "PAGE_SIZE", 2)
    world.exchange.behaviour.pace = 60.0
    for n in range(5):
        world.provider.send(world.text(f"number {n}"))
    found = world.provider.find(PATIENT, LONG_AGO)
    assert [text.body for text in found] == [f"number {n}" for n in (4, 3, 2, 1, 0)]
    assert all(text.sent_at is None for text in found)


def test_looking_stops_at_the_page_that_is_older_than_asked(
    world: TwilioWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "PAGE_SIZE", 2)
    for n in range(6):
        world.provider.send(world.text(f"number {n}"))
    for text in list(world.exchange.texts.newest(PATIENT))[1:]:
        text.created_at = text.sent_at = LONG_AGO
    world.orders(kind="slow", on="list", seconds=0, times=10)
    since = datetime.now(UTC) - timedelta(hours=1)
    assert [text.body for text in world.provider.find(PATIENT, since)] == ["number 5"]
    (left,) = world.exchange.faults.listed()
    assert left["times"] == 9  # one page was asked for


def test_a_list_that_breaks_off_is_no_answer(world: TwilioWorld) -> None:
    for order in ({"kind": "error"}, {"kind": "throttle"}, {"kind": "drop"}, {"kind": "truncate"}):
        world.orders(on="list", **order)
        with pytest.raises(ProviderUnavailable):
            world.provider.find(PATIENT, LONG_AGO)
    assert list(world.provider.find(PATIENT, LONG_AGO)) == []


def test_only_twilio_itself_can_say_that_a_text_does_not_exist(world: TwilioWorld) -> None:
    world.orders(kind="error", on="fetch", status=404)
    with pytest.raises(ProviderUnavailable, match="http-404"):
        world.provider.fetch("SM" + "0" * 32)
    assert world.provider.fetch("SM" + "0" * 32) is None


def test_no_log_at_any_level_names_the_patient_or_the_words(
    world: TwilioWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        world.provider.send(world.text("about the visit"))
        world.provider.find(PATIENT, LONG_AGO)
        world.orders(kind="error")
        world.provider.send(world.text("about the visit"))
    assert PATIENT[1:] not in caplog.text
    assert "visit" not in caplog.text


def test_the_library_keeps_no_request_and_no_answer(world: TwilioWorld) -> None:
    world.provider.send(world.text("about the visit"))
    kept = vars(world.provider._client.http_client)  # type: ignore[attr-defined]
    assert kept["_test_only_last_request"] is None
    assert kept["_test_only_last_response"] is None


def test_the_environments_proxies_and_regions_are_not_used(
    world: TwilioWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    assert isinstance(build(account(world.emulator.url)).send(world.text()), Accepted)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        (None, False),
        ("http://127.0.0.1:8090", True),
        ("http://[::1]:8090/", True),
        ("http://localhost:8090/twilio", True),
        ("https://api.dublin.ie1.twilio.com", False),
        ("https://127.0.0.1.example.org", False),
    ],
)
def test_loopback_is_literal(url: str | None, *, loopback: bool) -> None:
    assert build(account("http://localhost", api_base_url=url)).loopback is loopback


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"api_base_url": "http://api.example.org"}, "https"),
        ({"api_base_url": "ftp://127.0.0.1"}, "http"),
        ({"api_base_url": "https://"}, "http"),
        ({"api_base_url": "https://127.0.0.1@api.example.org"}, "more than"),
        ({"api_base_url": "https://api.example.org/?x=1"}, "more than"),
        ({"sender": None}, "sender"),
        ({"auth_tokens": ()}, "token"),
        ({"auth_tokens": ("good", "")}, "token"),
        ({"account_sid": ""}, "SID"),
    ],
)
def test_an_account_that_cannot_work_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        account("http://127.0.0.1:1", **change)


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://api.twilio.com", "https://lookups.twilio.com"),
        ("https://api.dublin.ie1.twilio.com", "https://lookups.dublin.ie1.twilio.com"),
        ("http://127.0.0.1:8089", "http://127.0.0.1:8089"),
        ("https://api.example.org", "https://api.example.org"),
    ],
)
def test_lookup_is_asked_where_twilio_has_it_and_else_where_everything_is(base_url: str, origin: str) -> None:
    assert origin_of("lookups.twilio.com", base_url) == origin
    assert origin_of("api.twilio.com", base_url) == base_url


@pytest.mark.parametrize(("play", "line"), [("landline", LineType.LANDLINE), ("normal", LineType.MOBILE)])
def test_lookups_words_are_read(world: TwilioWorld, play: str, line: LineType) -> None:
    world.exchange.choose(LIFECYCLES[play], PATIENT)
    assert world.provider.line_type(PATIENT) is line


def test_what_is_no_number_is_invalid(world: TwilioWorld) -> None:
    assert world.provider.line_type("+1202") is LineType.INVALID


def test_an_account_does_not_show_its_tokens() -> None:
    assert "sandbox" not in repr(account("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("scheduled", DeliveryStatus.ACCEPTED),
        ("accepted", DeliveryStatus.ACCEPTED),
        ("queued", DeliveryStatus.ACCEPTED),
        ("sending", DeliveryStatus.ACCEPTED),
        ("sent", DeliveryStatus.SENT),
        ("partially_delivered", DeliveryStatus.SENT),
        ("delivered", DeliveryStatus.DELIVERED),
        ("Delivered", DeliveryStatus.DELIVERED),
        ("read", DeliveryStatus.DELIVERED),
        ("undelivered", DeliveryStatus.UNDELIVERED),
        ("failed", DeliveryStatus.FAILED),
        ("canceled", DeliveryStatus.FAILED),
        ("teleported", None),
        ("", None),
    ],
)
def test_every_word_of_twilios_has_one_of_ours(word: str, status: DeliveryStatus | None) -> None:
    provider = build(account("http://127.0.0.1:1"))
    form = {"MessageSid": "SM1", "MessageStatus": word, "ErrorCode": "", "NewKey": "x"}
    report = provider.read_status(form)
    assert (report.provider_id, report.status, report.error_code, report.failure) == (
        "SM1",
        status,
        None,
        None,
    )
    older = provider.read_status({"SmsSid": "SM1", "SmsStatus": word})
    assert (older.provider_id, older.status) == ("SM1", status)


@pytest.mark.parametrize("code", [*CODES, "54321"])
def test_an_error_code_is_read_by_the_table(code: str) -> None:
    report = build(account("http://127.0.0.1:1")).read_status({"MessageStatus": "failed", "ErrorCode": code})
    assert (report.error_code, report.failure) == (code, CODES.get(code, Failure.UNKNOWN))


@pytest.mark.parametrize(
    ("form", "media", "keyword"),
    [
        ({"NumMedia": "3", "OptOutType": "START"}, 3, "start"),
        ({"NumMedia": "many", "OptOutType": "HELP"}, 0, "help"),
        ({"NumMedia": "9" * 5000, "OptOutType": "MAYBE"}, 0, None),
        ({"NumMedia": "-1"}, 0, None),
    ],
)
def test_an_odd_reply_is_read_all_the_same(form: dict[str, str], media: int, keyword: str | None) -> None:
    reply = build(account("http://127.0.0.1:1")).read_reply({"SmsMessageSid": "SM2", **form})
    assert (reply.provider_id, reply.media, reply.keyword_handled) == ("SM2", media, keyword)
