"""A catalogue's mistakes: found all at once, each with its key and what may stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.wording import Answer, Catalog, CatalogError, Occasion
from tests.domain.catalogs import LANGUAGES, catalog, mapping

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_language_is_whole(language: str) -> None:
    shipped = catalog(language)
    assert {occasion for occasion, _ in shipped.texts} == set(Occasion)
    assert shipped.answers.keys() == set(Answer)
    assert shipped.options == {"C": "confirm", "R": "reschedule"}


def _mistakes(changes: dict[str, Any], without: Sequence[str] = ()) -> tuple[str, ...]:
    """What is said of the English catalogue with these keys changed, and those left out."""
    data = mapping("en")
    for key, value in changes.items():
        *path, last = key.split(".")
        table = data
        for step in path:
            table = table.setdefault(step, {})
        table[last] = value
    for key in without:
        *path, last = key.split(".")
        table = data
        for step in path:
            table = table[step]
        del table[last]
    with pytest.raises(CatalogError) as raised:
        Catalog.from_mapping("en", data)
    assert raised.value.language == "en"
    return raised.value.mistakes


_FIVE_DAYS = "texts.five_days.ask.one"
_GOOD = "{practice}: {visit} {when}. C confirms, R changes. Call {phone}. STOP to opt out."


@pytest.mark.parametrize(
    ("key", "value", "mistake"),
    [
        (
            _FIVE_DAYS,
            [_GOOD, _GOOD.replace("{practice}", "{pratice}")],
            "[1]: unknown placeholder {pratice}; allowed: a_visit, phone, practice, visit, when; did you",
        ),
        (_FIVE_DAYS, _GOOD.replace("{visit}", "{visit.patient}"), f"{_FIVE_DAYS}[0]: unknown placeholder"),
        (_FIVE_DAYS, _GOOD + " {", f"{_FIVE_DAYS}[0]: a brace without its partner"),
        (_FIVE_DAYS, _GOOD.replace("{practice}", "We"), f"{_FIVE_DAYS}[0]: must hold {{practice}}"),
        (_FIVE_DAYS, _GOOD.replace("{phone}", "us"), f"{_FIVE_DAYS}[0]: must hold {{phone}}"),
        (_FIVE_DAYS, _GOOD.replace("{when}", "soon"), f"{_FIVE_DAYS}[0]: must hold {{when}}"),
        (
            _FIVE_DAYS,
            _GOOD.replace("{visit}", "cita"),
            f"{_FIVE_DAYS}[0]: must hold {{visit}} or {{a_visit}}",
        ),
        (_FIVE_DAYS, _GOOD.replace("STOP", "Stop"), f"{_FIVE_DAYS}[0]: must hold the word STOP"),
        (_FIVE_DAYS, _GOOD.replace("C confirms", "Confirm"), f"{_FIVE_DAYS}[0]: must hold the word C"),
        (_FIVE_DAYS, _GOOD + " Or reply Cancel.", f'{_FIVE_DAYS}[0]: "Cancel" is a word carriers act upon'),
        (_FIVE_DAYS, _GOOD + " Reply YES.", f'{_FIVE_DAYS}[0]: "YES" is a word carriers act upon'),
        (_FIVE_DAYS, _GOOD + " Reply START.", f'{_FIVE_DAYS}[0]: "START" is a word carriers act upon'),
        (_FIVE_DAYS, _GOOD + " Reply ENOUGH.", f'{_FIVE_DAYS}[0]: "ENOUGH" is a word carriers act upon'),
        (_FIVE_DAYS, _GOOD + " Atención…", f'{_FIVE_DAYS}[0]: not in GSM-7: "ó…"'),
        (_FIVE_DAYS, 5, f"{_FIVE_DAYS}: missing; must be a text, or texts"),
        (_FIVE_DAYS, [], f"{_FIVE_DAYS}: missing; must be a text, or texts"),
        (
            "texts.five_days.inform.one",
            _GOOD,
            'texts.five_days.inform.one[0]: "C" is an answer, and this text',
        ),
        (
            "texts.5dais",
            {},
            "texts.5dais: an occasion is a small letter and then small letters, digits and _",
        ),
        ("texts.own", {}, "texts.own.inform: missing; must be a table"),
        ("texts.own.tell", {}, "texts.own.tell: unknown key; allowed: ask, inform"),
        ("texts.booked.tell", {}, "texts.booked.tell: unknown key; allowed: ask, inform"),
        ("texts.cancelled.ask", {}, "texts.cancelled.ask: unknown key; allowed: inform"),
        ("answers.stop.plain", "{practice} {phone}", "answers.stop.plain[0]: must hold the word START"),
        ("answers.help.plain", "{practice} {phone}", "answers.help.plain[0]: must hold the word STOP"),
        ("answers.urgent.plain", "{practice}", "answers.urgent.plain[0]: must hold {emergency}"),
        (
            "answers.start.plain",
            "{practice} {phone} {when}",
            "answers.start.plain[0]: unknown placeholder {when}",
        ),
        ("options", {"STOP": "confirm"}, 'options.STOP: "STOP" is a word carriers act upon'),
        ("options", {"yes": "confirm"}, 'options.yes: "yes" is a word carriers act upon'),
        ("options", {"C": "confrim"}, "options.C: unknown intent; allowed: cancel, confirm, human"),
        ("options", {"R": "reschedule"}, 'options: one label must mean "confirm"'),
        ("locale", "xx_YY", 'locale: "xx_YY" is no locale CLDR knows'),
        ("encoding", "GSM7", "encoding: allowed: GSM-7, UCS-2; did you mean GSM-7?"),
        ("when.time", "hh:mmmmmmm Q", 'when.time: "hh:mmmmmmm Q" is no CLDR pattern'),
        ("when.full_one", 1, "when.full_one: missing; must be a text"),
        ("when.full", "{date}", "when.full: must hold {time}"),
        ("visit.video.one", "", "visit.video.one: missing; must be a text"),
        ("visit.video.one", "vídeo", 'visit.video.one: not in GSM-7: "í"'),
        ("mesages", {}, "mesages: unknown key; allowed:"),
        ("replies.confrim", ["yes"], "replies.confrim: unknown key; allowed:"),
        (
            "replies.confirm",
            ["yes", "stop"],
            'replies.confirm: "stop" is already under opt_out; it can mean only one',
        ),
        (
            "replies.confirm",
            ["will not be there"],
            'replies.confirm: "wont be there" is already under cancel',
        ),
        ("replies.confirm", ["(yes"], 'replies.confirm: "(yes": brackets without their partner'),
        (
            "replies.confirm",
            ["yes", "[please]"],
            'replies.confirm: "[please]": says nothing in one of its spellings',
        ),
        ("replies.confirm", ["!!"], 'replies.confirm: "!!": says nothing'),
        ("replies.confirm", ["{dai}"], 'replies.confirm: "{dai}": unknown set; allowed:'),
        ("replies.confirm", "yes", "replies.confirm: must be a list of phrases"),
        ("replies.confirm", ["(a|b|c|d|e|f|g|h)" * 3], "512 spellings; at most 400: cut it in two"),
        ("replies.negation", ["not at all"], 'replies.negation: "not at all": must be a single word'),
        ("replies.marked", {"ngung": "dừng"}, "replies.marked.ngung: must be a list of phrases"),
        (
            "replies.same",
            {"stop": ["halt"], "cease": ["stop"]},
            'replies.same: "stop" is itself another spelling',
        ),
    ],
)
def test_a_mistake_is_named_with_its_key_and_its_remedy(key: str, value: object, mistake: str) -> None:
    assert any(mistake in found for found in _mistakes({key: value})), _mistakes({key: value})


@pytest.mark.parametrize(
    "key",
    [
        *("locale", "practice_for", "options", "when", "list", "visit", "texts", "answers", "replies"),
        *("texts.moved", "texts.moved.ask", "texts.moved.ask.several", "answers.help", "replies.confirm"),
        *("when.today", "list.last", "visit.phone"),
    ],
)
def test_what_is_missing_is_asked_for(key: str) -> None:
    assert any(mistake.startswith(f"{key}: missing") for mistake in _mistakes({}, without=[key]))


def test_every_mistake_is_told_at_once() -> None:
    found = _mistakes(
        {"locale": "xx_YY", _FIVE_DAYS: "Hello", "replies.confirm": []}, without=["answers.stop"]
    )
    for key in ("locale", _FIVE_DAYS, "replies.confirm", "answers.stop"):
        assert any(mistake.startswith(key) for mistake in found), key


def test_a_language_gsm7_cannot_write_says_so_and_is_read() -> None:
    data = mapping("en")
    data["encoding"] = "UCS-2"
    data["visit"]["video"]["one"] = "видеоприём"
    assert Catalog.from_mapping("ru", data).nouns["video"].one == "видеоприём"


def test_a_site_adds_occasions_of_its_own_which_need_not_ask_nor_say_when() -> None:
    data = mapping("en")
    said = "{practice}: Please bring your insurance card. Call {phone}. Reply STOP to opt out."
    data["texts"]["bring_card"] = {"inform": {"one": said, "several": said}}
    texts = Catalog.from_mapping("en", data).texts
    assert ("bring_card", False) in texts
    assert ("bring_card", True) not in texts
