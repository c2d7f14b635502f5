"""How many segments a text costs: GSM-7 septets or UCS-2 units, cut as carriers cut them.

One segment holds 160 septets or 70 UTF-16 units; a longer text loses room to the
concatenation header and is cut every 153 septets or 67 units. An escape pair (€ [ ] …)
and a surrogate pair (emoji) are never cut in two, so a segment may be short by one.
Source: 3GPP TS 23.038 §6.2.1 (alphabet) and TS 23.040 §9.2.3.24.1 (concatenation).
National shift tables are not assumed: no sign that the provider uses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Encoding = Literal["GSM-7", "UCS-2"]

# 3GPP TS 23.038 §6.2.1, the default alphabet; position 0x1B is the escape itself.
GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# §6.2.1.1, the extension table: an escape and a character, two septets.
GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
GSM_7: Final = GSM_BASIC | GSM_EXTENSION

_ONE_GSM, _PART_GSM = 160, 153
_ONE_UCS, _PART_UCS = 70, 67
_LAST_OF_PLANE_ZERO = "\uffff"


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text weighs: its encoding, its length in septets or UTF-16 units, its segments."""

    encoding: Encoding
    units: int
    segments: int


def measure(text: str) -> Segments:
    """Weigh a text; an empty one weighs nothing and still is one segment."""
    if GSM_7.issuperset(text):
        units = len(text)
        if not text.isalnum():  # letters and digits alone hold no escape pair
            units += sum(map(text.count, GSM_EXTENSION))
        if units <= _ONE_GSM:
            return Segments("GSM-7", units, 1)
        widths = (2 if character in GSM_EXTENSION else 1 for character in text)
        return Segments("GSM-7", units, _parts(widths, units, len(text), _PART_GSM))
    units = len(text)
    if max(text) > _LAST_OF_PLANE_ZERO:
        units += sum(character > _LAST_OF_PLANE_ZERO for character in text)
    if units <= _ONE_UCS:
        return Segments("UCS-2", units, 1)
    widths = (2 if character > _LAST_OF_PLANE_ZERO else 1 for character in text)
    return Segments("UCS-2", units, _parts(widths, units, len(text), _PART_UCS))


def _parts(widths: Iterable[int], units: int, characters: int, room: int) -> int:
    """How many parts of `room` units hold the characters, none of them cut."""
    if units == characters:
        return -(-units // room)
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
