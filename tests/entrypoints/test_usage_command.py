"""What was texted is counted by practice, with the provider's price or our own guess at it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.text_message import TextKind, TextMessage
from integration.entrypoints.cli import main
from integration.entrypoints.commands.usage import Account, accounts
from tests import settings as make
from tests.messages import siu
from tests.site import Site, TurnedClock
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    import pytest

    from tests.stores import StorePlace

NOON = datetime(2027, 3, 1, 17, tzinfo=UTC)
TEXT = TextMessage(
    id=1,
    practice="riverside",
    number="+16175550123",
    kind=TextKind.REMINDER,
    occasion="booked",
    language="en",
    body="",
    encoding="GSM-7",
    segments=1,
    created_at=NOON,
    not_after=NOON,
    status=DeliveryStatus.DELIVERED,
)


def test_named_prices_are_summed_and_others_guessed() -> None:
    texts = [
        replace(TEXT, price="0.00790", currency="USD"),
        replace(TEXT, segments=2, status=DeliveryStatus.FAILED),
        replace(TEXT, price="0.01", currency="CAD", status=DeliveryStatus.SENT),
    ]
    assert accounts(texts, make.practice()) == [
        Account("USD", 2, 1, 1, 3, price=Decimal("0.02450"), estimated=Decimal("0.0166")),
        Account("CAD", 1, 0, 0, 1, price=Decimal("0.01")),
    ]


def test_no_texts_are_an_account_of_nothing() -> None:
    assert accounts([], make.practice()) == [Account("USD")]


def test_the_days_are_the_practices_own(
    sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATABASE_URL", sqlite_place.url)
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(sqlite_place.data_directory))
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA_KEY", TEST_DATA_KEY)
    monkeypatch.chdir(sqlite_place.data_directory)
    store = sqlite_place.open()
    late = datetime(2027, 3, 2, 0, 30, tzinfo=UTC)  # 19:30 on March 1st in New York
    Site(store, TurnedClock(late)).hear(siu("S12", at=late, start=late + timedelta(days=10)))
    store.close()
    capsys.readouterr()
    for day, texts in (("2027-03-01", 1), ("2027-03-02", 0)):
        assert main(["usage", "--from", day, "--to", day, "--json"]) == 0
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (told["practice"], told["texts"], told["from"]) == ("riverside", texts, day)
    assert main(["usage", "--from", "2027-03-01", "--to", "2027-03-01", "--csv"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.startswith("practice,from,to,texts")
    assert row.startswith("riverside,2027-03-01,2027-03-01,1")
