"""What the SMS provider tells us over HTTP: verify, keep, answer, and nothing else (promise 1).

The answer leaves only after the commit. Without a store the answer is 503, and the
provider comes again. The signature covers the address as the provider has it: our
configured public base and the raw path and query, never what a proxy or a framework
made of them.
"""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import structlog
from flask import Blueprint, Response, abort, request

from integration.domain.conversation import Reply
from integration.domain.phone_number import parse
from integration.ports.store import Callback, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.ports.sms import InboundText, SmsProvider
    from integration.ports.workshop import Workshop

MOST_BYTES = 64 * 1024  # of a form; a text of 1,600 characters and its fields take a tenth of it
NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response />'  # our answers go through the REST API
_ANY_REGION = "ZZ"  # providers write numbers with their country code
_log = structlog.get_logger(__name__)


def sms_webhooks(workshop: Workshop) -> Blueprint:
    """The routes `/sms/<provider>/status/<token>` and `/sms/<provider>/reply`."""
    routes = Blueprint("sms_webhooks", __name__)

    @routes.post("/sms/<provider>/status/<token>")
    def status(provider: str, token: str) -> Response:
        """Keep one status callback, whether or not its token is known."""
        sms, form = _verified(workshop, provider)
        callback = Callback(0, sms.name, token, form, workshop.clock.wall())

        def keep() -> None:
            with workshop.store.unit() as unit:
                unit.callbacks.add(callback)

        return _after(keep, workshop, "track", Response(status=HTTPStatus.NO_CONTENT))

    @routes.post("/sms/<provider>/reply")
    def reply(provider: str) -> Response:
        """Keep one text from a patient; the same text twice is kept once."""
        sms, form = _verified(workshop, provider)
        heard = _reply(workshop, sms.name, sms.read_reply(_first_values(form)), form)

        def keep() -> None:
            with workshop.store.unit() as unit:
                unit.replies.add(heard)

        return _after(keep, workshop, "reply", Response(NOTHING_TO_SAY, mimetype="text/xml"))

    return routes


def _verified(workshop: Workshop, provider: str) -> tuple[SmsProvider, str]:
    """The provider, and the raw form it signed; aborts with 404, 413 or 403."""
    sms = workshop.sms
    if sms is None or provider != sms.name:
        abort(HTTPStatus.NOT_FOUND)
    request.max_content_length = MOST_BYTES
    form = request.get_data(cache=False).decode("utf-8", "replace")
    signature = request.headers.get(sms.signature_header, "")
    url = workshop.public_base_url + _raw_path()
    if not sms.verify(url, parse_qs(form, keep_blank_values=True), signature):
        _log.warning("webhook with a wrong signature", provider=sms.name, endpoint=request.endpoint)
        abort(HTTPStatus.FORBIDDEN)
    return sms, form


def _raw_path() -> str:
    """The path and query as they came over the wire; `request.url` is decoded, and not what was signed."""
    raw: str | None = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI")
    if not raw:
        query = request.query_string.decode("latin-1")
        return quote(request.script_root + request.path) + (f"?{query}" if query else "")
    if raw.startswith("/"):
        return raw
    parts = urlsplit(raw)  # absolute-form, RFC 9112 §3.2.2
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _first_values(form: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(form, keep_blank_values=True).items()}


def _reply(workshop: Workshop, provider: str, text: InboundText, form: str) -> Reply:
    return Reply(
        id=0,
        provider=provider,
        # A text without an id is still a text; its whole form tells it from another.
        provider_id=text.provider_id or sha256(form.encode()).hexdigest(),
        number=parse(text.from_number, _ANY_REGION) or text.from_number,
        to_number=parse(text.to_number, _ANY_REGION) or text.to_number,
        body=text.body,
        received_at=workshop.clock.wall(),
        heard_at=workshop.clock.calendar(),
        media=text.media,
        partial=text.partial,
        keyword_handled=text.keyword_handled,
        segments=text.segments,
    )


def _after(keep: Callable[[], None], workshop: Workshop, step: str, answer: Response) -> Response:
    """Answer once it is kept; 503 when it cannot be."""
    try:
        keep()
    except StoreUnavailable:
        _log.error("webhook could not be kept", endpoint=request.endpoint)
        return Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
    workshop.knock(step)
    return answer
