"""The words patients reply with, by what they mean: one language's `[replies]` section, checked.

A phrase is words with a space between them; case, accents, apostrophes and punctuation do not
count. `(a|b)` stands for a choice, `[a|b]` for a choice that may be missing, `{name}` for one
of the language's first names, `^` for the beginning of the reply and `$` for its end:
`(stop|quit) texting [me|us]`, `take me off $`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from integration.domain.reply_text import read
from integration.domain.text_template import choices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME: Final = "{name}"
BEGINNING: Final = "^"
END: Final = "$"
MANY: Final = 600  # spellings of one phrase; more is a mistake, not a phrase

Phrase = tuple[str, ...]


class Meaning(StrEnum):
    """What a phrase says; the names of the keys under `[replies]`."""

    OPT_OUT = "opt_out"  # stop, when nothing but other known words stands beside it
    OPT_OUT_ALONE = "opt_out_alone"  # stop, only as the whole reply: bare CANCEL
    OPT_OUT_ANYWHERE = "opt_out_anywhere"  # unmistakable wherever it stands: stop texting me
    NOT_OPT_OUT = "not_opt_out"  # holds such a word and means something else: bus stop
    START = "start"  # as the whole reply
    HELP = "help"  # as the whole reply
    WRONG_NUMBER = "wrong_number"  # anywhere
    URGENT = "urgent"  # anywhere
    NOT_URGENT = "not_urgent"  # holds an urgent word and is not: family emergency
    RESCHEDULE = "reschedule"  # anywhere
    CANCEL = "cancel"  # when only `around` and courtesy stand beside it
    DECLINE = "decline"  # with courtesy, the whole reply
    CONFIRM = "confirm"  # with courtesy, the whole reply
    COURTESY = "courtesy"  # thanks, greetings, harmless emoji: may stand beside a plain answer
    AROUND = "around"  # may stand beside a cancellation: days, reasons, small words
    REQUEST = "request"  # makes a question a wish: can you
    LATE = "late"  # comes, but not as asked: a person reads it
    UNCLEAR = "unclear"  # looks plain and is not: yeah right, no problem
    TAPBACK = "tapback"  # how a phone reports a reaction, before the quoted text: Liked
    OURS = "ours"  # our own instructions, pasted back: reply stop to opt out
    NEGATION = "negation"  # single words that turn the phrase behind them round
    LINK = "link"  # single words that may stand between a negation and what it turns round
    NAMES = "names"  # common first names, for "not Maria"


REQUIRED: Final = (
    *(Meaning.OPT_OUT, Meaning.START, Meaning.HELP, Meaning.URGENT, Meaning.NEGATION),
    *(Meaning.RESCHEDULE, Meaning.CANCEL, Meaning.DECLINE, Meaning.CONFIRM),
)
SINGLE_WORDS: Final = frozenset({Meaning.NEGATION, Meaning.LINK, Meaning.NAMES})

# A phrase may not be listed under two of these: nobody could say what it means.
_DECIDING: Final = (
    *(Meaning.OPT_OUT, Meaning.OPT_OUT_ALONE, Meaning.OPT_OUT_ANYWHERE, Meaning.NOT_OPT_OUT),
    *(Meaning.START, Meaning.HELP, Meaning.WRONG_NUMBER, Meaning.URGENT, Meaning.NOT_URGENT),
    *(Meaning.RESCHEDULE, Meaning.CANCEL, Meaning.DECLINE, Meaning.CONFIRM, Meaning.UNCLEAR),
)

_GROUP: Final = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]|([^()\[\]]+)")


@dataclass(frozen=True, slots=True, eq=False)
class ReplyWords:
    """One language's reply words; every spelling of every phrase, normalised."""

    language: str
    phrases: Mapping[Meaning, frozenset[Phrase]]

    def words(self, meaning: Meaning) -> frozenset[str]:
        """The single words of a meaning."""
        return frozenset(phrase[0] for phrase in self.phrases.get(meaning, ()) if len(phrase) == 1)


def read_reply_words(language: str, section: Mapping[str, Any], mistakes: list[str]) -> ReplyWords:
    """Read a `[replies]` section; every mistake is added to `mistakes` with its key."""
    allowed = [meaning.value for meaning in Meaning]
    mistakes += [
        f"replies.{key}: unknown key; {choices(key, allowed)}" for key in section if key not in allowed
    ]
    phrases: dict[Meaning, frozenset[Phrase]] = {}
    for meaning in Meaning:
        listed = section.get(meaning.value, [])
        if not isinstance(listed, list) or not all(isinstance(phrase, str) for phrase in listed):
            mistakes.append(f"replies.{meaning}: must be a list of phrases")
            continue
        if meaning in REQUIRED and not listed:
            mistakes.append(f"replies.{meaning}: missing; list at least one phrase")
        phrases[meaning] = frozenset(_every_spelling(meaning, listed, mistakes))
    mistakes += _contradictions(phrases)
    return ReplyWords(language, phrases)


def _every_spelling(meaning: Meaning, listed: list[str], mistakes: list[str]) -> Iterator[Phrase]:
    for phrase in listed:
        where = f'replies.{meaning}: "{phrase}"'
        try:
            spelled = spellings(phrase)
        except ValueError as error:
            mistakes.append(f"{where}: {error}")
            continue
        if meaning in SINGLE_WORDS and any(len(words) != 1 for words in spelled):
            mistakes.append(f"{where}: must be a single word")
        yield from spelled


def spellings(phrase: str) -> frozenset[Phrase]:
    """Every way to say a phrase; raises ValueError when it cannot be read, says nothing, or has too many."""
    parts: list[list[str]] = []
    at = 0
    for match in _GROUP.finditer(phrase):
        if match.start() != at:
            break
        at = match.end()
        choice, optional, plain = match.groups()
        if plain is not None:
            parts.append([plain])
        elif choice is not None:
            parts.append(choice.split("|"))
        else:
            parts.append(["", *optional.split("|")])
    if at != len(phrase):
        raise ValueError("brackets without their partner, or inside one another")
    count = 1
    for part in parts:
        count *= len(part)
    if count > MANY:
        raise ValueError(f"{count} spellings; at most {MANY}: cut it in two")
    found = frozenset(_normalised(" ".join(chosen)) for chosen in product(*parts))
    if any(not set(words) - {BEGINNING, END} for words in found):
        raise ValueError("says nothing in one of its spellings")
    return found


def _normalised(spelling: str) -> Phrase:
    words: list[str] = []
    for word in spelling.split():
        words += [word] if word in {NAME, BEGINNING, END} else read(word).words
    return tuple(words)


def _contradictions(phrases: Mapping[Meaning, frozenset[Phrase]]) -> Iterator[str]:
    seen: dict[Phrase, Meaning] = {}
    for meaning in _DECIDING:
        for phrase in sorted(phrases.get(meaning, ())):
            if phrase in seen:
                said = " ".join(phrase)
                yield f'replies.{meaning}: "{said}" is already under {seen[phrase]}; it can mean only one'
            seen.setdefault(phrase, meaning)
