"""The sandbox's own API, `/sandbox/…`, JSON: order faults, choose lifecycles, read what happened.

Every address answers to this machine only: a page of some other site that
resolves its name to loopback is refused, and so is a form it posts here.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, redirect, request

from integration.sandbox.faults import Fault, WrongFault
from integration.sandbox.lifecycles import LIFECYCLES, UnknownPlay, script
from integration.sandbox.orders import WrongOrder, change, phone_number, seconds, set_clock, settings
from integration.sandbox.record import Record
from integration.sandbox.server import LOOPBACK

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from integration.sandbox.exchange import Exchange

LONGEST_SETTLE = 60.0  # seconds


def only_this_machine() -> ResponseReturnValue | None:
    """Refuse requests that another site's page makes a browser send."""
    host = urlsplit(f"//{request.host}").hostname
    origin = request.headers.get("Origin")
    if host not in LOOPBACK or (origin is not None and urlsplit(origin).netloc != request.host):
        return jsonify(error="the sandbox answers to this machine only"), 403
    return None


def wrong_order(error: Exception) -> ResponseReturnValue:
    """An order that cannot be carried out, and why."""
    return jsonify(error=str(error)), 400


def json_order() -> dict[str, Any]:
    """The request's JSON object. Raises `WrongOrder`."""
    order = request.get_json(force=True, silent=True) if request.content_length else {}
    if not isinstance(order, dict):
        raise WrongOrder("a JSON object is expected")
    return order


def control_pages(exchange: Exchange) -> Blueprint:
    """The pages under `/sandbox`, but for the phone."""
    pages = Blueprint("control", __name__, url_prefix="/sandbox")
    pages.before_request(only_this_machine)
    for kind in (WrongOrder, WrongFault, UnknownPlay):
        pages.register_error_handler(kind, wrong_order)
    control = _Control(exchange)
    for method, path, view in ROUTES:
        pages.add_url_rule(path, view.__name__, partial(view, control), methods=[method])
    return pages


class _Control:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def index(self) -> ResponseReturnValue:
        return redirect("phone")

    def settings(self) -> ResponseReturnValue:
        with self.exchange.lock:
            return jsonify(settings(self.exchange))

    def change_settings(self) -> ResponseReturnValue:
        order = json_order()
        with self.exchange.lock:
            change(self.exchange, order)
            return jsonify(settings(self.exchange))

    def faults(self) -> ResponseReturnValue:
        with self.exchange.lock:
            return jsonify(self.exchange.faults.listed())

    def order_fault(self) -> ResponseReturnValue:
        fault = Fault.read(json_order())
        with self.exchange.lock:
            self.exchange.faults.order(fault)
        return jsonify(asdict(fault)), 201

    def clear_faults(self) -> ResponseReturnValue:
        with self.exchange.lock:
            self.exchange.faults.clear()
        return "", 204

    def lifecycles(self) -> ResponseReturnValue:
        with self.exchange.lock:
            numbers = {number: play.title for number, play in self.exchange.plays.items()}
            usual = self.exchange.usual.title
        known = {name: play.title for name, play in LIFECYCLES.items()}
        return jsonify(known=known, usual=usual, numbers=numbers)

    def choose_lifecycle(self) -> ResponseReturnValue:
        order = json_order()
        play = script(order)
        number = phone_number(order["to"]) if order.get("to") is not None else None
        with self.exchange.lock:
            self.exchange.choose(play, number)
        return jsonify(title=play.title, steps=[asdict(step) for step in play.steps])

    def record(self) -> ResponseReturnValue:
        with self.exchange.lock:
            return jsonify(self.exchange.record.listed(creates=request.args.get("creates") != "0"))

    def clear_record(self) -> ResponseReturnValue:
        with self.exchange.lock:
            former = self.exchange.record
            self.exchange.record = Record(former.keep, stopped=former.stopped)
        return "", 204

    def texts(self) -> ResponseReturnValue:
        exchange = self.exchange
        with exchange.lock:
            found = [
                text.resource(exchange.account.sid)
                | {
                    "shown_at": text.shown_at.isoformat(),
                    "webhooks": [asdict(hook) for hook in text.webhooks],
                }
                for text in exchange.texts.newest(request.args.get("number"))
            ]
        return jsonify(found)

    def webhooks(self) -> ResponseReturnValue:
        with self.exchange.lock:
            return jsonify([asdict(webhook) for webhook in self.exchange.webhooks])

    def blocks(self) -> ResponseReturnValue:
        with self.exchange.lock:
            return jsonify(self.exchange.keywords.listed())

    def lift_blocks(self) -> ResponseReturnValue:
        with self.exchange.lock:
            self.exchange.keywords.clear()
        return "", 204

    def clock(self) -> ResponseReturnValue:
        order = json_order()
        exchange = self.exchange
        with exchange.lock:
            set_clock(exchange, order)
            return jsonify(now=exchange.now().isoformat(), calendar=exchange.clock.calendar().isoformat())

    def settle(self) -> ResponseReturnValue:
        patience = min(seconds(json_order().get("seconds", 5)), LONGEST_SETTLE)
        return jsonify(settled=self.exchange.timetable.settle(patience))

    def reset(self) -> ResponseReturnValue:
        self.exchange.reset()
        return "", 204


ROUTES = (
    ("GET", "/", _Control.index),
    ("GET", "/settings", _Control.settings),
    ("POST", "/settings", _Control.change_settings),
    ("GET", "/faults", _Control.faults),
    ("POST", "/faults", _Control.order_fault),
    ("DELETE", "/faults", _Control.clear_faults),
    ("GET", "/lifecycle", _Control.lifecycles),
    ("POST", "/lifecycle", _Control.choose_lifecycle),
    ("GET", "/record", _Control.record),
    ("DELETE", "/record", _Control.clear_record),
    ("GET", "/texts", _Control.texts),
    ("GET", "/webhooks", _Control.webhooks),
    ("GET", "/blocks", _Control.blocks),
    ("DELETE", "/blocks", _Control.lift_blocks),
    ("POST", "/clock", _Control.clock),
    ("POST", "/settle", _Control.settle),
    ("POST", "/reset", _Control.reset),
)
