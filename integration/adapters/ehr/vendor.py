"""Whose FHIR server this is, where that matters more than what its CapabilityStatement says.

The statements of three vendors offer a create of Communication that is none for a text to a patient
(`reference/standards.md` 0.6, 0.8, 0.9); they are known by their names, or by what only they have.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from integration.adapters.ehr.capabilities import Server


class Vendor(Enum):
    """Who made it."""

    EPIC = "Epic"  # its Communication is for referrals to community organizations
    ORACLE = "Oracle Health"  # its Communication is a message to staff
    CANVAS = "Canvas"  # its Communication stands in the patient's app, and is completed at once
    ATHENA = "athenahealth"  # has no Communication, and takes no documents over FHIR
    OTHER = "another maker"  # its statement says all there is to know


# A word of software, publisher or implementation → the maker
_NAMES: Final = (
    (re.compile(r"\bepic\b", re.IGNORECASE), Vendor.EPIC),
    (re.compile(r"\b(cerner|oracle health|millennium)\b", re.IGNORECASE), Vendor.ORACLE),
    (re.compile(r"\bcanvas\b", re.IGNORECASE), Vendor.CANVAS),
    (re.compile(r"\bathena(health|one|net)\b", re.IGNORECASE), Vendor.ATHENA),
)
# A search parameter of Communication that nobody else has
_OWN_PARAMETERS: Final = (("-email-status", Vendor.ORACLE),)


def vendor_of(server: Server) -> Vendor:
    """Who made the server, by its CapabilityStatement."""
    for words in (server.software, server.publisher, server.description):
        for name, vendor in _NAMES:
            if name.search(words):
                return vendor
    offered = server.search_parameters.get("Communication", frozenset())
    return next((vendor for name, vendor in _OWN_PARAMETERS if name in offered), Vendor.OTHER)
