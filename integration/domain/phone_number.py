"""Phone numbers: read into E.164, and masked wherever a person's number must not show."""

from __future__ import annotations

import phonenumbers

_SHOWN = 4
_LONGEST = 16  # the sign and 15 digits (ITU-T E.164)


def parse(raw: str, region: str) -> str | None:
    """The E.164 form of a number as people write it, or None when it is no valid number to text.

    `region` is the ISO 3166 country that numbers without a country code belong to.
    A number with an extension is None: an extension cannot receive texts.
    """
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164 if len(e164) <= _LONGEST else None  # the plan of some countries knows longer ones


def mask(number: str) -> str:
    """The number's last four digits behind an ellipsis; a shorter number shows nothing."""
    digits = [character for character in number if character.isdigit()]
    return "…" + "".join(digits[-_SHOWN:]) if len(digits) > _SHOWN else "…"
