"""One language's texts: what we say on each occasion, how we answer, and the words patients reply with.

A catalogue is a plain mapping (`config/messages/<language>.toml`); `Catalog.from_mapping`
reads it and raises CatalogError with every mistake at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integration.domain.catalog_reading import CatalogReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from integration.domain.catalog_sections import AnswerForms, Joints, TextForms, VisitNouns
    from integration.domain.reply_words import ReplyWords
    from integration.domain.text_lint import Lint
    from integration.domain.text_template import Template
    from integration.domain.visit_words import WhenWords


class CatalogError(ValueError):
    """Every mistake of one catalogue, each with its key; none of them holds a person's data."""

    def __init__(self, language: str, mistakes: Iterable[str]) -> None:
        self.language = language
        self.mistakes = tuple(mistakes)
        super().__init__(f"messages {language}: " + "; ".join(self.mistakes))


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """One language's texts, read and checked."""

    language: str
    encoding: str  # GSM-7, or UCS-2 for a language GSM-7 cannot write
    options: Mapping[str, str]  # the answers our texts offer, by label: {"C": "confirm", "R": "reschedule"}
    when: WhenWords
    joints: Joints
    practice_for: Template  # the practice's name when the text is for one named patient
    nouns: Mapping[str, VisitNouns]  # by modality
    texts: Mapping[tuple[str, bool], TextForms]  # by occasion and whether it asks
    free: Mapping[str, tuple[Template, ...]]  # what a person may send by hand, the fullest first
    answers: Mapping[str, AnswerForms]
    replies: ReplyWords
    lint: Lint  # what no text may say

    @classmethod
    def from_mapping(cls, language: str, mapping: Mapping[str, Any]) -> Catalog:
        """Read one language's catalogue; raises CatalogError with all its mistakes."""
        reader = CatalogReader(language, mapping)
        options = reader.options()
        catalog = cls(
            language=language,
            encoding=reader.encoding,
            options=options,
            when=reader.when(),
            joints=reader.joints(),
            practice_for=reader.practice_for(),
            nouns=reader.nouns(),
            texts=reader.texts(options),
            free=reader.free(options),
            answers=reader.answers(),
            replies=reader.replies(),
            lint=reader.lint,
        )
        if reader.mistakes:
            raise CatalogError(language, reader.mistakes)
        return catalog
