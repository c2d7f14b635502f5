"""Finds what no text may say: clinical detail, money, marketing, links.

47 CFR 64.1200(a)(9)(iv)(D): no marketing, billing or other financial content. HIPAA's minimum
necessary, 45 CFR 164.502(b): name, time and phone suffice. CTIA 2023: no public short links; ours
hold no link at all. The words are each language's own (`[lint]` of its catalogue): whole words,
without case and accents; `oncolog*` is any word that so begins.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Forbidden(StrEnum):
    """What a word gives away; the names of the lists under `[lint]`, but for links."""

    CLINICAL = "clinical"  # what somebody has, takes or is treated for, or a specialty that tells
    FINANCIAL = "financial"
    MARKETING = "marketing"
    LINK = "link"


LISTED: Final = (Forbidden.CLINICAL, Forbidden.FINANCIAL, Forbidden.MARKETING)
_LINK: Final = re.compile(
    r"https?:|www\.|\b[a-z0-9-]+\.(?:com|org|net|edu|gov|health|care|info|io|me|co|ly|gl|gd|link|page|uk|us|ca)\b"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One forbidden word, as the text has it, folded."""

    kind: Forbidden
    word: str


@dataclass(frozen=True, slots=True)
class Lint:
    """The forbidden words of one or more languages."""

    words: Mapping[Forbidden, tuple[str, ...]]

    def find(self, text: str) -> tuple[Finding, ...]:
        """What the text says and should not, once each, in the order of `Forbidden`."""
        folded = _folded(text)
        found = [
            Finding(kind, match.group())
            for kind in LISTED
            if self.words.get(kind)
            for match in _pattern(self.words[kind]).finditer(folded)
        ]
        found += [Finding(Forbidden.LINK, match.group()) for match in _LINK.finditer(folded)]
        return tuple(dict.fromkeys(found))


def lint(text: str, lints: Iterable[Lint]) -> tuple[Finding, ...]:
    """What a text says and should not in any of these languages: for words a person has written."""
    return tuple(dict.fromkeys(finding for each in lints for finding in each.find(text)))


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for all; what begins with a word is looked for where words begin, and nowhere else."""
    folded = [_folded(word) for word in words]
    anywhere = [_inner(word) for word in folded if _needs_no_space(word)]
    whole = [
        _inner(word) + (r"\w*" if word.endswith("*") else r"(?!\w)")
        for word in folded
        if not _needs_no_space(word)
    ]
    return re.compile("|".join([*([rf"(?<!\w)(?:{'|'.join(whole)})"] if whole else []), *anywhere]))


def _needs_no_space(word: str) -> bool:
    """Scripts without capitals often have no space between words either."""
    return any(unicodedata.category(character) == "Lo" for character in word)


def _inner(word: str) -> str:
    return r"[\s-]+".join(re.escape(part) for part in re.split(r"[\s-]+", word.removesuffix("*")))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold()).replace("đ", "d")
    return "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
