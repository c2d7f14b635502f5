"""How often patients were written to or called otherwise, as the EHR's own Communications say.

`Communication.medium` names the channel (FHIR R4 Communication; v3 ParticipationMode: PHONE, MAILWRIT,
EMAILWRIT …). Ours bear an identifier of ours and are left out, as is what was not done.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from fhir_mappers.from_fhir.elements import codes, parts, texts, word
from fhir_mappers.outgoing import MESSAGE_SYSTEM
from integration.adapters.ehr.searching import moment
from integration.ports.ehr import NotWritable, TryLater

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.fhir_client import FhirClient

NOT_SAID: Final = "not said"
_HAPPENED: Final = frozenset({"completed", "in-progress"})


def by_channel(client: FhirClient, start: datetime, end: datetime) -> Mapping[str, int] | str:
    """Communications sent in [start, end) by medium; or why the EHR does not tell, without personal data.

    Some servers (Epic) search Communications of one patient only, and refuse this.
    """
    asked = [("sent", f"ge{moment(start)}"), ("sent", f"lt{moment(end)}"), ("_count", "200")]
    found: Counter[str] = Counter()
    for page in client.pages("Communication", asked):
        if isinstance(page, NotWritable | TryLater):
            return page.reason
        for communication in page.matches:
            if word(communication, "status") in _HAPPENED and not _is_ours(communication):
                found[_medium(communication)] += 1
    return found


def _is_ours(communication: Resource) -> bool:
    return any(word(each, "system") == MESSAGE_SYSTEM for each in parts(communication, "identifier"))


def _medium(communication: Resource) -> str:
    """The first that is said, by its code, else by its words."""
    for medium in parts(communication, "medium"):
        said = [*(coded.code for coded in codes(medium)), *texts(medium)]
        if said:
            return said[0]
    return NOT_SAID
