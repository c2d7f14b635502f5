"""What patients read: the golden texts, and what holds of every text there can be."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.domain.catalog_sections import CHOOSING
from integration.domain.sms_segments import GSM_7
from integration.domain.visit_words import reads_another_clock
from integration.domain.wording import (
    Answer,
    Composed,
    Occasion,
    PracticeWords,
    VisitWords,
    WordingError,
    answer,
    compose,
)
from tests.domain.catalogs import LANGUAGES, PRACTICE, catalog

NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 12, 1, 14, 30, tzinfo=NEW_YORK)
VISIT = VisitWords("Maria", START, "in_person")


def _bodies(texts: list[Composed]) -> list[str]:
    return [text.body for text in texts]


@pytest.mark.parametrize(
    ("language", "occasion", "ask", "body"),
    [
        (
            "en",
            "booked",
            False,
            (
                "Riverside Clinic: Your appointment is booked for Tue Dec 1 at 2:30 PM. "
                "To change it call 555-555-0100. Reply STOP to opt out."
            ),
        ),
        (
            "en",
            "five_days",
            True,
            (
                "Riverside Clinic: You have an appointment Tue Dec 1 at 2:30 PM. "
                "Reply C to confirm or R to change. Call 555-555-0100. Reply STOP to opt out."
            ),
        ),
        (
            "en",
            "moved",
            True,
            (
                "Riverside Clinic: Your appointment is now Tue Dec 1 at 2:30 PM. "
                "Reply C to confirm or R to change. Call 555-555-0100. Reply STOP to opt out."
            ),
        ),
        (
            "en",
            "cancelled",
            False,
            (
                "Riverside Clinic: Your appointment Tue Dec 1 at 2:30 PM is canceled. "
                "To book a new one call 555-555-0100. Reply STOP to opt out."
            ),
        ),
        (
            "es",
            "five_days",
            True,
            (
                "Riverside Clinic: Tiene una cita el mar 1 dic a las 2:30 PM. "
                "Responda C para confirmar o R para cambiar. Llame al 555-555-0100. STOP para no recibir mas."
            ),
        ),
        (
            "es",
            "cancelled",
            False,
            (
                "Riverside Clinic: Su cita el mar 1 dic a las 2:30 PM fue cancelada. "
                "Para una nueva llame al 555-555-0100. Responda STOP para no recibir mas mensajes."
            ),
        ),
        (
            "pt",
            "five_days",
            True,
            (
                "Riverside Clinic: Voce tem uma consulta ter. 1 de dez. às 2:30 PM. "
                "Responda C para confirmar ou R para mudar. Ligue 555-555-0100. STOP para nao receber mais."
            ),
        ),
        (
            "vi",
            "five_days",
            True,
            (
                "Riverside Clinic: Quy vi co lich hen Thu Ba 1 thang 12 luc 2:30 PM. "
                "Nhan C de xac nhan, R de doi gio. Goi 555-555-0100. Nhan STOP de khong nhan tin nua."
            ),
        ),
        (
            "zh",
            "five_days",
            True,
            "Riverside Clinic：您12月1日周二下午2:30有预约。回C确认，R改期。电话555-555-0100。STOP退订",  # noqa: RUF001 - Chinese marks
        ),
    ],
)
def test_the_shipped_texts_read_as_written_here(language: str, occasion: str, ask: bool, body: str) -> None:  # noqa: FBT001 - a column
    assert _bodies(compose(catalog(language), occasion, ask=ask, practice=PRACTICE, visits=[VISIT])) == [body]


@pytest.mark.parametrize(
    ("hour", "minute", "en", "es"),
    [
        (0, 0, "Tue Dec 1 at 12:00 AM", "el mar 1 dic a las 12:00 AM"),
        (1, 5, "Tue Dec 1 at 1:05 AM", "el mar 1 dic a la 1:05 AM"),
        (11, 59, "Tue Dec 1 at 11:59 AM", "el mar 1 dic a las 11:59 AM"),
        (12, 0, "Tue Dec 1 at 12:00 PM", "el mar 1 dic a las 12:00 PM"),
        (13, 0, "Tue Dec 1 at 1:00 PM", "el mar 1 dic a la 1:00 PM"),
        (23, 45, "Tue Dec 1 at 11:45 PM", "el mar 1 dic a las 11:45 PM"),
    ],
)
def test_a_time_has_its_weekday_its_month_and_am_or_pm(hour: int, minute: int, en: str, es: str) -> None:
    visit = VisitWords(None, START.replace(hour=hour, minute=minute), "in_person")
    for language, when in (("en", en), ("es", es)):
        (text,) = compose(catalog(language), "five_days", ask=True, practice=PRACTICE, visits=[visit])
        assert when in text.body


def test_a_visit_of_the_day_of_sending_is_today_and_any_other_keeps_its_date() -> None:
    def said(language: str, sent_on: date | None) -> str:
        texts = compose(
            catalog(language), "three_hours", ask=True, practice=PRACTICE, visits=[VISIT], sent_on=sent_on
        )
        return texts[0].body

    assert "Your appointment is today at 2:30 PM." in said("en", START.date())
    assert "Su cita es hoy a las 2:30 PM." in said("es", START.date())
    assert "Your appointment is Tue Dec 1 at 2:30 PM." in said("en", START.date() - timedelta(days=1))
    assert "Your appointment is Tue Dec 1 at 2:30 PM." in said("en", None)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/New_York", "2:30 PM EST"),
        ("America/Sao_Paulo", "2:30 PM GMT-3"),
        ("Asia/Kolkata", "2:30 PM IST"),
    ],
)
def test_the_zone_is_said_only_when_asked(zone: str, shown: str) -> None:
    visit = VisitWords(None, START.replace(tzinfo=ZoneInfo(zone)), "in_person")
    english = catalog("en")
    (silent,) = compose(english, "two_days", ask=False, practice=PRACTICE, visits=[visit])
    (asked,) = compose(english, "two_days", ask=False, practice=PRACTICE, visits=[visit], show_zone=True)
    assert "2:30 PM." in silent.body
    assert shown in asked.body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("occasion", [o for o in Occasion if o is not Occasion.THANK_YOU])
def test_a_visit_by_video_or_phone_says_so_and_a_visit_in_person_does_not(
    language: str, occasion: Occasion
) -> None:
    words = {modality: nouns.one for modality, nouns in catalog(language).nouns.items()}
    for modality, noun in words.items():
        visit = VisitWords(None, START, modality)
        (text,) = compose(catalog(language), occasion, ask=False, practice=PRACTICE, visits=[visit])
        assert noun in text.body
        for other in ("video", "phone"):
            assert other == modality or words[other] not in text.body


def test_two_children_on_one_phone_share_a_text_with_their_first_names() -> None:
    visits = [
        VisitWords("BEN", START + timedelta(minutes=30), "in_person", patient="2"),
        VisitWords("ANN LEE", START, "in_person", patient="1"),
    ]
    (text,) = compose(catalog("en"), "five_days", ask=True, practice=PRACTICE, visits=visits)
    assert text.body == (
        "Riverside Clinic: appointments Tue Dec 1 at 2:30 PM (Ann Lee) and 3:00 PM (Ben). "
        "C to confirm all, R to change, or call 555-555-0100. STOP to opt out."
    )
    assert text.visits == (1, 0)  # in the order of their times
    assert text.segments == 1


def test_each_childs_chart_may_keep_only_its_own_part() -> None:
    visits = [
        VisitWords("Ann", START, "in_person", patient="1"),
        VisitWords("Ben", START + timedelta(minutes=30), "in_person", patient="2"),
    ]
    (text,) = compose(catalog("en"), "booked", ask=False, practice=PRACTICE, visits=visits)
    assert "(Ann)" in text.parts[0]
    assert "(Ben)" not in text.parts[0]
    assert "3:00 PM" not in text.parts[0]
    assert "(Ben)" in text.parts[1]
    assert "(Ann)" not in text.parts[1]


def test_several_visits_of_one_patient_share_a_text_without_a_name() -> None:
    visits = [VISIT, VisitWords("Maria", START + timedelta(days=2, hours=-5), "video")]
    (text,) = compose(catalog("en"), "five_days", ask=False, practice=PRACTICE, visits=visits)
    assert text.body == (
        "Riverside Clinic: You have appointments Tue Dec 1 at 2:30 PM and Thu Dec 3 at 9:30 AM (video). "
        "To change call 555-555-0100. Reply STOP to opt out."
    )
    assert text.parts == (text.body, text.body)


def test_days_with_several_times_are_kept_apart() -> None:
    visits = [
        VisitWords(None, START + timedelta(days=days, hours=hours), "in_person")
        for days, hours in ((0, 0), (0, 1), (1, 0))
    ]
    (text,) = compose(catalog("en"), "cancelled", ask=False, practice=PRACTICE, visits=visits)
    assert "Tue Dec 1 at 2:30 PM and 3:30 PM; Wed Dec 2 at 2:30 PM" in text.body


def test_visits_that_do_not_fit_are_split_and_each_text_still_says_whose_it_is() -> None:
    visits = [
        VisitWords(name, START + timedelta(days=days), "in_person", patient=name)
        for days, name in enumerate(("Alexandra", "Christopher", "Sebastian", "Gabriela"))
    ]
    texts = compose(catalog("en"), "five_days", ask=True, practice=PRACTICE, visits=visits)
    assert len(texts) > 1
    assert sorted(place for text in texts for place in text.visits) == [0, 1, 2, 3]
    for text in texts:
        assert text.segments == 1
        for place in range(4):
            assert (str(visits[place].first_name) in text.body) == (place in text.visits)


def test_more_segments_hold_more_visits() -> None:
    visits = [VisitWords(None, START + timedelta(days=days), "in_person") for days in range(6)]
    texts = compose(catalog("en"), "booked", ask=False, practice=PRACTICE, visits=visits, max_segments=2)
    assert [text.visits for text in texts] == [(0, 1, 2, 3, 4, 5)]
    assert texts[0].segments == 2


def test_a_visit_told_twice_is_said_once_and_both_are_spoken_of() -> None:
    (text,) = compose(catalog("en"), "five_days", ask=False, practice=PRACTICE, visits=[VISIT, VISIT])
    assert text.body.count("2:30 PM") == 1
    assert "an appointment" in text.body
    assert text.visits == (0, 1)


def test_one_patient_is_named_only_where_the_practice_says_so() -> None:
    (silent,) = compose(catalog("en"), "two_days", ask=False, practice=PRACTICE, visits=[VISIT])
    (named,) = compose(
        catalog("en"), "two_days", ask=False, practice=PRACTICE, visits=[VISIT], name_patients=True
    )
    assert "Maria" not in silent.body
    assert named.body.startswith("Riverside Clinic for Maria: ")


@pytest.mark.parametrize(
    ("first_name", "said"),
    [
        ("MARIA", "Maria"),
        ("maria", "Maria"),
        ("Mary Ann", "Mary Ann"),
        ("JEAN-LUC", "Jean-Luc"),
        ("José", "José"),
        ("Jesús", "Jesus"),
        ("Nguyễn", "Nguyen"),
        ("Maria Guadalupe", "Maria"),
        ("Wolfeschlegelstein", "Wolfeschlege"),
        ("Ann (call mother)", "Ann"),
        ("Ann, 5551234", "Ann"),
        ("{phone}", None),
        ("李", None),
        ("  ", None),
        (None, None),
    ],
)
def test_a_first_name_is_said_as_people_say_it_or_not_at_all(
    first_name: str | None, said: str | None
) -> None:
    visit = VisitWords(first_name, START, "in_person")
    (text,) = compose(
        catalog("en"), "two_days", ask=False, practice=PRACTICE, visits=[visit], name_patients=True
    )
    assert text.body.startswith(f"Riverside Clinic for {said}: " if said else "Riverside Clinic: ")


def test_a_child_whose_name_cannot_be_written_gets_a_text_of_its_own() -> None:
    visits = [
        VisitWords("Ann", START, "in_person", patient="1"),
        VisitWords("李", START + timedelta(hours=1), "in_person", patient="2"),
    ]
    texts = compose(catalog("en"), "five_days", ask=True, practice=PRACTICE, visits=visits)
    assert [text.visits for text in texts] == [(0,), (1,)]
    assert "Clinic for Ann:" in texts[0].body
    assert "Ann" not in texts[1].body


def test_an_accented_practice_name_does_not_cost_three_segments() -> None:
    practice = PracticeWords("Clínica “Niño Jesús”", "555-555-0100")
    (text,) = compose(catalog("es"), "five_days", ask=True, practice=practice, visits=[VISIT])
    assert text.body.startswith('Clinica "Niño Jesus": ')
    assert (text.encoding, text.segments) == ("GSM-7", 1)


def test_the_first_text_of_a_relationship_says_rates_and_help_where_they_fit() -> None:
    (text,) = compose(catalog("en"), "booked", ask=True, practice=PRACTICE, visits=[VISIT], first_text=True)
    assert "Msg&data rates may apply. HELP for help, STOP to opt out." in text.body
    assert text.segments == 1
    long_name = PracticeWords("Riverside Regional Medical Center", "555-555-0100")
    (shorter,) = compose(
        catalog("en"), "booked", ask=True, practice=long_name, visits=[VISIT], first_text=True
    )
    assert "rates" not in shorter.body


@pytest.mark.parametrize(("occasion", "ask"), [("bookd", False), ("cancelled", True)])
def test_an_unknown_occasion_is_refused(occasion: str, ask: bool) -> None:  # noqa: FBT001 - a column
    with pytest.raises(WordingError, match=f"messages en, {occasion}: the catalogue has nothing to"):
        compose(catalog("en"), occasion, ask=ask, practice=PRACTICE, visits=[VISIT])


@pytest.mark.parametrize("practice", [PracticeWords("R" * 200, "555-555-0100"), PracticeWords("李", "5")])
def test_what_cannot_be_written_names_the_occasion_and_the_language_and_no_word_of_the_text(
    practice: PracticeWords,
) -> None:
    for attempt in (
        lambda: compose(catalog("es"), "moved", ask=True, practice=practice, visits=[VISIT]),
        lambda: answer(catalog("es"), "stop", practice=practice),
    ):
        with pytest.raises(WordingError) as raised:
            attempt()
        assert re.match("messages es, (moved|answer stop): ", str(raised.value))
        assert "Maria" not in str(raised.value)
        assert practice.name not in str(raised.value)


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        VisitWords(None, START.replace(tzinfo=None), "in_person")


_STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned below
# Any name but those that look like an answer our texts offer: somebody called C would look like a question.
_NAMES = st.text(max_size=25).filter(lambda name: "C" not in unicodedata.normalize("NFKD", name).upper())
_VISITS = st.lists(
    st.builds(
        VisitWords,
        st.one_of(st.none(), _NAMES, st.sampled_from(["Ann", "Ben", "Maximiliana", "José"])),
        _STARTS.map(lambda start: start.astimezone(NEW_YORK)),
        st.sampled_from(["in_person", "video", "phone"]),
        st.sampled_from(["1", "2", "3"]),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=40)
@given(visits=_VISITS, name_patients=st.booleans(), show_today=st.booleans())
def test_every_text_there_can_be_is_lawful(
    language: str,
    visits: list[VisitWords],
    name_patients: bool,  # noqa: FBT001 - drawn
    show_today: bool,  # noqa: FBT001 - drawn
) -> None:
    shipped = catalog(language)
    for occasion, ask in shipped.texts:
        texts = compose(
            shipped,
            occasion,
            ask=ask,
            practice=PRACTICE,
            visits=visits,
            name_patients=name_patients,
            sent_on=visits[0].start.date() if show_today else None,
        )
        assert sorted(place for text in texts for place in text.visits) == list(range(len(visits)))
        for text in texts:
            assert text.encoding == shipped.encoding
            named = name_patients or len({visit.patient for visit in visits}) > 1
            assert text.segments in ({1, 2} if shipped.encoding == "UCS-2" and named else {1})
            assert shipped.encoding == "UCS-2" or set(text.body) <= GSM_7
            assert text.body.startswith("Riverside Clinic")
            assert PRACTICE.phone in text.body
            assert re.search(r"\bSTOP\b", text.body, re.ASCII)
            assert not re.search(r"\b(CANCEL|CANCELAR|YES)\b", text.body)
            assert ask == bool(re.search(r"\bC\b", text.body, re.ASCII))
            assert len(text.parts) == len(text.visits)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in Answer if name not in CHOOSING])
def test_every_answer_is_one_segment_and_says_who_answers(language: str, name: Answer) -> None:
    for visit in (None, VISIT, VisitWords("Maria", START, "video")):
        text = answer(catalog(language), name, practice=PRACTICE, visit=visit)
        assert (text.encoding, text.segments) == (catalog(language).encoding, 1)
        assert PRACTICE.name in text.body
        assert "Maria" not in text.body


def test_answers_say_what_a_patient_must_know() -> None:
    english = catalog("en")
    confirmed = answer(english, "confirmed", practice=PRACTICE, visit=VISIT)
    assert "Your appointment Tue Dec 1 at 2:30 PM is confirmed." in confirmed.body
    assert confirmed.visits == (0,)
    assert "confirmed" in answer(english, "confirmed", practice=PRACTICE).body
    stop = answer(english, "stop", practice=PRACTICE).body
    assert "NOT canceled" in stop
    assert "Reply START" in stop
    assert "555-555-0100" in stop
    elsewhere = PracticeWords("Riverside Clinic", "020 7946 0100", emergency="999")
    assert "call 999" in answer(english, "urgent", practice=elsewhere).body


@pytest.mark.parametrize("language", [name for name in LANGUAGES if catalog(name).encoding == "UCS-2"])
def test_a_ucs2_text_takes_a_second_segment_only_for_a_name_or_a_zone(language: str) -> None:
    def segments(*, named: bool, zone: bool) -> int:
        (text,) = compose(
            catalog(language),
            "two_days",
            ask=True,
            practice=PRACTICE,
            visits=[VISIT],
            show_zone=zone,
            name_patients=named,
        )
        return text.segments

    assert segments(named=False, zone=False) == 1
    assert segments(named=True, zone=True) == 2
    long_name = PracticeWords("Riverside Regional Medical Center of Boston", "555-555-0100")
    with pytest.raises(WordingError, match="longer than 1 segment"):
        compose(catalog(language), "two_days", ask=True, practice=long_name, visits=[VISIT])


def test_an_unknown_answer_is_refused() -> None:
    with pytest.raises(WordingError, match="messages en, answer hello: the catalogue has no such answer"):
        answer(catalog("en"), "hello", practice=PRACTICE)


@pytest.mark.parametrize(
    ("zones", "other"),
    [
        (("America/New_York",), False),
        (("America/Detroit",), False),
        (("America/Chicago",), True),
        (("America/New_York", "America/Chicago"), True),
    ],
)
def test_a_zone_is_needed_only_where_the_clock_differs_at_that_hour(
    zones: tuple[str, ...],
    other: bool,  # noqa: FBT001 - a column
) -> None:
    assert reads_another_clock(START, [ZoneInfo(zone) for zone in zones]) is other
