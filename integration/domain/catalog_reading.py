"""Reads a message catalogue section by section and collects every mistake with its key."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from babel.core import Locale, UnknownLocaleError

from integration.domain import text_rules
from integration.domain.catalog_sections import (
    CHOOSING,
    MODALITIES,
    NEVER_ASK,
    OF_A_VISIT,
    TIMELESS,
    Answer,
    AnswerForms,
    FreeForm,
    Joints,
    Occasion,
    TextForms,
    VisitNouns,
)
from integration.domain.catalog_tables import TableReader
from integration.domain.reply_words import Meaning, ReplyWords, read_reply_words
from integration.domain.text_lint import LISTED, Lint
from integration.domain.text_template import Template, choices
from integration.domain.visit_words import WhenWords

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_SECTIONS: Final = (
    *("locale", "encoding", "lint", "practice_for", "options", "when", "list", "visit"),
    *("texts", "free", "answers", "replies"),
)
ENCODINGS: Final = ("GSM-7", "UCS-2")
_OFFERED: Final = ("confirm", "cancel", "reschedule", "human")
_MUST_SAY: Final = {Answer.STOP: ("START",), Answer.HELP: ("STOP",)}
_ACTED_UPON: Final = (Meaning.OPT_OUT, Meaning.OPT_OUT_ALONE, Meaning.START, Meaning.HELP)
_SHIPPED: Final = frozenset(map(str, Occasion))
_OCCASION: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BAD_OCCASION: Final = "an occasion is a small letter and then small letters, digits and _, at most 40"
_SAMPLE: Final = datetime(2026, 9, 30, 12, 30, tzinfo=UTC)


class CatalogReader(TableReader):
    """Reads each section of one catalogue; `mistakes` fills as it goes."""

    def __init__(self, language: str, mapping: Mapping[str, Any]) -> None:
        super().__init__()
        self.language = language
        self.root = self.known_keys("", mapping, _SECTIONS)
        self.encoding = self.root.get("encoding", "GSM-7")
        if self.encoding not in ENCODINGS:
            self.mistakes.append(f"encoding: {choices(str(self.encoding), ENCODINGS)}")
        self.lint, self._capitals = self._read_lint()
        self._replies = read_reply_words(language, self.table("replies", self.root), self.mistakes)
        self._acted_upon = frozenset(word for meaning in _ACTED_UPON for word in self._replies.words(meaning))

    def _read_lint(self) -> tuple[Lint, frozenset[str]]:
        """The words no text may say, and those that may stand in capitals."""
        section = self.known_keys("lint", self.table("lint", self.root), (*LISTED, "capitals"))
        found = {}
        for kind in LISTED:
            words = section.get(kind)
            if not (
                isinstance(words, list) and words and all(isinstance(w, str) and w.strip("* ") for w in words)
            ):
                self.mistakes.append(f"lint.{kind}: missing; list the words that no text may say")
                words = []
            found[kind] = tuple(words)
        capitals = section.get("capitals", [])
        if not (isinstance(capitals, list) and all(isinstance(word, str) for word in capitals)):
            self.mistakes.append("lint.capitals: must be a list of words")
            capitals = []
        return Lint(found), frozenset(capitals)

    def options(self) -> dict[str, str]:
        """The answers the texts offer, by label."""
        section = self.table("options", self.root)
        for label, intent in section.items():
            if intent not in _OFFERED:
                self.mistakes.append(f"options.{label}: unknown intent; {choices(str(intent), _OFFERED)}")
        if "confirm" not in section.values():
            self.mistakes.append('options: one label must mean "confirm"')
        self.mistakes += text_rules.reserved_options(section)
        return {label: str(intent) for label, intent in section.items()}

    def when(self) -> WhenWords:
        """How the language says a date and a time."""
        keys = ("date", "time", "morning", "afternoon", "full", "today")
        section = self.known_keys("when", self.table("when", self.root), (*keys, "full_one", "today_one"))
        spoken = {key: self.string(f"when.{key}", section) for key in keys}
        dated, timed = ("date", "time"), ("time",)
        spoken |= {
            key: self.string(f"when.{key}", section) if key in section else spoken[key.removesuffix("_one")]
            for key in ("full_one", "today_one")
        }
        words = WhenWords(
            locale=self.string("locale", self.root),
            date_pattern=spoken["date"],
            time_pattern=spoken["time"],
            morning=self._phrase("when.morning", spoken["morning"], timed),
            afternoon=self._phrase("when.afternoon", spoken["afternoon"], timed),
            full=self._phrase("when.full", spoken["full"], dated),
            today=self._phrase("when.today", spoken["today"], timed),
            full_one=self._phrase("when.full_one", spoken["full_one"], dated),
            today_one=self._phrase("when.today_one", spoken["today_one"], timed),
        )
        self._try(words)
        return words

    def joints(self) -> Joints:
        """What stands between the parts of a list."""
        keys = ("between", "last", "days")
        section = self.known_keys("list", self.table("list", self.root), keys)
        return Joints(**{key: self.string(f"list.{key}", section) for key in keys})

    def practice_for(self) -> Template:
        """The practice's name when the text is for one named patient."""
        return self._phrase("practice_for", self.string("practice_for", self.root), ("practice", "name"))

    def nouns(self) -> dict[str, VisitNouns]:
        """What a visit of each modality is called."""
        keys = ("a", "one", "many", "tag")
        section = self.known_keys("visit", self.table("visit", self.root), MODALITIES)
        found = {}
        for modality in MODALITIES:
            where = f"visit.{modality}"
            words = self.known_keys(where, self.table(modality, section, where), keys)
            said = {key: self.string(f"{where}.{key}", words, empty=key == "tag") for key in keys}
            self.mistakes += [
                f"{where}.{key}: {mistake}"
                for key, text in said.items()
                for mistake in self._outside_alphabet(Template.parse(text))
            ]
            found[modality] = VisitNouns(**said)
        return found

    def texts(self, options: Mapping[str, str]) -> dict[tuple[str, bool], TextForms]:
        """What is said on each occasion, informing and asking: those we ship, and those a site adds."""
        section = self.table("texts", self.root)
        confirming = [label for label, intent in options.items() if intent == "confirm"]
        found = {}
        for occasion in dict.fromkeys([*map(str, Occasion), *section]):
            where = f"texts.{occasion}"
            if not _OCCASION.fullmatch(occasion):
                self.mistakes.append(f"{where}: {_BAD_OCCASION}")
                continue
            ways = ("inform",) if occasion in NEVER_ASK else ("inform", "ask")
            table = self.known_keys(where, self.table(occasion, section, where), ways)
            is_own = occasion not in _SHIPPED
            for way in ways:
                asks = way == "ask"
                if is_own and asks and way not in table:
                    continue  # an occasion of the site's own may never ask
                found[occasion, asks] = self._text_forms(
                    f"{where}.{way}",
                    self.table(way, table, f"{where}.{way}"),
                    timeless=occasion in TIMELESS or (is_own and not asks),
                    must=confirming if asks else (),
                    never=() if asks else tuple(options),
                )
        return found

    def free(self, options: Collection[str]) -> dict[str, tuple[Template, ...]]:
        """What a person at the practice may send by hand; a prompt that asks nothing prints no answer."""
        section = self.known_keys("free", self.table("free", self.root), tuple(FreeForm))
        found = {}
        for form in FreeForm:
            must: tuple[str, ...] = ("practice", "phone")
            gaps = text_rules.BY_HAND
            if form is FreeForm.OWN_WORDS:
                must, gaps = ("practice", "words"), gaps | {"words"}
            elif form in OF_A_VISIT:
                must, gaps = (*must, "visit|a_visit", "when"), text_rules.ONE_VISIT
            elif form is FreeForm.RUNNING_LATE:
                gaps = gaps | {"minutes"}
            listed = self._templates(f"free.{form}", section.get(form), gaps)
            for key, template in listed:
                self.report(key, text_rules.missing(template, must, words=("STOP",)))
                self.report(key, self._forbidden(template, ("STOP",), options))
            if listed and all("minutes" in template.gaps for _, template in listed):
                self.mistakes.append(f"free.{form}: one form must do without {{minutes}}")
            found[form.value] = _only(listed)
        return found

    def answers(self) -> dict[str, AnswerForms]:
        """How a patient's own text is answered."""
        section = self.known_keys("answers", self.table("answers", self.root), tuple(Answer))
        found = {}
        for answer in Answer:
            where = f"answers.{answer}"
            table = self.known_keys(where, self.table(answer, section, where), ("plain", "visit", "closed"))
            must = _MUST_SAY.get(answer, ())
            gaps = ("practice", "emergency") if answer is Answer.URGENT else ("practice", "phone")
            if answer in CHOOSING:
                gaps = ("practice", "choices")
            plain = self._templates(
                f"{where}.plain",
                table.get("plain"),
                text_rules.CHOICE if answer in CHOOSING else text_rules.ANSWER,
            )
            visit = self._templates(
                f"{where}.visit", table.get("visit"), text_rules.ANSWER_ON_VISIT, optional=True
            )
            closed = self._templates(
                f"{where}.closed", table.get("closed"), text_rules.ANSWER_WHEN_CLOSED, optional=True
            )
            for key, template in closed:
                self.report(key, text_rules.missing(template, ("opens",)))
            for key, template in (*plain, *visit, *closed):
                self.report(key, text_rules.missing(template, gaps, words=must))
                self.report(key, self._forbidden(template, must))
            found[answer.value] = AnswerForms(_only(plain), _only(visit), _only(closed))
        return found

    def replies(self) -> ReplyWords:
        """The words patients reply with."""
        return self._replies

    def _text_forms(
        self,
        where: str,
        table: Mapping[str, Any],
        *,
        timeless: bool,
        must: Collection[str],
        never: Collection[str],
    ) -> TextForms:
        self.known_keys(where, table, ("one", "several", "first"))
        one = self._templates(f"{where}.one", table.get("one"), text_rules.ONE_VISIT)
        several = self._templates(f"{where}.several", table.get("several"), text_rules.SEVERAL_VISITS)
        first = self._templates(f"{where}.first", table.get("first"), text_rules.ONE_VISIT, optional=True)
        for gaps, forms in ((("when", "visit|a_visit"), (*one, *first)), (("list", "visits"), several)):
            for key, template in forms:
                needed = ("practice", "phone", *(() if timeless else gaps))
                self.report(key, text_rules.missing(template, needed, words=("STOP", *must)))
                self.report(key, self._forbidden(template, ("STOP", "HELP"), never))
        return TextForms(_only(one), _only(several), _only(first))

    def _templates(
        self, where: str, listed: Any, gaps: Collection[str], *, optional: bool = False
    ) -> list[tuple[str, Template]]:
        """Each form with its key; a single text may stand without its list."""
        if listed is None and optional:
            return []
        forms = listed if isinstance(listed, list) else [listed]
        if not forms or not all(isinstance(form, str) and form.strip() for form in forms):
            self.mistakes.append(
                f"{where}: missing; must be a text, or texts from the fullest to the shortest"
            )
            return []
        found = [(f"{where}[{place}]", Template.parse(form)) for place, form in enumerate(forms)]
        for key, template in found:
            self.report(key, template.mistakes(gaps))
            self.report(key, self._outside_alphabet(template))
            self.report(key, text_rules.unsaid(template, self.lint))
            self.report(key, text_rules.loud(template, self._capitals))
        return found

    def _phrase(self, where: str, text: str, gaps: Collection[str]) -> Template:
        template = Template.parse(text)
        if text:
            self.report(where, template.mistakes(gaps))
            self.report(where, text_rules.missing(template, gaps))
            self.report(where, self._outside_alphabet(template))
        return template

    def _forbidden(
        self, template: Template, allowed: Collection[str], never: Collection[str] = ()
    ) -> Iterator[str]:
        return text_rules.forbidden(template, allowed=allowed, never=never, acted_upon=self._acted_upon)

    def _outside_alphabet(self, template: Template) -> Iterator[str]:
        return text_rules.outside_gsm7(template) if self.encoding == "GSM-7" else iter(())

    def _try(self, words: WhenWords) -> None:
        """Say one date, so that an unknown locale or pattern shows now."""
        if not (words.locale and words.date_pattern and words.time_pattern):
            return
        try:
            Locale.parse(words.locale)
        except (UnknownLocaleError, ValueError):
            self.mistakes.append(f'locale: "{words.locale}" is no locale CLDR knows, such as en_US or es_US')
            return
        self.report("when.date", text_rules.unclear_date(words.date_pattern))
        for key, pattern in (("date", words.date_pattern), ("time", words.time_pattern)):
            try:
                words.day(_SAMPLE.date()) if key == "date" else words.clock(_SAMPLE, show_zone=False)
            except (ValueError, KeyError, AttributeError):
                self.mistakes.append(f'when.{key}: "{pattern}" is no CLDR pattern')


def _only(forms: list[tuple[str, Template]]) -> tuple[Template, ...]:
    return tuple(template for _, template in forms)
