"""A list of who agreed to texts, and who did not: one line of CSV a record, read or refused one by one.

The columns hold what CTIA's principles (May 2023) want an opt-in record to hold: when, by which medium, the
exact language, the campaign, the IP address, the number and who. A refusal names line and column, never what
stands there.
"""

from __future__ import annotations

import csv
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from integration.domain.phone_number import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from zoneinfo import ZoneInfo

COLUMNS: Final = (
    *("identifier", "authority", "identifier_type", "scope", "phone", "given", "at"),
    *("medium", "wording", "campaign", "ip", "recorded_by"),
)
REQUIRED: Final = ("given", "at")
LONGEST: Final = 2000  # characters of one cell
_GIVEN: Final = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}


class BadList(Exception):
    """The file is no such list; its words say why."""


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One line: who, by identifier or by phone alone, said yes or no, and when."""

    line: int
    identifier: str
    authority: str
    identifier_type: str
    scope: str
    number: str | None  # E.164
    given: bool
    at: datetime
    medium: str = ""
    wording: str = ""
    campaign: str = ""
    ip: str = ""
    recorded_by: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is refused."""

    line: int
    column: str
    why: str  # no word of the line's


def read_list(
    lines: Iterable[str], *, region: str, zone: ZoneInfo | None, now: datetime
) -> Iterator[ConsentLine | BadLine]:
    """Every line behind the head; raises BadList when the head is none of ours.

    `region` is that of numbers without a country, `zone` that of times without an offset (None: refused).
    """
    rows = csv.DictReader(lines, strict=True)
    try:
        head = [name.strip().lower() for name in rows.fieldnames or ()]
    except csv.Error as error:
        raise BadList("the first line is no head of columns") from error
    rows.fieldnames = head
    missing = [name for name in REQUIRED if name not in head]
    if not {"identifier", "phone"} & set(head):
        missing.append("identifier or phone")
    unknown = [name for name in head if name not in COLUMNS]
    if missing or unknown or len(set(head)) < len(head):
        told = [f"missing: {', '.join(missing)}"] * bool(missing)
        told += [f"{len(unknown)} columns are not known"] * bool(unknown)
        told += ["a column stands there twice"] * (len(set(head)) < len(head))
        raise BadList(f"{'; '.join(told)}. Known columns: {', '.join(COLUMNS)}")
    reading = iter(rows)
    while True:
        try:
            row = next(reading)
        except StopIteration:
            return
        except csv.Error:
            yield BadLine(rows.line_num, "*", "is no line of CSV")
            continue
        yield _read(rows.line_num, row, region=region, zone=zone, now=now)


def _read(
    line: int, row: Mapping[str | None, object], *, region: str, zone: ZoneInfo | None, now: datetime
) -> ConsentLine | BadLine:
    if None in row:
        return BadLine(line, "*", "has more cells than the head has columns")
    cells = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    long = next((name for name, cell in cells.items() if len(cell) > LONGEST), None)
    if long is not None:
        return BadLine(line, long, f"is longer than {LONGEST} characters")
    number = parse(cells["phone"], region) if cells["phone"] else None
    at = _moment(cells["at"], zone)
    checks = (
        (not cells["identifier"] and not cells["phone"], "identifier", "is empty, and so is phone"),
        (bool(cells["phone"]) and number is None, "phone", "is no telephone number that can be texted"),
        (cells["given"].lower() not in _GIVEN, "given", "must be yes or no"),
        (
            at is None,
            "at",
            "must be a date and time with its offset (2026-03-01T09:30-05:00), or give --zone",
        ),
        (at is not None and at > now, "at", "is yet to come"),
        (bool(cells["ip"]) and not _is_ip(cells["ip"]), "ip", "is no IP address"),
    )
    for is_wrong, column, why in checks:
        if is_wrong:
            return BadLine(line, column, why)
    assert at is not None  # noqa: S101 - looked at above
    return ConsentLine(
        line=line,
        identifier=cells["identifier"],
        authority=cells["authority"],
        identifier_type=cells["identifier_type"],
        scope=cells["scope"],
        number=number,
        given=_GIVEN[cells["given"].lower()],
        at=at,
        medium=cells["medium"],
        wording=cells["wording"],
        campaign=cells["campaign"],
        ip=cells["ip"],
        recorded_by=cells["recorded_by"],
    )


def _moment(written: str, zone: ZoneInfo | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    if at.tzinfo is None:
        if zone is None:
            return None
        at = at.replace(tzinfo=zone)
    return at.astimezone(UTC)


def _is_ip(written: str) -> bool:
    try:
        ipaddress.ip_address(written)
    except ValueError:
        return False
    return True
