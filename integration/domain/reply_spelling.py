"""Writes a reply's words the one way the phrases know them.

"s t o p" is stop, "stooop" is stop, and what `[replies.same]` lists as another spelling of a
word or phrase becomes that: "can not" is "cant", "comfirm" is "confirm". `[replies.marked]` lists
words that only their accents tell apart: Vietnamese "dừng" (stop) and "đúng" (right).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from integration.domain.reply_text import Phrase

_DRAWN_OUT: Final = re.compile(r"(\w)\1\1+")
_SPELLED_OUT: Final = 3  # letters, at least


class Marks:
    """Replaces words that accents tell from others, while the accents still stand there."""

    def __init__(self, marked: Mapping[str, str]) -> None:
        self._marked = {
            unicodedata.normalize("NFC", word).casefold(): plain for word, plain in marked.items()
        }
        words = "|".join(map(re.escape, self._marked))
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None

    def told(self, text: str) -> str:
        """The text with each such word in the spelling that the phrases know."""
        if self._pattern is None or text.isascii():
            return text
        composed = unicodedata.normalize("NFC", text)
        return self._pattern.sub(lambda found: self._marked[found.group().casefold()], composed)


class Speller:
    """Knows words, and which phrases are other spellings of others."""

    def __init__(self, known: Collection[str], same: Mapping[Phrase, Phrase]) -> None:
        self._known = {*known, *(word for variant in same for word in variant)}
        self._same = same
        self._reach = max(map(len, self._known), default=0)
        self._longest: dict[str, int] = {}  # by first word, the words of the longest variant
        for variant in same:
            self._longest[variant[0]] = max(self._longest.get(variant[0], 0), len(variant))

    def knows(self, word: str) -> bool:
        """Whether it is a word of the vocabulary."""
        return word in self._known

    def usual(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words in their usual spelling."""
        return self.respell(tuple(self._legible(words)))

    def respell(self, words: Phrase) -> Phrase:
        """The words with other spellings replaced, longest first from left to right."""
        if self._longest.keys().isdisjoint(words):
            return words
        told: list[str] = []
        at = 0
        while at < len(words):
            for length in range(self._longest.get(words[at], 0), 0, -1):
                usual = self._same.get(words[at : at + length])
                if usual is not None:
                    told += usual
                    at += length
                    break
            else:
                told.append(words[at])
                at += 1
        return tuple(told)

    def _legible(self, words: Sequence[str]) -> Iterator[str]:
        at = 0
        while at < len(words):
            letters = at
            while letters < min(len(words), at + self._reach) and _is_letter(words[letters]):
                letters += 1
            for end in range(letters, at + _SPELLED_OUT - 1, -1):
                joined = "".join(words[at:end])
                if joined in self._known:
                    yield joined
                    at = end
                    break
            else:
                yield self._cut_short(words[at])
                at += 1

    def _cut_short(self, word: str) -> str:
        if word in self._known:
            return word
        for times in (r"\1", r"\1\1"):
            shorter = _DRAWN_OUT.sub(times, word)
            if len(shorter) > 1 and shorter in self._known:
                return shorter
        return word


def merged(spellings: Iterable[Mapping[Phrase, Phrase]]) -> dict[Phrase, Phrase]:
    """The spellings of several languages together.

    What one language calls usual may be another's variant; and where two take one variant for different
    words, those words become one, or the phrases of one language would no longer be found.
    """
    same: dict[Phrase, Phrase] = {}
    for each in spellings:
        for variant, usual in each.items():
            other = same.setdefault(variant, usual)
            if other != usual:
                same.setdefault(usual, other)
    speller = Speller((), same)
    return {variant: _settled(usual, speller) for variant, usual in same.items()}


def _settled(phrase: Phrase, speller: Speller) -> Phrase:
    """The phrase respelled until nothing changes, or it comes round again."""
    met = set()
    while phrase not in met:
        met.add(phrase)
        phrase = speller.respell(phrase)
    return phrase


def _is_letter(word: str) -> bool:
    """Whether it is one letter of an alphabet; a sign that is a word (好) is none."""
    return len(word) == 1 and unicodedata.category(word) == "Ll"
