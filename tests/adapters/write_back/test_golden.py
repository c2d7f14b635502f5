"""Each EHR is sent what its golden files say, in valid R4, with codes of the required value sets only."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.adapters.write_back.golden_files import EHRS, FACTS, FOLDER, path_of, sent

if TYPE_CHECKING:
    from collections.abc import Iterator

# Element → its required value set (hl7.org/fhir/R4), as far as we write it
EVENT_STATUS = {
    "preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error",
    "unknown",
}  # fmt: skip
PRIORITY = {"routine", "urgent", "asap", "stat"}
REQUIRED: dict[tuple[str, str], set[str]] = {
    ("Communication", "status"): EVENT_STATUS,
    ("Communication", "priority"): PRIORITY,
    ("AppointmentResponse", "participantStatus"): {
        "accepted", "declined", "tentative", "in-process", "completed", "needs-action", "entered-in-error",
    },
    ("Appointment", "status"): {
        "proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error",
        "checked-in", "waitlist",
    },
    ("DocumentReference", "status"): {"current", "superseded", "entered-in-error"},
    ("DocumentReference", "docStatus"): {"preliminary", "final", "amended", "entered-in-error"},
    ("DocumentReference", "relatesTo.code"): {"replaces", "transforms", "signs", "appends"},
    ("Consent", "status"): {
        "draft", "proposed", "active", "rejected", "inactive", "entered-in-error",
    },
    ("Consent", "provision.type"): {"deny", "permit"},
    ("Task", "status"): {
        "draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress",
        "on-hold", "failed", "completed", "entered-in-error",
    },
    ("Task", "intent"): {
        "unknown", "proposal", "plan", "order", "original-order", "reflex-order", "filler-order",
        "instance-order", "option",
    },
    ("Task", "priority"): PRIORITY,
}  # fmt: skip
# R5 alone spells these so, at the top of what we write
R5_ONLY = {"cancellationReason", "reason", "decision", "grantor", "docStatusReason", "requestedPeriod"}
CASES = [(name, fact) for name in EHRS for fact in FACTS]


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, fact in CASES:
        for request in json.loads(path_of(name, fact).read_text(encoding="utf-8"))["sent"]:
            if isinstance(request["body"], dict):  # a JSON Patch is a list
                yield f"{name}/{fact}", request["body"]


def values(node: Any, way: list[str]) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from values(each, way)
    elif not way:
        if node is not None:
            yield node
    elif isinstance(node, dict):
        yield from values(node.get(way[0]), way[1:])


@pytest.mark.parametrize(("name", "fact"), CASES)
def test_each_ehr_is_sent_what_its_golden_file_says(name: str, fact: str) -> None:
    assert sent(name, fact) == json.loads(path_of(name, fact).read_text(encoding="utf-8"))


def test_every_golden_file_is_of_a_case() -> None:
    there = {(path.parent.name, path.stem) for path in FOLDER.glob("*/*.json")}
    assert there == set(CASES)


def test_all_of_it_is_valid_and_spelled_as_r4_spells() -> None:
    for where, body in bodies():
        get_fhir_model_class(body["resourceType"]).model_validate(body)
        assert not body.keys() & R5_ONLY, where


def test_required_codes_are_of_their_value_sets() -> None:
    seen = set()
    for where, body in bodies():
        for (kind, element), codes in REQUIRED.items():
            if kind != body["resourceType"]:
                continue
            for value in values(body, element.split(".")):
                assert value in codes, f"{where} {element}"
                seen.add((kind, element))
    assert {("Communication", "status"), ("Consent", "status"), ("Task", "intent")} <= seen
    assert {("DocumentReference", "docStatus"), ("AppointmentResponse", "participantStatus")} <= seen


def test_a_note_reads_as_a_person_would_write_it() -> None:
    (request,) = json.loads(path_of("oracle", "text_undelivered").read_text(encoding="utf-8"))["sent"]
    words = b64decode(request["body"]["content"][0]["attachment"]["data"]).decode()
    assert words.splitlines() == [
        "Text message from Riverside Clinic to ****0123, 2027-03-01 09:00 EST:",
        "Riverside Clinic: see you Fri Mar 5 at 10:00 AM. Reply C to confirm.",
        "Not delivered: the handset could not be reached.",
        "Provider's error code 30003.",
    ]
