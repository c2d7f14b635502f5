"""A strict authorization server on loopback: verifies client assertions to the letter, fails on demand."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.adapters.ehr.on_loopback import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class _Refused(Exception):
    """The OAuth error code, and what a test would like to know."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


@dataclass
class TokenServer:
    """What it knows of its only client, its manners, and what it has seen."""

    now: datetime
    client_id: str = "texts"
    jwks: Any = None
    algorithms: list[str] | None = field(default_factory=lambda: ["RS384", "ES384"])
    capabilities: list[str] = field(
        default_factory=lambda: ["client-confidential-asymmetric", "permission-v2"]
    )
    statement: dict[str, Any] | None = None
    grants: str | None = None  # this scope, whatever is asked for; None: all that is asked for
    expires_in: Any = 300
    shows_configuration: bool = True
    token_endpoint: str | None = None  # what the configuration says; None: the truth
    answers: deque[tuple[int, Mapping[str, str], Any]] = field(default_factory=deque)  # instead of tokens
    date: str | None = None
    # seen
    root: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    discoveries: int = 0
    issued: int = 0
    lock: Lock = field(default_factory=Lock)
    _jtis: set[str] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"{self.root}/fhir"

    def get(self, path: str) -> tuple[int, Any]:
        if path == "/fhir/.well-known/smart-configuration" and self.shows_configuration:
            self.discoveries += 1
            said: dict[str, Any] = {
                "token_endpoint": self.token_endpoint or f"{self.root}/token",
                "capabilities": self.capabilities,
            }
            if self.algorithms is not None:
                said["token_endpoint_auth_signing_alg_values_supported"] = self.algorithms
            return 200, said
        if path == "/fhir/metadata" and self.statement is not None:
            return 200, self.statement
        return 404, None

    def token(self, form: dict[str, str], content_type: str) -> tuple[int, Mapping[str, str], Any]:
        with self.lock:
            self.asked.append(form)
            if self.answers:
                return self.answers.popleft()
            try:
                self._verify(form, content_type)
            except _Refused as refused:
                self.refusals.append(refused.why)
                said = {"error": refused.code, "error_description": f"Secret words about {form}"}
                return 400, {}, said
            self.issued += 1
            said = {"access_token": f"token-{self.issued}", "token_type": "bearer"}
            if self.expires_in is not None:
                said["expires_in"] = self.expires_in
            granted = form["scope"] if self.grants is None else self.grants
            return 200, {"Cache-Control": "no-store"}, said | ({"scope": granted} if granted else {})

    def _verify(self, form: dict[str, str], content_type: str) -> None:
        wanted = {"grant_type", "client_assertion_type", "client_assertion", "scope"}
        if content_type != "application/x-www-form-urlencoded" or set(form) != wanted:
            raise _Refused("invalid_request", "not the form SMART asks for")
        if (form["grant_type"], form["client_assertion_type"]) != ("client_credentials", ASSERTION_TYPE):
            raise _Refused("unsupported_grant_type", "grant_type or client_assertion_type")
        try:
            token = jwt.decode(
                form["client_assertion"], KeySet.import_key_set(self.jwks), algorithms=self.algorithms
            )
        except (JoseError, ValueError) as error:
            raise _Refused("invalid_client", f"signature ({type(error).__name__})") from None
        self.headers.append(token.header)
        self.claims.append(token.claims)
        if set(token.header) != {"alg", "kid", "typ"} or token.header["typ"] != "JWT":
            raise _Refused("invalid_client", "header")
        if set(token.claims) != {"iss", "sub", "aud", "exp", "jti"}:
            raise _Refused("invalid_client", "claims")
        if (token.claims["iss"], token.claims["sub"]) != (self.client_id, self.client_id):
            raise _Refused("invalid_client", "iss or sub")
        if token.claims["aud"] != f"{self.root}/token":
            raise _Refused("invalid_client", "aud")
        if not 0 < token.claims["exp"] - self.now.timestamp() <= 300:
            raise _Refused("invalid_client", "exp")
        jti = token.claims["jti"]
        if not isinstance(jti, str) or len(jti) > 151 or jti in self._jtis:
            raise _Refused("invalid_client", "jti")
        self._jtis.add(jti)


@contextmanager
def serving(server: TokenServer) -> Iterator[TokenServer]:
    """It listens on 127.0.0.1 until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, said = server.get(self.path)
            self._answer(status, {}, said)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
            self._answer(*server.token(form, self.headers["Content-Type"]))

        def _answer(self, status: int, headers: Mapping[str, str], said: Any) -> None:
            body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response_only(status)
            self.send_header("Date", server.date or formatdate(server.now.timestamp(), usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with on_loopback(Handler) as server.root:
        yield server
