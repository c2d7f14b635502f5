"""Says which visits a text speaks of: one with its day and time, or several in one list.

Tue Dec 1 at 2:30 PM and Thu Dec 3 at 9:00 AM        one patient
Tue Dec 1 at 2:30 PM (Ann) and 3:00 PM (Ben, video)  two, on one day
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from integration.domain.transliteration import Untransliterable, written
from integration.domain.visit_words import NAME_LENGTH, spoken_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from integration.domain.message_catalog import Catalog
    from integration.domain.visit_words import VisitWords


class VisitList:
    """The visits of one number, as one catalogue says them; places count from 0 in what was given."""

    def __init__(
        self,
        catalog: Catalog,
        visits: Sequence[VisitWords],
        *,
        show_zone: bool = False,
        sent_on: date | None = None,
    ) -> None:
        self._catalog = catalog
        self._visits = visits
        self._show_zone = show_zone
        self._sent_on = sent_on
        self._names = [_name(catalog, visit) for visit in visits]

    def name(self, place: int) -> str | None:
        """The patient's first name as the text says it, or None."""
        return self._names[place]

    def patients(self, places: Sequence[int]) -> frozenset[str]:
        """Who is spoken of."""
        return frozenset(self._visits[place].who for place in places)

    def distinct(self, places: Sequence[int]) -> list[int]:
        """The places without those that would say the same again."""
        seen = {
            (self._visits[p].who, self._visits[p].start, self._visits[p].modality): p
            for p in reversed(places)
        }
        return sorted(seen.values(), key=places.index)

    def of_one(self, place: int) -> dict[str, str]:
        """What the gaps of a text about one visit hold."""
        visit = self._visits[place]
        nouns = self._catalog.nouns[visit.modality]
        return {"visit": nouns.one, "a_visit": nouns.a, "when": self._day([place], tagged=False, named=False)}

    def of_several(self, places: Sequence[int], *, named: bool) -> dict[str, str]:
        """What the gaps of a text about several visits hold; places are in the order of their starts."""
        joints = self._catalog.joints
        modalities = {self._visits[place].modality for place in places}
        tagged = len(modalities) > 1
        nouns = self._catalog.nouns["in_person" if tagged else min(modalities)]
        days = [
            list(same)
            for _, same in groupby(self.distinct(places), lambda place: self._visits[place].start.date())
        ]
        said = [self._day(day, tagged=tagged, named=named) for day in days]
        crowded = any(len(day) > 1 for day in days)
        return {"visits": nouns.many, "list": joints.days.join(said) if crowded else self._join(said)}

    def numbered(self, places: Sequence[int]) -> list[str]:
        """Each visit as a reader may choose it; first names and kinds where they tell visits apart."""
        named = len(self.patients(places)) > 1
        tagged = len({self._visits[place].modality for place in places}) > 1
        return [self._day([place], tagged=tagged, named=named) for place in places]

    def _day(self, places: Sequence[int], *, tagged: bool, named: bool) -> str:
        """One day and the times on it."""
        times = self._join([self._time(place, tagged=tagged, named=named) for place in places])
        first = self._visits[places[0]].start
        said = self._catalog.when.say(first.date(), first, times, is_today=first.date() == self._sent_on)
        return written(said, self._catalog.encoding)

    def _time(self, place: int, *, tagged: bool, named: bool) -> str:
        visit = self._visits[place]
        name = self._names[place] if named else None
        tag = self._catalog.nouns[visit.modality].tag if tagged else ""
        remark = ", ".join(word for word in (name, tag) if word)
        time = self._catalog.when.clock(visit.start, show_zone=self._show_zone)
        return f"{time} ({remark})" if remark else time

    def _join(self, said: Sequence[str]) -> str:
        joints = self._catalog.joints
        return joints.last.join(part for part in (joints.between.join(said[:-1]), said[-1]) if part)


def _name(catalog: Catalog, visit: VisitWords) -> str | None:
    """None for a name the catalogue's alphabet cannot write: half a name would be another's.

    Nor for a remark that an EHR keeps there, when it is one that no text may hold.
    """
    name = spoken_name(visit.first_name)
    if name and catalog.lint.find(name):
        return None
    try:
        return name and (written(name, catalog.encoding)[:NAME_LENGTH].strip() or None)
    except Untransliterable:
        return None
