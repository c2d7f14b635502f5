"""A number that the EHR gives anew is free again, should it have been marked as one that takes no texts.

What its holder said (STOP, wrong number) is not the EHR's to take back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.consent import SuppressionKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop


def free_numbers(unit: Unit, workshop: Workshop, given: Mapping[str, datetime]) -> None:
    """Lift the marks that are older than the message which gave the number; one query for a whole batch."""
    marked = unit.numbers.unusable(given)
    for number in sorted(number for number, since in marked.items() if given[number] > since):
        unit.numbers.lock(number)
        unit.numbers.lift(number, {SuppressionKind.BAD_NUMBER}, at=workshop.clock.calendar(), by="ehr")
