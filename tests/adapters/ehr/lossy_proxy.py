"""Stands between us and an EHR: hands on every request, and loses some of the answers to creates."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import TYPE_CHECKING

import httpx

from tests.adapters.ehr.on_loopback import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

_HANDED_ON = ("Content-Type", "If-None-Exist", "If-Match", "Prefer", "Accept")
_HANDED_BACK = ("Content-Type", "ETag", "Location", "Last-Modified")


@dataclass
class LossyProxy:
    """Its manners, and what it did."""

    upstream: str  # FHIR base URL
    loses_every: int  # so many creates that were answered 201
    conditional_creates: bool = True  # False: the server offers none, and does not heed them
    base_url: str = ""
    creates: int = 0
    lost: int = 0
    lock: Lock = field(default_factory=Lock)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=30))

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response | None:
        """What the EHR answers; None when that gets lost on the way."""
        if not self.conditional_creates:
            headers.pop("If-None-Exist", None)
        answer = self.http.request(method, f"{self.upstream}{path}", headers=headers, content=body)
        if path == "/metadata" and not self.conditional_creates:
            statement = answer.json()
            for rest in statement["rest"]:
                for resource in rest["resource"]:
                    resource["conditionalCreate"] = False
            return httpx.Response(200, headers={"Content-Type": "application/fhir+json"}, json=statement)
        with self.lock:
            if method == "POST" and answer.status_code == httpx.codes.CREATED:
                self.creates += 1
                if self.creates % self.loses_every == 0:
                    self.lost += 1
                    return None
        return answer


@contextmanager
def lossy(proxy: LossyProxy) -> Iterator[LossyProxy]:
    """It listens on 127.0.0.1 until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: self.headers[name] for name in _HANDED_ON if name in self.headers}
            answer = proxy.answer(self.command, self.path.removeprefix("/fhir"), headers, body)
            if answer is None:
                self.close_connection = True
                return
            with suppress(ConnectionError):
                self.send_response(answer.status_code)
                for name in _HANDED_BACK:
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = _hand_on  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with closing(proxy.http), on_loopback(Handler) as root:
        proxy.base_url = f"{root}/fhir"
        yield proxy
