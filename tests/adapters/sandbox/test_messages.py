"""The message resource: what it shows, and how it is listed, redacted, taken back and deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.clock import SimulatedClock
from integration.sandbox.lifecycles import LIFECYCLES
from tests.adapters.sms_worlds import OTHER, PATIENT

if TYPE_CHECKING:
    from integration.sandbox.exchange import Exchange
    from tests.adapters.sandbox.conftest import Api

SERVICE = "MG" + "1" * 32


def settle(exchange: Exchange) -> None:
    assert exchange.timetable.settle(10)


def test_a_text_through_a_service_is_accepted_and_knows_little_yet(api: Api, exchange: Exchange) -> None:
    exchange.behaviour.pace = 60.0
    made = api.made(From=None, MessagingServiceSid=SERVICE)
    known = {
        name: made[name] for name in ("status", "from", "num_segments", "price", "date_sent", "direction")
    }
    assert known == {
        "status": "accepted",
        "from": None,
        "num_segments": "0",
        "price": None,
        "date_sent": None,
        "direction": "outbound-api",
    }
    assert made["sid"].startswith("SM")
    assert made["date_created"].endswith("+0000")
    assert abs(parsedate_to_datetime(made["date_created"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_text_from_a_number_is_queued_and_counted_at_once(api: Api, exchange: Exchange) -> None:
    exchange.behaviour.pace = 60.0
    made = api.made(Body="á" * 71)
    assert (made["status"], made["num_segments"], made["from"]) == ("queued", "2", "+15005550006")


def test_a_delivered_text_has_its_sender_segments_price_and_times(api: Api, exchange: Exchange) -> None:
    sid = api.made(From=None, MessagingServiceSid=SERVICE, Body="a" * 161)["sid"]
    settle(exchange)
    text = api.fetched(sid)
    assert (text["status"], text["from"], text["num_segments"]) == ("delivered", "+15005550006", "2")
    assert (text["price"], text["price_unit"]) == ("-0.01660", "USD")
    assert text["date_sent"] is not None


def test_a_picture_makes_it_an_mms(api: Api) -> None:
    made = api.made(MediaUrl=["https://example.org/a.jpg", "https://example.org/b.jpg"])
    assert (made["sid"][:2], made["num_media"]) == ("MM", "2")


def test_a_list_is_filtered_by_number_and_the_newest_comes_first(api: Api, exchange: Exchange) -> None:
    for body in ("one", "two"):
        api.made(Body=body)
    api.made(To=OTHER)
    exchange.reply(PATIENT, "C")
    settle(exchange)
    assert [text["body"] for text in api.listed(To=PATIENT)["messages"]] == ["two", "one"]
    assert [text["body"] for text in api.listed(To="+15005550006")["messages"]] == ["C"]
    assert len(api.listed(From="+15005550006")["messages"]) == 3
    assert api.listed(From=PATIENT)["messages"][0]["direction"] == "inbound"
    assert api.listed(To="+12025550199")["messages"] == []


def test_pages_follow_one_another_though_new_texts_arrive(api: Api) -> None:
    for n in range(5):
        api.made(Body=f"number {n}")
    seen: list[str] = []
    page: dict[str, Any] = api.listed(To=PATIENT, PageSize="2")
    while True:
        seen += [text["body"] for text in page["messages"]]
        api.made(Body="meanwhile")
        if page["next_page_uri"] is None:
            break
        assert "PageToken=" in page["next_page_uri"]
        page = dict(api.ask("GET", page["next_page_uri"]).get_json())
    assert seen == [f"number {n}" for n in (4, 3, 2, 1, 0)]
    assert page["page"] == 2


@pytest.mark.parametrize("asked", [{"PageToken": "PA1"}, {"Page": "x"}, {"DateSent": "yesterday"}])
def test_a_list_asked_for_wrongly_is_refused(api: Api, asked: dict[str, str]) -> None:
    assert api.ask("GET", "Messages.json", query_string=asked).get_json()["code"] == 20001


def test_date_filters_compare_days_and_miss_what_is_not_sent(api: Api, exchange: Exchange) -> None:
    exchange.choose(LIFECYCLES["stuck"], OTHER)
    api.made(To=OTHER)
    api.made()
    settle(exchange)
    today, day = datetime.now(UTC).date(), timedelta(days=1)
    table = {
        ("DateSent", today): 1,
        ("DateSent", today - day): 0,
        ("DateSent<", today): 1,
        ("DateSent<", today - day): 0,
        ("DateSent>", today): 1,
        ("DateSent>", today + day): 0,
    }
    found = {(name, on): len(api.listed(**{name: on.isoformat()})["messages"]) for name, on in table}
    assert found == table
    assert len(api.listed(To=OTHER)["messages"]) == 1


def test_the_list_lags_but_fetch_does_not(api: Api, exchange: Exchange) -> None:
    exchange.behaviour.list_lag = 60.0
    sid = api.made()["sid"]
    assert api.listed()["messages"] == []
    assert api.fetched(sid)["sid"] == sid


def test_a_body_may_be_redacted_once_its_delivery_has_ended(api: Api, exchange: Exchange) -> None:
    exchange.choose(LIFECYCLES["stuck"], OTHER)
    waiting = api.made(To=OTHER)["sid"]
    ended = api.made()["sid"]
    settle(exchange)
    assert api.ask("POST", f"Messages/{waiting}.json", data={"Body": ""}).get_json()["code"] == 20009
    assert api.ask("POST", f"Messages/{ended}.json", data={"Body": ""}).get_json()["body"] == ""
    assert api.ask("POST", f"Messages/{ended}.json", data={"Body": "x"}).get_json()["code"] == 20001


def test_only_what_waits_can_be_taken_back(api: Api, exchange: Exchange) -> None:
    exchange.choose(LIFECYCLES["stuck"], OTHER)
    waiting = api.made(To=OTHER)["sid"]
    sent = api.made()["sid"]
    settle(exchange)
    cancel = {"Status": "canceled"}
    assert api.ask("POST", f"Messages/{waiting}.json", data=cancel).get_json()["status"] == "canceled"
    assert api.ask("POST", f"Messages/{sent}.json", data=cancel).get_json()["code"] == 30409


def test_a_scheduled_text_waits_and_can_be_taken_back(api: Api, exchange: Exchange) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = api.made(From=None, MessagingServiceSid=SERVICE, ScheduleType="fixed", SendAt=later)
    assert made["status"] == "scheduled"
    exchange.reply(PATIENT, "STOP")  # too late: a scheduled text is not cancelled by it
    cancelled = api.ask("POST", f"Messages/{made['sid']}.json", data={"Status": "canceled"}).get_json()
    assert cancelled["status"] == "canceled"


def test_a_text_is_deleted_once_its_delivery_has_ended(api: Api, exchange: Exchange) -> None:
    sid = api.made()["sid"]
    settle(exchange)
    assert api.ask("DELETE", f"Messages/{sid}.json").status_code == 204
    assert api.ask("GET", f"Messages/{sid}.json").get_json()["code"] == 20404
    assert api.listed(To=PATIENT)["messages"] == []
    exchange.choose(LIFECYCLES["stuck"], OTHER)
    waiting = api.made(To=OTHER)["sid"]
    assert api.ask("DELETE", f"Messages/{waiting}.json").get_json()["code"] == 20009


def test_a_validity_that_runs_out_in_the_queue_expires_the_text(api: Api, exchange: Exchange) -> None:
    with exchange.lock:  # so that nothing happens to it before it is two seconds old
        sid = api.made(ValidityPeriod="1")["sid"]
        next(exchange.texts.newest()).stored_at -= 2
    settle(exchange)
    text = api.fetched(sid)
    assert (text["status"], text["error_code"], text["price"]) == ("failed", 30036, None)


def test_feedback_is_taken(api: Api) -> None:
    sid = api.made()["sid"]
    answer = api.ask("POST", f"Messages/{sid}/Feedback.json", data={"Outcome": "confirmed"})
    assert (answer.status_code, answer.get_json()["outcome"]) == (201, "confirmed")
    wrong = api.ask("POST", f"Messages/{sid}/Feedback.json", data={"Outcome": "perhaps"})
    assert wrong.get_json()["code"] == 20001


@pytest.mark.parametrize(("play", "line"), [("normal", "mobile"), ("landline", "landline")])
def test_lookup_knows_the_line_a_number_plays(api: Api, exchange: Exchange, play: str, line: str) -> None:
    exchange.choose(LIFECYCLES[play], PATIENT)
    path = f"/v2/PhoneNumbers/{PATIENT}"
    plain = api.ask("GET", path).get_json()
    assert (plain["valid"], plain["line_type_intelligence"]) == (True, None)
    paid = api.ask("GET", path, query_string={"Fields": "line_type_intelligence"}).get_json()
    assert paid["line_type_intelligence"]["type"] == line
    assert api.ask("GET", "/v2/PhoneNumbers/banana").get_json()["validation_errors"] == ["NOT_A_NUMBER"]


@pytest.mark.parametrize("period", ["", "/Daily", "/Today", "/ThisMonth", "/AllTime"])
def test_usage_counts_segments_and_what_they_cost(api: Api, exchange: Exchange, period: str) -> None:
    api.made(Body="a" * 161)
    settle(exchange)
    answer = api.ask("GET", f"Usage/Records{period}.json", query_string={"Category": "sms-outbound"})
    (record,) = answer.get_json()["usage_records"]
    assert (record["count"], record["price"]) == ("2", "0.01660")


def test_usage_of_other_days_is_nothing(api: Api, exchange: Exchange) -> None:
    api.made()
    settle(exchange)
    for period in ("Yesterday", "LastMonth"):
        records = api.ask("GET", f"Usage/Records/{period}.json").get_json()["usage_records"]
        assert {record["count"] for record in records} == {"0"}


def test_dates_come_from_the_clock_that_was_given(api: Api, exchange: Exchange) -> None:
    exchange.clock = SimulatedClock(datetime(2027, 3, 1, 14, tzinfo=UTC), 1)
    exchange.skew = timedelta(hours=-2)
    made = api.made()
    ours = exchange.clock.wall()
    assert abs(ours - timedelta(hours=2) - parsedate_to_datetime(made["date_created"])) < timedelta(minutes=1)
    (noted,) = exchange.record.creates
    assert noted["shown_at"].startswith("2027-03-01T14:00:00")


def test_the_oldest_texts_fall_off_a_full_shelf(api: Api, exchange: Exchange) -> None:
    exchange.texts._keep = 3
    for n in range(5):
        api.made(Body=f"number {n}")
    assert [text["body"] for text in api.listed()["messages"]] == ["number 4", "number 3", "number 2"]
