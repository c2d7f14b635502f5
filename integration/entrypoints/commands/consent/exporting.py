"""Writes out every consent, and every number that said stop, so that `consent import` takes it in again."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any, Final

from integration.domain.consent import SuppressionKind
from integration.domain.consent_list import COLUMNS
from integration.entrypoints.printing import json_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.domain.consent import ConsentRecord, Suppression
    from integration.domain.recipient import Patient
    from integration.ports.store import Store, Unit

SOURCE: Final = "import"


def medium_of(record: ConsentRecord) -> str:
    """How it was said; of what was not imported, at least where we have it from."""
    return record.medium if record.source == SOURCE else record.medium or record.source


def export(store: Store, *, as_json: bool) -> int:
    """Everything, record by record; it names patients by their identifiers, and is to be kept as they are."""
    with store.reading() as unit:
        if as_json:
            for row in _rows(unit):
                json_line(row)
            return 0
        sheet = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        sheet.writeheader()
        sheet.writerows(_rows(unit))
    return 0


def _rows(unit: Unit) -> Iterator[dict[str, Any]]:
    last = 0
    while records := unit.consents.listing(after_id=last):
        yield from (_of_record(unit.patients.survivor(each.patient_id), each) for each in records)
        last = records[-1].id
    last = 0
    while stopped := unit.consents.suppressed(after_id=last):
        yield from (_of_stop(each) for each in stopped if each.kind is SuppressionKind.OPT_OUT)
        last = stopped[-1].id


def _of_record(patient: Patient, record: ConsentRecord) -> dict[str, Any]:
    authority, kind, value = patient.identifiers[0].split("|", 2)
    return {
        "identifier": value,
        "authority": authority,
        "identifier_type": kind,
        "scope": patient.scope,
        "phone": record.number or "",
        "given": "yes" if record.given else "no",
        "at": record.at.isoformat(),
        "medium": medium_of(record),
        "wording": record.wording,
        "campaign": record.campaign,
        "ip": record.ip,
        "recorded_by": record.recorded_by,
    }


def _of_stop(stop: Suppression) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS, "") | {
        "phone": stop.number,
        "given": "no",
        "at": stop.since.isoformat(),
        "medium": stop.source,
        "wording": stop.evidence,
    }
