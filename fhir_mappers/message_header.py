"""What MSH says of a message, and what was noted while reading it."""

from fhir_mappers.findings import warn
from fhir_mappers.hl7_time import Written, place, read_time
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import FeedFacts, MapWarning, Refusal, Translation
from fhir_mappers.v2_message import V2Message

_NEVER = Written(None, None, "")


class MessageHeader:
    """MSH, read; `warnings` grow while the rest of the message is mapped."""

    __slots__ = ("control_id", "message_code", "occurred_at", "processing_id", "sent", "trigger", "warnings")

    def __init__(self, message: V2Message, profile: VendorProfile, feed: FeedFacts) -> None:
        self.warnings: list[MapWarning] = list(message.warnings)
        self.message_code, self.trigger = _type(message.get("MSH-9.1"), message.get("MSH-9.2"), profile)
        self.control_id = message.get("MSH-10")
        self.processing_id = message.get("MSH-11")
        if not self.control_id:
            self.warnings.append(warn("MSH-10", "no-control-id"))
        value = message.get("MSH-7")
        self.sent = read_time(value) if value.strip() else _NEVER
        moment = place(self.sent, feed.zone)
        self.occurred_at = moment.at
        if moment.problem and moment.at is None:
            self.warnings.append(warn("MSH-7", moment.problem))


def _type(code: str, trigger: str, profile: VendorProfile) -> tuple[str, str]:
    """Return message code and trigger event as the profile reads them: SIU S12, ADT A08."""
    stands_for = profile.triggers.get(f"{code}^{trigger}")
    if stands_for is not None:
        return "SIU" if stands_for.startswith("S") else "ADT", stands_for
    return code, profile.triggers.get(trigger, trigger)


def refused(refusal: Refusal, header: MessageHeader | None = None) -> Translation:
    """A message that becomes nothing, and why."""
    return Translation(
        control_id=header.control_id if header else "",
        trigger=header.trigger if header else "",
        event="ignored",
        occurred_at=header.occurred_at if header else None,
        processing_id=header.processing_id if header else "",
        appointment=None,
        patients=(),
        warnings=tuple(header.warnings) if header else (),
        refusal=refusal,
        sources={},
    )
