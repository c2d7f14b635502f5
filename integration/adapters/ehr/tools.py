"""What a write-back mode may be built with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from integration.adapters.ehr.capabilities import Capabilities
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.adapters.ehr.linking import Linker
    from integration.ports.hl7 import Hl7Sender
    from integration.settings.model import WritingBack


@dataclass(frozen=True, slots=True)
class FhirTools:
    """One FHIR server, and what is known of it; all modes share them."""

    client: FhirClient
    capabilities: Capabilities
    linker: Linker


@dataclass(frozen=True, slots=True)
class Tools:
    """Each mode's `build(tools)` takes what it needs; ValueError names the setting that is missing."""

    settings: WritingBack
    organization: Callable[[str | None], str]  # a practice → its public name
    wall: Callable[[], datetime]
    fhir: FhirTools | None = None  # EHR_FHIR_BASE_URL
    partner: Hl7Sender | None = None  # [write_back.hl7]
