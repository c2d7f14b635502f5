"""Where the EHR finds our public keys: `/.well-known/jwks.json` (SMART, RFC 7517)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, jsonify

from integration.adapters.ehr.signing_keys import published

if TYPE_CHECKING:
    from flask import Response

    from integration.adapters.ehr.signing_keys import KeyRing

# Shorter than any rotation is planned ahead: the next key is known everywhere before it signs.
_KEPT_FOR: Final = 3600  # seconds


def jwks(keys: KeyRing | None) -> Blueprint:
    """The route; without keys there is nothing at it (404): an empty set would say that we have none left."""
    routes = Blueprint("jwks", __name__)

    @routes.get("/.well-known/jwks.json")
    def show() -> Response:
        """Public halves alone, of the next key too."""
        if keys is None:
            abort(404)
        response = jsonify(published(keys.current()))
        response.headers["Cache-Control"] = f"public, max-age={_KEPT_FOR}"
        return response

    return routes
