"""What every text of a catalogue must say, and what none may: checked before anything is sent.

Name, phone and a way out stand in every reminder (47 CFR 64.1200(a)(9)(iv)(B), (G)); no
prompt prints a word that carriers take for an opt-out or opt-in (CANCEL, YES); one letter
outside GSM-7 triples a text's price.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from integration.domain.sms_segments import GSM_7

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from integration.domain.text_lint import Lint
    from integration.domain.text_template import Template

ONE_VISIT: Final = frozenset({"practice", "phone", "visit", "a_visit", "when"})
SEVERAL_VISITS: Final = frozenset({"practice", "phone", "visits", "list"})
BY_HAND: Final = frozenset({"practice", "phone"})
ANSWER: Final = frozenset({"practice", "phone", "emergency"})
ANSWER_ON_VISIT: Final = ANSWER | {"visit", "when"}
ANSWER_WHEN_CLOSED: Final = ANSWER | {"opens"}
CHOICE: Final = ANSWER | {"choices"}

# Opt-out and opt-in keywords of carriers and the FCC (47 CFR 64.1200(a)(10)): patients copy what they read.
_NEVER: Final = frozenset({"cancel", "cancelar", "yes"})
_NEVER_IN_CAPITALS: Final = frozenset(
    {
        *("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "START", "UNSTOP"),
        *("HELP", "INFO", "ALTO", "AYUDA", "PARAR", "BAJA"),
    }
)
_IDEOGRAPHS: Final = "\u3400-\u4dbf\u4e00-\u9fff"  # Chinese stands beside a Latin word without a space
_WORD: Final = re.compile(rf"[{_IDEOGRAPHS}]+|[^\W{_IDEOGRAPHS}]+")
_NUMBERS_ALONE: Final = re.compile(r"(?<!M)M{1,2}\s*[/.-]\s*d|d\s*[/.-]\s*M{1,2}(?!M)")


def missing(template: Template, gaps: Iterable[str], *, words: Iterable[str] = ()) -> Iterator[str]:
    """What the text must say and does not; `a|b` asks for either of two gaps."""
    for gap in gaps:
        if template.gaps.isdisjoint(gap.split("|")):
            yield "must hold " + " or ".join(f"{{{name}}}" for name in gap.split("|"))
    said = set(_WORD.findall(template.words))
    yield from (f"must hold the word {word}" for word in words if word not in said)


def forbidden(
    template: Template,
    *,
    allowed: Collection[str] = (),
    never: Collection[str] = (),
    acted_upon: Collection[str] = (),
) -> Iterator[str]:
    """Reserved reply words the text prints: `allowed` ones are meant here, `never` ones are not.

    `acted_upon` are the language's own single words that we act upon, in small letters.
    """
    for word in dict.fromkeys(_WORD.findall(template.words)):
        reserved = word.casefold() in _NEVER or word in _NEVER_IN_CAPITALS
        own = word.isupper() and word.casefold() in acted_upon
        if (reserved or own) and word not in allowed:
            yield f'"{word}" is a word carriers act upon: a patient who copies it would be opted out or in'
        elif word in never:
            yield f'"{word}" is an answer, and this text asks nothing'


def outside_gsm7(template: Template) -> Iterator[str]:
    """Letters of the text that would make it UCS-2."""
    lost = "".join(dict.fromkeys(c for c in template.words if c not in GSM_7))
    if lost:
        yield f'not in GSM-7: "{lost}"; one such letter makes the whole text cost more'


def reserved_options(options: Iterable[str]) -> Iterator[str]:
    """Answers a catalogue offers that carriers would act upon themselves."""
    for label in options:
        if label.casefold() in _NEVER or label.upper() in _NEVER_IN_CAPITALS:
            yield f'options.{label}: "{label}" is a word carriers act upon; offer another'
        elif len(_WORD.findall(label)) != 1:
            yield f'options.{label}: "{label}" must be one letter, digit or word'


def unsaid(template: Template, lint: Lint) -> Iterator[str]:
    """Words no text may say (47 CFR 64.1200(a)(9)(iv)(D); 45 CFR 164.502(b))."""
    for finding in lint.find(template.words):
        yield f'"{finding.word}": {finding.kind} content, which no text may hold'


def loud(template: Template, capitals: Collection[str]) -> Iterator[str]:
    """Words in capitals but reply words, and pictures (NHS service manual, "Writing NHS messages").

    One picture makes a whole text UCS-2; some readers hear capitals spelled out.
    """
    for word in dict.fromkeys(_WORD.findall(template.words)):
        if len(word) > 1 and word.isupper() and word not in _NEVER_IN_CAPITALS and word not in capitals:
            yield f'"{word}" stands in capitals; only reply words do, and words listed under lint.capitals'
    if any(unicodedata.category(character) in {"So", "Sk", "Cs"} for character in template.words):
        yield "holds a picture"


def unclear_date(pattern: str) -> Iterator[str]:
    """What a date must say: its weekday, and not a month and a day that a reader may swap (12/1)."""
    if "E" not in pattern and "c" not in pattern:
        yield "must say the weekday (E, EEE)"
    if _NUMBERS_ALONE.search(pattern):
        yield "12/1 is two days of the year: write the month in words (MMM)"
