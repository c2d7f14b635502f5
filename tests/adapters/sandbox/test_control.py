"""The sandbox's own API: every knob over HTTP, wrong orders refused, other sites kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.sms_worlds import OTHER, PATIENT

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from integration.sandbox.exchange import Exchange
    from tests.adapters.sandbox.conftest import Api

CHANGES: dict[str, Any] = {
    "reply_url": "http://127.0.0.1:9/reply",
    "pace": 0.5,
    "list_lag": 20,
    "latency": 0.05,
    "keyword_blocking": False,
    "advanced_opt_out": True,
    "toll_free": True,
    "redaction": True,
    "extra": {"New": "1"},
    "hours": {"zone": "Europe/London", "opens": "09:00", "closes": "20:00"},
    "numbers": ["+12025550111"],
    "services": {"MG" + "1" * 32: ["+12025550111"]},
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_can_be_changed_and_read_back(client: FlaskClient, name: str) -> None:
    before = client.get("/sandbox/settings").get_json()
    assert before[name] != CHANGES[name]
    after = client.post("/sandbox/settings", json={name: CHANGES[name]}).get_json()
    assert after == before | {name: CHANGES[name]}
    assert client.get("/sandbox/settings").get_json() == after


@pytest.mark.parametrize(
    "order",
    [
        {"pase": 1},
        {"pace": "fast"},
        {"pace": -1},
        {"pace": True},
        {"redaction": 1},
        {"reply_url": 5},
        {"extra": "x"},
        {"hours": {"zone": "Mars/Olympus"}},
        {"hours": {"opens": "dawn"}},
        {"hours": "always"},
        {"numbers": ["banana"]},
        {"numbers": 5},
        {"services": ["MG1"]},
        {"auth_tokens": 5},
        ["pace"],
    ],
)
def test_a_wrong_setting_is_refused_and_nothing_changes(client: FlaskClient, order: Any) -> None:
    before = client.get("/sandbox/settings").get_json()
    whole = order | {"list_lag": 99} if isinstance(order, dict) else order
    answer = client.post("/sandbox/settings", json=whole)
    assert (answer.status_code, list(answer.get_json())) == (400, ["error"])
    assert client.get("/sandbox/settings").get_json() == before


def test_a_new_token_signs_and_the_old_one_still_opens(client: FlaskClient, api: Api) -> None:
    client.post("/sandbox/settings", json={"auth_tokens": ["new", "sandbox"]})
    assert api.ask("GET", "Messages.json", password="new").status_code == 200
    assert api.ask("GET", "Messages.json").status_code == 200
    client.post("/sandbox/settings", json={"auth_tokens": ["new"]})
    assert api.ask("GET", "Messages.json").status_code == 401


def test_faults_are_ordered_listed_used_up_and_cleared(client: FlaskClient, api: Api) -> None:
    ordered = client.post("/sandbox/faults", json={"kind": "throttle", "to": PATIENT, "times": 2})
    assert ordered.status_code == 201
    assert api.create(To=OTHER).status_code == 201
    answer = api.create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    (left,) = client.get("/sandbox/faults").get_json()
    assert left["times"] == 1
    client.delete("/sandbox/faults")
    assert api.create().status_code == 201


def test_a_fault_without_a_number_of_times_stays(client: FlaskClient, api: Api) -> None:
    client.post("/sandbox/faults", json={"kind": "error", "status": 500, "on": "fetch", "times": None})
    sid = api.made()["sid"]
    assert [api.ask("GET", f"Messages/{sid}.json").status_code for _ in range(3)] == [500] * 3


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "earthquake"},
        {"kind": "drop", "on": "webhook"},
        {"kind": "twice", "on": "create"},
        {"kind": "drop", "on": "lunch"},
        {"kind": "drop", "when": "later"},
        {"kind": "drop", "times": 0},
        {"kind": "drop", "times": "3"},
        {"kind": "slow", "seconds": "3"},
        {"kind": "drop", "colour": "red"},
        {},
    ],
)
def test_a_fault_nobody_can_produce_is_refused(client: FlaskClient, order: dict[str, Any]) -> None:
    assert client.post("/sandbox/faults", json=order).status_code == 400


def test_lifecycles_are_chosen_for_one_number_or_for_all(client: FlaskClient, api: Api) -> None:
    known = client.get("/sandbox/lifecycle").get_json()
    assert "landline" in known["known"]
    client.post("/sandbox/lifecycle", json={"play": "landline", "to": PATIENT})
    client.post("/sandbox/lifecycle", json={"words": ["failed"], "code": 30008})
    mine, others = api.made()["sid"], api.made(To=OTHER)["sid"]
    assert client.post("/sandbox/settle", json={"seconds": 10}).get_json() == {"settled": True}
    assert [api.fetched(sid)["error_code"] for sid in (mine, others)] == [30006, 30008]
    assert client.post("/sandbox/lifecycle", json={"play": "drums"}).status_code == 400
    assert client.post("/sandbox/lifecycle", json={"play": "lost", "to": "banana"}).status_code == 400


def test_blocks_and_texts_and_webhooks_can_be_read(client: FlaskClient, exchange: Exchange, api: Api) -> None:
    api.made(StatusCallback="http://example.org/status")
    assert exchange.timetable.settle(10)
    exchange.reply(PATIENT, "STOP")
    assert client.get("/sandbox/blocks").get_json() == [{"from": "+15005550006", "to": PATIENT}]
    directions = [text["direction"] for text in client.get("/sandbox/texts").get_json()]
    assert directions == ["network", "inbound", "outbound-api"]
    assert [hook["answers"] for hook in client.get("/sandbox/webhooks").get_json()] == [["not-here"]] * 2
    client.delete("/sandbox/blocks")
    assert client.get("/sandbox/blocks").get_json() == []


def test_the_clock_can_be_wrong_and_the_calendar_fast(client: FlaskClient) -> None:
    order = {"skew": -90, "calendar": "2027-03-01T09:00-05:00", "speed": 0}
    answer = client.post("/sandbox/clock", json=order).get_json()
    assert answer["calendar"] == "2027-03-01T14:00:00+00:00"
    assert client.post("/sandbox/clock", json={"skew": "x"}).status_code == 400
    for wrong in ("soon", "2027-03-01T09:00", 5):
        assert client.post("/sandbox/clock", json={"calendar": wrong}).status_code == 400


def test_a_reset_forgets_everything_but_the_settings(client: FlaskClient, api: Api) -> None:
    client.post("/sandbox/settings", json={"list_lag": 7})
    client.post("/sandbox/faults", json={"kind": "drop", "to": OTHER})
    api.made()
    client.post("/sandbox/reset")
    for path in ("texts", "faults", "webhooks", "blocks"):
        assert client.get(f"/sandbox/{path}").get_json() == []
    assert client.get("/sandbox/record").get_json()["accepted"] == 0
    assert client.get("/sandbox/settings").get_json()["list_lag"] == 7


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "127.0.0.1:8090"}, 200),
        ({"Host": "[::1]:8090"}, 200),
        ({"Host": "localhost:8090", "Origin": "http://localhost:8090"}, 200),
        ({"Host": "sandbox.example.org"}, 403),
        ({"Host": "127.0.0.1.example.org"}, 403),
        ({"Host": "localhost:8090", "Origin": "https://example.org"}, 403),
        ({"Host": "localhost:8090", "Origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/sandbox/record", "/sandbox/phone"])
def test_other_sites_are_kept_out(
    client: FlaskClient, path: str, headers: dict[str, str], status: int
) -> None:
    assert client.get(path, headers=headers).status_code == status
