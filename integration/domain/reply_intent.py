"""Understands a patient's reply: by plain rules over plain words, and never by a guess.

`reply_rules` holds the rules, `config/messages/<language>.toml` the words. Opt-out, help
and urgent words of every language count, whatever the patient's own: a STOP is a STOP.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from integration.domain.phrase_index import PhraseIndex
from integration.domain.reply_rules import OPTION, Intent, Reply, Understood
from integration.domain.reply_spelling import Marks, Speller, merged
from integration.domain.reply_text import around_quote, read
from integration.domain.reply_words import Meaning

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from integration.domain.reply_text import Phrase, Said
    from integration.domain.reply_words import ReplyWords

__all__ = ("Intent", "ReplyReader", "Understood", "classify")

_IN_EVERY_LANGUAGE: Final = frozenset(
    {
        *(Meaning.OPT_OUT, Meaning.OPT_OUT_ALONE, Meaning.OPT_OUT_ANYWHERE),
        *(Meaning.AROUND_OPT_OUT, Meaning.NOT_OPT_OUT),
        *(Meaning.START, Meaning.HELP, Meaning.URGENT, Meaning.NOT_URGENT, Meaning.WRONG_NUMBER),
        *(Meaning.OURS, Meaning.TAPBACK),
    }
)
# What no offered answer may mean otherwise: the carrier acts on these itself.
_RESERVED: Final = (Meaning.OPT_OUT, Meaning.OPT_OUT_ALONE, Meaning.START, Meaning.HELP)
_NOT_PHRASES: Final = frozenset({Meaning.NEGATION, Meaning.LINK, Meaning.NOISE})
_A_NAME: Final = "{name}"
# An answer our text offered → how it counts; any other is for a person.
_OFFERED: Final = {"confirm": Meaning.CONFIRM, "cancel": Meaning.DECLINE, "reschedule": Meaning.RESCHEDULE}
# Beyond the quote of a reaction, only what cannot wait for a person.
_BEYOND_A_QUOTE: Final = frozenset({Intent.STOP, Intent.HELP, Intent.WRONG_NUMBER})


def classify(
    text: str,
    *,
    options: Mapping[str, str],
    vocabulary: Mapping[str, ReplyWords],
    languages: Sequence[str] | None = None,
    names: Collection[str] = (),
) -> Understood:
    """Understand one reply.

    `options` are the answers our text offered, such as {"C": "confirm", "R": "reschedule"};
    `vocabulary` the reply words by language; `languages` those the patient may write (None:
    all); `names` first names of the number's patients, so that "not Maria" is known for what
    it is. Raises ValueError for a language without reply words.
    """
    reader = _reader(
        tuple(vocabulary.items()), tuple(options.items()), None if languages is None else tuple(languages)
    )
    return reader.understand(text, names)


class ReplyReader:
    """One vocabulary and one set of offered answers, ready to read many replies."""

    def __init__(
        self,
        vocabulary: Mapping[str, ReplyWords],
        options: Mapping[str, str],
        languages: Sequence[str] | None = None,
    ) -> None:
        spoken = frozenset(vocabulary if languages is None else languages)
        if not spoken <= vocabulary.keys():
            raise ValueError(f"no reply words for {', '.join(sorted(spoken - vocabulary.keys()))}")
        self._vocabulary = vocabulary
        same = merged(words.same for words in vocabulary.values())
        self._marks = Marks(
            {mark: word for words in vocabulary.values() for mark, word in words.marked.items()}
        )
        sets: dict[str, frozenset[str]] = {}
        for words in vocabulary.values():
            sets |= {name: sets.get(name, frozenset()) | listed for name, listed in words.sets.items()}
        listed = list(_phrases(vocabulary, options, spoken))
        known = {word for phrase, _, _ in listed for word in phrase}.union(*sets.values())
        self._speller = Speller(known, same)
        self._index = PhraseIndex(
            ((self._speller.respell(phrase), meaning, language) for phrase, meaning, language in listed),
            sets=sets,
            noise={word for words in vocabulary.values() for word in words.words(Meaning.NOISE)},
        )

    def understand(self, text: str, names: Collection[str] = ()) -> Understood:
        """Understand one reply, reading around what it quotes of ours."""
        around = around_quote(text)
        if around is not None and self._reacts(around[0]):
            beyond = self.understand(around[1], names)
            if beyond.intent in _BEYOND_A_QUOTE:
                return beyond
            return Understood(Intent.HUMAN, beyond.urgent, "a reaction to our text")
        said = read(self._marks.told(text))
        if not said.words:
            return Understood(Intent.HUMAN, urgent=False, reason="no words")
        return self._reply(said, [word for name in names for word in read(name).words]).understood()

    def _reply(self, said: Said, names: Collection[str] = ()) -> Reply:
        words = self._speller.usual(said.words)
        called = [_A_NAME if word in names and not self._speller.knows(word) else word for word in words]
        return Reply(words, self._index.find(called), asks=said.asks, vocabulary=self._vocabulary)

    def _reacts(self, before: str) -> bool:
        """Whether the words before a quote are those of a phone's reaction: Liked, Reacted 👍 to."""
        said = read(before)
        return bool(said.words) and self._reply(said).is_only((Meaning.TAPBACK,), pictures=True)


@lru_cache(maxsize=64)
def _reader(
    vocabulary: tuple[tuple[str, ReplyWords], ...],
    options: tuple[tuple[str, str], ...],
    languages: tuple[str, ...] | None,
) -> ReplyReader:
    return ReplyReader(dict(vocabulary), dict(options), languages)


def _phrases(
    vocabulary: Mapping[str, ReplyWords], options: Mapping[str, str], spoken: Collection[str]
) -> Iterator[tuple[Phrase, Meaning, str]]:
    """Every phrase that counts; an offered answer means what was offered, whatever else it might."""
    reserved = {
        phrase for words in vocabulary.values() for kept in _RESERVED for phrase in words.phrases[kept]
    }
    offered = {read(label).words: _OFFERED.get(intent, Meaning.UNCLEAR) for label, intent in options.items()}
    for phrase in reserved:
        offered.pop(phrase, None)
    for phrase, meaning in offered.items():
        yield phrase, meaning, OPTION
    for language, words in vocabulary.items():
        for meaning, listed in words.phrases.items():
            if meaning in _IN_EVERY_LANGUAGE or (language in spoken and meaning not in _NOT_PHRASES):
                yield from ((phrase, meaning, language) for phrase in listed if phrase not in offered)
