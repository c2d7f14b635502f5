"""What the emulated API refuses, and with which code: the table of messaging reference §2.1.3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.sandbox.admission import Senders, e164
from integration.sandbox.behaviour import ACCOUNT, Account
from tests.adapters.sms_worlds import PATIENT

if TYPE_CHECKING:
    from integration.sandbox.exchange import Exchange
    from tests.adapters.sandbox.conftest import Api

SERVICE, EMPTY = "MG" + "1" * 32, "MG" + "2" * 32
NOW = datetime.now(UTC)


def at(**later: float) -> str:
    return (NOW + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


REFUSED: list[tuple[int, dict[str, Any]]] = [
    (21604, {"To": None}),
    (21604, {"To": ""}),
    (21211, {"To": "banana"}),
    (21211, {"To": "+1555"}),
    (21211, {"To": "+1202555012٣"}),
    (21211, {"To": "+15005550001"}),
    (21612, {"To": "+15005550002"}),
    (21408, {"To": "+15005550003"}),
    (21610, {"To": "+15005550004"}),
    (21614, {"To": "+15005550009"}),
    (21603, {"From": None}),
    (21212, {"From": "clinic"}),
    (21212, {"From": "+15005550001"}),
    (21606, {"From": "+15005550007"}),
    (21606, {"From": "+12025550100"}),
    (21611, {"From": "+15005550008"}),
    (21266, {"From": "+15005550006", "To": "+15005550006"}),
    (21705, {"From": None, "MessagingServiceSid": "MG1"}),
    (21705, {"From": None, "MessagingServiceSid": "MG" + "3" * 32}),
    (21704, {"From": None, "MessagingServiceSid": EMPTY}),
    (21602, {"Body": None}),
    (21602, {"Body": ""}),
    (21617, {"Body": "x" * 1601}),
    (21620, {"MediaUrl": ["picture.jpg"]}),
    (21623, {"MediaUrl": ["https://example.org/x.jpg"] * 11}),
    (21609, {"StatusCallback": "/status"}),
    (21609, {"StatusCallback": "https://our_host.example.org/status"}),
    (21609, {"StatusCallback": "https://example.org:99999/status"}),
    (21624, {"ValidityPeriod": "0"}),
    (21624, {"ValidityPeriod": "36001"}),
    (21624, {"ValidityPeriod": "9" * 5000}),
    (21624, {"ValidityPeriod": "an hour"}),
    (30030, {"ContentRetention": "discard"}),
    (35111, {"MessagingServiceSid": SERVICE, "ScheduleType": "fixed"}),
    (35111, {"MessagingServiceSid": SERVICE, "SendAt": at(hours=1)}),
    (35117, {"MessagingServiceSid": SERVICE, "ScheduleType": "loose", "SendAt": at(hours=1)}),
    (35118, {"ScheduleType": "fixed", "SendAt": at(hours=1)}),
    (35114, {"MessagingServiceSid": SERVICE, "ScheduleType": "fixed", "SendAt": at(minutes=4)}),
    (35114, {"MessagingServiceSid": SERVICE, "ScheduleType": "fixed", "SendAt": at(days=36)}),
    (35114, {"MessagingServiceSid": SERVICE, "ScheduleType": "fixed", "SendAt": "tomorrow"}),
]


@pytest.fixture(autouse=True)
def senders(exchange: Exchange) -> None:
    pools = {SERVICE: ("+15005550006",), EMPTY: ()}
    exchange.senders = Senders(frozenset({"+15005550006"}), pools)


@pytest.mark.parametrize(("code", "form"), REFUSED)
def test_a_create_that_twilio_refuses_is_refused_with_its_code(
    api: Api, exchange: Exchange, code: int, form: dict[str, Any]
) -> None:
    answer = api.create(**form)
    assert answer.status_code == 400
    assert answer.get_json() == {
        "code": code,
        "message": answer.get_json()["message"],
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": 400,
    }
    assert exchange.record.refused[code] == 1
    assert api.listed()["messages"] == []


@pytest.mark.parametrize(
    "form",
    [
        {"Body": "x" * 1600},
        {"Body": None, "MediaUrl": ["https://example.org/a.jpg", "https://example.org/b.jpg"]},
        {"ValidityPeriod": "1"},
        {"ValidityPeriod": "36000"},
        {"MessagingServiceSid": SERVICE},
        {"From": None, "MessagingServiceSid": SERVICE},
        {"MessagingServiceSid": SERVICE, "ScheduleType": "fixed", "SendAt": at(hours=1)},
        {"To": "(202) 555-0123"},
        {"NewParameter": "of tomorrow"},
    ],
)
def test_a_good_create_is_taken(api: Api, form: dict[str, Any]) -> None:
    assert api.made(**form)["to"] == PATIENT


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+12025550123", "+12025550123"),
        ("202-555-0123", "+12025550123"),
        (" (202) 555.0123 ", "+12025550123"),
        ("+447700900123", "+447700900123"),
        ("+1202555012", None),
        ("+11025550123", None),
        ("1", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_people_write_them(written: str, number: str | None) -> None:
    assert e164(written) == number


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        (ACCOUNT, "old", 200),
        (ACCOUNT, "new", 200),
        ("SK1", "secret", 200),
        (ACCOUNT, "secret", 401),
        ("SK1", "new", 401),
        ("", "", 401),
    ],
)
def test_only_the_accounts_own_credentials_are_admitted(
    api: Api, exchange: Exchange, user: str, password: str, status: int
) -> None:
    exchange.account = Account(tokens=("new", "old"), api_keys={"SK1": "secret"})
    answer = api.ask("GET", "Messages.json", user, password)
    assert answer.status_code == status
    assert status == 200 or answer.get_json()["code"] == 20003


def test_another_accounts_messages_are_not_found(api: Api) -> None:
    answer = api.ask("GET", "/2010-04-01/Accounts/AC0/Messages.json")
    assert (answer.status_code, answer.get_json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/2010-04-01/Nowhere.json"), ("PUT", "/sandbox/record")]
)
def test_what_is_not_there_is_said_in_json(api: Api, method: str, path: str) -> None:
    assert api.ask(method, path).get_json()["more_info"].endswith("/20404")
