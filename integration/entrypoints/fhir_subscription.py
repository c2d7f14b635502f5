"""What a FHIR server tells us over HTTP: verify, keep, answer 200, and nothing else (promise 1).

`/fhir/subscriptions/<feed>` and whatever servers write below it. The sender shows a secret of that feed:
as Bearer token, by signing the body (HMAC-SHA256), or, where it can do neither, as the first part of the path
below the feed. Several may hold at once; none is kept or logged. What a notification says is read later.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import orjson
import structlog
from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import HTTPException

from fhir_mappers.subscription import HEADERS, Received
from integration.domain.surprise import describe
from integration.ports.store import KeptMessage, StoreUnavailable
from integration.settings.environment import source_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from integration.ports.workshop import Workshop

MOST_BYTES: Final = 1024 * 1024  # of a body; the port takes no more either
_METHODS: Final = ("POST", "PUT", "DELETE")
# Medplum; athenahealth (WebSub); and the name that others use
_SIGNATURES: Final = ("X-Signature", "X-Hub-Signature", "X-Hub-Signature-256")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")  # FHIR `id`
_SIGNS_OF_A_DIGEST: Final = 32
_log = structlog.get_logger(__name__)


def fhir_subscription(workshop: Workshop, secrets: Mapping[str, Sequence[str]]) -> Blueprint:
    """The routes; `secrets` by source."""
    routes = Blueprint("fhir_subscription", __name__)

    @routes.route("/fhir/subscriptions/<feed>", methods=_METHODS)
    @routes.route("/fhir/subscriptions/<feed>/", methods=_METHODS)
    @routes.route("/fhir/subscriptions/<feed>/<path:rest>", methods=_METHODS)
    def notified(feed: str, rest: str = "") -> Response:
        """Keep one notification."""
        try:
            return _keep(workshop, feed, rest, secrets.get(source_of(feed), ()))
        except HTTPException:
            raise
        except StoreUnavailable:
            _log.error("notification could not be kept", feed=feed)
        except Exception as surprise:  # noqa: BLE001 - Flask would log the path, which may hold a secret
            _log.error("notification surprised", surprise=describe(surprise))
        return Response(status=HTTPStatus.SERVICE_UNAVAILABLE)

    return routes


def _keep(workshop: Workshop, feed: str, rest: str, secrets: Sequence[str]) -> Response:
    known = workshop.settings.feeds.get(feed)
    if known is None or known.fhir is None:
        abort(HTTPStatus.NOT_FOUND)
    request.max_content_length = MOST_BYTES
    raw = request.get_data(cache=False)
    received = Received(request.method, _verified(feed, rest, raw, secrets), _headers(), _text(raw))
    at = workshop.clock.wall()
    control_id, digest = _known_by(received, at)
    with workshop.store.unit() as unit:
        unit.inbox.add(KeptMessage(0, f"fhir:{feed}", control_id, received.to_bytes(), at), digest)
    workshop.knock("translate")
    return Response(status=HTTPStatus.OK)


def _verified(feed: str, rest: str, raw: bytes, secrets: Sequence[str]) -> str:
    """The path below the feed, without a secret; aborts: 403 when none is set, 401 when none was shown."""
    if not secrets:
        _log.warning("notification refused: no secret is set", feed=feed)
        abort(HTTPStatus.FORBIDDEN)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    signatures = [
        request.headers.get(name, "").strip().lower().removeprefix("sha256=") for name in _SIGNATURES
    ]
    first, _, below = rest.partition("/")
    # All are compared, whichever fits: the time it takes tells nothing.
    in_path = sum(_same(first, secret) for secret in secrets)
    shown = in_path + sum(
        _same(bearer, secret) + sum(_same(each, _signed(raw, secret)) for each in signatures)
        for secret in secrets
    )
    if not shown:
        _log.warning("notification refused: no secret of this feed was shown", feed=feed)
        answer = Response(status=HTTPStatus.UNAUTHORIZED)
        answer.headers["WWW-Authenticate"] = "Bearer"
        abort(answer)
    return below if in_path else rest


def _same(shown: str, secret: str) -> bool:
    return hmac.compare_digest(shown.encode(), secret.encode())


def _signed(raw: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), raw, sha256).hexdigest()


def _headers() -> dict[str, str]:
    return {name: value for name in HEADERS if (value := request.headers.get(name)) is not None}


def _text(raw: bytes) -> str:
    """The body, JSON or none; aborts with 415 for XML and for what is compressed."""
    if "xml" in request.mimetype or raw.lstrip()[:1] == b"<" or request.headers.get("Content-Encoding"):
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    try:
        return raw.decode("utf-8-sig")  # RFC 8259 §8.1
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _known_by(received: Received, at: datetime) -> tuple[str, bytes]:
    """Its control id, and the digest by which it is kept once.

    A Bundle with an id and a time is the same one however often it is sent. Of all others nothing tells one
    notification sent twice from two that say the same: POST without a body, DELETE, a status that came back.
    """
    hashed = sha256(received.to_bytes())
    control_id = hashed.hexdigest()[:_SIGNS_OF_A_DIGEST]
    try:
        body = orjson.loads(received.body or "null")
    except orjson.JSONDecodeError:
        body = None
    bundle_id = body.get("id") if isinstance(body, dict) and body.get("resourceType") == "Bundle" else None
    if not isinstance(bundle_id, str) or not _ID.fullmatch(bundle_id):
        bundle_id = None
    if bundle_id is None or not body.get("timestamp"):
        hashed.update(at.isoformat().encode())
    return bundle_id or control_id, hashed.digest()
