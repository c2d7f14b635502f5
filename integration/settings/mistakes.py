"""What is wrong with a configuration: every mistake at once, each with its file, its key and its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One of them. `text` never holds a value that may be a person's."""

    file: str  # as the integration engineer knows it: feeds/main.toml, or "environment"
    key: str  # as TOML writes it: locations.RIVER.practice; "" for the file as a whole
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.text) if part)


class ConfigError(Exception):
    """The configuration cannot be used; its words list every mistake, one a line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))
