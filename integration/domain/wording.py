"""Writes the texts patients get: one segment, our name and phone in it, and a way out.

Several visits of one number share a text while it fits, and are split when it does not.
A name is said only where several patients share a number, or the practice asks for it:
a first name beside an appointment is protected information.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.catalog_sections import Answer, Occasion
from integration.domain.letter import Composed, Letter, WordingError, seal
from integration.domain.message_catalog import Catalog, CatalogError
from integration.domain.practice_check import check_practice
from integration.domain.transliteration import written
from integration.domain.visit_list import VisitList
from integration.domain.visit_words import PracticeWords, VisitWords

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from integration.domain.catalog_sections import TextForms

__all__ = (
    "Answer",
    "Catalog",
    "CatalogError",
    "Composed",
    "Occasion",
    "PracticeWords",
    "VisitWords",
    "WordingError",
    "answer",
    "ask_which",
    "check_practice",
    "compose",
)


def compose(
    catalog: Catalog,
    occasion: str,
    *,
    ask: bool,
    practice: PracticeWords,
    visits: Sequence[VisitWords],
    show_zone: bool = False,
    max_segments: int = 1,
    name_patients: bool = False,
    first_text: bool = False,
    sent_on: date | None = None,
) -> list[Composed]:
    """The texts that speak of these visits, all of one number: as few as fit.

    `ask` asks to confirm. `name_patients` names a patient even where no other shares the
    number. `sent_on`, the clinic's local date of sending, lets a visit of that day be
    "today". `first_text` adds the programme's words where they fit. Raises WordingError
    when one visit alone does not fit in `max_segments`, even in the shortest form.
    """
    said = VisitList(catalog, visits, show_zone=show_zone, sent_on=sent_on)
    waiting = sorted(range(len(visits)), key=lambda place: (visits[place].start, place))
    named = name_patients or len(said.patients(waiting)) > 1
    letter = Letter(catalog, occasion, practice, max_segments, says_more=named or show_zone)
    forms = catalog.texts.get((occasion, ask))
    if forms is None:
        raise WordingError(f"{letter.where}: the catalogue has nothing to {'ask' if ask else 'say'}")
    texts: list[Composed] = []
    while waiting:
        together = _longest_text(
            letter, forms, said, waiting, named=named, first_text=first_text and not texts
        )
        texts.append(together)
        waiting = waiting[len(together.visits) :]
    return texts


def answer(
    catalog: Catalog,
    name: str,
    *,
    practice: PracticeWords,
    visit: VisitWords | None = None,
    show_zone: bool = False,
    max_segments: int = 1,
    sent_on: date | None = None,
    opens: datetime | None = None,
) -> Composed:
    """Our answer to a patient's own text; it says when the visit is, never whose.

    `opens` is when the practice, closed now, opens again, in its own zone: an answer that promises
    a call says so where its language can. Raises WordingError for an unknown answer, and when even
    the shortest form does not fit.
    """
    letter = Letter(catalog, f"answer {name}", practice, max_segments)
    forms = catalog.answers.get(name)
    if forms is None:
        raise WordingError(f"{letter.where}: the catalogue has no such answer")
    if opens is not None:
        closed = letter.fit(forms.closed, {"opens": _moment(catalog, opens, sent_on)})
        if closed is not None:
            return seal(closed.body)
    if visit is not None:
        said = VisitList(catalog, [visit], show_zone=show_zone, sent_on=sent_on)
        of_visit = letter.fit(forms.visit, said.of_one(0))
        if of_visit is not None:
            return seal(of_visit.body, [0])
    plain = letter.fit(forms.plain, {})
    if plain is None:
        raise letter.too_long()
    return seal(plain.body)


def ask_which(
    catalog: Catalog,
    *,
    practice: PracticeWords,
    visits: Sequence[VisitWords],
    show_zone: bool = False,
    sent_on: date | None = None,
) -> Composed | None:
    """The one question that lets a patient choose among visits, numbered from 1 as they are given.

    It names no more than a reminder may, and fits one segment; None when it cannot: two visits
    that would read alike, a patient on a shared number who has no name, or too many words.
    """
    name = Answer.WHICH_OF_TWO if len(visits) == len(("one", "other")) else Answer.WHICH_VISIT
    letter = Letter(catalog, f"answer {name}", practice, 1)
    said = VisitList(catalog, visits, show_zone=show_zone, sent_on=sent_on)
    places = range(len(visits))
    if len(said.patients(places)) > 1 and not all(said.name(place) for place in places):
        return None
    options = said.numbered(places)
    if len(set(options)) < len(options):
        return None
    listed = catalog.joints.between.join(f"{place}) {each}" for place, each in enumerate(options, 1))
    asked = letter.fit(catalog.answers[name].plain, {"choices": listed})
    return None if asked is None else seal(asked.body, places)


def _moment(catalog: Catalog, at: datetime, today: date | None) -> str:
    """A day and time of the practice's own, as the language says them."""
    words = catalog.when
    said = words.say(at.date(), at, words.clock(at, show_zone=False), is_today=at.date() == today)
    return written(said, catalog.encoding)


def _longest_text(
    letter: Letter,
    forms: TextForms,
    said: VisitList,
    waiting: Sequence[int],
    *,
    named: bool,
    first_text: bool,
) -> Composed:
    """One text of as many of the waiting visits, from the first on, as fit."""
    found = None
    for count in range(1, len(waiting) + 1):
        longer = _one_text(letter, forms, said, waiting[:count], named=named, first_text=first_text)
        if longer is None:
            break
        found = longer
    if found is None:
        raise letter.too_long()
    return found


def _one_text(
    letter: Letter, forms: TextForms, said: VisitList, places: Sequence[int], *, named: bool, first_text: bool
) -> Composed | None:
    """One text of all these visits, or None when they do not fit, or do not belong in one."""
    patients = said.patients(places)
    name = said.name(places[0]) if named and len(patients) == 1 else None
    if len(said.distinct(places)) == 1:
        choice = (*forms.first, *forms.one) if first_text else forms.one
        single = letter.fit(choice, said.of_one(places[0]), name)
        return None if single is None else seal(single.body, places)
    if len(patients) > 1 and not all(said.name(place) for place in places):
        return None  # a visit that cannot say whose it is stands alone
    shared = letter.fit(forms.several, said.of_several(places, named=len(patients) > 1), name)
    if shared is None:
        return None
    if len(patients) == 1:
        return seal(shared.body, places)
    own = [[place for place in places if said.patients([place]) == said.patients([mine])] for mine in places]
    parts = [letter.fill(shared.form, said.of_several(of, named=True)) for of in own]
    return seal(shared.body, places, parts)
