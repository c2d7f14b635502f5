"""The operator's page for one patient: what was said, what is planned, and a text by hand.

On the operator port, which is loopback only until sign-in exists. Who writes is what they say of themselves.
No name, number or word of a text stands in an address: patients are found by a form, and known by our ids.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, make_response, redirect, render_template, request, url_for

from integration.domain.catalog_sections import OF_A_VISIT, FreeForm
from integration.domain.free_text import flagged
from integration.domain.last_look import Hold, Skip
from integration.domain.letter import WordingError
from integration.domain.text_request import OF_PAGE, RequestSource, TextRequest
from integration.entrypoints.console_view import found, view_of
from integration.pipeline.send.desk import Desk
from integration.pipeline.send.free_words import words_of
from integration.pipeline.send.requested import foresee, visit_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from flask import Response
    from flask.typing import ResponseReturnValue

    from integration.domain.last_look import Verdict
    from integration.entrypoints.console_view import PatientView
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_COOKIE: Final = "console"
_LONGEST: Final = 1600
_LONGEST_NAME: Final = 80
_LONGEST_REASON: Final = 200
_MOST_MINUTES: Final = 600
_A_DAY: Final = timedelta(days=1)
_USED: Final = "Another text was sent with this form already. Please send again, if this one is to go, too."
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any a browser hides the Origin of our own forms, too
    "Cache-Control": "no-store",
}
FORMS: Final = {
    FreeForm.OWN_WORDS: "My own words",
    FreeForm.RUNNING_LATE: "We are running late",
    FreeForm.PLEASE_CALL: "Please call us",
    FreeForm.REMINDER: "Reminder of a visit",
    FreeForm.CONFIRMATION: "A visit is set",
    FreeForm.THANK_YOU: "Thank you",
}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would go out, and when."""

    body: str = ""
    segments: int = 0
    units: int = 0
    price: str = ""
    warnings: tuple[str, ...] = ()
    verdict: str = ""  # what stands against it, or when it goes
    refused: bool = False
    may_override: bool = False


def console_app(workshop: Workshop) -> Flask:
    """Everything under `/console`."""
    app = Flask("console", static_folder=None)
    app.register_blueprint(console(workshop))
    return app


def console(workshop: Workshop) -> Blueprint:  # noqa: C901 - one route after another
    """The routes."""
    pages = Blueprint(
        "console",
        __name__,
        url_prefix="/console",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    pages.before_request(_only_this_machine)
    pages.after_request(_guard)

    @pages.get("")
    def home() -> ResponseReturnValue:
        return redirect(url_for("console.search"), 303)

    @pages.get("/patients")
    def search() -> ResponseReturnValue:
        return _shown("console/search.html", patients=None)

    @pages.post("/patients")
    def find() -> ResponseReturnValue:
        _check_token()
        with workshop.store.reading() as unit:
            patients = found(unit, workshop.settings, request.form.get("find", "")[:_LONGEST_NAME])
        return _shown("console/search.html", patients=patients)

    @pages.get("/patients/<int:patient_id>")
    def patient(patient_id: int) -> ResponseReturnValue:
        return _patient_page(workshop, patient_id, {}, None)

    @pages.get("/patients/<int:patient_id>/thread")
    def thread(patient_id: int) -> ResponseReturnValue:
        with workshop.store.reading() as unit:
            return _shown("console/thread.html", view=_view(unit, workshop, patient_id))

    @pages.post("/patients/<int:patient_id>/check")
    def check(patient_id: int) -> ResponseReturnValue:
        _check_token()
        with workshop.store.reading() as unit:
            view = _view(unit, workshop, patient_id)
            forecast = _foresee(unit, workshop, view, request.form)
        if request.headers.get("Accept") == "text/fragment":
            return _shown("console/forecast.html", forecast=forecast)
        return _patient_page(workshop, patient_id, request.form, forecast)

    @pages.post("/patients/<int:patient_id>/texts")
    def send(patient_id: int) -> ResponseReturnValue:
        _check_token()
        with workshop.store.unit() as unit:
            unit.patients.hold_still(patient_id)  # a double click waits here, and finds the first one's
            view = _view(unit, workshop, patient_id)
            forecast = _foresee(unit, workshop, view, request.form)
            asked = _asked(workshop, view, request.form)
            earlier = unit.requests.find(asked.feed, asked.ehr_id)
            if earlier is not None and not _says_the_same(earlier, asked):
                forecast = replace(forecast, verdict=_USED, refused=True)
            elif earlier is None and not forecast.refused:
                unit.requests.save(asked)
        if forecast.verdict == _USED:
            return _patient_page(workshop, patient_id, {**request.form, "once": ""}, forecast)
        if forecast.refused and earlier is None:
            return _patient_page(workshop, patient_id, request.form, forecast)
        workshop.knock("send")
        return redirect(url_for("console.patient", patient_id=patient_id, _anchor="end"), 303)

    return pages


def _only_this_machine() -> ResponseReturnValue | None:
    """Another site's page must not make a browser read or write here."""
    host, origin = urlsplit(f"//{request.host}").hostname, request.headers.get("Origin")
    strange = origin is not None and urlsplit(origin).netloc != request.host
    return ("this page answers to this machine only", 403) if host not in _LOOPBACK or strange else None


def _guard(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response


def _check_token() -> None:
    """The form came from a page of ours, in the same browser."""
    ours, theirs = request.cookies.get(_COOKIE, ""), request.form.get("csrf", "")
    if not ours or not hmac.compare_digest(ours.encode(), theirs.encode()):
        abort(403, "the form is too old: open the page again")


def _shown(template: str, **values: Any) -> Response:
    token = request.cookies.get(_COOKIE) or secrets.token_urlsafe(24)
    response = make_response(render_template(template, csrf=token, **values))
    response.set_cookie(_COOKIE, token, httponly=True, samesite="Strict", path="/console")
    return response


def _patient_page(
    workshop: Workshop, patient_id: int, said: Mapping[str, str], forecast: Forecast | None
) -> ResponseReturnValue:
    with workshop.store.reading() as unit:
        view = _view(unit, workshop, patient_id)
    token = said.get("once") or secrets.token_urlsafe(18)
    return _shown("console/patient.html", view=view, said=said, forecast=forecast, forms=FORMS, once=token)


def _view(unit: Unit, workshop: Workshop, patient_id: int) -> PatientView:
    try:
        return view_of(unit, workshop, patient_id)
    except KeyError:
        abort(404)


def _asked(workshop: Workshop, view: PatientView, said: Mapping[str, str]) -> TextRequest:
    """The request that a form makes; what it leaves out or gets wrong is not there."""
    now, settings = workshop.clock.calendar(), workshop.settings
    form = FreeForm(said["form"]) if said.get("form") in FORMS else FreeForm.OWN_WORDS
    chosen = next((each.visit for each in view.visits if str(each.visit.id) == said.get("visit")), None)
    if chosen is None and form in OF_A_VISIT and len(view.visits) == 1:
        chosen = view.visits[0].visit
    feed = chosen.feed if chosen is not None else _feed_of(workshop, view)
    practice = view.practice
    if chosen is not None and chosen.practice in settings.practices:
        practice = chosen.practice
    written = said.get("minutes", "").strip()
    minutes = int(written) if written.isdecimal() and 0 < int(written[:4]) <= _MOST_MINUTES else None
    ends = now + _A_DAY
    if form is FreeForm.RUNNING_LATE:  # it speaks of today
        ends = datetime.combine(now.astimezone(view.zone).date() + _A_DAY, time(), view.zone)
    return TextRequest(
        id=0,
        feed=feed,
        ehr_id=f"{OF_PAGE}{said.get('once', '')[:_LONGEST_NAME]}",
        patient_id=view.patient.id,
        body=said.get("words", "").strip()[:_LONGEST] if form is FreeForm.OWN_WORDS else "",
        due_at=now,
        not_after=ends,
        practice=practice,
        source=RequestSource.PAGE,
        author=" ".join(said.get("author", "").split())[:_LONGEST_NAME] or None,
        form=form,
        minutes=minutes if form is FreeForm.RUNNING_LATE else None,
        appointment_id=None if chosen is None else chosen.id,
        slot_number=None if chosen is None else chosen.slot_number,
        override=" ".join(said.get("override", "").split())[:_LONGEST_REASON] or None,
        asked_at=now,
    )


def _says_the_same(earlier: TextRequest, asked: TextRequest) -> bool:
    """Whether a form that comes again is the same text: a double click, and no second thought."""
    return all(
        getattr(earlier, each) == getattr(asked, each)
        for each in ("body", "form", "minutes", "appointment_id", "author")
    )


def _feed_of(workshop: Workshop, view: PatientView) -> str:
    """A feed that tells of this patient; a live one, if there is any."""
    feeds = [feed for feed in workshop.settings.feeds.values() if feed.scope == view.patient.scope]
    feeds.sort(key=lambda feed: feed.state != "live")
    return feeds[0].name if feeds else ""


def _foresee(unit: Unit, workshop: Workshop, view: PatientView, said: Mapping[str, str]) -> Forecast:
    """What the text would be, and what would be said of it now."""
    asked = _asked(workshop, view, said)
    lacking = _lacking(asked, said)
    practice = workshop.settings.practices.get(asked.practice or "")
    if practice is None:
        return Forecast(verdict="No practice could be told that texts this patient.", refused=True)
    catalogs = [workshop.settings.catalogs[language] for language in practice.languages]
    warnings = tuple(
        f"“{finding.word}”: {finding.kind} content should not be in a text."
        for finding in flagged(asked.body, catalogs)
    )
    now = workshop.clock.calendar()
    try:
        composed = words_of(asked, view.patient, practice, workshop.settings, visit_of(unit, asked), now=now)
    except WordingError as why:
        return Forecast(warnings=warnings, verdict=f"It cannot be sent: {why}.", refused=True)
    forecast = Forecast(
        composed.body,
        composed.segments,
        len(composed.body),
        _price(practice.price_per_segment, composed.segments, practice.currency),
        warnings,
    )
    if lacking:
        return replace(forecast, verdict=lacking, refused=True)
    desk = Desk(unit, workshop, breakers=())  # what they hold back waits when it is due
    verdict = foresee(desk, asked)
    held = verdict is not None and asked.override is None
    may_override = held and foresee(desk, replace(asked, override="?")) is None
    return replace(
        forecast,
        verdict=_said(verdict, view),
        refused=isinstance(verdict, Skip),
        may_override=may_override,
    )


def _lacking(asked: TextRequest, said: Mapping[str, str]) -> str:
    if asked.form is FreeForm.OWN_WORDS and not asked.body:
        return "Please write what the text should say."
    if asked.form in OF_A_VISIT and asked.appointment_id is None:
        return "Please choose the visit that the text is about."
    if said.get("minutes", "").strip() and asked.form is FreeForm.RUNNING_LATE and asked.minutes is None:
        return f"Minutes are a number from 1 to {_MOST_MINUTES}, or nothing."
    if asked.ehr_id == OF_PAGE:
        return "Please open the page again: the form is not complete."
    if asked.author is None:
        return "Please say who writes: it is kept with the text and told to the chart."
    return ""


def _said(verdict: Verdict, view: PatientView) -> str:
    if verdict is None:
        return "It will go at once."
    if isinstance(verdict, Hold):
        until = verdict.until.astimezone(view.zone)
        return f"It will go on {until:%A, %B} {until.day} at {until:%-I:%M %p}: {verdict.reason}."
    return f"It cannot be sent: {verdict.reason}."


def _price(price: Decimal | None, segments: int, currency: str) -> str:
    return "" if price is None else f"{price * segments:.4f}".rstrip("0") + f" {currency}"
