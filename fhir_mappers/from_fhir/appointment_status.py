"""What happened, as far as the Appointment alone says it: its status, its age and what the patients answered.

A booked Appointment is the event "booked" only while it is new; one that was made long ago and is heard of
now was changed, or only just came into sight, and nobody is texted about that (design: no blast).
"""

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fhir_mappers.from_fhir.elements import part, word
from fhir_mappers.from_fhir.message import Message
from fhir_mappers.from_fhir.moments import last_moment
from fhir_mappers.tables import EVENT_OF_STATUS
from fhir_mappers.translation import Event

TENTATIVE: Final = frozenset({"proposed", "pending", "waitlist"})
EXPECTED: Final = frozenset({"booked", "pending"})
_CODES: Final = frozenset({"booked", *TENTATIVE, *EVENT_OF_STATUS})  # Appointment.status of R4, R4B and R5


class Standing(NamedTuple):
    """What the Appointment says happened."""

    event: Event
    status: str  # FHIR code
    said: bool  # False: the status cannot be read, and is left as it is


def read_standing(message: Message, zone: ZoneInfo) -> Standing:
    """Read it of the Appointment a message is about; a `created` without an offset is read in `zone`."""
    appointment = message.snapshot.resource
    written = word(appointment, "status")
    status = written if written in _CODES else message.profile.status_of.get(written.casefold(), "")
    if not status:
        message.warn("Appointment.status", "status-not-known")
        return Standing("changed", "proposed", said=False)
    if status != written:
        message.warn("Appointment.status", "status-by-profile")
    event = EVENT_OF_STATUS.get(status)
    if event is not None:
        return Standing(event, status, said=True)
    fresh = status in EXPECTED and _is_fresh(message, zone)
    return Standing("booked" if fresh else "changed", status, said=True)


def _is_fresh(message: Message, zone: ZoneInfo) -> bool:
    created = word(message.snapshot.resource, "created")
    made_at = last_moment(created, zone) if created else None
    if made_at is not None:
        now = message.facts.read_at or message.occurred_at
        return now is None or now - made_at <= message.facts.oldest_event
    version = word(part(message.snapshot.resource, "meta"), "versionId")
    return not (version.isascii() and version.isdigit()) or int(version[:9]) <= 1
