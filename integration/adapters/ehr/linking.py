"""Finds a patient's chart, and a visit in it, on the EHR's FHIR server: with certainty or not at all.

A Patient is known by identifier system and value. Where our identifier has no
system, by its value alone, and only when exactly one Patient has it and family
name and (where both sides have one) birth date agree. A stored id is looked at
again before anything new is written: charts are merged, closed and removed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from integration.adapters.ehr.fhir_answers import Found, Held, Missing, Resource
from integration.ports.ehr import NoChart, NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.domain.appointment import Appointment
    from integration.domain.recipient import Patient

_MOST_HOPS: Final = 5  # along replaced-by

# HL7 table 0203: numbers of an account, a visit or an insurance, which families share.
_NOT_OF_A_PERSON: Final = frozenset({"AN", "ANC", "ANON", "ANT", "MB", "SN", "SNO", "VN"})


@dataclass(frozen=True, slots=True)
class Token:
    """An identifier to search by; no system: its value alone."""

    system: str
    value: str

    @property
    def search(self) -> str:
        """As a FHIR token search parameter."""
        value = re.sub(r"([\\,$|])", r"\\\1", self.value)
        return f"{self.system}|{value}" if self.system else value

    def is_on(self, resource: Resource) -> bool:
        """Whether the resource really carries it: some servers ignore parameters they do not know."""
        return any(
            str(each.get("value")).strip() == self.value
            and (not self.system or each.get("system") == self.system)
            for each in resource.get("identifier") or ()
        )


class Linker:
    """Looks Patients and Appointments up on one server."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    def patient(self, patient: Patient) -> str | NoChart | NotWritable | TryLater:
        """The id of the patient's chart as it is today."""
        if patient.ehr_id:
            known = self._survivor(patient.ehr_id)
            if not isinstance(known, NoChart):
                return known if isinstance(known, TryLater | NotWritable) else str(known["id"])
        return self._by_identifier(patient)

    def appointment(self, appointment: Appointment, patient_ids: Collection[str]) -> str | TryLater | None:
        """The id of the visit, if it is there, certain, and one of that patient's."""
        if appointment.ehr_id:
            known = self._client.read("Appointment", appointment.ehr_id)
            if isinstance(known, TryLater):
                return known
            if isinstance(known, Held) and known.resource and self._is_of(known.resource, patient_ids):
                return known.id
        for token in tokens(appointment.resource):
            found = self._visits(token, patient_ids)
            if isinstance(found, TryLater):
                return found
            if isinstance(found, NotWritable) or not found.complete:
                continue
            visits = [
                each for each in found.resources if token.is_on(each) and self._is_of(each, patient_ids)
            ]
            if len(visits) > 1:  # the occurrences of a series share their identifier
                visits = [each for each in visits if _instant(each.get("start")) == appointment.slot.start]
            if len(visits) == 1:
                return str(visits[0]["id"])
        return None

    def _visits(self, token: Token, patient_ids: Collection[str]) -> Found | NotWritable | TryLater:
        """By identifier; where Appointment is searched by patient only (Epic), all of the patient's."""
        found: Found | NotWritable | TryLater = self._client.search(
            "Appointment", {"identifier": token.search}
        )
        for patient_id in sorted(patient_ids):
            if not isinstance(found, NotWritable):
                break
            found = self._client.search("Appointment", {"patient": patient_id})
        return found

    def _by_identifier(self, patient: Patient) -> str | NoChart | NotWritable | TryLater:
        why: NoChart | NotWritable = NoChart("no Patient on the EHR has the patient's identifiers")
        known = tokens(patient.resource, _NOT_OF_A_PERSON)
        if not known:
            return NoChart("the feed gave no identifier to find the patient's chart by")
        for token in sorted(known, key=lambda each: not each.system):
            found = self._client.search("Patient", {"identifier": token.search})
            if isinstance(found, TryLater):
                return found
            chart = found if isinstance(found, NotWritable) else self._the_only(token, found, patient)
            if isinstance(chart, str | TryLater):
                return chart
            if isinstance(chart, NoChart) and token.system:
                return chart  # two charts under one identifier, or a closed one: nobody is certain
            why = chart or why
        return why

    def _the_only(
        self, token: Token, found: Found, patient: Patient
    ) -> str | NoChart | NotWritable | TryLater | None:
        """The one chart a search found; None when there is none."""
        carriers = [each for each in found.resources if token.is_on(each)]
        if not found.complete:
            return NoChart("more Patients of the EHR may have the patient's identifier")
        charts: dict[str, Resource] = {}
        for carrier in carriers:
            chart = self._survivor(str(carrier["id"]), carrier)
            if isinstance(chart, TryLater | NotWritable):
                return chart
            if not isinstance(chart, NoChart):
                charts[str(chart["id"])] = chart
        if len(charts) > 1:
            return NoChart("more than one Patient of the EHR has the patient's identifier")
        if not charts:
            return NoChart("the patient's chart on the EHR is closed") if carriers else None
        chart_id, chart = charts.popitem()
        if not token.system and not same_person(patient, chart):
            return NoChart("the Patient with that number has another name or birth date")
        return chart_id

    def _survivor(
        self, patient_id: str, shown: Resource | None = None
    ) -> Resource | NoChart | NotWritable | TryLater:
        """The chart itself, or the one it was merged into (Patient.link replaced-by)."""
        for _ in range(_MOST_HOPS):
            if shown is None:
                answer = self._client.read("Patient", patient_id)
                if isinstance(answer, TryLater | NotWritable):
                    return answer
                if isinstance(answer, Missing) or answer.resource is None:
                    return NoChart("the patient's chart is no longer on the EHR")
                shown = answer.resource
            links = (each for each in shown.get("link") or () if each.get("type") == "replaced-by")
            heirs = [self.id_in(each.get("other"), "Patient") for each in links]
            if not heirs:
                closed = shown.get("active") is False
                return NoChart("the patient's chart on the EHR is closed") if closed else shown
            if len(heirs) > 1 or heirs[0] is None:
                return NoChart("the patient's chart on the EHR was replaced, by what is not certain")
            patient_id, shown = heirs[0], None
        return NoChart("the patient's chart on the EHR was replaced too many times")

    def _is_of(self, appointment: Resource, patient_ids: Collection[str]) -> bool:
        actors = (each.get("actor") for each in appointment.get("participant") or ())
        return any(self.id_in(actor, "Patient") in patient_ids for actor in actors)

    def id_in(self, reference: Any, resource_type: str) -> str | None:
        """The id a Reference names on this server, None when it names anything else."""
        literal = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(literal, str):
            return None
        local = literal.removeprefix(f"{self._client.base_url}/").split("/_history/")[0]
        kind, _, resource_id = local.partition("/")
        return resource_id if kind == resource_type and resource_id and "/" not in resource_id else None


def tokens(resource: Mapping[str, Any], without: Collection[str] = ()) -> list[Token]:
    """The identifiers of one of our resources that are worth a search, best first; not of these types."""
    usable = (each for each in resource.get("identifier") or () if each.get("use") not in {"old", "temp"})
    found = (
        Token((each.get("system") or "").strip(), (each.get("value") or "").strip())
        for each in usable
        if _types(each).isdisjoint(without)
    )
    return [each for each in dict.fromkeys(found) if each.value]


def same_person(patient: Patient, chart: Resource) -> bool:
    """Whether family name and, where both have one, birth date agree."""
    ours = _letters(patient.family)
    theirs = {_letters(name.get("family") or "") for name in chart.get("name") or ()}
    born = chart.get("birthDate")
    if patient.birth_date and born and not patient.birth_date.isoformat().startswith(str(born)):
        return False
    return bool(ours) and ours in theirs


def _types(identifier: Resource) -> frozenset[str]:
    codings: Iterable[Resource] = (identifier.get("type") or {}).get("coding") or ()
    return frozenset(str(each.get("code")) for each in codings)


def _letters(name: str) -> str:
    """Letters and digits alone, without case or accents: de la Cruz-Núñez → delacruznunez."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in plain if character.isalnum())


def _instant(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
