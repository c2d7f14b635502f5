"""What is known of the lines of numbers, in every store alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.line_type import Line, LineType
from tests.adapters.store.records import ADA, BEN, HOUR, NOW

if TYPE_CHECKING:
    from integration.ports.store import Store


def test_the_newest_answer_about_a_number_counts(store: Store) -> None:
    with store.unit() as unit:
        assert unit.lines.get(ADA) is None
        unit.lines.keep(Line(ADA, NOW))
        unit.lines.keep(Line(BEN, NOW, LineType.LANDLINE))
    with store.unit() as unit:
        assert unit.lines.get(ADA) == Line(ADA, NOW, None)
        unit.lines.keep(Line(ADA, NOW + HOUR, LineType.MOBILE))
    with store.unit() as unit:
        assert unit.lines.get(ADA) == Line(ADA, NOW + HOUR, LineType.MOBILE)
        assert unit.lines.get(BEN) == Line(BEN, NOW, LineType.LANDLINE)
