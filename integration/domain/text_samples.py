"""Every text of a practice at its longest and its shortest, to be read before patients do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Final

from integration.domain.catalog_sections import CHOOSING, MODALITIES
from integration.domain.sms_segments import measure
from integration.domain.visit_words import VisitWords
from integration.domain.wording import WordingError, answer, ask_which, compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from integration.domain.message_catalog import Catalog
    from integration.domain.visit_words import PracticeWords
    from integration.domain.wording import Composed

ONE_SEGMENT: Final = {"GSM-7": 160, "UCS-2": 70}
_DAYS: Final = ((2028, 5, 1), (2028, 9, 20), (2028, 11, 29))  # short and long names of months and weekdays
_TIMES: Final = ((9, 0), (12, 30), (13, 0))
_NAMES: Final = (None, "Maximilianaa")


@dataclass(frozen=True, slots=True)
class Sample:
    """One text as it would go out; `text` is None, and `problem` says why, when it cannot be written."""

    occasion: str  # answers are `answer <name>`
    ask: bool
    which: str  # longest | shortest | first, of a relationship | several, of two visits in one text
    text: str | None
    encoding: str | None
    segments: int | None
    units: int | None
    problem: str | None = None

    @property
    def left(self) -> int | None:
        """Septets, or UTF-16 units, that one segment has left; less than 0 beyond one."""
        return (
            None if self.units is None or self.encoding is None else ONE_SEGMENT[self.encoding] - self.units
        )


def samples(
    catalog: Catalog, practice: PracticeWords, *, max_segments: int = 1, zone: tzinfo = UTC
) -> Iterator[Sample]:
    """The longest and the shortest of each text and answer; one where both are the same.

    Also the first text of a relationship, and one of two visits, where the language has room for such.
    """
    visits = [
        VisitWords(name, datetime(*day, *time, tzinfo=zone), modality, "1")
        for day, time, modality, name in product(_DAYS, _TIMES, MODALITIES, _NAMES)
    ]
    for occasion, ask in catalog.texts:

        def text(visit: VisitWords, occasion: str = occasion, *, ask: bool = ask) -> Composed:
            named, today = visit.first_name is not None, visit.start.date() if visit.start.hour == 9 else None  # noqa: PLR2004 - of _TIMES
            return compose(
                catalog,
                occasion,
                ask=ask,
                practice=practice,
                visits=[visit],
                show_zone=named,
                max_segments=max_segments,
                name_patients=named,
                sent_on=today,
            )[0]

        yield from _extremes(occasion, text, visits, ask=ask)
        plain = [visit for visit in visits if visit.first_name is None and visit.modality == "in_person"]
        yield from _other_forms(catalog, practice, occasion, plain, ask=ask, max_segments=max_segments)
    for name in catalog.answers:
        if name not in CHOOSING:

            def reply(visit: VisitWords, name: str = name) -> Composed:
                spoken = None if visit.first_name else visit
                return answer(
                    catalog, name, practice=practice, visit=spoken, show_zone=True, max_segments=max_segments
                )

            yield from _extremes(f"answer {name}", reply, visits, ask=False)
    yield from _questions(catalog, practice, visits)


def _other_forms(
    catalog: Catalog,
    practice: PracticeWords,
    occasion: str,
    visits: list[VisitWords],
    *,
    ask: bool,
    max_segments: int,
) -> Iterator[Sample]:
    """The first text of a relationship, and the text of two visits; none where they do not fit."""
    for which, spoken_of in (("first", visits[:1]), ("several", [visits[0], visits[-1]])):
        try:
            text, usual = (
                compose(
                    catalog,
                    occasion,
                    ask=ask,
                    practice=practice,
                    visits=spoken_of,
                    max_segments=max_segments,
                    first_text=first_text,
                )[0]
                for first_text in (which == "first", False)
            )
        except WordingError:
            continue  # _extremes has said so
        if text.body != usual.body or len(text.visits) > 1:
            yield _sample(occasion, text, which, ask=ask)


def _questions(catalog: Catalog, practice: PracticeWords, visits: list[VisitWords]) -> Iterator[Sample]:
    """The questions which visit is meant; one that does not fit is not asked, and is no problem."""
    plain = [visit for visit in visits if visit.first_name is None and visit.modality == "in_person"]
    for name, count in zip(sorted(CHOOSING), (2, 3), strict=True):
        asked = ask_which(catalog, practice=practice, visits=plain[:count])
        if asked is not None:
            yield _sample(f"answer {name}", asked, "longest", ask=True)


def _extremes(
    what: str, write: Callable[[VisitWords], Composed], visits: list[VisitWords], *, ask: bool
) -> Iterator[Sample]:
    found = []
    for visit in visits:
        try:
            found.append(write(visit))
        except WordingError as why:
            yield Sample(what, ask, "longest", None, None, None, None, str(why))
            return
    found.sort(key=lambda text: (text.segments, measure(text.body).units, text.body))
    yield _sample(what, found[-1], "longest", ask=ask)
    if found[0].body != found[-1].body:
        yield _sample(what, found[0], "shortest", ask=ask)


def _sample(what: str, text: Composed, which: str, *, ask: bool) -> Sample:
    return Sample(what, ask, which, text.body, text.encoding, text.segments, measure(text.body).units)
