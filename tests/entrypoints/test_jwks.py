"""Our public keys, where the EHR looks for them: public halves alone, and the next one before it signs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from integration.adapters.ehr.key_rotation import make, rotate
from integration.adapters.ehr.signing_keys import KeyRing
from integration.domain.clock import wall_now
from integration.entrypoints.jwks import jwks

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient


def asked_of(keys: KeyRing | None) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(jwks(keys))
    return app.test_client()


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_public_halves_alone_are_shown_and_may_be_kept_for_a_while(tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "keys.json"
    key = make(file, "ES384" if algorithm == "ES384" else "RS384")
    answer = asked_of(KeyRing(file.read_text(), file)).get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.json == {"keys": [key.public()]}
    assert key.private()["d"] not in answer.text


def test_during_a_rotation_both_keys_are_shown_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    old = make(file, "ES384")
    client = asked_of(KeyRing(file.read_text(), file))
    new, _ = rotate(file, wall_now(), timedelta(hours=24))
    shown = client.get("/.well-known/jwks.json").json
    assert shown is not None
    assert [each["kid"] for each in shown["keys"]] == [new.kid, old.kid]


def test_without_keys_there_is_nothing() -> None:
    assert asked_of(None).get("/.well-known/jwks.json").status_code == 404
