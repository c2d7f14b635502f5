"""Reads tables of a mapping and notes what is missing, unknown or of the wrong kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integration.domain.text_template import choices

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class TableReader:
    """Fills `mistakes` as it reads; every sentence begins with the key it is about."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def table(self, key: str, within: Mapping[str, Any], where: str = "") -> Mapping[str, Any]:
        """The table under a key, empty when it is missing."""
        value = within.get(key)
        if isinstance(value, dict):
            return value
        self.mistakes.append(f"{where or key}: missing; must be a table")
        return {}

    def string(self, where: str, within: Mapping[str, Any], *, empty: bool = False) -> str:
        """The text under the last step of the key `where`; "" when it is missing."""
        value = within.get(where.rpartition(".")[2])
        if isinstance(value, str) and (empty or value.strip()):
            return value
        self.mistakes.append(f"{where}: missing; must be a text")
        return ""

    def known_keys(self, where: str, table: Mapping[str, Any], allowed: Collection[str]) -> Mapping[str, Any]:
        """The same table, its unknown keys noted."""
        prefix = f"{where}." if where else ""
        for key in table:
            if key not in allowed:
                self.mistakes.append(f"{prefix}{key}: unknown key; {choices(key, allowed)}")
        return table

    def report(self, where: str, mistakes: Iterable[str]) -> None:
        """Note what is wrong with one key."""
        self.mistakes += [f"{where}: {mistake}" for mistake in mistakes]
