"""Why each fact of a translated message is what it is: its value, where it stood, the profile's line for it.

For the engineer who writes a vendor's profile. The values are the patient's own: what is explained goes to
whoever asked for this message, and to no log.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_mappers.datatypes import plain
from fhir_mappers.errors import UnreadableMessage
from fhir_mappers.fact import Fact
from fhir_mappers.fhir_explanation import explain
from fhir_mappers.profile import VendorProfile
from fhir_mappers.tables import TRIGGERS
from fhir_mappers.translation import FeedFacts, Identifier, MappedAppointment, MappedPatient, Translation
from fhir_mappers.v2_message import SegmentRun, V2Message

_NUMBERS = re.compile(r"\[\d+\]")
_GROUP = re.compile(r"PID\[(\d+)\]")
_PHONE_WORDS = (2, 3, 4)  # XTN.2 use, XTN.3 equipment, XTN.4 where some write either


class Explainer:
    """Explains what one profile makes of one feed's messages."""

    def __init__(self, profile: VendorProfile, feed: FeedFacts) -> None:
        self._profile = profile
        self._feed = feed
        self._lines: dict[str, list[str]] = {}  # path → the profile's keys that name it
        for key, value in _leaves(profile.model_dump()):
            self._lines.setdefault(value, []).append(key)

    def facts(self, raw: bytes, translation: Translation) -> list[Fact]:
        """Every fact of a message, those of the appointment first; [] when it was refused. Never raises."""
        if self._feed.fhir is not None:
            return explain(translation, self._feed)
        try:
            message = V2Message.parse(raw, fallback_charset=self._feed.charset)
        except UnreadableMessage:
            return []
        if translation.refusal is not None:
            return []
        found = [self._event(message, translation)]
        if translation.appointment is not None:
            found += self._appointment(message, translation.appointment, translation.sources)
        if translation.visit is not None:
            found += [
                Fact(
                    "Visit.identifier", known.value, known.path, self._rule(known.path, "adt", "appointment")
                )
                for known in translation.visit.identifiers
            ]
        for number, patient in enumerate(translation.patients, start=1):
            key = "Patient" if number == 1 else f"Patient[{number}]"
            found += self._patient(message, patient, key, translation.sources)
        for merge in translation.merges:
            found += [Fact("Merge.survivor", _named(known), "PID", "") for known in merge.survivor[:1]]
            found += [Fact("Merge.gone", _named(known), merge.path, "") for known in merge.gone]
        for change in translation.visit_changes:
            found += [Fact("Visit.now", known.value, change.path, "") for known in change.identifiers[:1]]
            found += [Fact("Visit.gone", known.value, change.path, "") for known in change.gone]
            found += [
                Fact("Visit.taken_from", _named(known), change.path, "") for known in change.taken_from[:1]
            ]
        return found

    def _event(self, message: SegmentRun, translation: Translation) -> Fact:
        written, trigger = message.get("MSH-9.2"), TRIGGERS.get(translation.trigger)
        path, rule = "MSH-9.2", f"trigger event {translation.trigger}"
        if written != translation.trigger:
            rule = f'triggers: "{written}" = "{translation.trigger}"'
        status = translation.sources.get("Appointment.status", "MSH-9.2")
        if trigger is not None and trigger.event != translation.event and status != "MSH-9.2":
            path, rule = status, f"{rule}, refined by the status"
        return Fact("event", translation.event, path, rule)

    def _appointment(
        self, message: SegmentRun, appointment: MappedAppointment, sources: Mapping[str, str]
    ) -> Iterator[Fact]:
        first = appointment.identifiers[0]
        ordered = "the feed's identity" if self._feed.identity else self._rule(first.path, "appointment")
        yield Fact("Appointment.identifier", first.value, first.path, ordered)
        if appointment.occurrence:
            path = next((p for p in self._profile.appointment.occurrence if message.get(p)), "")
            yield Fact("Appointment.occurrence", appointment.occurrence, path, "appointment.occurrence")
        path = sources.get("Appointment.status", "")
        if not appointment.status_said:
            yield Fact("Appointment.status", "as it was", path, "the trigger event leaves it")
        word = plain(message.get(path)).casefold() if path else ""
        key = "confirmed" if word in self._profile.confirmed else f"statuses.{appointment.status}"
        rule = "the trigger event" if path == "MSH-9.2" else f'{key}: "{word}"'
        if appointment.status_said:
            yield Fact("Appointment.status", appointment.status, path, rule)
        if appointment.confirmed:
            yield Fact("Appointment.confirmed", "yes", path, f'confirmed: "{word}"')
        path = sources.get("Appointment.start", "")
        start = "" if appointment.start is None else appointment.start.isoformat(" ", "minutes")
        yield Fact("Appointment.start", start or "none", path, self._rule(path, "times"))
        if appointment.end is not None:
            path = sources.get("Appointment.end", "")
            assumed = f"durations.assumed_minutes = {self._profile.durations.assumed_minutes}"
            rule = self._rule(path, "times", "durations") if path else assumed
            yield Fact("Appointment.end", appointment.end.isoformat(" ", "minutes"), path, rule)
        yield Fact("Appointment.zone", appointment.zone.key, "", self._zone_rule(appointment))
        path = sources.get("Appointment.modality", "")
        rule = f"modality.{appointment.modality}" if path else "nothing says otherwise"
        yield Fact("Appointment.modality", appointment.modality, path, rule)
        for location in appointment.locations:
            rule = self._rule(location.path, "appointment.locations")
            yield Fact("Appointment.location", location.code, location.path, rule)
        if appointment.tentative:
            yield Fact("Appointment.tentative", "yes", "", "appointment.tentative, or the status")

    def _zone_rule(self, appointment: MappedAppointment) -> str:
        codes = [at.code for at in appointment.locations if at.code in self._feed.location_zones]
        return f"the feed's locations.{codes[0]}.zone" if codes else "the feed's zone"

    def _patient(
        self, message: SegmentRun, patient: MappedPatient, key: str, sources: Mapping[str, str]
    ) -> Iterator[Fact]:
        path = sources.get(f"{key}.identifier", "")
        group = _GROUP.match(path)
        if patient.identifiers:
            best = patient.identifiers[0]
            rules = [self._rule(path, "patient")]
            rules += [f"patient.authorities: {best.authority}"] * (
                best.authority in self._profile.patient.authorities
            )
            rules += [f"patient.types: {best.type}"] * (best.type in self._profile.patient.types)
            yield Fact(f"{key}.identifier", _named(best), path, ", ".join(filter(None, rules)))
        name = " ".join(filter(None, (patient.given, patient.family)))
        places = self._profile.patient
        yield Fact(f"{key}.name", name, _valued(message, places.name, group), "patient.name")
        if patient.birth_date is not None:
            path = _valued(message, places.birth_date, group)
            yield Fact(f"{key}.birth_date", patient.birth_date.isoformat(), path, "patient.birth_date")
        path = sources.get(f"{key}.text_to", "")
        rule = self._phone_rule(message, path) if path else "no number here may be texted"
        yield Fact(f"{key}.text_to", patient.text_to or "none", path, rule)
        if patient.language is not None:
            path = sources.get(f"{key}.language", "")
            yield Fact(f"{key}.language", patient.language, path, self._language_rule(message, path))
        if patient.deceased:
            path = _valued(message, (*places.died_at, *places.died), group)
            yield Fact(f"{key}.deceased", "yes", path, self._rule(path, "patient"))
        if patient.deleted:
            yield Fact(f"{key}.deleted", "yes", "MSH-9.2", "entered in error")
        for path in patient.silenced_by:
            yield Fact(f"{key}.no_publicity", "yes", path, self._rule(path, "patient"))
        if patient.guardian is not None:
            path = sources.get(f"{key}.guardian", patient.guardian.path)
            yield Fact(f"{key}.guardian", patient.guardian.number, path, self._rule(path, "guardian"))
        elif patient.unguarded:
            yield Fact(f"{key}.guardian", "none that may be texted", "", "guardian.order")

    def _phone_rule(self, message: SegmentRun, path: str) -> str:
        kinds = self._profile.phones.kinds
        words = [plain(message.get(f"{path}.{n}")) for n in _PHONE_WORDS] if "." not in path else []
        said = next((f'phones.{kinds[w.casefold()]}: "{w}"' for w in words if w.casefold() in kinds), "")
        return ", ".join(filter(None, (self._rule(path, "phones"), said)))

    def _language_rule(self, message: SegmentRun, path: str) -> str:
        word = plain(message.get(path)).casefold() if path else ""
        known = self._profile.language_of.get(word)
        return f'languages.{known}: "{word}"' if known else "ISO 639"

    def _rule(self, path: str, *sections: str) -> str:
        """The first of the profile's keys in these sections that names the path."""
        keys = self._lines.get(path) or self._lines.get(_NUMBERS.sub("", path)) or []
        return next((key for key in keys if key.startswith(sections)), "")


def _valued(message: SegmentRun, paths: Sequence[str], group: re.Match[str] | None) -> str:
    """The first valued of these paths, in the patient's own group when there are several."""
    if group is not None:
        paths = [path.replace("PID-", f"PID[{group[1]}]-", 1) for path in paths]
    return next((path for path in paths if message.text(path)), "")


def _leaves(tree: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a profile with its key; the nth of a list of tables has its number, from 1."""
    if isinstance(tree, Mapping):
        for name, below in tree.items():
            yield from _leaves(below, f"{key}.{name}" if key else str(name))
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        for number, below in enumerate(tree, start=1):
            yield from _leaves(below, f"{key}[{number}]" if isinstance(below, Mapping) else key)
    elif isinstance(tree, str):
        yield key, tree


def _named(identifier: Identifier) -> str:
    whose = "/".join(filter(None, (identifier.authority, identifier.type)))
    return f"{identifier.value} ({whose})" if whose else identifier.value
