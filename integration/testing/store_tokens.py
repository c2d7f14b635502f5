"""What the fake store keeps of the EHR's access tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.testing.store_tables import as_stored

if TYPE_CHECKING:
    from datetime import datetime

    from integration.ports.ehr_store import AccessToken
    from integration.testing.store_tables import Tables


class FakeTokenRows:
    """See `integration.ports.ehr_store.TokenRows`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, name: str) -> AccessToken | None:
        """As it is."""
        return self._tables.tokens.get(name)

    def claim_refresh(self, name: str, now: datetime, lease_until: datetime) -> bool:
        """Unless another's lease goes on."""
        leased = self._tables.token_leases.get(name)
        if leased is not None and leased > now:
            return False
        self._tables.token_leases[name] = lease_until
        return True

    def save(self, name: str, token: AccessToken) -> None:
        """Instead of the one there is."""
        self._tables.tokens[name] = as_stored(token)
        self._tables.token_leases.pop(name, None)

    def rest(self, name: str, until: datetime) -> None:
        """As a lease that nobody holds."""
        self._tables.token_leases[name] = until

    def drop(self, name: str, value: str) -> None:
        """If it is that one."""
        kept = self._tables.tokens.get(name)
        if kept is not None and kept.value == value:
            del self._tables.tokens[name]
