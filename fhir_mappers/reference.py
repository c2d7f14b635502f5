"""Which resource of the EHR a reference names; a URL counts only under the EHR's own base (SSRF)."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from fhir_mappers.notification import Focus

_TYPE: Final = r"(?P<type>[A-Z][A-Za-z]{2,63})"
_ID: Final = r"(?P<id>[A-Za-z0-9.-]{1,64})"  # FHIR `id`
_LITERAL: Final = re.compile(rf"{_TYPE}/{_ID}(?:/_history/[A-Za-z0-9.-]{{1,64}})?/?")
_SUBSCRIPTION: Final = re.compile(rf"(?:.*/)?Subscription/{_ID}(?:/.*)?", re.DOTALL)
_PORTS: Final = {"http": 80, "https": 443}


def literal(text: str, base: str) -> Focus | None:
    """The resource of `Appointment/7`, or of that under `base`, with or without a version; None if neither.

    `base`: the EHR's base URL without a trailing slash, "" when there is none.
    """
    relative = text
    if ":" in text.partition("/")[0]:
        below = _below(text, base) if base else None
        if below is None:
            return None
        relative = below
    match = _LITERAL.fullmatch(relative)
    if match is None or not match["id"].strip("."):  # "." and ".." are ids by the letter, and paths by nature
        return None
    return Focus(match["type"], match["id"])


def is_foreign(text: str, base: str) -> bool:
    """Whether it is a URL of a server, and not of the EHR's base."""
    return text.startswith(("http://", "https://")) and (not base or _below(text, base) is None)


def by_identifier(reference: Mapping[str, Any], default_type: str) -> Focus | None:
    """The resource that a Reference without a literal one names by identifier (system and value)."""
    identifier = reference.get("identifier")
    if not isinstance(identifier, dict):
        return None
    system, value = identifier.get("system"), identifier.get("value")
    kind = reference.get("type")
    kind = kind if isinstance(kind, str) and kind else default_type
    if not isinstance(value, str) or not value or re.fullmatch(_TYPE, kind) is None:
        return None
    return Focus(kind, identifier=f"{system if isinstance(system, str) else ''}|{value}")


def subscription_id(text: str) -> str:
    """The id in a reference to a Subscription, wherever it lies: it is compared, never followed."""
    match = _SUBSCRIPTION.fullmatch(text)
    return "" if match is None else match["id"]


def _below(text: str, base: str) -> str | None:
    """What of a URL follows the base; None when it does not lie there."""
    try:
        there, home = urlsplit(text), urlsplit(base)
        same = (there.scheme, there.hostname, there.port or _PORTS.get(there.scheme)) == (
            home.scheme,
            home.hostname,
            home.port or _PORTS.get(home.scheme),
        )
    except ValueError:
        return None
    if not same or there.username or there.password or there.query or there.fragment:
        return None
    path = home.path.rstrip("/") + "/"
    return there.path.removeprefix(path) if there.path.startswith(path) else None
