"""A figure, its target, and its peers: one line each."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured; `at_most` says on which side of the target it should lie."""

    what: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = True
    peers: Mapping[str, float] | None = None  # by name, in the same unit
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the target is."""
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target

    def __str__(self) -> str:
        """The line: what | figure | target | ratio to peer."""
        target = "-"
        if self.target is not None:
            target = f"{'≤' if self.at_most else '≥'} {_short(self.target)} {self.unit}"
            target += "" if self.reached else "  MISSED"
        ratios = ", ".join(
            f"{_times(theirs / self.value if self.at_most else self.value / theirs)} x {name}"
            for name, theirs in (self.peers or {}).items()
        )
        last = "; ".join(filter(None, (ratios, self.note))) or "-"
        return f"{self.what} | {_short(self.value)} {self.unit} | {target} | {last}"


def show(figures: Iterable[Figure]) -> list[Figure]:
    """Print each as soon as it is known."""
    shown = []
    for figure in figures:
        print(figure, flush=True)
        shown.append(figure)
    return shown


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median(values: Iterable[float]) -> float:
    """The one in the middle."""
    return statistics.median(values)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.2g}"
