"""A network to try, in process: no server, no pauses between statuses."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from integration.sandbox.behaviour import ACCOUNT, SENDER, TOKEN, Behaviour
from integration.sandbox.exchange import Exchange
from integration.sandbox.twilio import create_app
from tests.adapters.sms_worlds import PATIENT, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


class Api:
    """Twilio's API as a program without a library sees it."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.base = f"/2010-04-01/Accounts/{ACCOUNT}"

    def ask(
        self, method: str, path: str, user: str = ACCOUNT, password: str = TOKEN, **more: Any
    ) -> TestResponse:
        proof = base64.b64encode(f"{user}:{password}".encode()).decode()
        url = path if path.startswith("/") else f"{self.base}/{path}"
        return self.client.open(url, method=method, headers={"Authorization": f"Basic {proof}"}, **more)

    def create(self, **form: Any) -> TestResponse:
        """A create with what every good one has, and `form` instead of it (None: without)."""
        whole = {"To": PATIENT, "From": SENDER, "Body": "hello"} | form
        data = {name: value for name, value in whole.items() if value is not None}
        return self.ask("POST", "Messages.json", data=data)

    def made(self, **form: Any) -> dict[str, Any]:
        """The resource of a create that must go well."""
        answer = self.create(**form)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def fetched(self, sid: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"Messages/{sid}.json").get_json())

    def listed(self, **asked: str) -> dict[str, Any]:
        return dict(self.ask("GET", "Messages.json", query_string=asked).get_json())


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    network = Exchange(behaviour=Behaviour(pace=0.0))
    yield network
    network.stop()


@pytest.fixture
def client(exchange: Exchange) -> FlaskClient:
    return create_app(exchange).test_client()


@pytest.fixture
def api(client: FlaskClient) -> Api:
    return Api(client)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening
