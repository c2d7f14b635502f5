"""Builds small SIU messages, so that a test shows only the field it is about."""

from collections.abc import Mapping, Sequence

from fhir_mappers.translation import FeedFacts, MappedAppointment, MappedPatient, Translation
from fhir_mappers.v2_to_fhir import translate
from tests.mappers.golden import US, generic_profile

PROFILE = generic_profile()
Fields = Mapping[int, str]


def segment(name: str, fields: Fields) -> str:
    """One segment from its numbered fields."""
    last = max(fields, default=0)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def siu(
    trigger: str = "S12", msh7: str = "20270301090000", /, **segments: Fields | Sequence[Fields]
) -> bytes:
    """A SIU of one patient who can be texted, booked for 11 March 2027 14:30; segments replace or add.

    `SCH={25: "Dc"}` is merged into the usual SCH; a list gives one segment each; `PID={}` merges nothing.
    """
    usual: dict[str, dict[int, str]] = {
        "SCH": {2: "F-1", 9: "30", 10: "min", 11: "^^^20270311143000"},
        "PID": {3: "900^^^RIVERSIDE^MR", 5: "Rossi^Paola", 13: "^PRS^CP^^^202^5550142"},
    }
    lines = [f"MSH|^~\\&|SCHED|RIVERSIDE|TEXTS|RIVERSIDE|{msh7}||SIU^{trigger}|C-1|P|2.5.1"]
    for name in dict.fromkeys((*usual, *segments)):
        given = segments.get(name, {})
        several = [usual.get(name, {}) | dict(given)] if isinstance(given, Mapping) else given
        lines += [segment(name, fields) for fields in several]
    return ("\r".join(lines) + "\r").encode()


def read(raw: bytes, feed: FeedFacts = US) -> Translation:
    """Translate by the generic profile."""
    return translate(raw, PROFILE, feed)


def appointment_of(raw: bytes, feed: FeedFacts = US) -> MappedAppointment:
    """The appointment of a message that is mapped."""
    appointment = read(raw, feed).appointment
    assert appointment is not None
    return appointment


def patient_of(raw: bytes, feed: FeedFacts = US) -> MappedPatient:
    """The first patient of a message that is mapped."""
    return read(raw, feed).patients[0]


def codes(translation: Translation) -> list[tuple[str, str]]:
    """Its warnings, as path and code."""
    return [(warning.path, warning.code) for warning in translation.warnings]
