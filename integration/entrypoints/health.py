"""Whether this process lives, and whether it is ready for work: two questions, two addresses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask import Response

FINE = "ok"


def health(
    ready: Callable[[], Mapping[str, bool | str]], notes: Callable[[], Sequence[str]] = lambda: ()
) -> Blueprint:
    """The routes `/health/live` and `/health/ready`.

    `ready` tells of each part whether it is ready: True or "ok" when it is, False or a word
    that says why when it is not. It is asked anew each time, and should be quick.
    `notes` are sentences for a person, and make nothing unready.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/health/live")
    def live() -> Response:
        """Answering is living."""
        return jsonify(status=FINE)

    @routes.get("/health/ready")
    def is_ready() -> tuple[Response, HTTPStatus]:
        """200 when every part is ready, else 503; the parts say why."""
        words = {part: _word(state) for part, state in ready().items()}
        fine = all(word == FINE for word in words.values())
        status = HTTPStatus.OK if fine else HTTPStatus.SERVICE_UNAVAILABLE
        said = list(notes())
        return jsonify(
            status=FINE if fine else "not ready", parts=words, **({"notes": said} if said else {})
        ), status

    return routes


def _word(state: bool | str) -> str:  # noqa: FBT001 - a part's state, not a switch
    if isinstance(state, str):
        return state
    return FINE if state else "not ready"
