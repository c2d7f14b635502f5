"""What the pipeline asks of a store about its breakers: what has stopped until a person lets it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class BreakerRows(Protocol):
    """One row a breaker that was ever open; `Store` opens and releases them."""

    def open(self) -> Mapping[str, str]:
        """The open ones by name, each with its reason."""

    def released(self) -> Mapping[str, datetime]:
        """The closed ones, each with the time (calendar) of its last release."""
