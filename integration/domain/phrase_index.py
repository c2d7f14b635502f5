"""Finds every known phrase of a reply in one pass: a tree of words, longest phrase first.

A phrase inside a longer one says nothing of its own: "stop by" hides "stop", "no problem"
hides "no". Phrases that merely overlap both count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from integration.domain.reply_words import BEGINNING, END

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from integration.domain.reply_text import Phrase
    from integration.domain.reply_words import Meaning

_LEAF: Final = ""  # no word is empty: the meanings of the phrase that ends here


class Match(NamedTuple):
    """A phrase found: words[start:end] of the reply mean this in that language."""

    start: int
    end: int
    meaning: Meaning
    language: str


class PhraseIndex:
    """The phrases of all languages in one tree; `{set}` stands for every word of a set."""

    def __init__(
        self,
        phrases: Iterable[tuple[Phrase, Meaning, str]],
        *,
        sets: Mapping[str, Collection[str]],
        noise: Collection[str],
    ) -> None:
        self._tree: dict[str, Any] = {}
        self._noise = frozenset(noise)
        self._sets: dict[str, list[str]] = {}  # the sets a word belongs to
        for name, words in sets.items():
            for word in words:
                self._sets.setdefault(word, []).append(f"{{{name}}}")
        for phrase, meaning, language in phrases:
            node = self._tree
            for word in phrase:
                node = node.setdefault(word, {})
            node.setdefault(_LEAF, []).append((meaning, language))

    def find(self, words: Sequence[str]) -> list[Match]:
        """Every phrase that is not inside a longer one."""
        framed = (BEGINNING, *words, END)
        spans: dict[tuple[int, int], list[tuple[Meaning, str]]] = {}
        for start in range(len(framed)):
            self._grow(framed, start, start, self._tree, spans)
        reach = -1
        matches: list[Match] = []
        # From left to right, longest first: a phrase that ends within an earlier one's reach is inside it.
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            if end > reach:
                first, last = max(start - 1, 0), min(end - 1, len(words))
                matches += [Match(first, last, meaning, language) for meaning, language in spans[start, end]]
                reach = end
        return matches

    def _grow(
        self,
        framed: Sequence[str],
        start: int,
        at: int,
        node: dict[str, Any],
        spans: dict[tuple[int, int], list[tuple[Meaning, str]]],
    ) -> None:
        """Note the phrases from `start` that reach beyond `at`, where `node` is how far they came."""
        if at == len(framed):
            return
        word = framed[at]
        for key in (word, *self._sets.get(word, ())):
            longer = node.get(key)
            if longer is not None:
                if _LEAF in longer:
                    spans.setdefault((start, at + 1), []).extend(longer[_LEAF])
                self._grow(framed, start, at + 1, longer, spans)
        if word in self._noise and at > start:
            self._grow(framed, start, at + 1, node, spans)
