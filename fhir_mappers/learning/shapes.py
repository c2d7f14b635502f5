"""What a value looks like, whatever it means: a telephone number, a time, a day, a yes or no, a code."""

import re
from typing import Final

import phonenumbers

_TIME: Final = re.compile(r"(19|20)\d{6}([01]\d|2[0-3])[0-5]\d(\d\d)?(\.\d{1,4})?([+-]\d{4})?", re.ASCII)
_DAY: Final = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", re.ASCII)
_PHONE: Final = re.compile(r"[+(]?\d[\d\s().\-/]{6,18}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+([.,]\d+)?", re.ASCII)
_CODE: Final = re.compile(r"[\w./^-]{1,12}")
_YES_NO: Final = frozenset({"y", "n", "yes", "no", "true", "false", "j"})


def shape(value: str, region: str) -> str:
    """phone, time, day, yes or no, number, code or text. `region` (ISO 3166) is where numbers are dialled."""
    value = value.strip()
    if value.casefold() in _YES_NO:
        return "yes or no"
    if _TIME.fullmatch(value):
        return "time"
    if _DAY.fullmatch(value):
        return "day"
    if _PHONE.fullmatch(value) and _is_dialled(value, region):
        return "phone"
    if _NUMBER.fullmatch(value):
        return "number"
    return "code" if _CODE.fullmatch(value) else "text"


def _is_dialled(value: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False
