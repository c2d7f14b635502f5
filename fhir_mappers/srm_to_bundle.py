"""SRM → Appointment and Patients: a scheduling request, for a feed whose requests are acted upon.

A request carries ARQ where a notification carries SCH; their first ten fields are the same (2.9.1, 10.6.1
and .2), so it is read as the notification of what it asks for. Whether requests stand for appointments at
all is the feed's to say.
"""

from dataclasses import replace
from typing import Final

from fhir_mappers.findings import refuse
from fhir_mappers.message_header import MessageHeader, refused
from fhir_mappers.profile import VendorProfile
from fhir_mappers.segment_run import SegmentRun
from fhir_mappers.siu_to_bundle import map_schedule
from fhir_mappers.tables import TRIGGERS
from fhir_mappers.translation import FeedFacts, MapWarning, Translation
from fhir_mappers.v2_message import V2Message

# A request (2.9.1, 10.3.1 to .11) → the notification that it has been granted
GRANTED: Final = {
    "S01": "S12",  # new appointment
    "S02": "S13",  # reschedule
    "S03": "S14",  # modify
    "S04": "S15",  # cancel
    "S05": "S16",  # discontinue
    "S06": "S17",  # delete
    "S07": "S18",  # add a service
    "S08": "S19",  # modify a service
    "S09": "S20",  # cancel a service
    "S10": "S21",  # discontinue a service
    "S11": "S22",  # delete a service
}
# SCH's fields → ARQ's that say the same; SCH-11.4 is the start that ARQ-11.1 asks for
_SAME: Final = {**{n: n for n in range(1, 11)}, 23: 22, 24: 23, 26: 24, 27: 25}
_START: Final = 11
_PATHS: Final = {f"SCH-{sch}": f"ARQ-{arq}" for sch, arq in _SAME.items()} | {"SCH-11.4": "ARQ-11.1"}


def srm_to_bundle(
    message: V2Message, header: MessageHeader, profile: VendorProfile, feed: FeedFacts
) -> Translation:
    """Map one SRM message, or say why not."""
    granted = GRANTED.get(header.trigger)
    if granted is None:
        return refused(refuse("MSH-9.2", "unsupported-trigger"), header)
    if not feed.requests:
        return refused(refuse("MSH-9.1", "request"), header)
    translation = map_schedule(as_schedule(message), TRIGGERS[granted], header, profile, feed)
    return replace(
        translation,
        warnings=tuple(_from_request(warning) for warning in translation.warnings),
        sources={fact: _path(path) for fact, path in translation.sources.items()},
    )


def as_schedule(message: V2Message) -> V2Message:
    """Return the message with each ARQ as the SCH that would say the same."""
    if not message.count("ARQ"):
        return message
    rows = [_schedule(message.part([row])) if row[0][:3] == "ARQ" else row for row in message.rows]
    return message.with_rows(rows)


def _schedule(request: SegmentRun) -> list[str]:
    component, repetition = request.delimiters[1], request.delimiters[2]
    fields = {sch: request.text(f"ARQ-{arq}") for sch, arq in _SAME.items()}
    start = request.text("ARQ-11").split(repetition, 1)[0].split(component, 1)[0]
    fields[_START] = f"{component * 3}{start}" if start else ""
    return ["SCH", *(fields.get(number, "") for number in range(1, max(_SAME) + 1))]


def _path(path: str) -> str:
    """Where the request says it, by where the notification would."""
    field, point, rest = path.partition(".")
    return _PATHS.get(path) or f"{_PATHS.get(field, field)}{point}{rest}"


def _from_request(warning: MapWarning) -> MapWarning:
    return MapWarning(_path(warning.path), warning.code, warning.text)
