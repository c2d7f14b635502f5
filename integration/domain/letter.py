"""Finds, among the forms of one text, the fullest that fits, in the practice's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.domain.sms_segments import measure
from integration.domain.transliteration import Untransliterable, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from integration.domain.message_catalog import Catalog
    from integration.domain.text_template import Template
    from integration.domain.visit_words import PracticeWords


class WordingError(Exception):
    """A text cannot be written; names the language and the occasion, never what it would say."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A text ready to send."""

    body: str
    encoding: str  # GSM-7 or UCS-2
    segments: int
    visits: tuple[int, ...] = ()  # places, in what was given, of the visits it speaks of
    parts: tuple[str, ...] = ()  # beside each visit, the body as its patient's chart may keep it


@dataclass(frozen=True, slots=True)
class Fitting:
    """A form that fits, filled."""

    form: Template
    body: str


class Letter:
    """One kind of text of one practice, in the catalogue's alphabet.

    `says_more`: it says a first name or a zone, for which 70 UCS-2 units beside name, phone and time
    have no room: then, and only when nothing fits, it may take one segment more (decision 0039).
    Raises WordingError when the alphabet cannot write the practice's name or phone.
    """

    def __init__(
        self,
        catalog: Catalog,
        what: str,
        practice: PracticeWords,
        max_segments: int,
        *,
        says_more: bool = False,
    ) -> None:
        self.where = f"messages {catalog.language}, {what}"
        self.room = max_segments + (says_more and catalog.encoding == "UCS-2")
        self._rooms = range(max_segments, self.room + 1)
        self._catalog = catalog
        try:
            self._values = {
                "practice": written(practice.name, catalog.encoding),
                "phone": written(practice.phone, catalog.encoding),
                "emergency": written(practice.emergency, catalog.encoding),
            }
        except Untransliterable as error:
            raise WordingError(f"{self.where}: the practice's words have {error}") from None

    def fit(
        self, forms: Iterable[Template], values: Mapping[str, str], name: str | None = None
    ) -> Fitting | None:
        """The fullest form that fits, or None when none does; `name` says for whom it is."""
        filled = [Fitting(form, self.fill(form, values, name)) for form in forms]
        for room in self._rooms:
            for fitting in filled:
                if measure(fitting.body).segments <= room:
                    self._look_over(fitting.body)
                    return fitting
        return None

    def fill(self, form: Template, values: Mapping[str, str], name: str | None = None) -> str:
        """One form, filled, however long."""
        known = {**self._values, **values}
        if name:
            known["practice"] = self._catalog.practice_for.fill({"practice": known["practice"], "name": name})
        return form.fill(known)

    def _look_over(self, body: str) -> None:
        """Refuse what no text may say, whatever brought it in; the practice's name is the site's own."""
        found = self._catalog.lint.find(body.replace(self._values["practice"], " "))
        if found:
            kinds = ", ".join(dict.fromkeys(finding.kind for finding in found))
            raise WordingError(f"{self.where}: it would hold {kinds} content")

    def too_long(self) -> WordingError:
        """What to raise when nothing fits."""
        return WordingError(f"{self.where}: longer than {self.room} segment(s) even in its shortest form")


def seal(body: str, visits: Iterable[int] = (), parts: Iterable[str] | None = None) -> Composed:
    """The finished text; without `parts` every visit's chart may keep the whole body."""
    places, size = tuple(visits), measure(body)
    kept = (body,) * len(places) if parts is None else tuple(parts)
    return Composed(body, size.encoding, size.segments, places, kept)
