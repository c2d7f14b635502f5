"""`usage`: how many texts, segments and answers between two dates, and at what price."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from integration import bootstrap
from integration.domain.cost import Account, in_its_currency, overage
from integration.entrypoints.printing import json_line, table, warn
from integration.entrypoints.surroundings import the_environment, the_practice, the_settings
from integration.entrypoints.troubles import Refused, Usage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from integration.domain.cost import AnswerTally, ReplyTally, TextTally
    from integration.ports.store import Unit
    from integration.settings.environment import Environment
    from integration.settings.model import Practice, Settings

FIGURES: Final = (
    *("texts", "delivered", "failed", "segments", "price", "currency", "estimated"),
    *("sent", "replies", "reply_segments", "confirmed", "opted_out"),
)
KINDS: Final = ("occasion", "status", "language")
PERIODS: Final = ("day", "week", "month")
ALLOWANCE: Final = ("included", "over", "overage")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The days, the practice, what to count by, and the form."""
    parser.add_argument("--from", dest="first", type=_day, required=True, metavar="D", help="first day")
    parser.add_argument("--to", dest="last", type=_day, required=True, metavar="D", help="last day, included")
    parser.add_argument("--practice", help="this one alone (all)")
    parser.add_argument(
        "--by",
        type=_by,
        default=(),
        metavar="WHAT,…",
        help=f"a line for each: {', '.join((*KINDS, *PERIODS))} (one period at most)",
    )
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument(
        "--channels",
        action="store_true",
        help="how often the EHR reached patients otherwise (its Communications, by medium), and no texts",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="as CSV")
    form.add_argument("--json", action="store_true", help="one line an object, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 0, also when there was nothing."""
    if options.last < options.first:
        raise Usage("--to lies before --from")
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    settings = the_settings(environment)
    chosen = the_practice(settings, options.practice)
    if options.channels:
        return _channels(environment, settings, options)
    kinds = tuple(kind for kind in KINDS if kind in options.by)
    period = next((each for each in PERIODS if each in options.by), None)
    rows: list[tuple[Any, ...]] = []
    with_allowance = period == "month" and not kinds
    store = bootstrap.open_existing_store(environment)
    try:
        for practice in settings.practices.values() if chosen is None else (chosen,):
            for first, last in periods(options.first, options.last, period):
                with store.reading() as unit:
                    books = account_books(unit, practice, first, last, kinds)
                rows += [
                    (
                        *(practice.name, *group, first, last, *_cells(account)),
                        *(_allowance(account, practice) if with_allowance else ()),
                    )
                    for group, account in books
                ]
    finally:
        store.close()
    head = ("practice", *kinds, "from", "to", *FIGURES, *(ALLOWANCE if with_allowance else ()))
    _print(head, rows, options)
    return 0


def _channels(environment: Environment, settings: Settings, options: argparse.Namespace) -> int:
    """The whole EHR's, whose Communications name no practice of ours; by the first practice's days."""
    zone = next(iter(settings.practices.values())).plan.zone
    start = datetime.combine(options.first, time.min, zone)
    end = datetime.combine(options.last + timedelta(days=1), time.min, zone)
    store = bootstrap.open_existing_store(environment)
    try:
        found = bootstrap.other_channels(environment, settings, store, (start, end))
    finally:
        store.close()
    if isinstance(found, str):
        raise Refused(f"Other channels are not known: {found}.")
    rows = [(channel, options.first, options.last, count) for channel, count in sorted(found.items())]
    _print(("channel", "from", "to", "count"), rows, options)
    return 0


def periods(first: date, last: date, period: str | None) -> Iterator[tuple[date, date]]:
    """The days, weeks (from Monday on) or months of these dates, cut off where the dates begin and end."""
    begin = first
    while begin <= last:
        end = min(_last_of(begin, period) or last, last)
        yield begin, end
        begin = end + timedelta(days=1)


def _last_of(day: date, period: str | None) -> date | None:
    if period == "day":
        return day
    if period == "week":
        return day + timedelta(days=6 - day.weekday())
    if period == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return None


@dataclass(frozen=True, slots=True)
class _Kinds:
    """By what is counted, and how a tally says so."""

    names: tuple[str, ...]

    def of(self, tally: TextTally | ReplyTally | AnswerTally) -> tuple[str, ...]:
        """A reply to nothing we know is of no kind."""
        return tuple(str(getattr(tally, name) or "") for name in self.names)


def account_books(
    unit: Unit, practice: Practice, first: date, last: date, kinds: Sequence[str]
) -> list[tuple[tuple[str, ...], Account]]:
    """An account for each kind and currency, of the practice's own days; one of nothing for no texts.

    Visits confirmed have no price: they stand with the first currency of their kind.
    """
    zone, costs, by = practice.plan.zone, practice.costs, _Kinds(tuple(kinds))
    start = datetime.combine(first, time.min, zone)
    end = datetime.combine(last + timedelta(days=1), time.min, zone)
    books: dict[tuple[tuple[str, ...], str], Account] = {}

    def book(group: tuple[str, ...], currency: str) -> Account:
        return books.setdefault((group, currency), Account(currency))

    for text in unit.costs.texts(practice.name, start, end):
        book(by.of(text), in_its_currency(text, costs)).add_texts(text, costs)
    for reply in unit.costs.replies(practice.name, start, end):
        book(by.of(reply), in_its_currency(reply, costs)).add_replies(reply, costs)
    for answer in unit.costs.answers(practice.name, start, end):
        group = by.of(answer)
        currency = next((known for of, known in books if of == group), costs.currency)
        book(group, currency).confirmed += answer.count
    if not books:
        return [] if kinds else [((), Account(costs.currency))]
    return [(group, account) for (group, _), account in sorted(books.items(), key=lambda item: item[0])]


def _cells(account: Account) -> tuple[Any, ...]:
    written = {"price": f"{account.price:f}", "estimated": f"{account.estimated:f}"}
    return tuple(written.get(name, getattr(account, name)) for name in FIGURES)


def _allowance(account: Account, practice: Practice) -> tuple[Any, ...]:
    """What the practice's plan includes of a month; empty where it includes no number."""
    beyond = overage(account.segments + account.reply_segments, practice.costs)
    if beyond is None:
        return ("", "", "")
    return (beyond.included, beyond.over, "" if beyond.price is None else f"{beyond.price:f}")


def _print(head: tuple[str, ...], rows: list[tuple[Any, ...]], options: argparse.Namespace) -> None:
    if options.json:
        for row in rows:
            json_line(dict(zip(head, row, strict=True)))
    elif options.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows((head, *rows))
    else:
        table(head, rows)
        if "estimated" not in head:
            return
        warn("`estimated`: the part of the price that the provider has not named, by our price a segment.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("must be a day such as 2027-03-01") from None


def _by(text: str) -> tuple[str, ...]:
    wanted = tuple(part.strip() for part in text.split(","))
    unknown = [part for part in wanted if part not in {*KINDS, *PERIODS}]
    if unknown:
        raise ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join((*KINDS, *PERIODS))}")
    if len(set(wanted) & set(PERIODS)) > 1:
        raise ArgumentTypeError(f"takes one of {', '.join(PERIODS)}")
    return wanted
