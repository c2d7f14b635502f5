"""The words patients reply with, by what they mean: one language's `[replies]` section, checked.

A phrase is words with a space between them; case, accents, apostrophes and punctuation do not
count. `(a|b)` stands for a choice, `[a|b]` for one that may be missing, `{day}` for any word of
the set `day`, `^` for the beginning of the reply and `$` for its end: `(stop|quit) texting [me]`.
`[replies.picks]` holds how our numbered question may be answered: `all`, or the words for each number.
`[replies.same]` lists what is another spelling of one word or phrase, before anything is matched;
`[replies.marked]`, under the word to take them for, words that only their accents tell from others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, product
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from integration.domain.reply_spelling import Speller
from integration.domain.reply_text import Phrase, read
from integration.domain.text_template import choices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BEGINNING: Final = "^"
END: Final = "$"
MANY: Final = 400  # spellings of one phrase; more is a mistake, not a phrase


class Meaning(StrEnum):
    """What a phrase says; the names of the lists under `[replies]`."""

    OPT_OUT = "opt_out"  # stop, when nothing but other known words stands beside it
    OPT_OUT_ALONE = "opt_out_alone"  # stop, only as the whole reply: bare CANCEL
    OPT_OUT_ANYWHERE = "opt_out_anywhere"  # unmistakable wherever it stands: stop texting me
    AROUND_OPT_OUT = "around_opt_out"  # may stand beside it: complaints
    NOT_OPT_OUT = "not_opt_out"  # holds such a word and means something else: bus stop
    START = "start"  # as the whole reply
    HELP = "help"  # as the whole reply
    WRONG_NUMBER = "wrong_number"  # anywhere
    URGENT = "urgent"  # anywhere
    NOT_URGENT = "not_urgent"  # holds an urgent word and is not: family emergency
    RESCHEDULE = "reschedule"  # anywhere
    CANCEL = "cancel"  # when only `around` and courtesy stand beside it
    DECLINE = "decline"  # with courtesy, the whole reply
    CONFIRM = "confirm"  # with courtesy and pleasure, the whole reply
    COURTESY = "courtesy"  # thanks, greetings: may stand beside a plain answer
    PLEASED = "pleased"  # great, got it, a smile: may stand beside a plain yes
    AROUND = "around"  # may stand beside a cancellation: days, reasons, small words
    REQUEST = "request"  # makes a question a wish: can you
    LATE = "late"  # comes, but not as asked: a person reads it
    UNCLEAR = "unclear"  # looks plain and is not: yeah right, no problem
    TAPBACK = "tapback"  # how a phone reports a reaction, before the quoted text: Liked
    OURS = "ours"  # our own instructions, pasted back: reply stop to opt out
    NEGATION = "negation"  # single words that turn the phrase behind them round
    LINK = "link"  # single words that may stand between a negation and what it turns round
    NOISE = "noise"  # single words that may stand inside a phrase: please, just


REQUIRED: Final = (
    *(Meaning.OPT_OUT, Meaning.START, Meaning.HELP, Meaning.URGENT, Meaning.NEGATION),
    *(Meaning.RESCHEDULE, Meaning.CANCEL, Meaning.DECLINE, Meaning.CONFIRM),
)
SINGLE_WORDS: Final = frozenset({Meaning.NEGATION, Meaning.LINK, Meaning.NOISE})
TABLES: Final = ("same", "sets", "picks", "marked")
PICKS: Final = ("1", "2", "3", "4", "5", "6", "all", "beside")  # `beside` may stand between and around them

# A phrase may not be listed under two of these: nobody could say what it means.
_DECIDING: Final = (
    *(Meaning.OPT_OUT, Meaning.OPT_OUT_ALONE, Meaning.OPT_OUT_ANYWHERE, Meaning.NOT_OPT_OUT),
    *(Meaning.START, Meaning.HELP, Meaning.WRONG_NUMBER, Meaning.URGENT, Meaning.NOT_URGENT),
    *(Meaning.RESCHEDULE, Meaning.CANCEL, Meaning.DECLINE, Meaning.CONFIRM, Meaning.UNCLEAR),
)

_GROUP: Final = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]|([^()\[\]]+)")
_SET: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, eq=False)
class ReplyWords:
    """One language's reply words; every spelling of every phrase, normalised."""

    language: str
    phrases: Mapping[Meaning, frozenset[Phrase]]
    same: Mapping[Phrase, Phrase]  # another spelling → the one the phrases use
    marked: Mapping[str, str]  # a word with its accents → the word to take it for
    sets: Mapping[str, frozenset[str]]
    picks: Mapping[str, frozenset[Phrase]]  # how a numbered question may be answered, by number, or `all`

    def words(self, meaning: Meaning) -> frozenset[str]:
        """The single words of a meaning."""
        return frozenset(phrase[0] for phrase in self.phrases[meaning] if len(phrase) == 1)


def read_reply_words(language: str, section: Mapping[str, Any], mistakes: list[str]) -> ReplyWords:
    """Read a `[replies]` section; every mistake is added to `mistakes` with its key."""
    allowed = [*TABLES, *(meaning.value for meaning in Meaning)]
    mistakes += [
        f"replies.{key}: unknown key; {choices(key, allowed)}" for key in section if key not in allowed
    ]
    sets = {
        name: frozenset(word for listed in words for word in read(listed).words)
        for name, words in _table_of_lists("sets", section, mistakes)
    }
    same = {
        _normalised(variant): _normalised(usual)
        for usual, variants in _table_of_lists("same", section, mistakes)
        for variant in variants
    }
    mistakes += [
        f'replies.same: "{" ".join(usual)}" is itself another spelling of "{" ".join(same[usual])}"'
        for usual in dict.fromkeys(same.values())
        if usual in same
    ]
    marked = {
        variant: usual
        for usual, variants in _table_of_lists("marked", section, mistakes)
        for variant in variants
    }
    phrases: dict[Meaning, frozenset[Phrase]] = {}
    for meaning in Meaning:
        listed = _list(f"replies.{meaning}", section.get(meaning.value, []), mistakes)
        if meaning in REQUIRED and not listed:
            mistakes.append(f"replies.{meaning}: missing; list at least one phrase")
        phrases[meaning] = frozenset(_every_spelling(meaning, listed, sets, mistakes))
    picks = {
        name: frozenset(_every_spelling(f"picks.{name}", words, {}, mistakes))
        for name, words in _table_of_lists("picks", section, mistakes)
    }
    mistakes += [
        f"replies.picks.{name}: unknown key; {choices(name, PICKS)}" for name in picks if name not in PICKS
    ]
    mistakes += _contradictions(phrases, Speller((), same))
    return ReplyWords(language, phrases, same, marked, sets, picks)


def spellings(phrase: str) -> frozenset[Phrase]:
    """Every way to say a phrase; raises ValueError when it cannot be read, says nothing, or has too many."""
    parts: list[list[Phrase]] = []
    at = 0
    for match in _GROUP.finditer(phrase):
        if match.start() != at:
            break
        at = match.end()
        choice, optional, plain = match.groups()
        if plain is not None:
            spelled = [plain]
        else:
            spelled = choice.split("|") if choice is not None else ["", *optional.split("|")]
        parts.append([_normalised(each) for each in spelled])
    if at != len(phrase):
        raise ValueError("brackets without their partner, or inside one another")
    count = 1
    for part in parts:
        count *= len(part)
    if count > MANY:
        raise ValueError(f"{count} spellings; at most {MANY}: cut it in two")
    found = frozenset(tuple(chain.from_iterable(chosen)) for chosen in product(*parts))
    if any(not set(words) - {BEGINNING, END} for words in found):
        raise ValueError("says nothing in one of its spellings")
    return found


def _every_spelling(
    meaning: str, listed: list[str], sets: Mapping[str, frozenset[str]], mistakes: list[str]
) -> Iterator[Phrase]:
    for phrase in listed:
        where = f'replies.{meaning}: "{phrase}"'
        try:
            spelled = spellings(phrase)
        except ValueError as error:
            mistakes.append(f"{where}: {error}")
            continue
        if meaning in SINGLE_WORDS and any(len(words) != 1 for words in spelled):
            mistakes.append(f"{where}: must be a single word")
        mistakes += [
            f"{where}: unknown set; {choices(name, sets)}"
            for name in _SET.findall(phrase)
            if name not in sets
        ]
        yield from spelled


def _normalised(spelling: str) -> Phrase:
    words: list[str] = []
    for word in spelling.split():
        words += [word] if word in {BEGINNING, END} or _SET.fullmatch(word) else read(word).words
    return tuple(map(intern, words))


def _table_of_lists(
    name: str, section: Mapping[str, Any], mistakes: list[str]
) -> Iterator[tuple[str, list[str]]]:
    table = section.get(name, {})
    if not isinstance(table, dict):
        mistakes.append(f"replies.{name}: must be a table of lists")
        return
    for key, listed in table.items():
        yield key, _list(f"replies.{name}.{key}", listed, mistakes)


def _list(where: str, listed: Any, mistakes: list[str]) -> list[str]:
    if isinstance(listed, list) and all(isinstance(phrase, str) for phrase in listed):
        return listed
    mistakes.append(f"{where}: must be a list of phrases")
    return []


def _contradictions(phrases: Mapping[Meaning, frozenset[Phrase]], speller: Speller) -> Iterator[str]:
    seen: dict[Phrase, Meaning] = {}
    for meaning in _DECIDING:
        for phrase in sorted({speller.respell(phrase) for phrase in phrases[meaning]}):
            if phrase in seen:
                said = " ".join(phrase)
                yield f'replies.{meaning}: "{said}" is already under {seen[phrase]}; it can mean only one'
            seen.setdefault(phrase, meaning)
