"""Lifts, for staff, what stops a number; where the carrier blocks it too, it awaits the holder's START."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration.domain.consent import SuppressionKind
from integration.entrypoints.commands.consent.finding import number_of
from integration.entrypoints.printing import say
from integration.entrypoints.troubles import Refused, Usage
from integration.stops import told_anew

if TYPE_CHECKING:
    from integration.ports.store import Store
    from integration.settings.model import Settings

_WHAT = {
    SuppressionKind.OPT_OUT: "The stop",
    SuppressionKind.WRONG_NUMBER: "That the number is wrong",
    SuppressionKind.BAD_NUMBER: "That the number cannot receive texts",
}


def lift(store: Store, settings: Settings, written: str, *, note: str, unblocked: bool) -> int:
    """Lift all that is in force; raises Refused when nothing is."""
    number = number_of(settings, written)
    if number is None:
        raise Usage("that is no telephone number")
    now = datetime.now(UTC)
    with store.unit() as unit:
        unit.numbers.lock(number)
        in_force = unit.numbers.suppressions(number)
        for each in in_force:
            waits = each.is_the_carriers_too and not unblocked
            unit.consents.lift(each, at=now, by="staff", note=note, await_start=waits)
            if waits:
                say(
                    f"{_WHAT[each.kind]} is lifted on our side, awaiting START: the carrier blocks"
                    " the number. Ask its holder to text START to us."
                )
            else:
                say(f"{_WHAT[each.kind]} is lifted.")
        told_anew(unit, number)
    if not in_force:
        raise Refused("Nothing stops that number.")
    return 0
