"""Reads the answer to our numbered question: 1, "1 and 2", both; and nothing that is not plainly one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integration.domain.reply_spelling import Speller
from integration.domain.reply_text import read
from integration.domain.reply_words import Meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.domain.reply_text import Phrase
    from integration.domain.reply_words import ReplyWords

ALL: Final = "all"
_BESIDE: Final = "beside"
_POLITE: Final = (Meaning.COURTESY, Meaning.PLEASED)


def picked(text: str, count: int, vocabulary: Sequence[ReplyWords]) -> frozenset[int]:
    """The numbers, from 1 to `count`, that the reply chooses; empty when it is no plain choice.

    The whole reply must be one: a number that was not offered, a question, "not 1" and any other word
    leave it to `classify` or a person (promise 7).
    """
    said = read(text)
    if said.asks or not said.words:
        return frozenset()
    speller = Speller((), {each: usual for words in vocabulary for each, usual in words.same.items()})
    spoken = speller.respell(said.words)
    meanings = {speller.respell(phrase): meaning for phrase, meaning in _meanings(vocabulary).items()}
    longest = max(map(len, meanings), default=1)
    chosen: set[str] = set()
    at = 0
    while at < len(spoken):
        for length in range(longest, 0, -1):
            meaning = meanings.get(spoken[at : at + length])
            if meaning is not None:
                break
        else:
            meaning, length = spoken[at], 1  # a digit means itself
            if not meaning.isdecimal():
                return frozenset()
        at += length
        if meaning != _BESIDE:
            chosen.add(meaning)
    numbers = frozenset(range(1, count + 1))
    if chosen == {ALL}:
        return numbers
    wanted = frozenset(int(each) for each in chosen - {ALL})
    if ALL in chosen:
        return numbers if wanted == numbers else frozenset()  # "both 1 and 2"
    return wanted if wanted <= numbers else frozenset()


def _meanings(vocabulary: Sequence[ReplyWords]) -> dict[Phrase, str]:
    """What each phrase stands for; a number's word outweighs what may stand beside it."""
    found: dict[Phrase, str] = {}
    for words in vocabulary:
        for meaning in _POLITE:
            found |= dict.fromkeys(words.phrases[meaning], _BESIDE)
        found |= dict.fromkeys(words.picks.get(_BESIDE, ()), _BESIDE)
    for words in vocabulary:
        for name, phrases in words.picks.items():
            if name != _BESIDE:
                found |= dict.fromkeys(phrases, name)
    return found
