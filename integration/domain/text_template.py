"""A text with `{name}` gaps from a closed list: no attributes, no formats, no code.

What fills a gap is never read again, so a name with a brace in it stays a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_GAP: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut at its gaps: words at even places, gap names at odd ones."""

    source: str
    pieces: tuple[str, ...]

    @classmethod
    def parse(cls, source: str) -> Template:
        """Cut a text at its gaps; `mistakes` says whether they are the right ones."""
        return cls(source, tuple(_GAP.split(source)))

    @property
    def gaps(self) -> frozenset[str]:
        """The names of the gaps."""
        return frozenset(self.pieces[1::2])

    @property
    def words(self) -> str:
        """What the text says by itself, a space for each gap."""
        return " ".join(self.pieces[0::2])

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with every gap filled; raises KeyError for a gap without a value."""
        pieces = list(self.pieces)
        pieces[1::2] = [values[name] for name in self.pieces[1::2]]
        return "".join(pieces)

    def mistakes(self, allowed: Collection[str]) -> list[str]:
        """What is wrong with the gaps, one sentence each."""
        found = [
            f"unknown placeholder {{{name}}}; {choices(name, allowed)}"
            for name in dict.fromkeys(self.pieces[1::2])
            if name not in allowed
        ]
        if "{" in self.words or "}" in self.words:
            found.append("a brace without its partner")
        return found


def choices(word: str, allowed: Collection[str]) -> str:
    """What may stand in the place of an unknown word, and which of it was likely meant."""
    names = ", ".join(sorted(allowed)) or "nothing"
    close = get_close_matches(word, list(allowed), n=1)
    return f"allowed: {names}" + (f"; did you mean {close[0]}?" if close else "")
