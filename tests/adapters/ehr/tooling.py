"""What write-back modes are built with, in the stories about charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.adapters.ehr.capabilities import Capabilities
from integration.adapters.ehr.linking import Linker
from integration.adapters.ehr.tools import FhirTools, Tools
from integration.domain.clock import wall_now
from integration.settings.model import WritingBack

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.ports.hl7 import Hl7Sender

RIVERSIDE = "Riverside Clinic"


def tools(
    client: FhirClient | None,
    settings: WritingBack | None = None,
    *,
    partner: Hl7Sender | None = None,
    wall: Callable[[], datetime] = wall_now,
) -> Tools:
    """The tools of a site with one practice."""
    fhir = None if client is None else FhirTools(client, Capabilities(client, wall), Linker(client))
    return Tools(settings or WritingBack(), lambda _: RIVERSIDE, wall, fhir, partner)
