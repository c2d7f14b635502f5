"""Tries every text with a practice's name and phone, before the first patient is written to."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from integration.domain.catalog_sections import CHOOSING, MODALITIES
from integration.domain.letter import Letter, WordingError
from integration.domain.sms_segments import measure
from integration.domain.visit_list import VisitList
from integration.domain.visit_words import NAME_LENGTH, VisitWords

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from integration.domain.message_catalog import Catalog
    from integration.domain.visit_words import PracticeWords

_LONG_NAME: Final = "M" * NAME_LENGTH
_OWN_WORDS: Final = 40  # letters that a person at the practice has at least
_YEAR: Final = 2028
_DAYS: Final = range(20, 27)  # of each month: every weekday once
_TIMES: Final = (
    (12, 30),
    (10, 0),
    (13, 30),
    (1, 30),
)  # half past noon is wide; one o'clock has its own grammar


def check_practice(
    catalog: Catalog,
    practice: PracticeWords,
    *,
    show_zone: bool = False,
    max_segments: int = 1,
    zone: tzinfo = UTC,
) -> list[str]:
    """What would not fit or cannot be written, one sentence a text; empty when all is well.

    Tries each text in its shortest form with the longest date, each modality, and a first
    name of 12 letters, so that `compose` never fails later for one visit.
    """
    lacking = [
        f"the practice's public {key} is empty"
        for key in ("name", "phone")
        if not getattr(practice, key).strip()
    ]
    if lacking:
        return lacking
    try:
        return list(_too_long(catalog, practice, show_zone=show_zone, max_segments=max_segments, zone=zone))
    except WordingError as error:
        return [str(error)]


def _too_long(
    catalog: Catalog, practice: PracticeWords, *, show_zone: bool, max_segments: int, zone: tzinfo
) -> Iterator[str]:
    remedy = "shorten the practice's name, or add a shorter form"
    for says_more in (True, False):
        if not says_more and catalog.encoding == "GSM-7":
            break  # what fits with a name and a zone fits without
        longest = _longest_visits(catalog, zone, show_zone=show_zone and says_more)
        name = _LONG_NAME if says_more else None
        for (occasion, ask), forms in catalog.texts.items():
            what = f"{occasion} {'ask' if ask else 'inform'}"
            letter = Letter(catalog, what, practice, max_segments, says_more=says_more)
            failing = [values for values in longest if letter.fit(forms.one, values, name) is None]
            if failing:
                bodies = (letter.fill(form, values, name) for values in failing for form in forms.one[-1:])
                at_its_longest = "a long date and first name" if says_more else "a long date"
                yield f"{letter.too_long()} ({_worst(bodies)} with {at_its_longest}): {remedy}"
        for form, templates in catalog.free.items():
            letter = Letter(catalog, f"free {form}", practice, max_segments, says_more=says_more)
            by_hand = {"minutes": "120", "words": "M" * _OWN_WORDS}
            if any(letter.fit(templates, values | by_hand, name) is None for values in longest):
                yield f"{letter.too_long()}: {remedy}"
    for name, answers in catalog.answers.items():
        letter = Letter(catalog, f"answer {name}", practice, max_segments)
        if name not in CHOOSING and letter.fit(answers.plain, {}) is None:
            bodies = (letter.fill(form, {}) for form in answers.plain[-1:])
            yield f"{letter.too_long()} ({_worst(bodies)}): {remedy}"


def _worst(bodies: Iterable[str]) -> str:
    sizes = [measure(body) for body in bodies]
    worst = max(sizes, key=lambda size: size.units)
    return f"{worst.units} {worst.encoding} units"


@lru_cache(maxsize=64)
def _longest_visits(catalog: Catalog, zone: tzinfo, *, show_zone: bool) -> tuple[dict[str, str], ...]:
    """For each modality, what a text says of the visit whose day and time are widest, also as today."""
    starts = [
        datetime(_YEAR, month, day, *time, tzinfo=zone)
        for month in range(1, 13)
        for day in _DAYS
        for time in _TIMES
    ]
    days = [_said(catalog, start, "in_person", show_zone=show_zone, today=False) for start in starts]
    widest = max(range(len(starts)), key=lambda place: measure(days[place]["when"]).units)
    return tuple(
        _said(catalog, starts[widest], modality, show_zone=show_zone, today=today)
        for modality in MODALITIES
        for today in (False, True)
    )


def _said(
    catalog: Catalog, start: datetime, modality: str, *, show_zone: bool, today: bool
) -> dict[str, str]:
    visit = VisitWords(first_name=None, start=start, modality=modality)
    return VisitList(catalog, [visit], show_zone=show_zone, sent_on=start.date() if today else None).of_one(0)
