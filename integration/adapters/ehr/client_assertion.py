"""Signs the JWT by which the EHR's authorization server knows us (SMART, RFC 7523)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from joserfc import jwt

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.ehr.signing_keys import SigningKey

LIFE: Final = timedelta(minutes=4)  # five at most; one is left for a clock of ours that is ahead
LONGEST_JTI: Final = 151  # characters, Epic's limit


def client_assertion(key: SigningKey, client_id: str, token_endpoint: str, now: datetime, jti: str) -> str:
    """A signed assertion for one use at one token endpoint; `jti` must be new each time.

    No `iat` or `nbf`: a server whose clock is behind ours would refuse it. No `jku`: the EHR is told once,
    when we are registered, where our keys are.
    """
    header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_endpoint,
        "exp": int((now + LIFE).timestamp()),
        "jti": jti[:LONGEST_JTI],
    }
    return jwt.encode(header, claims, key.key, algorithms=[key.algorithm])
