"""What must never happen is noticed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from integration.domain.clock import SimulatedClock
from integration.sandbox.record import Hours
from tests.adapters.sms_worlds import OTHER, PATIENT

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from integration.sandbox.exchange import Exchange
    from tests.adapters.sandbox.conftest import Api

NOON_IN_NEW_YORK = datetime(2027, 3, 1, 17, tzinfo=UTC)


def test_a_text_twice_to_one_number_is_noticed_and_to_two_numbers_is_not(
    api: Api, client: FlaskClient
) -> None:
    first = api.made(Body="the same")
    api.made(Body="the same", To=OTHER)
    record = client.get("/sandbox/record").get_json()
    assert (record["accepted"], record["numbers"], record["doubles"]) == (2, 2, [])
    api.made(Body="the same")
    record = client.get("/sandbox/record").get_json()
    (double,) = record["doubles"]
    assert (double["to"], double["count"]) == (PATIENT, 2)
    noted = record["creates"][0]
    assert (noted["sid"], noted["to"], noted["body"], noted["digest"]) == (
        first["sid"],
        PATIENT,
        "the same",
        double["digest"],
    )


def test_a_text_after_stop_is_noticed_even_when_the_network_does_not_block_it(
    api: Api, client: FlaskClient, exchange: Exchange
) -> None:
    exchange.behaviour.redaction = True
    exchange.reply(PATIENT, "STOP")
    sid = api.made()["sid"]
    api.made(To=OTHER)
    exchange.reply(PATIENT, "START")
    api.made()
    assert client.get("/sandbox/record").get_json()["after_stop"] == [sid]


@pytest.mark.parametrize(
    ("utc", "outside"),
    [("2027-03-01T13:00", 0), ("2027-03-01T12:59", 1), ("2027-03-02T01:59", 0), ("2027-03-02T02:00", 1)],
)
def test_a_text_outside_the_hours_is_noticed_by_the_calendar(
    api: Api, client: FlaskClient, exchange: Exchange, utc: str, outside: int
) -> None:
    exchange.clock = SimulatedClock(datetime.fromisoformat(f"{utc}+00:00"), 1)
    api.made()
    assert len(client.get("/sandbox/record").get_json()["outside_hours"]) == outside


def test_the_hours_are_those_of_their_zone() -> None:
    assert Hours().allow(NOON_IN_NEW_YORK)
    assert not Hours(zone="Asia/Tokyo").allow(NOON_IN_NEW_YORK)


def test_two_segments_and_refusals_are_noticed(api: Api, client: FlaskClient) -> None:
    sid = api.made(Body="a" * 161)["sid"]
    api.made(Body="a" * 160)
    api.create(To="banana")
    record = client.get("/sandbox/record").get_json()
    assert (record["over_one_segment"], record["segments"], record["refused"]) == ([sid], 3, {"21211": 1})


def test_the_record_can_be_short_and_begin_anew(api: Api, client: FlaskClient, exchange: Exchange) -> None:
    exchange.reply(PATIENT, "STOP")
    api.made(To=OTHER)
    assert "creates" not in client.get("/sandbox/record?creates=0").get_json()
    assert client.delete("/sandbox/record").status_code == 204
    record = client.get("/sandbox/record").get_json()
    assert (record["accepted"], record["creates"]) == (0, [])
    exchange.keywords.clear()
    api.made()  # who had stopped before is still known
    assert len(client.get("/sandbox/record").get_json()["after_stop"]) == 1


def test_the_record_is_bounded(api: Api, exchange: Exchange) -> None:
    exchange.record.keep = 2
    for n in range(5):
        api.made(Body=f"{n}" * 161)
    assert len(exchange.record.copies) == 2
    assert len(exchange.record.over_one_segment) == 2
    assert exchange.record.accepted == 5
