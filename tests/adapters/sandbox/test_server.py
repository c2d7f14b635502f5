"""The sandbox's server: this machine only, connections kept or dropped, and light to import."""

from __future__ import annotations

import base64
import http.client
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from integration.sandbox.behaviour import ACCOUNT, TOKEN
from integration.sandbox.emulator import Emulator
from integration.sandbox.exchange import Exchange
from integration.sandbox.faults import Fault
from integration.sandbox.server import MOST_BODY, WIRE, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD = "/sandbox/record"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(Exchange()) as running:
        yield running


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    yield opened
    opened.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.168.0.1", "example.org"])  # noqa: S104 - refused
def test_it_binds_to_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        Emulator(Exchange(), host=host)


def test_a_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", RECORD)
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
    assert connection.sock is first


def test_a_refused_form_leaves_the_connection_in_order(connection: http.client.HTTPConnection) -> None:
    path = "/2010-04-01/Accounts/AC0/Messages.json"
    connection.request("POST", path, body=b"To=x&Body=" + b"y" * 50_000)
    assert connection.getresponse().read().startswith(b"{")
    connection.request("GET", RECORD)
    assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: %d" % (MOST_BODY + 1), b"413"),
        (b"Content-Length: " + b"9" * 5000, b"413"),
        (b"Content-Length: -1", b"411"),
        (b"Transfer-Encoding: chunked", b"411"),
    ],
)
def test_a_body_too_large_or_of_unknown_length_is_refused(
    emulator: Emulator, head: bytes, status: bytes
) -> None:
    host, _, port = emulator.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"POST /sandbox/reset HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
        assert raw.recv(100).split()[1] == status


def test_a_head_request_has_no_body(connection: http.client.HTTPConnection) -> None:
    connection.request("HEAD", RECORD)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")


@pytest.mark.parametrize("wire", ["drop", "truncate"])
def test_an_answer_can_be_withheld_or_cut_short(wire: str) -> None:
    def app(environ, start_response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - WSGI
        environ[WIRE] = wire
        start_response("200 OK", [])
        return [b"0123456789"]

    server = LoopbackServer(app)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.handle_request()
        heard = b""
        while piece := raw.recv(1000):
            heard += piece
    server.server_close()
    assert heard.endswith(b"\r\n\r\n01234" if wire == "truncate" else b"")
    assert (heard == b"") is (wire == "drop")


def test_after_it_stopped_nobody_is_connected_and_nobody_can_be() -> None:
    emulator = Emulator(Exchange()).start()
    host, _, port = emulator.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as waiting:
        waiting.sendall(b"GET /sandbox/record HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert waiting.recv(20).startswith(b"HTTP/1.1 200")
        emulator.stop()
        while waiting.recv(65_536):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=10)


def test_one_that_was_never_started_can_be_stopped() -> None:
    Emulator(Exchange()).stop()


def test_a_slow_answer_holds_nobody_else_up_and_ends_with_the_sandbox(
    emulator: Emulator, connection: http.client.HTTPConnection
) -> None:
    emulator.exchange.faults.order(Fault.read({"kind": "slow", "seconds": 100, "on": "list"}))
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    proof = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    connection.request("GET", path, headers={"Authorization": f"Basic {proof}"})
    with urlopen(emulator.url + RECORD, timeout=10) as answer:  # noqa: S310 - loopback
        assert answer.status == 200
    emulator.exchange.stop()
    assert connection.getresponse().status == 200


def test_importing_it_loads_neither_the_library_nor_an_http_client() -> None:
    heavy = "twilio requests httpx phonenumbers pydantic sqlalchemy cryptography"
    program = (
        "import sys, integration.sandbox.emulator\n"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
