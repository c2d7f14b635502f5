"""Gets access tokens as SMART Backend Services has it: a signed assertion for a token, and the token for all.

The token lies sealed in the store; who finds it near its end fetches the next one under a lease, and the
others use the old one while it lives. A token the EHR refuses is dropped once a minute at most: a server that
refuses every token is not asked for one after another.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

import structlog

from integration.adapters.ehr.open_http import OpenHttp
from integration.adapters.ehr.scopes import Needs, missing_scopes, spelled
from integration.adapters.ehr.signing_keys import signer
from integration.adapters.ehr.smart_discovery import REST, AuthorizationServer, discover
from integration.adapters.ehr.token_request import request_token
from integration.domain.clock import wall_now
from integration.ports.ehr import TryLater
from integration.ports.ehr_store import AccessToken
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from integration.adapters.ehr.signing_keys import KeyRing
    from integration.ports.store import Store

MARGIN: Final = timedelta(seconds=60)  # a token is replaced this long before its end
LEASE: Final = timedelta(minutes=2)  # longer than discovery and a token request may take together
SHORTLY: Final = timedelta(seconds=5)
AFTER_TROUBLE: Final = timedelta(seconds=30)  # nobody asks again before, unless the server says when
ONE_DROP: Final = timedelta(minutes=1)
KNOWN_FOR: Final = timedelta(days=1)  # what the server says of itself
_JTI_BYTES: Final = 24

# Without a token the EHR is as good as away: facts wait without being counted as failed one by one.
_NONE_NOW: Final = TryLater("the EHR's token is being fetched, or none could be had", SHORTLY)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Registration:
    """As whom, and for what, the EHR knows us."""

    base_url: str  # of the FHIR server, without a trailing slash
    client_id: str
    scopes: tuple[str, ...] = ()  # asked for as they are; empty: those our settings need


class SmartBackend:
    """See `authorization.Authorization`; threads and processes share one token."""

    def __init__(
        self,
        registration: Registration,
        keys: KeyRing,
        needs: Needs,
        store: Store,
        *,
        wall: Callable[[], datetime] = wall_now,
        new_jti: Callable[[], str] = lambda: secrets.token_urlsafe(_JTI_BYTES),
    ) -> None:
        self._registration = registration
        self._keys = keys
        self._needs = needs
        self._store = store
        self._wall = wall
        self._new_jti = new_jti
        self._http = OpenHttp()
        self._lock = Lock()
        self._held: AccessToken | None = None
        self._dropped_at: datetime | None = None
        self._server: tuple[AuthorizationServer, datetime] | None = None
        self._trouble: TryLater | None = None  # why the last fetch of ours did not succeed
        self._told_of: tuple[str, ...] = ()

    def token(self) -> str | TryLater | None:
        """The one all share, or a new one."""
        held = self._held
        if held is not None and self._is_fresh(held):
            return held.value
        if held is not None and self._lives(held) and self._lock.locked():
            return held.value  # another thread is at it
        with self._lock:
            try:
                return self._shared()
            except StoreUnavailable:
                return TryLater("the store, where the EHR's token is, does not answer", SHORTLY, away=False)

    def refused(self, token: str) -> bool:
        """Drop it, unless one has been dropped a moment ago."""
        with self._lock:
            if self._held is not None and self._held.value != token:
                return True  # another thread has been here, and there is a newer one
            now = self._wall()
            if self._dropped_at is not None and now - self._dropped_at < ONE_DROP:
                return False
            self._dropped_at, self._held = now, None
            try:
                with self._store.unit() as unit:
                    unit.tokens.drop(self.name(), token)
            except StoreUnavailable:
                return False
            _log.warning("ehr_token_refused", client=self._registration.client_id)
            return True

    def need(self, needs: Needs) -> None:
        """Other settings need other scopes: from the next token on."""
        with self._lock:
            if needs.letters(None) != self._needs.letters(None):
                self._needs, self._held = needs, None

    def name(self) -> str:
        """One token for each server, client and purpose: other scopes are another token."""
        wanted = self._registration.scopes or sorted(self._needs.letters(None).items())
        digest = hashlib.sha256(repr(wanted).encode()).hexdigest()[:16]
        return f"{self._registration.base_url} {self._registration.client_id} {digest}"

    def describe(self) -> list[str]:
        """For a person: who we are to the EHR, what we ask for, and what of it is not granted.

        A token is asked for unless there is one. Raises `StoreUnavailable`.
        """
        token = self.token()
        with self._lock:
            server = self._described()
            if isinstance(server, TryLater):
                return [f"SMART Backend Services: {server.reason}"]
            key = signer(self._keys.current(), server.algorithms, self._wall())
            with self._store.reading() as unit:
                kept = unit.tokens.get(self.name())
            lines = [
                f"SMART Backend Services: client {self._registration.client_id} at {server.token_endpoint}",
                "no key of ours is among the algorithms it verifies"
                if key is None
                else f"signs with {key.algorithm}, kid {key.kid}",
                f"asks for: {self._scope(server)}",
            ]
            if isinstance(token, TryLater):
                lines.append(f"no token: {token.reason}")
            elif kept is not None:
                lacking = missing_scopes(kept.scope, self._scope(server))
                lines.append(f"not granted: {' '.join(lacking)}" if lacking else "all of that is granted")
            return lines

    def missing(self) -> tuple[str, ...]:
        """What we need for certain and was not granted, by the token there is; nobody is asked for one."""
        with self._store.reading() as unit:
            kept = unit.tokens.get(self.name())
        certain = " ".join(self._registration.scopes) or self._needs.letters({})
        return () if kept is None else missing_scopes(kept.scope, certain)

    def close(self) -> None:
        """Let go of all connections."""
        self._http.close()

    def _shared(self) -> str | TryLater:
        """The store's token; a new one when that is near its end and nobody else is at it."""
        name, now = self.name(), self._wall()
        with self._store.unit() as unit:
            kept = unit.tokens.get(name)
            if kept is not None and self._is_fresh(kept):
                self._held = kept
                return kept.value
            may = unit.tokens.claim_refresh(name, now, now + LEASE)
        self._held = kept
        if may:
            trouble = self._fetch(name)
            if trouble is None and self._held is not None:
                return self._held.value
        else:
            trouble = self._trouble or _NONE_NOW
        if kept is not None and self._lives(kept):
            return kept.value
        return trouble or _NONE_NOW

    def _fetch(self, name: str) -> TryLater | None:
        """A new token, into the store and into our hand; else why not."""
        try:
            outcome = self._ask()
        except Exception as error:  # noqa: BLE001 - whatever a strange answer trips must not keep the lease
            outcome = TryLater(f"the EHR's token cannot be fetched ({type(error).__name__})", REST)
        self._trouble = outcome if isinstance(outcome, TryLater) else None
        if isinstance(outcome, TryLater):
            self._server = None
            _log.warning("ehr_token_unavailable", reason=outcome.reason)
            with self._store.unit() as unit:
                unit.tokens.rest(name, self._wall() + (outcome.after or AFTER_TROUBLE))
            return outcome
        self._held = outcome  # at hand, should the store be away now
        with self._store.unit() as unit:
            unit.tokens.save(name, outcome)
        return None

    def _ask(self) -> AccessToken | TryLater:
        server = self._described()
        if isinstance(server, TryLater):
            return server
        key = signer(self._keys.current(), server.algorithms, self._wall())
        if key is None:
            understood = " or ".join(sorted(server.algorithms or ()))
            return TryLater(
                f"the EHR verifies {understood}: make a key for it (`appointment-texts keys new`)", REST
            )
        scope = self._scope(server)
        outcome = request_token(
            self._http,
            server.token_endpoint,
            client_id=self._registration.client_id,
            key=key,
            scope=scope,
            now=self._wall(),
            jti=self._new_jti(),
        )
        if isinstance(outcome, AccessToken):
            self._tell_of(missing_scopes(outcome.scope, scope))
        return outcome

    def _described(self) -> AuthorizationServer | TryLater:
        """What the server says of itself, remembered for a day."""
        now = self._wall()
        if self._server is None or now >= self._server[1]:
            found = discover(self._http, self._registration.base_url)
            if isinstance(found, TryLater):
                return found
            self._server = found, now + KNOWN_FOR
        return self._server[0]

    def _scope(self, server: AuthorizationServer) -> str:
        asked = self._registration.scopes
        return " ".join(asked) if asked else spelled(self._needs.letters(server.offers), server.spelling)

    def _tell_of(self, lacking: tuple[str, ...]) -> None:
        """Once for each change."""
        if lacking != self._told_of:
            self._told_of = lacking
            if lacking:
                _log.warning("ehr_scopes_not_granted", scopes=lacking)
            else:
                _log.info("ehr_scopes_granted")

    def _is_fresh(self, token: AccessToken) -> bool:
        return self._wall() < token.expires_at - MARGIN

    def _lives(self, token: AccessToken) -> bool:
        return self._wall() < token.expires_at
