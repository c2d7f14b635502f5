"""What happened, by trigger event and status word: SIU S12 to S27, SCH-25 (standards §1.1, §1.4).

The trigger event decides, SCH-25 refines: a third of real senders leave SCH-25 empty, and others put words
there that contradict the event. The guide maps SCH-25 alone and has no answer when it is empty: then the
resources' own statuses (AIS-10, AIG-14, AIL-12, AIP-12) are asked, and last of all the event.
"""

from typing import NamedTuple

from fhir_mappers.datatypes import plain
from fhir_mappers.findings import warn
from fhir_mappers.profile import VendorProfile
from fhir_mappers.resource_rows import resource_statuses
from fhir_mappers.tables import EVENT_OF_STATUS, Trigger
from fhir_mappers.translation import Event, MapWarning
from fhir_mappers.v2_message import SegmentRun


class Standing(NamedTuple):
    """What trigger event and status say by themselves."""

    event: Event
    status: str  # FHIR code
    confirmed: bool
    path: str  # from where the status came
    said: bool = True  # False: the message leaves the status as it is


# Of resources that disagree the first of these is believed: whoever has met one of them is there.
_WEIGHT = ("checked-in", "arrived", "fulfilled", "booked", "pending", "waitlist", "proposed")


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
        else:
            standing = _of_resources(message, trigger, profile, warnings)
            if standing is not None:
                return standing
    return Standing(
        trigger.event, trigger.status, confirmed=False, path="MSH-9.2", said=not trigger.keeps_status
    )


def _of_resources(
    message: SegmentRun, trigger: Trigger, profile: VendorProfile, warnings: list[MapWarning]
) -> Standing | None:
    """What the resources that speak say together; nothing of the whole when the event is about a part."""
    if trigger.of_a_part or not trigger.refined_by:
        return None
    found = {each.status: each.path for each in reversed(resource_statuses(message, profile))}
    if not found:
        return None
    status = next((each for each in _WEIGHT if each in found), next(iter(found)))
    if status not in trigger.refined_by:
        warnings.append(warn(found[status], "status-contradicts-trigger"))
        return None
    event = trigger.event if trigger.event == "unchanged" else EVENT_OF_STATUS.get(status, trigger.event)
    return Standing(event, status, confirmed=False, path=found[status])
