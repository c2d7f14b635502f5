"""A patient's reply reduced to what carries meaning: its words, its emoji, and whether it asks.

Case, accents, apostrophes, punctuation, spaces, full-width letters, skin tones and
variation selectors carry none: "Don't  STOP!" and "dont stop" are the same two words.
Chinese puts no space between words: each of its signs is a word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

Phrase = tuple[str, ...]  # words, as they follow one another

_APOSTROPHES: Final = dict.fromkeys(map(ord, "'’‘`´ʼ′＇"))  # noqa: RUF001 - every apostrophe phones write
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_IDEOGRAPHS: Final = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_WORD_OR_SIGN: Final = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+|[^\w\s]")
_BARRED: Final = {
    ord("đ"): "d"
}  # its bar is no accent to Unicode, and left out like one by who types Vietnamese
_QUOTE: Final = re.compile(r"[“”\"«»„‟]")
_SKIN_TONES: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_SILENT: Final = frozenset({"Mn", "Me", "Cf"})  # accents, keycaps, variation selectors, joiners
_ASKING: Final = frozenset("?¿؟՞‽")


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says, normalised."""

    words: tuple[str, ...]  # in order, each emoji a word
    asks: bool  # it holds a question mark, of any script


def read(text: str) -> Said:
    """Reduce a text to its words."""
    if text.isascii():
        plain = text.replace("'", "").replace("`", "").lower()
        return Said(tuple(_ASCII_WORD.findall(plain)), "?" in plain)
    folded = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    plain = "".join(
        c
        for c in unicodedata.normalize("NFKD", folded).translate(_BARRED)
        if c not in _SKIN_TONES and unicodedata.category(c) not in _SILENT
    )
    return Said(
        tuple(word for word in _WORD_OR_SIGN.findall(plain) if word.isalnum() or _means(word)),
        not _ASKING.isdisjoint(plain),
    )


def is_picture(word: str) -> bool:
    """Whether a word is an emoji or another sign, not letters or digits."""
    return not word.isalnum()


def around_quote(text: str) -> tuple[str, str] | None:
    """What stands before the first quotation mark and behind the last, or None when nothing is quoted."""
    marks = [match.span() for match in _QUOTE.finditer(text)]
    if not marks:
        return None
    return text[: marks[0][0]], text[marks[-1][1] :] if len(marks) > 1 else ""


def _means(sign: str) -> bool:
    return not sign.isascii() and not unicodedata.category(sign).startswith("P")
