"""What happened, by trigger event and status word: SIU S12 to S27, SCH-25 (standards §1.1, §1.4).

The trigger event decides, SCH-25 refines: a third of real senders leave SCH-25 empty, and others put words
there that contradict the event. The guide maps SCH-25 alone and has no answer when it is empty.
"""

from typing import NamedTuple

from fhir_mappers.datatypes import plain
from fhir_mappers.findings import warn
from fhir_mappers.profile import VendorProfile
from fhir_mappers.tables import EVENT_OF_STATUS, Trigger
from fhir_mappers.translation import Event, MapWarning
from fhir_mappers.v2_message import SegmentRun

OVER = frozenset({"cancelled", "noshow", "entered-in-error"})  # FHIR statuses after which nobody comes


class Standing(NamedTuple):
    """What trigger event and status say by themselves."""

    event: Event
    status: str  # FHIR code
    confirmed: bool
    path: str  # from where the status came


def read_standing(
    message: SegmentRun, trigger: Trigger, profile: VendorProfile, warnings: list[MapWarning]
) -> Standing:
    """The trigger event decides, the status word refines; one that contradicts it is warned of."""
    status_of = profile.status_of
    valued = ""
    for path in profile.appointment.status:
        word = plain(message.get(path)).casefold()
        status = status_of.get(word)
        if status is None:
            valued = valued or (path if word else "")
            continue
        if status != trigger.status and status not in trigger.refined_by:
            warnings.append(warn(path, "status-contradicts-trigger"))
            break
        event = trigger.event
        if trigger.refined_by and event != "unchanged":
            event = EVENT_OF_STATUS.get(status, event)
        return Standing(event, status, word in profile.confirmed, path)
    else:
        if valued:
            warnings.append(warn(valued, "unknown-status"))
    return Standing(trigger.event, trigger.status, confirmed=False, path="MSH-9.2")
