"""Where a patient lives, as coarsely as a clock needs it: country, state, and where the postal code begins.

The rest of an address, street and town, no text needs and nothing here keeps (45 CFR 164.502(b), minimum
necessary).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from fhir_mappers.datatypes import plain
from fhir_mappers.translation import Resource
from fhir_mappers.v2_message import NULL, SegmentRun

_AREA: Final = 3  # characters of a postal code: a ZIP prefix, or a forward sortation area
# XAD.7, HL7 table 0190 → how well it says where somebody is; what is not here does not say it.
_V2_USES: Final = {"H": 0, "C": 1, "": 1, "L": 2, "P": 2, "M": 3}


class Place(NamedTuple):
    """One of somebody's addresses."""

    rank: int
    country: str
    state: str
    postal_code: str

    def resource(self) -> Resource:
        """Return it as a FHIR Address; {} when it says nothing."""
        values = {"state": self.state, "postalCode": self.postal_code[:_AREA], "country": self.country}
        return {key: value for key, value in values.items() if value}


def xad_to_address(run: SegmentRun, path: str = "PID-11") -> list[Resource] | None:
    """Return the best address of the field: [] when it is emptied, None when it says nothing."""
    if run.text(path) == NULL:
        return []
    places = (
        Place(_V2_USES[use], *(plain(xad.get(n)).strip() for n in (6, 4, 5)))
        for xad in run.field(path)
        if (use := plain(xad.get(7)).strip().upper()) in _V2_USES
    )
    return best_address(places)


def best_address(places: Iterable[Place]) -> list[Resource] | None:
    """Return the one of the lowest rank as a FHIR Address; None when none says anything."""
    said = [place for place in places if place.resource()]
    return [min(said, key=lambda place: place.rank).resource()] if said else None
