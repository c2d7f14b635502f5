"""Each shipped vendor on messages in its manner: invented ones, and others' where they are at hand."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappers.profile import VendorProfile, resolve
from fhir_mappers.v2_message import split_messages
from fhir_mappers.v2_to_fhir import translate
from tests.mappers.golden import GERMANY, ROOT, SAMPLES, UK, US
from tests.mappers.test_public_samples import PUBLIC
from tests.mappers.test_siu_to_bundle import check_fhir

if TYPE_CHECKING:
    from pathlib import Path

    from fhir_mappers.translation import FeedFacts, Translation

FOLDER = ROOT / "config" / "vendors"
RAW = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
PROFILES = {name: resolve(name, RAW) for name in RAW}
MESSAGES = sorted((SAMPLES / "vendors").glob("*/*.hl7"))
FEEDS = {"renalware_nhs": UK, "samedi": GERMANY}
BY_NAME = [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in MESSAGES]


def feed_of(vendor: str) -> FeedFacts:
    return replace(FEEDS.get(vendor, US), identifier_systems={})


def translated(path: Path) -> Translation:
    vendor = path.parent.name
    return translate(path.read_bytes(), PROFILES[vendor], feed_of(vendor))


def facts(translation: Translation) -> dict[str, Any]:
    """What a text and its last look depend on."""
    appointment, (patient,) = translation.appointment, translation.patients
    assert appointment is not None
    return {
        "event": translation.event,
        "known by": [f"{each.path} {each.value}" for each in appointment.identifiers],
        "start": appointment.start and appointment.start.isoformat(),
        "end": appointment.end and appointment.end.isoformat(),
        "status": appointment.status,
        "confirmed": appointment.confirmed,
        "modality": appointment.modality,
        "places": [f"{each.path} {each.code}" for each in appointment.locations],
        "public place": appointment.place,
        "patient": [f"{each.authority} {each.type} {each.value}" for each in patient.identifiers],
        "called": f"{patient.given} {patient.family}",
        "text to": patient.text_to,
        "from": translation.sources.get("Patient.text_to"),
        "numbers emptied": list(patient.cleared),
        "language": patient.language,
        "warnings": [f"{each.path} {each.code}" for each in translation.warnings],
    }


@pytest.mark.parametrize("path", BY_NAME)
def test_a_message_in_a_vendors_manner_is_understood(path: Path) -> None:
    translation = translated(path)
    check_fhir(translation)
    assert facts(translation) == json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def test_every_vendor_has_a_message() -> None:
    assert {path.parent.name for path in MESSAGES} == set(PROFILES) - {"generic"}


@pytest.mark.parametrize("name", sorted(set(RAW) - {"generic"}))
def test_a_vendor_says_only_what_differs_and_what_is_not_known(name: str) -> None:
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    assert RAW[name]["extends"] in PROFILES
    assert "eft to generic" in text
    own = VendorProfile.model_fields.keys() - RAW[name].keys()
    assert own, "a vendor that repeats every table repeats generic"


def test_millenniums_confirmed_is_not_the_patients_yes() -> None:
    """Every booked appointment is Confirmed there: taken for a yes, nobody would be asked."""
    raw = (SAMPLES / "vendors" / "oracle_health" / "booked_is_called_confirmed.hl7").read_bytes()
    found = {}
    for name in ("generic", "oracle_health", "renalware_nhs"):
        appointment = translate(raw, PROFILES[name], US).appointment
        assert appointment is not None
        found[name] = (appointment.status, appointment.confirmed)
    assert found == {
        "generic": ("booked", True),
        "oracle_health": ("booked", False),
        "renalware_nhs": ("booked", False),
    }


# NextGen Connect's own test messages, read by hand: end of the file's name, number → event, place.
# SCH-11.4 says 17 June, AIL-6 and AIP-6 14 June; MSH-4 is SENDING_FACILITY in all.
CONNECT = {
    ("batch-batch01", 0): ("booked", "OFFICE"),
    ("batch-batch01", 1): ("changed", "OFFICE"),
    ("batch-batch01", 2): ("cancelled", "OFFICE"),
    ("notempty-01", 0): ("booked", "OFFICE"),
    ("nonbatch-02", 0): ("changed", "OFFICE"),
    ("nonbatch-03", 0): ("cancelled", "OFFICE"),
}


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public samples are not beside this repository")
@pytest.mark.parametrize(("which", "said"), CONNECT.items(), ids=lambda value: "-".join(map(str, value)))
def test_nextgens_public_messages_are_understood(which: tuple[str, int], said: tuple[str, str]) -> None:
    (path,) = (PUBLIC / "nextgenhealthcare+connect").glob(f"*{which[0]}.hl7")
    translation = translate(split_messages(path.read_bytes())[which[1]], PROFILES["nextgen"], US)
    appointment = translation.appointment
    assert appointment is not None
    assert (translation.event, appointment.place) == said
    assert [f"{each.path} {each.value}" for each in appointment.identifiers] == ["SCH-2 2196178"]
    assert appointment.start is not None
    assert appointment.start.isoformat() == "2011-06-17T08:45:00-04:00"
    assert translation.patients[0].text_to == "+12605551234"
