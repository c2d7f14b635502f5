"""The console: found by number, never listed; a text by hand under all the rules, once, with its author."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.text_request import RequestSource, TextRequest
from integration.entrypoints.console import console_app
from integration.testing.store import FakeStore
from tests.messages import siu
from tests.settings import practice
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

AT = local("2027-03-01T11:00")
NUMBER = "+16175550123"


@pytest.fixture
def site() -> Site:
    site = Site(FakeStore(), TurnedClock(AT))
    site.change(settings=replace(site.settings, practices={"riverside": practice(max_segments=1)}))
    site.hear(siu("S12", at=AT, start=local("2027-03-20T09:00")))
    site.clock.now = local("2027-03-02T11:00")  # the day's text was yesterday's
    return site


@pytest.fixture
def browser(site: Site) -> FlaskClient:
    return console_app(site.workshop).test_client()


def patient_of(site: Site) -> int:
    with site.store.unit() as unit:
        return unit.patients.with_number(NUMBER)[0].id


def page(site: Site, browser: FlaskClient) -> str:
    return browser.get(f"/console/patients/{patient_of(site)}").text


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', html)
    assert found is not None
    return found[1]


def send(site: Site, browser: FlaskClient, html: str | None = None, **said: str) -> TestResponse:
    html = html or page(site, browser)
    form = {"csrf": hidden(html, "csrf"), "once": hidden(html, "once"), "author": "Robin"} | said
    answer = browser.post(f"/console/patients/{patient_of(site)}/texts", data=form)
    site.work()
    return answer


def by_hand(site: Site) -> list[str]:
    return [text.body for text in site.texts if text.kind == "free" and text.offered_at]


@pytest.mark.parametrize("words", ["(617) 555-0123", "617 555 0123", NUMBER])
def test_a_patient_is_found_by_phone_and_no_number_stands_in_an_address(
    site: Site, browser: FlaskClient, words: str
) -> None:
    html = browser.get("/console/patients").text
    assert "/console/patients/" not in html.replace("/console/static", "")
    answer = browser.post("/console/patients", data={"csrf": hidden(html, "csrf"), "find": words})
    assert f'href="/console/patients/{patient_of(site)}"' in answer.text
    nobody = browser.post("/console/patients", data={"csrf": hidden(html, "csrf"), "find": "5"})
    assert "Nobody has this number" in nobody.text


def test_what_is_decided_and_was_said_stands_on_the_page(site: Site, browser: FlaskClient) -> None:
    html = page(site, browser)
    assert "Sat Mar 20, 9:00 AM" in html
    assert "Your appointment is booked for Sat Mar 20 at 9:00 AM." in html
    assert "five days" in html
    assert "Nothing is open." in html


def test_a_template_is_sent_with_its_author_and_shows_on_the_thread(site: Site, browser: FlaskClient) -> None:
    answer = send(site, browser, form="running_late", minutes="20")
    assert answer.status_code == 303
    [body] = by_hand(site)
    assert "about 20 minutes late" in body
    html = page(site, browser)
    assert "about 20 minutes late" in html
    assert "Robin" in html


def test_the_confirmation_of_a_yes_that_waits_is_called_so(site: Site, browser: FlaskClient) -> None:
    now = site.clock.calendar()
    with site.store.unit() as unit:
        asked = TextRequest(
            0,
            next(iter(site.workshop.settings.feeds)),
            "opt_in:riverside:1",
            unit.patients.with_number(NUMBER)[0].id,
            "",
            now + timedelta(hours=1),
            now + timedelta(days=1),
            source=RequestSource.OPT_IN,
        )
        unit.requests.save(asked)
    html = page(site, browser)
    assert "What our texts are, to confirm the patient" in html


def test_a_double_click_sends_once_and_a_new_form_again(site: Site, browser: FlaskClient) -> None:
    html = page(site, browser)
    for _ in range(3):
        assert send(site, browser, html, form="please_call").status_code == 303
    assert len(by_hand(site)) == 1
    send(site, browser, form="please_call", override="The line was bad.")
    assert len(by_hand(site)) == 2


def test_other_words_in_a_form_that_was_sent_are_neither_lost_nor_sent_unasked(
    site: Site, browser: FlaskClient
) -> None:
    html = page(site, browser)
    send(site, browser, html, form="own_words", words="Come at 3.")
    again = send(site, browser, html, form="own_words", words="Come at 4.", override="Wrong time.")
    assert "Another text was sent with this form already" in again.text
    assert len(by_hand(site)) == 1
    assert hidden(again.text, "once") != hidden(html, "once")
    send(site, browser, again.text, form="own_words", words="Come at 4.", override="Wrong time.")
    assert len(by_hand(site)) == 2


def test_a_form_that_lost_its_mark_sends_nothing(site: Site, browser: FlaskClient) -> None:
    answer = send(site, browser, form="please_call", once="")
    assert "Please open the page again" in answer.text
    assert by_hand(site) == []


def test_what_the_caps_hold_waits_or_goes_with_a_reason_that_is_kept(
    site: Site, browser: FlaskClient
) -> None:
    send(site, browser, form="please_call")
    send(site, browser, form="thank_you")
    assert len(by_hand(site)) == 1
    assert "waits until Wed Mar 3 at 9:00 AM" in page(site, browser)
    send(site, browser, form="running_late", override="The clinic is flooded.")
    assert len(by_hand(site)) == 2
    assert "The clinic is flooded." in page(site, browser)


def test_at_night_it_is_said_when_it_will_go(site: Site, browser: FlaskClient) -> None:
    site.clock.now = local("2027-03-02T22:00")
    html = page(site, browser)
    form = {"csrf": hidden(html, "csrf"), "once": "x", "author": "Robin", "form": "please_call"}
    check = f"/console/patients/{patient_of(site)}/check"
    answer = browser.post(check, data=form, headers={"Accept": "text/fragment"})
    assert "It will go on Wednesday, March 3 at 9:00 AM: quiet hours." in answer.text
    assert "A reason below sends it now." in answer.text
    assert "<b>1</b> segment" in answer.text
    assert by_hand(site) == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"form": "own_words", "words": ""}, "Please write what the text should say."),
        ({"form": "own_words", "words": "word " * 60}, "do not fit"),
        ({"form": "please_call", "author": " "}, "Please say who writes"),
        ({"form": "running_late", "minutes": "soon"}, "Minutes are a number"),
    ],
)
def test_what_cannot_go_is_refused_at_once_and_nothing_is_lost(
    site: Site, browser: FlaskClient, said: dict[str, str], why: str
) -> None:
    answer = send(site, browser, **said)
    assert why in answer.text
    assert by_hand(site) == []
    assert said.get("words", "").strip() in answer.text


def test_who_stopped_texts_is_not_texted_whatever_the_reason(site: Site, browser: FlaskClient) -> None:
    with site.store.unit() as unit:
        unit.numbers.suppress(Suppression(0, NUMBER, SuppressionKind.OPT_OUT, ALL_SENDERS, AT, "reply"))
    answer = send(site, browser, form="please_call", override="It is urgent.")
    assert "It cannot be sent: opted out." in answer.text
    assert by_hand(site) == []


def test_words_that_tell_too_much_are_flagged(site: Site, browser: FlaskClient) -> None:
    html = page(site, browser)
    form = {
        "csrf": hidden(html, "csrf"),
        "author": "Robin",
        "form": "own_words",
        "words": "Chemotherapy at 9",
    }
    answer = browser.post(f"/console/patients/{patient_of(site)}/check", data=form)
    assert "clinical content should not be in a text" in answer.text


def test_another_site_cannot_make_a_browser_send(site: Site, browser: FlaskClient) -> None:
    html = page(site, browser)
    place = f"/console/patients/{patient_of(site)}/texts"
    form = {"csrf": hidden(html, "csrf"), "once": "x", "author": "Robin", "form": "please_call"}
    assert browser.post(place, data=form | {"csrf": "guess"}).status_code == 403
    assert browser.post(place, data=form, headers={"Origin": "https://other.example"}).status_code == 403
    assert browser.get("/console/patients", headers={"Host": "other.example"}).status_code == 403
    assert by_hand(site) == []


def test_the_page_runs_no_script_but_its_own_and_is_kept_nowhere(site: Site, browser: FlaskClient) -> None:
    answer = browser.get(f"/console/patients/{patient_of(site)}")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*src=)|style=|onclick", answer.text)
    for name in ("console.css", "console.js"):
        with browser.get(f"/console/static/{name}") as file:
            assert file.status_code == 200


def test_nobodys_id_is_not_found(browser: FlaskClient) -> None:
    assert browser.get("/console/patients/999").status_code == 404
