"""Whose a visit is: the places of a feed, as the messages name them."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from fhir_mappers.profile import resolve
from fhir_mappers.v2_to_fhir import translate
from integration.settings.model import FeedLocation
from tests import settings as make
from tests.mappers.building import siu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhir_mappers.profile import VendorProfile

# One visit that names all of its places: room and building in AIL, clinic in PV1, the sender in MSH-4.
RAW = siu(AIL={3: "ROOM9^^^WEST"}, PV1={3: "CARD^^^HOSP"})
LOCATIONS = ("ROOM9", "WEST", "CARD", "HOSP", "RIVERSIDE")


def owner(raw: bytes, claimed: Mapping[str, str], vendor: VendorProfile | None = None) -> str | None:
    """The practice of a visit, by a feed in live mode whose places belong to these practices."""
    feed = make.feed(
        vendor=vendor or make.vendor(),
        locations={code: FeedLocation(practice=practice) for code, practice in claimed.items()},
    )
    practices = {name: make.practice(name=name) for name in ("heart", "river")}
    settings = make.settings(mode="live", feeds={"main": feed}, practices=practices)
    appointment = translate(raw, feed.vendor, feed.facts).appointment
    assert appointment is not None
    return settings.practice_of(feed, tuple(at.code for at in appointment.locations))[0]


@pytest.mark.parametrize("code", LOCATIONS)
def test_any_place_a_message_names_may_be_claimed(code: str) -> None:
    assert owner(RAW, {code: "heart"}) == "heart"


@pytest.mark.parametrize("place", range(len(LOCATIONS) - 1))
def test_the_most_specific_place_decides(place: int) -> None:
    less_specific = dict.fromkeys(LOCATIONS[place + 1 :], "river")
    assert owner(RAW, {LOCATIONS[place]: "heart"} | less_specific) == "heart"


def test_the_whole_sender_may_be_one_practices() -> None:
    assert owner(siu(), {"RIVERSIDE": "river"}) == "river"
    assert owner(RAW, {"RIVERSIDE": "river", "CARD": "heart"}) == "heart"


@pytest.mark.parametrize("code", ["card", "CAR", "CARD*", "C*", "*", "CARD "])
def test_a_code_is_claimed_as_it_is_written_and_no_other_way(code: str) -> None:
    """A pattern that took one place too many would text strangers in the name of the wrong practice."""
    assert owner(RAW, {code: "heart"}) is None


def test_the_profile_says_which_place_is_the_more_specific() -> None:
    generic = tomllib.loads((make.CONFIG / "vendors" / "generic.toml").read_text(encoding="utf-8"))
    own = {"extends": "generic", "appointment": {"locations": ["RGS-3", "PV1-3", "AIL-3"]}}
    vendor = resolve("own", {"generic": generic, "own": own})
    assert owner(RAW, {"ROOM9": "river", "CARD": "heart"}, vendor) == "heart"
    department = siu(AIL={3: "ROOM9"}, RGS={1: "1", 3: "100119^HEART"})
    assert owner(department, {"ROOM9": "river", "100119": "heart"}, vendor) == "heart"


def test_in_live_mode_a_place_nobody_claims_is_nobodys() -> None:
    assert owner(RAW, {"ELSEWHERE": "heart"}) is None
