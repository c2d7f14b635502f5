"""The kinds of value a configuration file may hold, each with the sentence that says what is allowed."""

import re
from datetime import time, timedelta
from decimal import Decimal, InvalidOperation
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from fhir_mappers.charsets import CODECS
from integration.domain import phone_number
from integration.domain.text_template import choices

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+)([smhd])")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def duration(value: Any) -> timedelta:
    """Seconds, or a text such as "45m". Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return timedelta(seconds=value)
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    raise ValueError('must be seconds, such as 180, or a text such as "45m", "12h" or "5d"')


def _at_most(longest: timedelta, said: str) -> AfterValidator:
    """A limit: pydantic passes over those of a field whose value it does not read itself."""

    def check(value: timedelta) -> timedelta:
        if value > longest:
            raise ValueError(f"must be at most {said}")
        return value

    return AfterValidator(check)


def _at_least(shortest: timedelta, said: str) -> AfterValidator:
    """A limit, as `_at_most`."""

    def check(value: timedelta) -> timedelta:
        if value < shortest:
            raise ValueError(f"must be at least {said}")
        return value

    return AfterValidator(check)


def _clock(value: Any) -> time:
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value)):
        return time(int(match[1]), int(match[2]))
    raise ValueError('must be a local time of day such as "09:00"')


def _zone(value: Any) -> ZoneInfo:
    zones = available_timezones()
    if isinstance(value, str) and value in zones:
        return ZoneInfo(value)
    near = choices(str(value), zones).partition("; ")[2]
    raise ValueError("must be a zone of the IANA list such as America/New_York" + (near and f"; {near}"))


def _region(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        meant = value.strip().upper()
        hint = f"; did you mean {meant}?" if meant in phonenumbers.SUPPORTED_REGIONS else ""
        raise ValueError(f"must be a country of ISO 3166, two capital letters such as US{hint}")
    return value


def _charset(value: str) -> str:
    if value.upper() not in CODECS:
        raise ValueError(f"unknown character set; {choices(value, CODECS)}")
    return value


def _number(value: Any) -> str:
    number = phone_number.parse(value, "ZZ") if isinstance(value, str) else None
    if number is None:
        raise ValueError('must be a valid number with its country, such as "+12025550123"')
    return number


def _dialled(value: str) -> str:
    if not re.fullmatch(r"[+0-9][0-9 ().-]{1,24}", value):
        raise ValueError('must be a number as patients dial it, such as "617-555-0100"')
    return value


def _price(value: Any) -> Decimal:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        price = Decimal(-1)
    if isinstance(value, bool) or not price.is_finite() or price < 0:
        raise ValueError('must be a price such as "0.0083"')
    return price


def _currency(value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise ValueError("must be a currency of ISO 4217, such as USD")
    return value


def _pem_file(value: Any) -> Path:
    path = Path(value) if isinstance(value, str) else Path()
    if not (path.is_absolute() and path.is_file()):
        raise ValueError('must be the whole path of a file that is there, such as "/etc/tls/partner.pem"')
    return path


def _network(value: Any) -> str:
    try:
        if isinstance(value, str):
            return str(ip_network(value))
    except ValueError:
        pass
    try:
        near = f"; did you mean {ip_network(value, strict=False)}?" if isinstance(value, str) else ""
    except ValueError:
        near = ""
    raise ValueError(f'must be a network or an address, such as "10.1.0.0/16" or "2001:db8::7"{near}')


def _system(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value):
        raise ValueError('must be a FHIR identifier system, a URI such as "urn:oid:1.2.3" or "https://…"')
    return value


def _letters(count: int) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^[A-Z]{{{count}}}$"}


_DURATION_SCHEMA = {
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+[smhd]$"}]
}
_CLOCK_SCHEMA = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}

Duration = Annotated[timedelta, PlainValidator(duration), WithJsonSchema(_DURATION_SCHEMA)]
AtLeastTenSeconds = Annotated[Duration, _at_least(timedelta(seconds=10), '10 or "10s"')]
AtLeastAMinute = Annotated[Duration, _at_least(timedelta(minutes=1), '60 or "1m"')]
AtLeastTenMinutes = Annotated[Duration, _at_least(timedelta(minutes=10), '600 or "10m"')]
UpToAMinute = Annotated[Duration, _at_most(timedelta(minutes=1), '60 or "1m"')]
UpToAnHour = Annotated[Duration, _at_most(timedelta(hours=1), '3600 or "1h"')]
ClockTime = Annotated[time, PlainValidator(_clock), WithJsonSchema(_CLOCK_SCHEMA)]
Zone = Annotated[ZoneInfo, PlainValidator(_zone), WithJsonSchema({"type": "string"})]
Region = Annotated[str, AfterValidator(_region), WithJsonSchema(_letters(2))]
Charset = Annotated[str, AfterValidator(_charset)]
Number = Annotated[str, BeforeValidator(_number)]
DialledNumber = Annotated[str, AfterValidator(_dialled)]
Price = Annotated[
    Decimal, PlainValidator(_price), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}]})
]
Currency = Annotated[str, AfterValidator(_currency), WithJsonSchema(_letters(3))]
Network = Annotated[str, PlainValidator(_network), WithJsonSchema({"type": "string"})]
PemFile = Annotated[Path, PlainValidator(_pem_file), WithJsonSchema({"type": "string"})]
IdentifierSystem = Annotated[str, AfterValidator(_system)]
