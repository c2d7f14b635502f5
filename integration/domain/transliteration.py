"""Writes a text with GSM-7's letters, so that one accent does not triple its price.

Keeps what the alphabet has (ñ é ¿ ¡ ü à …); turns á í ó ú ç, curly quotes, dashes, odd
spaces and full-width letters into their plain forms; reports what has none.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from integration.domain.sms_segments import GSM_7

# Characters Unicode does not decompose, or decomposes into something else.
_PLAIN: Final = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'", "ʼ": "'", "ʻ": "'",  # noqa: RUF001 - quotes
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"', "‹": "'", "›": "'",  # noqa: RUF001 - quotes
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁃": "-",  # noqa: RUF001 - dashes
    "…": "...", "•": "*", "·": ".", "⁄": "/", "\t": " ", "\v": " ", "\u2028": "\n", "\u2029": "\n",  # noqa: RUF001 - the fraction slash
    "Ð": "D", "ð": "d", "Đ": "D", "đ": "d", "Þ": "Th", "þ": "th", "Ł": "L", "ł": "l", "ı": "i",  # noqa: RUF001 - dotless i
    "Œ": "OE", "œ": "oe", "ẞ": "SS", "Ħ": "H", "ħ": "h", "Ŋ": "N", "ŋ": "n", "ĸ": "k", "ſ": "s",  # noqa: RUF001 - long s
    "©": "(c)", "®": "(R)", "º": "o", "ª": "a", "¢": "c",
}  # fmt: skip


class Untransliterable(ValueError):
    """Some characters have no GSM-7 form; `characters` lists them once each, in order."""

    def __init__(self, characters: str) -> None:
        self.characters = characters
        # Code points, not characters: they may come from a person's name.
        super().__init__("no GSM-7 form for " + ", ".join(f"U+{ord(c):04X}" for c in characters))


def to_gsm7(text: str) -> str:
    """The text in GSM-7's alphabet; raises Untransliterable when some of it has no form there."""
    if GSM_7.issuperset(text):
        return text
    # Composed first, so that a separate accent meets its letter: n + ~ is ñ, which GSM-7 has.
    text = unicodedata.normalize("NFC", text)
    written = [_character(character) for character in text]
    lost = dict.fromkeys(c for c, plain in zip(text, written, strict=True) if plain is None)
    if lost:
        raise Untransliterable("".join(lost))
    return "".join(plain for plain in written if plain is not None)


@lru_cache(maxsize=2048)
def _character(character: str) -> str | None:
    """One character's GSM-7 form, "" for what is invisible, None where there is none."""
    if character in GSM_7:
        return character
    if character in _PLAIN:
        return _PLAIN[character]
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf"}:  # accents left over, joiners, direction marks
        return ""
    if category == "Zs":
        return " "
    # Compatibility form of the character itself (full-width, ligature, fraction) before its bare letter.
    composed = unicodedata.normalize("NFKC", character)
    if composed != character:
        return _each(composed)
    bare = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return _each(bare) if bare != character else None


def _each(text: str) -> str | None:
    plain = [_character(character) for character in text]
    return None if None in plain else "".join(c for c in plain if c is not None)


def written(text: str, encoding: str) -> str:
    """The text in a catalogue's alphabet: GSM-7's, or its own letters where the catalogue is UCS-2."""
    if encoding == "GSM-7":
        return to_gsm7(text)
    # Composed, and without direction marks and controls; the joiners are letters of Persian and Hindi.
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        c for c in composed if c in "\n\u200c\u200d" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"}
    )
