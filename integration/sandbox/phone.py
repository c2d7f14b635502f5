"""The phone page: every handset that was texted, its thread, and a hand to answer with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from integration.sandbox.control import json_order, only_this_machine, wrong_order
from integration.sandbox.lifecycles import LIFECYCLES, UnknownPlay, script
from integration.sandbox.orders import WrongOrder, phone_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flask.typing import ResponseReturnValue

    from integration.domain.sms_segments import Segments
    from integration.sandbox.exchange import Exchange
    from integration.sandbox.texts import Text, Webhook

LONGEST_THREAD, MOST_HANDSETS, MOST_MEDIA = 100, 200, 10
LONGEST_BODY = 1600
QUICK = ("C", "R", "STOP", "START", "HELP")

# error code → what the page says of it
TROUBLE = {
    21610: "opted out",
    30003: "switched off or out of reach",
    30005: "number no longer in service",
    30006: "a landline",
    30007: "filtered as spam",
    30034: "sender not registered",
    30036: "waited too long in the queue",
}

# how a webhook ended → what the page says of it
ENDINGS = {
    "ct": "no connection",
    "rt": "no answer in time",
    "gone": "hung up",
    "not-here": "not on this machine",
}
ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}  # units of a single segment, and of one of several


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text as the page shows it."""

    sid: str
    side: str  # clinic | patient | network
    body: str
    at: datetime  # local
    size: str
    price: str
    status: str
    trouble: str
    told: tuple[str, ...]  # what the product was told, and what it answered
    pictures: int


@dataclass(frozen=True, slots=True)
class Handset:
    """One number as the list shows it."""

    number: str
    shown: str
    last: str
    at: datetime | None


def phone_pages(exchange: Exchange) -> Blueprint:
    """The pages under `/sandbox/phone`."""
    pages = Blueprint(
        "phone",
        __name__,
        url_prefix="/sandbox/phone",
        template_folder="templates",
        static_folder="static",
    )
    pages.before_request(only_this_machine)
    pages.register_error_handler(WrongOrder, wrong_order)
    pages.register_error_handler(UnknownPlay, wrong_order)

    @pages.get("")
    def page() -> ResponseReturnValue:
        return render_template("sandbox/phone.html", **_view(exchange, request.args.get("number")))

    @pages.get("/state")
    def state() -> ResponseReturnValue:
        if request.args.get("after") == str(exchange.version):
            return jsonify(version=exchange.version)
        view = _view(exchange, request.args.get("number"))
        parts = {
            name: render_template(f"sandbox/{name}.html", **view) for name in ("handsets", "thread", "totals")
        }
        return jsonify(version=view["version"], **parts)

    @pages.post("/reply")
    def reply() -> ResponseReturnValue:
        order = _order()
        body, media = order.get("body", ""), _media(order.get("media"))
        if not isinstance(body, str) or len(body) > LONGEST_BODY or not (body or media):
            raise WrongOrder(f"body is a text of at most {LONGEST_BODY} characters")
        number = phone_number(order.get("from"))
        to = order.get("to") and phone_number(order["to"])
        text = exchange.reply(number, body, to or None, media)
        return _done(number, 201, sid=text.sid, to=text.to)

    @pages.post("/play")
    def play() -> ResponseReturnValue:
        order = _order()
        number = phone_number(order.get("number"))
        chosen = script(order)
        exchange.choose(chosen, number)
        return _done(number, 200, title=chosen.title)

    return pages


def _order() -> Mapping[str, Any]:
    return json_order() if request.is_json else request.form


def _done(number: str, status: int, **answer: str) -> ResponseReturnValue:
    """JSON to whoever sent JSON; back to the page for a plain form."""
    if request.is_json:
        return jsonify(answer), status
    return redirect(url_for("phone.page", number=number), 303)


def _media(asked: object) -> tuple[str, ...]:
    """`media` is a list of URLs, or how many pictures to make up."""
    if isinstance(asked, list) and all(isinstance(url, str) for url in asked):
        return tuple(asked[:MOST_MEDIA])
    count = int(asked) if isinstance(asked, int) or (isinstance(asked, str) and asked.isdecimal()) else 0
    return tuple(f"{request.host_url}sandbox/picture-{n}.jpg" for n in range(min(count, MOST_MEDIA)))


def _view(exchange: Exchange, wanted: str | None) -> dict[str, Any]:
    """Everything the templates show; `wanted` is the number whose thread is open."""
    with exchange.lock:
        zone = ZoneInfo(exchange.behaviour.hours.zone)
        numbers = exchange.texts.handsets()
        numbers += [number for number in exchange.plays if number not in set(numbers)]
        try:
            chosen = phone_number(wanted) if wanted else next(iter(numbers), None)
        except WrongOrder:
            chosen = None
        if chosen is not None and chosen not in numbers:
            numbers.insert(0, chosen)
        thread = list(islice(exchange.texts.newest(chosen), LONGEST_THREAD)) if chosen else []
        play = exchange.plays.get(chosen or "", exchange.usual)
        return {
            "version": exchange.version,
            "handsets": [_handset(exchange, number, zone) for number in numbers[:MOST_HANDSETS]],
            "chosen": chosen,
            "chosen_shown": shown(chosen or ""),
            "bubbles": [_bubble(text, zone) for text in reversed(thread)],
            "plays": {name: life.title for name, life in LIFECYCLES.items()},
            "play": next((name for name, life in LIFECYCLES.items() if life is play), None),
            "blocked": chosen is not None and exchange.keywords.blocks_any(chosen),
            "quick": QUICK,
            "zone": zone.key,
            "totals": exchange.record.listed(creates=False),
            "segments": exchange.record.segments,
            "heard": exchange.behaviour.reply_url is not None,
        }


def _handset(exchange: Exchange, number: str, zone: ZoneInfo) -> Handset:
    last = next(exchange.texts.newest(number), None)
    if last is None:
        return Handset(number, shown(number), "no text yet", None)
    words = last.body or "picture"
    return Handset(number, shown(number), words, last.shown_at.astimezone(zone))


def _bubble(text: Text, zone: ZoneInfo) -> Bubble:
    sides = {"inbound": "patient", "network": "network"}
    weight = text.weight
    noun = "segment" if weight.segments == 1 else "segments"
    price = (text.price or "").lstrip("-").rstrip("0")
    trouble = "" if text.error_code is None else TROUBLE.get(text.error_code, "see Twilio's error list")
    return Bubble(
        sid=text.sid,
        side=sides.get(text.direction, "clinic"),
        body=text.body,
        at=text.shown_at.astimezone(zone),
        size=f"{weight.segments} {noun} · {weight.encoding} · {weight.units} of {_room(weight)}",
        price=f"${price}" if price else "",
        status=text.status,
        trouble=f"{trouble} ({text.error_code})" if trouble else "",
        told=tuple(f"{webhook.word} → {_ending(webhook)}" for webhook in text.webhooks),
        pictures=len(text.media),
    )


def _room(weight: Segments) -> int:
    single, part = ROOM[weight.encoding]
    return single if weight.segments == 1 else part * weight.segments


def _ending(webhook: Webhook) -> str:
    """How the last attempt ended, and how many there were."""
    if not webhook.answers:
        return "…"
    last = ENDINGS.get(webhook.answers[-1], webhook.answers[-1])
    times = len(webhook.answers)
    return f"{last} ({times} times)" if times > 1 else last


def shown(number: str) -> str:
    """A North American number as people there write it; any other in E.164."""
    if number.startswith("+1") and len(number) == len("+12025550123"):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number
