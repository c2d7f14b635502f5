"""One request for an access token, and what its answer means (RFC 6749, 4.4 and 5; SMART Backend Services).

Of an error only its code is repeated, with what a person can do about it: a server's own words may quote
anything. Our clock is compared with the server's, as an assertion from the future or the past is refused.
"""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from integration.adapters.ehr.client_assertion import client_assertion
from integration.adapters.ehr.fhir_answers import retry_after
from integration.ports.ehr import TryLater
from integration.ports.ehr_store import AccessToken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from integration.adapters.ehr.open_http import Answer, OpenHttp
    from integration.adapters.ehr.signing_keys import SigningKey

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_OK: Final = 200
DEFAULT_LIFE: Final = 300  # seconds, the longest SMART recommends
_LONGEST_LIFE: Final = 86_400
_MARGIN: Final = 60  # seconds, in which a token is replaced before its end
_SKEW: Final = timedelta(seconds=60)
_REST: Final = timedelta(minutes=1)  # after a refusal: a person has to change something

# The server's error → what a person can do (RFC 6749, 5.2)
ADVICE: Final = {
    "invalid_client": "it does not know EHR_CLIENT_ID, or not our key: is the client active there, and does "
    "it have our /.well-known/jwks.json (`appointment-texts keys show`)?",
    "invalid_scope": "it does not grant these scopes: see `appointment-texts ehr check`, register them "
    "there, or name those it grants in EHR_SCOPES",
    "unauthorized_client": "the client may not use client_credentials: register it for backend services",
    "unsupported_grant_type": "it offers no backend services (client_credentials)",
    "invalid_request": "it does not take our request: does it know the client as one with a public key?",
    "invalid_grant": "it does not take our assertion",
}


def request_token(
    http: OpenHttp,
    token_endpoint: str,
    *,
    client_id: str,
    key: SigningKey,
    scope: str,
    now: datetime,
    jti: str,
) -> AccessToken | TryLater:
    """Ask for a token once."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": _ASSERTION_TYPE,
        "client_assertion": client_assertion(key, client_id, token_endpoint, now, jti),
        "scope": scope,
    }
    answer = http.post(token_endpoint, form)
    if isinstance(answer, TryLater):
        return TryLater(f"the EHR's token endpoint: {answer.reason}")
    said = answer.json if isinstance(answer.json, dict) else {}
    if answer.status == _OK:
        return _granted(said, scope, now)
    if answer.is_busy:
        rest = retry_after(answer.headers.get("retry-after", ""), now)
        return TryLater(f"the EHR's token endpoint is away or busy: HTTP {answer.status}", rest)
    return TryLater(_refusal(answer, said) + _clocks(answer, now), _REST)


def _granted(said: Mapping[str, Any], asked: str, now: datetime) -> AccessToken | TryLater:
    value, kind, scope = said.get("access_token"), said.get("token_type"), said.get("scope")
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
        return TryLater("the EHR's token endpoint answers without a token", _REST)
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return TryLater("the EHR's token endpoint answers with a token that is no bearer token", _REST)
    life = _seconds(said.get("expires_in"))
    # One that lives hardly longer than the margin is used for half its life.
    ends = now + timedelta(seconds=max(life, life // 2 + _MARGIN))
    # Without a scope in the answer all is granted (RFC 6749, 5.1).
    return AccessToken(value, ends, scope if isinstance(scope, str) and scope else asked)


def _seconds(said: Any) -> int:
    """`expires_in`, which some servers write as a string."""
    try:
        return min(max(int(said), 0), _LONGEST_LIFE)
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_LIFE


def _refusal(answer: Answer, said: Mapping[str, Any]) -> str:
    code = said.get("error")
    if isinstance(code, str) and code in ADVICE:
        return f"the EHR gives no token ({code}): {ADVICE[code]}"
    if 300 <= answer.status < 400:  # noqa: PLR2004 - RFC 9110, 15.4
        return "the EHR's token endpoint redirects, which is not followed: assertions go nowhere else"
    return f"the EHR gives no token: HTTP {answer.status}"


def _clocks(answer: Answer, now: datetime) -> str:
    """A hint where the server's clock and ours are too far apart."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        apart = now - theirs
    except (TypeError, ValueError):
        return ""
    if abs(apart) <= _SKEW:
        return ""
    which = "ahead of" if apart > timedelta(0) else "behind"
    return f"; this machine's clock is {abs(apart) // timedelta(seconds=1)} s {which} the server's"
