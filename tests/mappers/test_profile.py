"""Vendor profiles: what extends what, and every mistake named."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fhir_mappers.errors import BadProfile
from fhir_mappers.profile import VendorProfile, resolve
from fhir_mappers.v2_to_fhir import translate
from tests.mappers.building import PROFILE, siu
from tests.mappers.golden import ROOT, US

VENDORS = ROOT / "config" / "vendors"
GENERIC = tomllib.loads((VENDORS / "generic.toml").read_text(encoding="utf-8"))
ALL = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(VENDORS.glob("*.toml"))}


def resolved(**vendor: Any) -> VendorProfile:
    return resolve("vendor", {"generic": GENERIC, "vendor": {"extends": "generic"} | vendor})


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_shipped_profile_is_complete_and_reads_a_plain_message(name: str) -> None:
    translation = translate(siu(SCH={1: "P-1"}, PV1={19: "V-1"}), resolve(name, ALL), US)
    assert translation.refusal is None
    assert translation.appointment is not None


def test_a_vendor_says_only_what_differs() -> None:
    profile = resolved(appointment={"identity": ["SCH-1"]}, title="Vendor")
    assert profile.appointment.identity == ("SCH-1",)
    assert profile.appointment.status == PROFILE.appointment.status
    assert (profile.title, profile.phones) == ("Vendor", PROFILE.phones)


def test_a_list_replaces_and_three_dots_stand_for_what_was() -> None:
    assert resolved(statuses={"booked": ["Ready"]}).statuses["booked"] == ("ready",)
    more = resolved(statuses={"booked": ["Ready", "...", "Set"]}).statuses["booked"]
    assert more == ("ready", *PROFILE.statuses["booked"], "set")


def test_a_profile_may_extend_one_that_extends_another() -> None:
    raw = {
        "generic": GENERIC,
        "vendor": {"extends": "generic", "confirmed": ["...", "Yes"]},
        "site": {"extends": "vendor", "confirmed": ["...", "Si"]},
    }
    assert resolve("site", raw).confirmed == (*PROFILE.confirmed, "yes", "si")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "does not exist"),
        ({"vendor": {"extends": "nobody"}}, "does not exist"),
        ({"vendor": {"extends": "vendor"}}, "extends itself"),
        ({"vendor": {"extends": "other"}, "other": {"extends": "vendor"}}, "extends itself"),
    ],
)
def test_extending_nothing_or_oneself_is_refused(raw: dict[str, dict[str, Any]], words: str) -> None:
    with pytest.raises(BadProfile, match=words):
        resolve("vendor", raw)


@pytest.mark.parametrize(
    ("vendor", "where", "words"),
    [
        ({"appointment": {"identity": ["SCH2"]}}, ("appointment", "identity", 0), "not an HL7 path"),
        ({"appointment": {"identity": []}}, ("appointment", "identity"), "at least 1"),
        ({"appointment": {"identty": ["SCH-2"]}}, ("appointment", "identty"), "not permitted"),
        ({"phone": {}}, ("phone",), "not permitted"),
        ({"times": [{"start": "TQ1"}]}, ("times", 0, "start"), "not an HL7 path"),
        ({"times": []}, ("times",), "at least 1"),
        ({"statuses": {"booked": [""]}}, ("statuses", "booked", 0), "at least 1"),
        ({"statuses": {"gone": ["Gone"]}}, ("statuses", "gone", "[key]"), "Input should be"),
        ({"statuses": {"noshow": ["Cancelled"]}}, ("statuses", "noshow"), "'cancelled' stands under"),
        ({"languages": {"xx": ["Spanish"]}}, ("languages", "xx"), "'spanish' stands under"),
        ({"phones": {"home": ["CP"]}}, ("phones", "home"), "'cp' stands under"),
        ({"triggers": {"Z1": "S99"}}, ("triggers", "Z1"), "S99 is no trigger event"),
        ({"durations": {"shortest_minutes": 0}}, ("durations", "shortest_minutes"), "greater than or equal"),
        (
            {"durations": {"shortest_minutes": 2000}},
            ("durations", "shortest_minutes"),
            "above longest_minutes",
        ),
        ({"phones": {"offer": ["pager"]}}, ("phones", "offer", 0), "Input should be"),
        (
            {"phones": {"sources": [{"path": "PID-13", "kind": "cell"}]}},
            ("phones", "sources", 0, "kind"),
            "Input",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    vendor: dict[str, Any], where: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        resolved(**vendor)
    assert where in [error["loc"] for error in refused.value.errors()]


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PROFILE.title = "other"


def test_a_vendor_that_writes_the_status_elsewhere_is_served_by_a_path() -> None:
    profile = resolved(appointment={"status": ["SCH-6", "..."]}, statuses={"arrived": ["...", "Im Haus"]})
    translation = translate(siu("S14", SCH={6: "IM HAUS"}), profile, US)
    assert (translation.event, translation.sources["Appointment.status"]) == ("arrived", "SCH-6")


def test_the_generic_profile_is_commented_for_people() -> None:
    text = Path(VENDORS / "generic.toml").read_text(encoding="utf-8")
    assert text.startswith("#:schema ../schema/vendor.json\n# ")
    assert "config/feeds" in text
