"""The resources of a message (AIS, AIG, AIL, AIP): which are taken away, and the status each has.

A segment action code (RGS-2, AIS-2 …, HL7 table 0206) takes one away, and so does a status of its own by
which it is called off while others are not: nobody meets the patient there.
"""

from typing import Final, NamedTuple

from fhir_mappers.datatypes import plain
from fhir_mappers.profile import VendorProfile
from fhir_mappers.tables import OVER, Trigger
from fhir_mappers.v2_message import SegmentRun, V2Message

RESOURCES: Final = ("AIS", "AIG", "AIL", "AIP")
_STATUS: Final = {"AIS": 10, "AIG": 14, "AIL": 12, "AIP": 12}  # HL7 table 0278
_ACTION: Final = 2
_ADDED: Final = "A"


class ResourceStatus(NamedTuple):
    """The status one resource has of its own."""

    path: str
    status: str  # FHIR code


def resource_statuses(message: SegmentRun, profile: VendorProfile) -> list[ResourceStatus]:
    """Return the statuses that can be read, in the order of AIS, AIG, AIL, AIP."""
    found = []
    for name, field in _STATUS.items():
        for n, word in enumerate(message.column(name, field), start=1):
            status = _status(word, message, profile) if word else None
            if status is not None:
                found.append(ResourceStatus(f"{name}-{field}" if n == 1 else f"{name}[{n}]-{field}", status))
    return found


def without_removed(message: V2Message, trigger: Trigger, profile: VendorProfile) -> V2Message:
    """Leave out what is taken away; when every resource is called off, that is news of the whole."""
    removed = profile.appointment.removed
    statuses = resource_statuses(message, profile)
    called_off = any(each.status in OVER for each in statuses) and (
        trigger.of_a_part or any(each.status not in OVER for each in statuses)
    )
    if not called_off and not any(action.casefold() in removed for action in _actions(message)):
        return message
    gone: list[list[str]] = []
    for group in message.resources():
        whole = plain(group.get("RGS-2")).casefold() in removed
        for row, name in zip(group.rows, group.segments, strict=True):
            own = group.part([row])
            word = own.text(f"{name}-{_STATUS[name]}") if name in _STATUS else ""
            off = called_off and word and _status(word, own, profile) in OVER
            if whole or off or plain(own.get(f"{name}-{_ACTION}")).casefold() in removed:
                gone.append(row)
    return message.without(gone)


def added_only(message: SegmentRun, trigger: Trigger) -> tuple[str, ...]:
    """Return the segments whose starts are those of an added service, which begins when it begins."""
    if not trigger.adds:
        return ()
    actions = {plain(action).upper() for name in RESOURCES for action in message.column(name, _ACTION)}
    return RESOURCES if actions == {_ADDED} else ()


def _actions(message: SegmentRun) -> list[str]:
    """Return the segment action codes that are valued."""
    return [
        action.strip() for name in ("RGS", *RESOURCES) for action in message.column(name, _ACTION) if action
    ]


def _status(field: str, message: SegmentRun, profile: VendorProfile) -> str | None:
    """Read a status field (CWE): its code, else its text."""
    quick = profile.status_of.get(field.casefold())  # most write the one word
    if quick is not None:
        return quick
    components = field.split(message.delimiters[2], 1)[0].split(message.delimiters[1])
    words = [plain(message.clean(component)).casefold() for component in components[:2]]
    return next((profile.status_of[word] for word in words if word in profile.status_of), None)
