"""The console provider: takes every text, tells of it without telling whom, and believes nobody."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from integration.adapters.sms.console import build
from integration.domain.delivery_status import DeliveryStatus
from integration.ports.sms import Accepted, OutgoingText, SmsProvider

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture
def console() -> SmsProvider:
    return build(now=lambda: NOW, new_id=lambda: "console-1")


@pytest.mark.parametrize(
    ("body", "line"),
    [("See you Tue.", "a text of 1 segment to …0123"), ("á" * 71, "a text of 2 segments to …0123")],
)
def test_a_text_is_taken_and_told_of_without_its_words_or_its_number(
    console: SmsProvider, caplog: pytest.LogCaptureFixture, body: str, line: str
) -> None:
    text = OutgoingText("+12025550123", body, "http://127.0.0.1/status", timedelta(hours=1))
    with caplog.at_level(logging.INFO):
        outcome = console.send(text)
    assert isinstance(outcome, Accepted)
    assert (outcome.text.provider_id, outcome.text.status) == ("console-1", DeliveryStatus.SENT)
    assert (outcome.text.created_at, outcome.text.sent_at) == (NOW, NOW)
    assert [record.getMessage() for record in caplog.records] == [line]


def test_it_reaches_nobody_and_hears_nobody(console: SmsProvider) -> None:
    assert console.loopback
    assert not console.verify("http://127.0.0.1/sms/console/reply", {"Body": ["STOP"]}, "anything")
    assert not console.verify("http://127.0.0.1/sms/console/reply", {}, "")
    assert list(console.find("+12025550123", NOW)) == []
    assert console.fetch("console-1") is None
    assert console.read_status({"MessageStatus": "delivered"}).status is None
    assert console.read_reply({"Body": "STOP"}).body == ""


def test_each_text_has_an_id_of_its_own() -> None:
    text = OutgoingText("+12025550123", "x", "http://127.0.0.1/status", timedelta(hours=1))
    outcomes = [build().send(text), build().send(text)]
    assert len({outcome.text.provider_id for outcome in outcomes if isinstance(outcome, Accepted)}) == 2
