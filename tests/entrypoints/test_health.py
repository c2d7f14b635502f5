"""Living is answering; ready is when every part is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask

from integration.entrypoints.health import health

if TYPE_CHECKING:
    from flask.testing import FlaskClient


def asked_of(parts: dict[str, bool | str]) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(health(lambda: parts))
    return app.test_client()


@pytest.mark.parametrize(
    ("parts", "status", "words"),
    [
        ({}, 200, {}),
        ({"store": True, "listener": "ok"}, 200, {"store": "ok", "listener": "ok"}),
        ({"store": True, "listener": False}, 503, {"store": "ok", "listener": "not ready"}),
        ({"store": "does not answer"}, 503, {"store": "does not answer"}),
    ],
)
def test_ready_is_when_every_part_is(
    parts: dict[str, bool | str], status: int, words: dict[str, str]
) -> None:
    answer = asked_of(parts).get("/health/ready")

    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["parts"] == words


def test_readiness_is_asked_anew_each_time() -> None:
    parts: dict[str, bool | str] = {"store": False}
    client = asked_of(parts)
    before = client.get("/health/ready").status_code
    parts["store"] = True

    assert (before, client.get("/health/ready").status_code) == (503, 200)


def test_a_process_that_is_not_ready_lives() -> None:
    assert asked_of({"store": False}).get("/health/live").status_code == 200


def test_notes_are_said_and_make_nothing_unready() -> None:
    app = Flask(__name__)
    app.register_blueprint(
        health(lambda: {"store": True}, lambda: ["nothing has been heard from feed main since 09:05"])
    )
    answer = app.test_client().get("/health/ready")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["notes"] == ["nothing has been heard from feed main since 09:05"]
    assert "notes" not in (asked_of({}).get("/health/ready").json or {})
