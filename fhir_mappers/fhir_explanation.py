"""Why each fact of what a FHIR server said is what it is: its value, its element, what made it so."""

from collections.abc import Iterator

from fhir_mappers.fact import Fact
from fhir_mappers.translation import FeedFacts, Identifier, MappedAppointment, MappedPatient, Translation


def explain(translation: Translation, feed: FeedFacts) -> list[Fact]:
    """Every fact, those of the appointment first; [] when it was refused."""
    if translation.refusal is not None:
        return []
    status = translation.sources.get("Appointment.status", "")
    found = [Fact("event", translation.event, status, "status and age of the resource")]
    if translation.appointment is not None:
        found += _appointment(translation.appointment, translation, feed)
    for number, patient in enumerate(translation.patients, start=1):
        found += _patient(patient, "Patient" if number == 1 else f"Patient[{number}]", translation)
    for merge in translation.merges:
        found += [Fact("Merge.survivor", _named(known), merge.path, "") for known in merge.survivor[:1]]
        found += [Fact("Merge.gone", _named(known), merge.path, "") for known in merge.gone]
    return found


def _appointment(appointment: MappedAppointment, translation: Translation, feed: FeedFacts) -> Iterator[Fact]:
    sources = translation.sources
    for known in appointment.identifiers:
        rule = "the server's id" if known.path == "Appointment.id" else ""
        if known.path.startswith(("SCH", "PV1")):
            rule = "fhir.identity, or the type of the identifier"
        whose = f" ({known.namespace})" if known.namespace else ""
        yield Fact("Appointment.identifier", known.value + whose, known.path, rule)
    path = sources.get("Appointment.status", "")
    if appointment.status_said:
        yield Fact("Appointment.status", appointment.status, path, "Appointment.status")
    else:
        yield Fact("Appointment.status", "as it was", path, "no code of FHIR's")
    if appointment.confirmed:
        rule = "fhir.accepted_confirms"
        yield Fact("Appointment.confirmed", "yes", sources.get("Appointment.confirmed", ""), rule)
    start = "none" if appointment.start is None else appointment.start.isoformat(" ", "minutes")
    yield Fact("Appointment.start", start, sources.get("Appointment.start", ""), "")
    if appointment.end is not None:
        path = sources.get("Appointment.end", "")
        rule = "" if path else "durations.assumed_minutes"
        yield Fact("Appointment.end", appointment.end.isoformat(" ", "minutes"), path, rule)
    yield Fact("Appointment.zone", appointment.zone.key, "", _zone_rule(appointment, feed))
    path = sources.get("Appointment.modality", "")
    rule = "" if path else "nothing says otherwise"
    yield Fact("Appointment.modality", appointment.modality, path, rule)
    for location in appointment.locations:
        yield Fact("Appointment.location", location.code, location.path, "")
    if appointment.tentative:
        yield Fact("Appointment.tentative", "yes", "", "the status, or that every patient declined")


def _zone_rule(appointment: MappedAppointment, feed: FeedFacts) -> str:
    named = next((at.code for at in appointment.locations if at.code in feed.location_zones), None)
    if named is not None and feed.location_zones[named] == appointment.zone:
        return f"the feed's locations.{named}.zone"
    return "the feed's zone" if appointment.zone == feed.zone else "the Location's or Appointment's own zone"


def _patient(patient: MappedPatient, key: str, translation: Translation) -> Iterator[Fact]:
    sources = translation.sources
    for known in patient.identifiers:
        yield Fact(f"{key}.identifier", _named(known), sources.get(f"{key}.identifier", ""), "")
    name = " ".join(filter(None, (patient.given, patient.family)))
    yield Fact(f"{key}.name", name, sources.get(f"{key}.name", ""), "use, then period")
    if patient.birth_date is not None:
        yield Fact(f"{key}.birth_date", patient.birth_date.isoformat(), "Patient.birthDate", "")
    path = sources.get(f"{key}.text_to", "")
    rule = "system, use, rank and period; phones.offer" if path else "no number here may be texted"
    yield Fact(f"{key}.text_to", patient.text_to or "none", path, rule)
    if patient.language is not None:
        path = sources.get(f"{key}.language", "")
        yield Fact(f"{key}.language", patient.language, path, "preferred, or the only one")
    if patient.deceased:
        yield Fact(f"{key}.deceased", "yes", "Patient.deceased", "")
    if patient.deleted:
        yield Fact(f"{key}.deleted", "yes", "Patient.active", "not in use any more, or deleted")
    if patient.guardian is not None:
        path = sources.get(f"{key}.guardian", patient.guardian.path)
        yield Fact(f"{key}.guardian", patient.guardian.number, path, "fhir.guardians")
    elif patient.unguarded:
        yield Fact(f"{key}.guardian", "none that may be texted", "", "fhir.guardians")


def _named(identifier: Identifier) -> str:
    whose = "/".join(filter(None, (identifier.authority, identifier.type)))
    return f"{identifier.value} ({whose})" if whose else identifier.value
