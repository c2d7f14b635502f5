"""Twilio's signature: its published vector, rotation, and every trap of a web server between (§1.6)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from integration.adapters.sms.twilio import build
from integration.sandbox.webhooks import signature
from tests.adapters.sms_worlds import account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.sms.twilio import TwilioProvider

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
LISTS = {name: [value] for name, value in FORM.items()}


def provider(*tokens: str) -> TwilioProvider:
    return build(account("http://127.0.0.1:1", auth_tokens=tokens or ("12345",)))


def test_twilios_own_vector_holds_for_us_and_for_the_sandbox() -> None:
    assert provider().verify(URL, LISTS, SIGNATURE)
    assert signature(URL, FORM, "12345") == SIGNATURE


def test_during_a_rotation_every_token_verifies_and_no_other() -> None:
    assert provider("new", "12345").verify(URL, LISTS, SIGNATURE)
    assert not provider("new", "newer").verify(URL, LISTS, SIGNATURE)


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        (URL, True),
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", True),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", False),
        ("https://mycompany.com/myapp.php?bar=2&foo=1", False),
        ("https://mycompany.com/myapp.php/?foo=1&bar=2", False),
        ("https://mycompany.com/myapp.php?foo=1&bar=2#fragment", False),
        ("https://mycompany.com:port/myapp.php?foo=1&bar=2", False),
        ("https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=00", False),
    ],
)
def test_only_the_url_that_was_signed_verifies(url: str, *, verified: bool) -> None:
    assert provider().verify(url, LISTS, SIGNATURE) is verified


def test_repeated_and_blank_values_are_part_of_what_was_signed() -> None:
    form = {"MediaUrl": ["b", "a", "a"], "ErrorCode": [""]}
    signed = signature("http://127.0.0.1/x", {"ErrorCode": "", "MediaUrl": "aMediaUrlb"}, "12345")
    assert provider().verify("http://127.0.0.1/x", form, signed)
    assert not provider().verify("http://127.0.0.1/x", {"MediaUrl": ["b", "a"]}, signed + "x")


@contextmanager
def listening(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "path",
    [
        "/sms/twilio/status/abc",
        "/sms/twilio/status/abc?t=abc%2Fdef",
        "/sms/twilio/status/caf%C3%A9",
        "/sms/twilio/status/a%20b?x=%41&x=",
        "/sms/twilio/status/abc?",
    ],
)
def test_the_raw_address_behind_a_real_web_server_verifies(path: str) -> None:
    public = "https://texts.example.org"
    seen: list[bool] = []
    app = Flask(__name__)

    @app.post("/<path:_>")
    def hear(_: str) -> tuple[str, int]:
        raw = request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]
        header = request.headers.get("X-Twilio-Signature", "")
        seen.append(provider().verify(f"{public}{raw}", request.form, header))
        return "", 204

    signed = signature(f"{public}{path}", {"Body": "Sí & adiós+", "ErrorCode": ""}, "12345")
    body = b"Body=S%C3%AD+%26+adi%C3%B3s%2B&ErrorCode="
    with listening(app) as base:
        for header in ({"X-Twilio-Signature": signed}, {}):
            with urlopen(Request(f"{base}{path}", body, header)) as answer:  # noqa: S310 - loopback
                assert answer.status == 204
    # Twilio signs an address without the bare `?`, or with it: the library drops it before it compares.
    assert seen == [not path.endswith("?"), False]
