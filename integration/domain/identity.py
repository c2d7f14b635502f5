"""By which keys an appointment and a patient are known within a feed's scope.

Every identifier ever seen is kept as an alias. A key carries where the
identifier stands, so a visit number never passes for a placer's id.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

# Where the ids stand that the EHR's FHIR server gives its resources: with one of them it is certain.
_CERTAIN: Final = frozenset({"Appointment.id", "Patient.id"})


def appointment_key(path: str, value: str, namespace: str, occurrence: str) -> str:
    """The key of one appointment identifier (EI at SCH-2, SCH-1 or PV1-19; SCH-3 tells occurrences apart).

    Of a FHIR server: Appointment.id, or Appointment.identifier with its system as namespace.
    """
    return f"{path}|{namespace}|{value}|{occurrence}"


def patient_key(authority: str, type_code: str, value: str) -> str:
    """The key of one patient identifier (CX.4, CX.5, CX.1); Patient.id is the authority of FHIR ids."""
    return f"{authority}|{type_code}|{value}"


def ehr_ids(keys: Iterable[str]) -> frozenset[str]:
    """The ids on the EHR's FHIR server among the keys of an appointment or a patient."""
    return frozenset(key.split("|")[2] for key in keys if _kind(key)[0] in _CERTAIN)


def contradict(known: Iterable[str], shown: Sequence[str]) -> bool:
    """Whether the best identifier shown is of a kind already known, with another value.

    Then a match by a lesser identifier is a coincidence (some senders put a
    counter in SCH-1): two different things. The id on the EHR's server comes
    first; HL7 v2 knows none, so beside what only v2 has told the next best counts.
    """
    known = tuple(known)
    for best in shown[:2]:
        kind = _kind(best)
        known_of_kind = {key for key in known if _kind(key) == kind}
        if known_of_kind or kind[0] not in _CERTAIN:
            return bool(known_of_kind) and best not in known_of_kind
    return False


def disagree(known: Collection[str], shown: Sequence[str]) -> bool:
    """Whether what both share is outweighed by a better identifier shown, where `known` has only others."""
    better = takewhile(lambda key: key not in known, shown)
    own = [{key for key in known if _kind(key) == kind} for kind in {_kind(key) for key in better}]
    return any(keys and keys.isdisjoint(shown) for keys in own)


def _kind(key: str) -> tuple[str, str]:
    """Where the identifier stands and whose it is: path and namespace, or authority and type."""
    first, second, *_ = key.split("|")
    return first, second
