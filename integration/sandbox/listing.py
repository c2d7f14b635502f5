"""The API's lists of messages: filters, pages, and the lag with which new texts show.

DateSent filters compare whole GMT days and pass over what has not been sent yet.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from integration.sandbox.admission import ApiError
from integration.sandbox.texts import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integration.sandbox.exchange import Exchange
    from integration.sandbox.texts import Text

USUAL_SIZE, MOST_A_PAGE = 50, 1000
FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


def listed(exchange: Exchange, asked: Mapping[str, str]) -> dict[str, Any]:
    """One page, newest first, with the way to the next. Raises `ApiError`. The caller holds the lock."""
    size = min(_number(asked.get("PageSize"), USUAL_SIZE) or USUAL_SIZE, MOST_A_PAGE)
    page = _number(asked.get("Page"), 0)
    below = _below(asked.get("PageToken"))
    texts: list[Text] = []
    more = False
    for text in _fitting(exchange, asked, below):
        if len(texts) == size:
            more = True
            break
        texts.append(text)
    path = f"/{API_VERSION}/Accounts/{exchange.account.sid}/Messages.json"
    kept = {name: asked[name] for name in FILTERS if asked.get(name)} | {"PageSize": str(size)}

    def uri(number: int, **token: str) -> str:
        return f"{path}?{urlencode(kept | {'Page': str(number)} | token)}"

    start = page * size
    return {
        "messages": [text.resource(exchange.account.sid) for text in texts],
        "page": page,
        "page_size": size,
        "start": start,
        "end": start + max(len(texts) - 1, 0),
        "uri": uri(page),
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1, PageToken=f"PA{texts[-1].number:032}") if more else None,
        "previous_page_uri": None,
    }


def _fitting(exchange: Exchange, asked: Mapping[str, str], below: int | None) -> Iterator[Text]:
    to, sender = asked.get("To"), asked.get("From")
    exact, until, since = (_day(asked.get(name)) for name in ("DateSent", "DateSent<", "DateSent>"))
    shown_before = exchange.seconds() - exchange.behaviour.list_lag
    # Texts stand by handset; a list of one of our own numbers' inbound texts looks through all.
    thread = to if to and any(True for _ in exchange.texts.newest(to)) else None
    for text in exchange.texts.newest(thread):
        if text.direction == "network" or text.stored_at > shown_before:
            continue
        if (below is not None and text.number >= below) or (to and text.to != to):
            continue
        if sender and text.sender != sender:
            continue
        if exact or until or since:
            day = text.sent_at.date() if text.sent_at else None
            if day is None or (exact and day != exact) or (until and day > until) or (since and day < since):
                continue
        yield text


def _number(written: str | None, usual: int) -> int:
    if not written:
        return usual
    if not re.fullmatch(r"[0-9]{1,9}", written):
        raise ApiError(20001)
    return int(written)


def _below(token: str | None) -> int | None:
    if not token:
        return None
    if not re.fullmatch(r"PA[0-9]{32}", token):
        raise ApiError(20001)
    return int(token[2:])


def _day(written: str | None) -> date | None:
    if not written:
        return None
    try:
        return date.fromisoformat(written.lstrip("=")[:10])
    except ValueError:
        raise ApiError(20001) from None
