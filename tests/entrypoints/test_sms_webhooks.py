"""The SMS provider's webhooks: what is signed is kept, everything else leaves no trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from twilio.request_validator import RequestValidator

from integration.adapters.sms.twilio import TwilioAccount, build
from integration.adapters.write_back.log_only import LogOnlyMode
from integration.domain.clock import RealClock
from integration.entrypoints.sms_webhooks import MOST_BYTES, sms_webhooks
from integration.ports.workshop import Workshop
from integration.testing.store import FakeStore
from tests.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.test import TestResponse

    from integration.domain.conversation import Reply
    from integration.ports.store import Callback

PUBLIC = "https://texts.example.org/clinic"
TOKEN, OLD_TOKEN = "new-auth-token", "old-auth-token"
STATUS = "/sms/twilio/status/tok-1"
REPLY = "/sms/twilio/reply"
DELIVERED = {"MessageSid": "SM1", "MessageStatus": "delivered", "ErrorCode": "", "To": "+16175550123"}
TEXTED = {"MessageSid": "SM2", "From": "+16175550123", "To": "+15005550006", "Body": "C", "NumMedia": "0"}


@dataclass
class Door:
    """The web app with one SMS provider behind it."""

    store: FakeStore = field(default_factory=FakeStore)
    knocks: list[str] = field(default_factory=list)
    auth_tokens: tuple[str, ...] = (TOKEN, OLD_TOKEN)

    def __post_init__(self) -> None:
        account = TwilioAccount("AC1", self.auth_tokens, "+15005550006", None, "http://127.0.0.1:1", {})
        self.workshop = Workshop(
            store=self.store,
            sms=build(account),
            write_back=LogOnlyMode(),
            clock=RealClock(),
            settings=settings(catalogs={}),
            public_base_url=PUBLIC,
            new_token=lambda: "token",
            random=lambda: 0.0,
            knock=self.knocks.append,
        )
        app = Flask(__name__)
        app.register_blueprint(sms_webhooks(self.workshop))
        self.client = app.test_client()

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        token: str | None = TOKEN,
        signed_url: str | None = None,
        **options: Any,
    ) -> TestResponse:
        headers = {}
        if token is not None:
            signature = RequestValidator(token).compute_signature(signed_url or PUBLIC + path, dict(form))
            headers["X-Twilio-Signature"] = signature
        return self.client.post(
            path,
            data=urlencode(form),
            content_type="application/x-www-form-urlencoded; charset=UTF-8",
            headers=headers,
            **options,
        )

    @property
    def callbacks(self) -> list[Callback]:
        with self.store.unit() as unit:
            return list(unit.callbacks.claim(100))

    @property
    def replies(self) -> list[Reply]:
        return list(self.store.tables.replies.values())


@pytest.fixture
def door() -> Door:
    return Door()


def test_a_signed_status_is_kept_as_it_came_and_answered_204(door: Door) -> None:
    answer = door.post(STATUS, DELIVERED)

    assert (answer.status_code, answer.data) == (204, b"")
    [callback] = door.callbacks
    assert (callback.provider, callback.token, callback.form) == ("twilio", "tok-1", urlencode(DELIVERED))
    assert door.knocks == ["track"]


def test_a_signed_reply_is_kept_and_answered_with_nothing_to_say(door: Door) -> None:
    answer = door.post(REPLY, TEXTED)

    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response />'
    [reply] = door.replies
    assert (reply.number, reply.to_number, reply.body) == ("+16175550123", "+15005550006", "C")
    assert (reply.intent, reply.done) == (None, False)
    assert door.knocks == ["reply"]


def test_the_same_text_twice_is_kept_once_and_answered_alike(door: Door) -> None:
    answers = [door.post(REPLY, TEXTED).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert len(door.replies) == 1


def test_two_texts_without_an_id_are_two_texts(door: Door) -> None:
    nameless = TEXTED | {"MessageSid": ""}
    door.post(REPLY, nameless)
    door.post(REPLY, nameless | {"Body": "R"})

    assert [reply.body for reply in door.replies] == ["C", "R"]


@pytest.mark.parametrize(("path", "form"), [(STATUS, DELIVERED), (REPLY, TEXTED)], ids=["status", "reply"])
@pytest.mark.parametrize("token", ["somebody-elses", None], ids=["forged", "unsigned"])
def test_what_is_not_signed_by_the_provider_is_refused_and_leaves_no_trace(
    door: Door, path: str, form: dict[str, str], token: str | None
) -> None:
    assert door.post(path, form, token=token).status_code == 403
    assert not door.callbacks
    assert not door.replies
    assert not door.knocks


def test_a_form_changed_on_the_way_is_refused(door: Door) -> None:
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + STATUS, DELIVERED)
    answer = door.client.post(
        STATUS,
        data=urlencode(DELIVERED | {"MessageStatus": "failed"}),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )

    assert answer.status_code == 403
    assert not door.callbacks


@pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN])
def test_during_a_rotation_the_new_and_the_old_token_both_verify(door: Door, token: str) -> None:
    assert door.post(STATUS, DELIVERED, token=token).status_code == 204


def test_after_a_rotation_the_old_token_verifies_nothing() -> None:
    door = Door(auth_tokens=(TOKEN,))

    assert door.post(STATUS, DELIVERED, token=OLD_TOKEN).status_code == 403


@pytest.mark.parametrize("query", ["?t=abc%2Fdef", "?t=caf%C3%A9", "?a=1&b=&a=2", "?t=a%20b+c"], ids=str)
def test_the_signature_covers_the_raw_address(door: Door, query: str) -> None:
    assert door.post(STATUS + query, DELIVERED).status_code == 204


def test_a_request_line_with_the_whole_address_is_understood(door: Door) -> None:
    answer = door.post(
        STATUS,
        DELIVERED,
        environ_overrides={"REQUEST_URI": f"http://inside.example.org:8080{STATUS}?x=%2F"},
        signed_url=f"{PUBLIC}{STATUS}?x=%2F",
    )

    assert answer.status_code == 204


def test_a_server_that_keeps_no_raw_address_still_serves(door: Door) -> None:
    answer = door.post(STATUS, DELIVERED, environ_overrides={"REQUEST_URI": "", "RAW_URI": ""})

    assert answer.status_code == 204


def test_the_address_of_the_request_itself_proves_nothing(door: Door) -> None:
    answer = door.post(STATUS, DELIVERED, signed_url=f"http://localhost{STATUS}")

    assert answer.status_code == 403


def test_a_status_of_an_unknown_token_is_kept_too(door: Door) -> None:
    assert door.post("/sms/twilio/status/never-ours", DELIVERED).status_code == 204
    assert [callback.token for callback in door.callbacks] == ["never-ours"]


def test_an_unknown_provider_is_not_found(door: Door) -> None:
    assert door.post("/sms/pigeon/reply", TEXTED).status_code == 404
    assert door.post("/sms/pigeon/status/tok-1", DELIVERED).status_code == 404


def test_a_form_larger_than_any_text_is_not_read(door: Door) -> None:
    large = TEXTED | {"Body": "x" * MOST_BYTES}

    assert door.post(REPLY, large).status_code == 413
    assert not door.replies


def test_without_a_store_the_provider_is_asked_to_come_again(door: Door) -> None:
    door.store.away = True
    assert [door.post(STATUS, DELIVERED).status_code, door.post(REPLY, TEXTED).status_code] == [503, 503]
    assert not door.knocks

    door.store.away = False
    assert [door.post(STATUS, DELIVERED).status_code, door.post(REPLY, TEXTED).status_code] == [204, 200]
    assert (len(door.callbacks), len(door.replies)) == (1, 1)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+16175550123", "+16175550123"),
        ("+1 (617) 555-0123", "+16175550123"),
        ("24273", "24273"),
        ("CLINIC", "CLINIC"),
        ("", ""),
    ],
)
def test_numbers_are_kept_in_one_form_where_they_have_one(door: Door, written: str, kept: str) -> None:
    door.post(REPLY, TEXTED | {"From": written})

    assert [reply.number for reply in door.replies] == [kept]


def test_what_the_provider_has_answered_itself_is_known(door: Door) -> None:
    door.post(REPLY, TEXTED | {"Body": "STOP", "OptOutType": "STOP"})

    assert [reply.keyword_handled for reply in door.replies] == ["stop"]


def test_only_posts_are_heard(door: Door) -> None:
    assert door.client.get(REPLY).status_code == 405
