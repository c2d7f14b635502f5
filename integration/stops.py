"""Writes down that a number is stopped, or no longer, and has charts told of what no reply tells them.

A STOP or START is told as the reply that said it. What the carrier alone knows of, or a list says, and what
staff lift, is told as the stop itself: a Consent of its own, inactive once the stop is over.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration.domain.consent import SuppressionKind
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from integration.domain.consent import Suppression
    from integration.ports.store import Unit

_EVER = datetime.min.replace(tzinfo=UTC)


def stop(unit: Unit, suppression: Suppression) -> None:
    """Under its number's lock: suppress the number, unless it is already, and tell each chart that has it."""
    number = suppression.number
    before = {each.id for each in unit.numbers.suppressions(number)}
    unit.numbers.suppress(suppression)
    new = [each for each in unit.numbers.suppressions(number) if each.id not in before]
    for each in new:
        if each.kind is SuppressionKind.OPT_OUT:
            for patient in unit.patients.with_number(number):
                if patient.merged_into is None:
                    unit.write_backs.want(WriteBackKind.SUPPRESSION, each.id, patient.id)
            _renew_wish(unit, number)


def told_anew(unit: Unit, number: str) -> None:
    """What stops the number, or did, has changed: the charts that were told of it are told so."""
    stops_told_anew(unit, number)
    _renew_wish(unit, number)


def stops_told_anew(unit: Unit, number: str) -> None:
    """The same of those that no reply told, when a reply tells the rest."""
    for each in unit.consents.of_number(number):
        unit.write_backs.renew(WriteBackKind.SUPPRESSION, each.id)


def _renew_wish(unit: Unit, number: str) -> None:
    """The newest STOP or START that its holder said."""
    newest = (each for each in unit.replies.heard_since(number, _EVER) if each.wants_texts is not None)
    for reply in list(newest)[:1]:
        unit.write_backs.renew(WriteBackKind.CONSENT, reply.id)
