"""How a request to the EHR says who we are: by a token or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from integration.ports.ehr import TryLater


class Authorization(Protocol):
    """Gives tokens; threads may share it."""

    def token(self) -> str | TryLater | None:
        """The bearer token to send now; None: none is sent. `TryLater` when none can be had at the moment."""

    def refused(self, token: str) -> bool:
        """The server did not take this token (401); whether another may be had by asking `token` again."""


class FixedToken:
    """The same token for ever (EHR_BEARER_TOKEN), or none."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def token(self) -> str | TryLater | None:
        """That one."""
        return self._token

    def refused(self, token: str) -> bool:  # noqa: ARG002 - there is only one
        """There is no other."""
        return False
