"""Twilio's REST API, as far as a texting product uses it, on loopback: messages, lookup, usage.

Specification: messaging reference §2.1. The library `twilio` is not imported
here: this is the other end of the wire.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, jsonify, request

from integration.sandbox.admission import ApiError, e164
from integration.sandbox.control import control_pages
from integration.sandbox.lifecycles import LIFECYCLES
from integration.sandbox.listing import listed
from integration.sandbox.phone import phone_pages
from integration.sandbox.server import WIRE
from integration.sandbox.texts import API_VERSION
from integration.sandbox.usage import PERIODS, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from werkzeug.exceptions import HTTPException

    from integration.sandbox.exchange import Exchange
    from integration.sandbox.faults import Fault
    from integration.sandbox.texts import Text


def create_app(exchange: Exchange) -> Flask:
    """The whole sandbox telephone network as one WSGI application."""
    app = Flask("integration.sandbox", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.register_blueprint(_api_pages(exchange))
    app.register_blueprint(control_pages(exchange))
    app.register_blueprint(phone_pages(exchange))

    @app.errorhandler(ApiError)
    def refused(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.body()), error.status

    @app.errorhandler(404)
    @app.errorhandler(405)
    def lost(error: HTTPException) -> tuple[Response, int]:
        return jsonify(ApiError(20404, error.code or 404).body()), error.code or 404

    return app


def _api_pages(exchange: Exchange) -> Blueprint:
    pages = Blueprint("api", __name__)
    pages.before_request(partial(_admit, exchange))
    api = _Api(exchange)
    for place, (method, path, view) in enumerate(ROUTES):
        pages.add_url_rule(path, f"{view.__name__}-{place}", partial(view, api), methods=[method])
    return pages


def _admit(exchange: Exchange) -> None:
    """Basic authentication, by account SID and token or by an API key."""
    given = request.authorization
    user, password = (given.username, given.password) if given and given.type == "basic" else (None, None)
    if not exchange.account.admits(user or "", password or ""):
        raise ApiError(20003, 401)
    if (request.view_args or {}).get("account", exchange.account.sid) != exchange.account.sid:
        raise ApiError(20404, 404)


class _Api:
    """The resources; each is called with the account of its path, which `_admit` has checked."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def create(self, account: str) -> Response:
        form = {name: request.form.getlist(name) for name in request.form}

        def work() -> Response:
            with self.exchange.lock:
                return _shown(self.exchange.create(form), account, 201)

        return _perform(self.exchange, "create", e164(request.form.get("To", "")), work)

    def several(self, account: str) -> Response:  # noqa: ARG002 - checked before
        asked = request.args.to_dict()

        def work() -> Response:
            with self.exchange.lock:
                return jsonify(listed(self.exchange, asked))

        return _perform(self.exchange, "list", asked.get("To"), work)

    def fetch(self, account: str, sid: str) -> Response:
        def work() -> Response:
            with self.exchange.lock:
                return _shown(self._text(sid), account)

        return _perform(self.exchange, "fetch", None, work)

    def update(self, account: str, sid: str) -> Response:
        with self.exchange.lock:
            text = self._text(sid)
            if request.form.get("Status") == "canceled":
                self.exchange.cancel(text)
            elif request.form.get("Body") == "":
                self._require_over(text)
                text.body = ""
            else:
                raise ApiError(20001)
            return _shown(text, account)

    def delete(self, account: str, sid: str) -> tuple[str, int]:  # noqa: ARG002 - checked before
        with self.exchange.lock:
            text = self._text(sid)
            self._require_over(text)
            self.exchange.texts.remove(text)
        return "", 204

    def feedback(self, account: str, sid: str) -> tuple[Response, int]:
        outcome = request.form.get("Outcome", "confirmed")
        if outcome not in {"confirmed", "unconfirmed"}:
            raise ApiError(20001)
        with self.exchange.lock:
            resource = self._text(sid).resource(account)
        kept = {name: resource[name] for name in ("account_sid", "date_created", "date_updated")}
        return jsonify({**kept, "message_sid": sid, "outcome": outcome}), 201

    def lookup(self, written: str) -> Response:
        number = e164(written)
        with self.exchange.lock:
            play = self.exchange.plays.get(number or "", self.exchange.usual)
        line = "landline" if play is LIFECYCLES["landline"] else "mobile"
        asked = request.args.get("Fields", "").split(",")
        home = number is not None and number.startswith("+1")
        return jsonify(
            {
                "calling_country_code": "1" if home else None,
                "country_code": "US" if home else None,
                "phone_number": number or written,
                "valid": number is not None,
                "validation_errors": [] if number else ["NOT_A_NUMBER"],
                "line_type_intelligence": {"type": line} if number and LINE_TYPE in asked else None,
            }
        )

    def usage(self, account: str, period: str | None = None) -> Response:  # noqa: ARG002 - checked before
        if period not in (None, *PERIODS):
            raise ApiError(20404, 404)
        with self.exchange.lock:
            found = records(self.exchange, period, request.args.to_dict())
        return jsonify({"usage_records": found, "page": 0, "page_size": 50, "next_page_uri": None})

    def _text(self, sid: str) -> Text:
        text = self.exchange.texts.get(sid)
        if text is None or text.direction == "network":
            raise ApiError(20404, 404)
        return text

    def _require_over(self, text: Text) -> None:
        if not text.is_over:
            raise ApiError(20009)


MESSAGES = f"/{API_VERSION}/Accounts/<account>/Messages"
USAGE = f"/{API_VERSION}/Accounts/<account>/Usage/Records"
LINE_TYPE = "line_type_intelligence"
ROUTES: tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...] = (
    ("POST", f"{MESSAGES}.json", _Api.create),
    ("GET", f"{MESSAGES}.json", _Api.several),
    ("GET", f"{MESSAGES}/<sid>.json", _Api.fetch),
    ("POST", f"{MESSAGES}/<sid>.json", _Api.update),
    ("DELETE", f"{MESSAGES}/<sid>.json", _Api.delete),
    ("POST", f"{MESSAGES}/<sid>/Feedback.json", _Api.feedback),
    ("GET", "/v2/PhoneNumbers/<written>", _Api.lookup),
    ("GET", f"{USAGE}.json", _Api.usage),
    ("GET", f"{USAGE}/<period>.json", _Api.usage),
)


def _shown(text: Text, account: str, status: int = 200) -> Response:
    answer = jsonify(text.resource(account))
    answer.status_code = status
    return answer


def _perform(exchange: Exchange, on: str, to: str | None, work: Callable[[], Response]) -> Response:
    """Do the work, and let go wrong what was ordered to."""
    exchange.stopping.wait(exchange.behaviour.latency)
    with exchange.lock:
        fault = exchange.faults.take(on, to)
    if fault is None:
        return work()
    if fault.when == "before":
        if fault.kind != "slow":
            return _broken(fault, Response(status=fault.status))
        exchange.stopping.wait(fault.seconds)
        return work()
    answer = work()
    if fault.kind == "slow":
        exchange.stopping.wait(fault.seconds)
        return answer
    return _broken(fault, answer)


def _broken(fault: Fault, answer: Response) -> Response:
    """What the product sees of a fault; `answer` is what it would have seen."""
    if fault.kind in {"drop", "truncate"}:
        request.environ[WIRE] = fault.kind
        return answer
    if fault.kind == "throttle":
        refusal = jsonify(ApiError(20429, 429).body())
        refusal.status_code = 429
        refusal.headers["Retry-After"] = str(max(int(fault.seconds), 1))
        return refusal
    if fault.kind == "refuse":
        refusal = jsonify(ApiError(fault.code).body())
        refusal.status_code = 400
        return refusal
    if fault.kind == "redirect":
        return Response(status=302, headers={"Location": "/elsewhere"})
    status = 201 if fault.kind == "garbage" else fault.status
    return Response("<html><h1>Bad Gateway</h1></html>", status, mimetype="text/html")
