"""The phone page: what it shows, and that it answers as a patient would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.clock import SimulatedClock
from integration.sandbox.lifecycles import LIFECYCLES
from integration.sandbox.phone import shown
from tests.adapters.sms_worlds import OTHER, PATIENT

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from integration.sandbox.exchange import Exchange
    from tests.adapters.sandbox.conftest import Api

PAGE = "/sandbox/phone"


def page(client: FlaskClient, number: str | None = None) -> str:
    return client.get(PAGE, query_string={"number": number} if number else {}).get_data(as_text=True)


def state(client: FlaskClient, **asked: Any) -> dict[str, Any]:
    return dict(client.get(f"{PAGE}/state", query_string=asked).get_json())


def test_before_the_first_text_it_says_so(client: FlaskClient) -> None:
    assert "No text has arrived yet" in page(client)


def test_a_text_shows_its_words_time_size_price_and_fate(
    client: FlaskClient, api: Api, exchange: Exchange
) -> None:
    exchange.clock = SimulatedClock(datetime(2027, 3, 1, 15, 5, tzinfo=UTC), 1)
    api.made(Body="Your visit is Tue Dec 1 at 2:30 PM.", StatusCallback="http://127.0.0.1:1/status/abc#rc=0")
    assert exchange.timetable.settle(10)
    html = page(client)
    for words in (
        "(202) 555-0123",
        "Your visit is Tue Dec 1 at 2:30 PM.",
        "Monday, March 1, 2027",
        "10:05 AM",
        "1 segment · GSM-7 · 35 of 160",
        "$0.0083",
        "delivered",
        "sent → no connection",
        "<b>1</b> text",
    ):
        assert words in html


def test_a_text_that_never_arrived_says_why(client: FlaskClient, api: Api, exchange: Exchange) -> None:
    exchange.choose(LIFECYCLES["landline"], PATIENT)
    api.made(Body="á" * 71)
    assert exchange.timetable.settle(10)
    html = page(client, PATIENT)
    assert "undelivered, a landline (30006)" in html
    assert "2 segments · UCS-2 · 71 of 134" in html
    assert '<option value="landline" selected>' in html


def test_the_newest_handset_comes_first_and_any_other_can_be_opened(client: FlaskClient, api: Api) -> None:
    api.made()
    api.made(To=OTHER)
    handsets = state(client)["handsets"]
    assert handsets.index(shown(OTHER)) < handsets.index(shown(PATIENT))
    assert "(202) 555-0199" in page(client, "202 555 0199")
    assert "No text has arrived yet" in page(client, "banana")


def test_what_a_text_says_is_never_markup(client: FlaskClient, api: Api, exchange: Exchange) -> None:
    api.made(Body="<script>alert(1)</script>")
    exchange.reply(PATIENT, "<img src=x onerror=alert(1)>")
    everything = page(client) + state(client)["thread"] + state(client)["handsets"]
    assert "<script>alert" not in everything
    assert "<img" not in everything
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in everything


def test_nothing_is_loaded_from_elsewhere(client: FlaskClient, api: Api) -> None:
    api.made()
    html = page(client)
    assert "http://" not in html
    assert "https://" not in html
    for file in ("phone.css", "phone.js"):
        assert f"/sandbox/phone/static/{file}" in html
        with client.get(f"{PAGE}/static/{file}") as answer:
            text = answer.get_data(as_text=True)
        assert text
        assert "://" not in text
        assert "@import" not in text


def test_an_unchanged_page_costs_one_number(client: FlaskClient, api: Api) -> None:
    api.made()
    first = state(client)
    assert first.keys() == {"version", "handsets", "thread", "totals"}
    settled = state(client, after=0)
    assert state(client, after=settled["version"]).keys() <= first.keys()


def test_a_reply_by_json_is_a_text_from_the_patient(client: FlaskClient, exchange: Exchange) -> None:
    answer = client.post(
        f"{PAGE}/reply", json={"from": PATIENT, "body": "C", "to": "+12025550111", "media": 2}
    )
    assert answer.status_code == 201
    (text,) = exchange.texts.newest(PATIENT)
    assert answer.get_json() == {"sid": text.sid, "to": "+12025550111"}
    assert (text.body, text.direction, text.sender, len(text.media)) == ("C", "inbound", PATIENT, 2)


def test_without_a_script_the_forms_work_and_lead_back(client: FlaskClient, exchange: Exchange) -> None:
    answer = client.post(f"{PAGE}/reply", data={"from": PATIENT, "body": "STOP"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?number=%2B12025550123")
    answer = client.post(f"{PAGE}/play", data={"number": PATIENT, "play": "lost"})
    assert answer.status_code == 303
    assert exchange.plays[PATIENT] is LIFECYCLES["lost"]
    assert "This number has opted out" in page(client, PATIENT)


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("reply", {"from": "banana", "body": "C"}),
        ("reply", {"from": PATIENT, "body": ""}),
        ("reply", {"from": PATIENT, "body": "x" * 1601}),
        ("reply", {"from": PATIENT, "body": 5}),
        ("reply", {"from": PATIENT, "body": "C", "to": "banana"}),
        ("reply", {}),
        ("play", {"number": PATIENT, "play": "drums"}),
        ("play", {"play": "lost"}),
    ],
)
def test_a_wrong_order_is_refused(client: FlaskClient, path: str, order: dict[str, Any]) -> None:
    answer = client.post(f"{PAGE}/{path}", json=order)
    assert (answer.status_code, list(answer.get_json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("number", "written"),
    [("+12025550123", "(202) 555-0123"), ("+447700900123", "+447700900123"), ("", "")],
)
def test_numbers_are_shown_as_people_write_them(number: str, written: str) -> None:
    assert shown(number) == written
