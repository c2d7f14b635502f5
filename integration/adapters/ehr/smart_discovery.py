"""Where a FHIR server wants us to fetch tokens, and how it wants to be asked for them (SMART App Launch 2.2).

First its `.well-known/smart-configuration`; a server that has none may say it in its CapabilityStatement, by
the older `oauth-uris` extension. Only https is believed, and this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from integration.adapters.ehr.scopes import offered
from integration.ports.ehr import TryLater
from integration.settings.environment import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration.adapters.ehr.open_http import OpenHttp

_OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_OK: Final = 200
REST: Final = timedelta(minutes=5)  # when what it says is no use; a person has to change something


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """As it describes itself."""

    token_endpoint: str
    algorithms: frozenset[str] | None  # it verifies these; None: it does not say
    spelling: Literal["v1", "v2"]  # of scopes
    offers: Mapping[str, frozenset[str]] | None  # resource type → letters of cruds; None: not to be learnt


def is_safe(url: str) -> bool:
    """Whether what goes there, and what comes from there, is out of strangers' hands."""
    return urlsplit(url).scheme == "https" or is_loopback(url)


def discover(http: OpenHttp, base_url: str) -> AuthorizationServer | TryLater:
    """Ask both; `TryLater` says what is wrong, or that it is away."""
    smart = http.get(f"{base_url}/.well-known/smart-configuration", "application/json")
    if isinstance(smart, TryLater) or smart.is_busy:
        why = smart.reason if isinstance(smart, TryLater) else f"HTTP {smart.status}"
        return TryLater(f"the EHR's smart-configuration cannot be read: {why}")
    said = smart.json if smart.status == _OK and isinstance(smart.json, dict) else {}
    answer = http.get(f"{base_url}/metadata", "application/fhir+json")
    known = not isinstance(answer, TryLater) and answer.status == _OK and isinstance(answer.json, dict)
    statement: dict[str, Any] = answer.json if known and not isinstance(answer, TryLater) else {}
    endpoint = said.get("token_endpoint") or _from_statement(statement)
    if not isinstance(endpoint, str):
        return TryLater(
            "the EHR names no token endpoint, neither in .well-known/smart-configuration nor in its "
            "CapabilityStatement",
            REST,
        )
    if not _is_an_address(endpoint):
        return TryLater("the EHR's token endpoint is no https address: nothing is sent there", REST)
    algorithms = said.get("token_endpoint_auth_signing_alg_values_supported")
    return AuthorizationServer(
        endpoint,
        frozenset(map(str, algorithms)) if isinstance(algorithms, list) and algorithms else None,
        _spelling(said),
        offered(statement) if statement.get("rest") else None,
    )


def _is_an_address(endpoint: str) -> bool:
    try:
        return urlsplit(endpoint).hostname is not None and is_safe(endpoint)
    except ValueError:
        return False


def _spelling(said: Mapping[str, Any]) -> Literal["v1", "v2"]:
    """What it says it can; v2 when both or nothing is said."""
    capabilities = said.get("capabilities")
    known = set(map(str, capabilities)) if isinstance(capabilities, list) else set()
    return "v1" if "permission-v1" in known and "permission-v2" not in known else "v2"


def _from_statement(statement: Mapping[str, Any]) -> str | None:
    for rest in statement.get("rest") or ():
        for extension in (rest.get("security") or {}).get("extension") or ():
            if extension.get("url") == _OAUTH_URIS:
                inner = extension.get("extension") or ()
                return next((each.get("valueUri") for each in inner if each.get("url") == "token"), None)
    return None
