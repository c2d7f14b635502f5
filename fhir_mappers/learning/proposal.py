"""A proposal under way: lines that are decided, remarks for a person, and how both are written."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import Final

TWICE: Final = 2  # what was seen once may be an accident
# A word that denies something means nothing to us.
_DENIES: Final = re.compile(r"\b(not|un\w+|non|kein\w*|sans)\b")


@dataclass(slots=True)
class Proposal:
    """Lines of a profile and remarks, each by the table they stand in; '' is what stands before any table."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    feed: list[str] = field(default_factory=list)  # for the feed's own file
    seen: list[str] = field(default_factory=list)

    def set(self, table: str, line: str) -> None:
        """Decide something."""
        self.lines.setdefault(table, []).append(line)

    def remark(self, table: str, *lines: str) -> None:
        """Say what a person must look at."""
        self.remarks.setdefault(table, []).extend(lines)


def counted(counts: Mapping[str, int]) -> str:
    """`Booked 12, Sched 3`, the most frequent first."""
    return ", ".join(f"{word} {count}" for word, count in Counter(counts).most_common()) or "none"


def quoted(words: Iterable[str]) -> str:
    """A list of TOML."""
    return f"[{', '.join(dumps(word, ensure_ascii=False) for word in words)}]"


def meaning_of(word: str, table: Iterable[tuple[str, re.Pattern[str]]]) -> str | None:
    """What a word says by itself, by the first pattern it matches; None when it says nothing or denies."""
    word = word.casefold()
    if _DENIES.search(word):
        return None
    return next((meaning for meaning, pattern in table if pattern.search(word)), None)
