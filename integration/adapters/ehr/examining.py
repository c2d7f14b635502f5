"""Looks at one FHIR server for `ehr check`: who it is, what it allows, and what will be done by it.

Asks for its CapabilityStatement, for a token where one is needed, and for a patient and a visit of nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from integration.adapters.ehr.choosing import Surroundings, choose
from integration.adapters.ehr.smart_backend import SmartBackend
from integration.adapters.ehr.vendor import Vendor, vendor_of
from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from integration.adapters.ehr.capabilities import Server
    from integration.adapters.ehr.choosing import Purpose, Way
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.adapters.ehr.tools import FhirTools
    from integration.settings.model import WritingBack

# What we read or write, as far as settings ask for it
RESOURCES: Final = (
    "Appointment",
    "Patient",
    "Location",
    "RelatedPerson",
    "Communication",
    "AppointmentResponse",
    "Task",
    "Consent",
    "DocumentReference",
    "Encounter",
    "Subscription",
    "CommunicationRequest",
)
_TRIED: Final = ("Patient", "Appointment")
_NOBODY: Final = {"identifier": "urn:appointment-texts:check|nobody"}


@dataclass(frozen=True, slots=True)
class Tried:
    """One harmless search."""

    resource_type: str
    answered: bool
    said: str  # without personal data


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found; sentences for an engineer."""

    base_url: str
    trouble: str | None  # why the server cannot be used at all
    server: Server | None
    vendor: Vendor
    authentication: tuple[str, ...]
    tried: tuple[Tried, ...]
    ways: Mapping[Purpose, Way]

    @property
    def is_usable(self) -> bool:
        """Whether patients can be found on it; without that nothing can be written."""
        return self.trouble is None and any(
            each.answered for each in self.tried if each.resource_type == "Patient"
        )


def examine(fhir: FhirTools, settings: WritingBack, modes: Collection[str]) -> Examination:
    """Ask it; never raises for what the server does."""
    server = fhir.capabilities.server()
    if isinstance(server, TryLater):
        authentication = _authentication(fhir.client)
        return Examination(fhir.client.base_url, server.reason, None, Vendor.OTHER, authentication, (), {})
    tried = tuple(_try(fhir.client, name) for name in _TRIED)
    return Examination(
        fhir.client.base_url,
        None,
        server,
        vendor_of(server),
        _authentication(fhir.client),  # after the searches: now there is a token, if there can be one
        tried,
        choose(Surroundings(server, settings, frozenset(modes))),
    )


def _try(client: FhirClient, resource_type: str) -> Tried:
    found = client.search(resource_type, _NOBODY)
    if isinstance(found, TryLater | NotWritable):
        return Tried(resource_type, answered=False, said=found.reason)
    if found.resources:
        return Tried(resource_type, answered=True, said="answered, but does not heed what it is asked")
    return Tried(resource_type, answered=True, said="answered")


def _authentication(client: FhirClient) -> tuple[str, ...]:
    if isinstance(client.authorization, SmartBackend):
        return tuple(client.authorization.describe())
    if client.authorization.token() is None:
        return ("none: neither EHR_CLIENT_ID with a key nor EHR_BEARER_TOKEN is set",)
    return ("a fixed bearer token (EHR_BEARER_TOKEN)",)
