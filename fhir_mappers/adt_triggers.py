"""HL7 v2.9.1 chapter 3: what each ADT trigger event says of a person, a visit, and records that become one.

Which of them mean that a patient has come is the profile's to say (`[adt] arrived`): senders differ.
"""

from enum import Enum, auto
from typing import Final


class AdtKind(Enum):
    """What a trigger event is about."""

    PERSON = auto()  # PID as it is now; the visit is as the profile reads the event
    VISIT_DELETED = auto()  # A23: the visit was entered in error
    PERSON_DELETED = auto()  # A29: the person was entered in error
    RECORDS_MERGED = auto()  # MRG names a record that is gone, PID the one that stays
    VISITS_MERGED = auto()  # MRG-5, MRG-6 name a visit that is gone, PV1 the one that stays
    VISIT_MOVED = auto()  # the visit is PID's now and was MRG-1's
    LINKED = auto()  # two records, or two no longer, of one person: they stay distinct
    ACCOUNTS_ONLY = auto()  # about account numbers, by which nothing is known here
    IDENTIFIER_MOVED = auto()  # A43: an identifier hangs under another person; the records stay distinct
    IRRELEVANT = auto()  # nothing a text could depend on


_TRIGGERS: Final = {
    AdtKind.PERSON: "A01 A02 A03 A04 A05 A06 A07 A08 A09 A10 A11 A12 A13 A28 A31 A32 A33 A38",
    AdtKind.VISIT_DELETED: "A23",
    AdtKind.PERSON_DELETED: "A29",
    AdtKind.RECORDS_MERGED: "A18 A30 A34 A36 A39 A40 A46 A47 A48",
    AdtKind.VISITS_MERGED: "A42 A50 A51",
    AdtKind.VISIT_MOVED: "A45",
    AdtKind.LINKED: "A24 A37",
    AdtKind.ACCOUNTS_ONLY: "A35 A41 A44 A49",
    AdtKind.IDENTIFIER_MOVED: "A43",
    # Pending moves, swaps, beds, leaves, providers, allergies …
    AdtKind.IRRELEVANT: "A14 A15 A16 A17 A20 A21 A22 A25 A26 A27 A52 A53 A54 A55 A60 A61 A62",
}
ADT_TRIGGERS: Final = {name: kind for kind, names in _TRIGGERS.items() for name in names.split()}
