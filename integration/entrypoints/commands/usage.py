"""`usage`: how many texts and segments between two dates, and at what price, practice by practice."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentTypeError
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from integration import bootstrap
from integration.domain.delivery_status import DeliveryStatus
from integration.entrypoints.printing import json_line, table, warn
from integration.entrypoints.surroundings import the_environment, the_practice, the_settings
from integration.entrypoints.troubles import Usage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from integration.domain.text_message import TextMessage
    from integration.settings.model import Practice

HEAD = (
    "practice",
    "from",
    "to",
    "texts",
    "delivered",
    "failed",
    "segments",
    "price",
    "currency",
    "estimated",
)
_FAILED = frozenset({DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The days, the practice, and the form."""
    parser.add_argument("--from", dest="first", type=_day, required=True, metavar="D", help="first day")
    parser.add_argument("--to", dest="last", type=_day, required=True, metavar="D", help="last day, included")
    parser.add_argument("--practice", help="this one alone (all)")
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="as CSV")
    form.add_argument("--json", action="store_true", help="one practice a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 0, also when there was nothing."""
    if options.last < options.first:
        raise Usage("--to lies before --from")
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    settings = the_settings(environment)
    chosen = the_practice(settings, options.practice)
    store = bootstrap.open_existing_store(environment)
    try:
        rows = []
        for practice in settings.practices.values() if chosen is None else (chosen,):
            zone = practice.plan.zone
            start = datetime.combine(options.first, time.min, zone)
            end = datetime.combine(options.last + timedelta(days=1), time.min, zone)
            with store.unit() as unit:
                texts = unit.texts.between(start, end, practice.name)
            rows += [
                (practice.name, options.first, options.last, *account.cells())
                for account in accounts(texts, practice)
            ]
    finally:
        store.close()
    _print(rows, options)
    return 0


@dataclass(slots=True)
class Account:
    """Texts priced in one currency; `estimated` is the part of it that the provider has not named."""

    currency: str
    texts: int = 0
    delivered: int = 0
    failed: int = 0
    segments: int = 0
    price: Decimal = field(default=Decimal(0))
    estimated: Decimal = field(default=Decimal(0))

    def cells(self) -> tuple[Any, ...]:
        """As `HEAD` names them."""
        return (
            *(self.texts, self.delivered, self.failed, self.segments),
            *(f"{self.price:f}", self.currency, f"{self.estimated:f}"),
        )


def accounts(texts: Iterable[TextMessage], practice: Practice) -> list[Account]:
    """One account a currency; one of nothing when there were no texts."""
    found: dict[str, Account] = {}
    for text in texts:
        currency = practice.currency if text.price is None else text.currency or practice.currency
        account = found.setdefault(currency, Account(currency))
        account.texts += 1
        account.delivered += text.status is DeliveryStatus.DELIVERED
        account.failed += text.status in _FAILED
        account.segments += text.segments
        if text.price is not None:
            account.price += Decimal(text.price)
        elif practice.price_per_segment is not None:
            guess = practice.price_per_segment * text.segments
            account.price += guess
            account.estimated += guess
    return list(found.values()) or [Account(practice.currency)]


def _print(rows: list[tuple[Any, ...]], options: argparse.Namespace) -> None:
    if options.json:
        for row in rows:
            json_line(dict(zip(HEAD, row, strict=True)))
    elif options.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows((HEAD, *rows))
    else:
        table(HEAD, rows)
        warn("`estimated`: the part of the price that the provider has not named, by our price a segment.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("must be a day such as 2027-03-01") from None
