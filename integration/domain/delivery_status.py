"""The life of one text message, in our words.

    queued ─► accepted ─► sent ─► delivered
       └────────┴──────────┴────► undelivered | failed

Providers repeat themselves and arrive out of order. `advance` settles it:
news moves a message forward, never back, and the first final word stands.
"""

from __future__ import annotations

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """What is known of a text message's way to the handset."""

    QUEUED = "queued"  # written down by us, not yet taken by the provider
    ACCEPTED = "accepted"  # the provider took it and gave it an id
    SENT = "sent"  # the carrier took it; some carriers never say more
    DELIVERED = "delivered"  # the handset confirmed
    UNDELIVERED = "undelivered"  # the carrier gave up
    FAILED = "failed"  # the provider refused it, or it could not be handed over

    @property
    def is_final(self) -> bool:
        """Whether no later news can change it."""
        return self in FINAL


FINAL = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED})

_RANK = {
    DeliveryStatus.QUEUED: 0,
    DeliveryStatus.ACCEPTED: 1,
    DeliveryStatus.SENT: 2,
    DeliveryStatus.DELIVERED: 3,
    DeliveryStatus.UNDELIVERED: 3,
    DeliveryStatus.FAILED: 3,
}


def advance(current: DeliveryStatus, reported: DeliveryStatus) -> DeliveryStatus:
    """The status after hearing `reported`."""
    return reported if _RANK[reported] > _RANK[current] else current


def contradicts(current: DeliveryStatus, reported: DeliveryStatus) -> bool:
    """Whether two different final words were heard; a person should look."""
    return current.is_final and reported.is_final and current is not reported
