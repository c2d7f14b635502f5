"""What a partner's answer to a message means for the fact it told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.ports.ehr import NotWritable, TryLater
from integration.ports.hl7 import NotHeard, TurnedDown

if TYPE_CHECKING:
    from integration.ports.hl7 import Delivery


def not_taken(delivery: Delivery) -> NotWritable | TryLater | None:
    """None when the partner has it.

    Without an answer the same bytes are sent again, as after CE and AR: the partner takes nothing now. AE and
    CR are about the message itself, and a person decides.
    """
    if isinstance(delivery, NotHeard):
        return TryLater(delivery.reason, doubtful=True)
    if isinstance(delivery, TurnedDown):
        return TryLater(delivery.reason) if delivery.again else NotWritable(delivery.reason)
    return None
