"""The figures of a simulated year, and whether anything was wrong in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PRICE = Decimal("0.0083")
SHOWN = 40  # violations named in full


@dataclass
class Report:
    """What came of one shard, or of all."""

    figures: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    surprises: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)
    moments: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was wrong."""
        return not self.violations and not self.surprises

    def lines(self, seed: int, seconds: float) -> Iterator[str]:
        """As a person reads it."""
        yield f"seed {seed}, {self.moments} moments, {seconds:.0f} seconds"
        for name, count in sorted(self.figures.items()):
            yield f"  {name:32} {count:>9}"
        yield f"  {'price, USD':32} {self.figures['segments'] * PRICE:>9.2f}"
        for name, count in sorted(self.due.items()):
            if name.startswith("due "):
                yield f"  {name:32} {count:>9}"
        for name, count in self.surprises.most_common():
            yield f"  ERROR {name}: {count}"
        yield f"violations: {len(self.violations)}"
        for rule, count in Counter(rule for rule, _ in self.violations).most_common():
            yield f"  {rule}: {count}"
        for rule, what in self.violations[:SHOWN]:
            yield f"    {rule}: {what}"


def together(reports: Iterable[Report]) -> Report:
    """The sum of the shards."""
    total = Report()
    for each in reports:
        total.figures += each.figures
        total.due += each.due
        total.surprises += each.surprises
        total.violations += each.violations
        total.moments += each.moments
    return total
