"""A text that a person asks for, as it goes out: a template, or their own words, signed and with a way out.

Own words stay as they were written, in GSM-7's alphabet where every sign has a form there. Around them
stands what a text must say (47 CFR 64.1200(a)(9)(iv)(B), (G)) and they do not: who writes, a phone where
there is room, and how to stop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from integration.domain.catalog_sections import OF_A_VISIT, FreeForm
from integration.domain.letter import Composed, WordingError, seal
from integration.domain.sms_segments import measure
from integration.domain.text_lint import lint
from integration.domain.transliteration import Untransliterable, to_gsm7
from integration.domain.visit_list import VisitList
from integration.domain.visit_words import spoken_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from integration.domain.message_catalog import Catalog
    from integration.domain.text_lint import Finding
    from integration.domain.visit_words import PracticeWords, VisitWords

TOO_LONG: Final = "the words do not fit into the segments that the practice allows a text"
NO_VISIT: Final = "the text speaks of a visit, and none was chosen"
_STOP: Final = re.compile(r"\bSTOP\b")
_DIGITS: Final = re.compile(r"\D")


@dataclass(frozen=True, slots=True)
class FreeWords:
    """What is to be said."""

    form: FreeForm
    words: str = ""  # of OWN_WORDS
    minutes: int | None = None  # of RUNNING_LATE, where they are known


def compose_free(
    catalog: Catalog,
    said: FreeWords,
    *,
    practice: PracticeWords,
    visit: VisitWords | None = None,
    name: str | None = None,
    max_segments: int = 1,
    show_zone: bool = False,
    sent_on: date | None = None,
) -> Composed:
    """The fullest form that fits; `name` says for whom it is. Raises WordingError with a reason to read."""
    if said.form in OF_A_VISIT and visit is None:
        raise WordingError(NO_VISIT)
    values = {"practice": _plain(practice.name), "phone": _plain(practice.phone)}
    spoken = spoken_name(name)
    if spoken and not catalog.lint.find(spoken):  # EHRs keep remarks there, some of which no text may hold
        values["practice"] = _plain(
            catalog.practice_for.fill({"practice": values["practice"], "name": spoken})
        )
    if visit is not None:
        values |= VisitList(catalog, [visit], show_zone=show_zone, sent_on=sent_on).of_one(0)
    if said.minutes is not None:
        values["minutes"] = str(said.minutes)
    own = said.form is FreeForm.OWN_WORDS
    bodies = _own(catalog, said.words, values) if own else _of(catalog, said, values)
    for body in bodies:
        if measure(body).segments <= max_segments:
            return seal(body)
    raise WordingError(TOO_LONG)


def flagged(words: str, catalogs: Iterable[Catalog]) -> tuple[Finding, ...]:
    """What a person's words say that texts should not: clinical detail, money, marketing, links."""
    return lint(words, (catalog.lint for catalog in catalogs))


def _of(catalog: Catalog, said: FreeWords, values: dict[str, str]) -> Iterator[str]:
    """A template's forms whose gaps can be filled, the fullest first."""
    return (form.fill(values) for form in catalog.free[said.form] if form.gaps <= values.keys())


def _own(catalog: Catalog, words: str, values: dict[str, str]) -> Iterator[str]:
    """The words, signed and with a way out, unless they say so themselves."""
    said = _plain(words.strip())
    signature = f"{values['practice']}: "
    signs_itself = values["practice"].casefold() in said.casefold()
    if _STOP.search(said):
        yield said if signs_itself else signature + said
        return
    said += "." if said[-1:].isalnum() else ""
    tells_phone = _DIGITS.sub("", values["phone"]) in _DIGITS.sub("", said)
    for form in catalog.free[FreeForm.OWN_WORDS]:
        if not (tells_phone and "phone" in form.gaps):
            body = form.fill(values | {"words": said})
            yield body.removeprefix(signature) if signs_itself else body


def _plain(text: str) -> str:
    try:
        return to_gsm7(text)
    except Untransliterable:
        return text
