"""Patient.address → the little of it that tells the clock (see `fhir_mappers.address`)."""

from typing import Final

from fhir_mappers.address import Place, best_address
from fhir_mappers.from_fhir.elements import parts, word
from fhir_mappers.translation import Resource

# Address.use → how well it says where somebody is; what is not here (old, billing) does not say it.
_USES: Final = {"temp": 0, "home": 1, "": 2}


def coarse_address(patient: Resource) -> list[Resource] | None:
    """Return the best of a FHIR Patient's addresses; None when none says anything."""
    places = (
        Place(_USES[word(each, "use")], *(word(each, key) for key in ("country", "state", "postalCode")))
        for each in parts(patient, "address")
        if word(each, "use") in _USES
    )
    return best_address(places)
