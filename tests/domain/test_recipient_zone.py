"""Whose clock a text is read by: the address decides, and what it leaves open counts in full."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from integration.domain.postal_zones import zones_of_postal_code, zones_of_state
from integration.domain.recipient import Patient
from integration.domain.recipient_zone import recipient_zones

BOSTON = ZoneInfo("America/New_York")


def somebody(country: str = "", state: str = "", code: str = "") -> Patient:
    address = {"country": country, "state": state, "postalCode": code}
    resource = {"address": [{key: value for key, value in address.items() if value}]}
    return Patient(7, "main", ("k",), "Ana", "Sample", "+16175550123", resource=resource)


@pytest.mark.parametrize(
    ("country", "state", "code", "zones"),
    [
        ("USA", "MA", "019", ["America/New_York"]),
        ("US", "CA", "90210", ["America/Los_Angeles"]),
        ("", "CA", "", ["America/Los_Angeles"]),
        ("United States", "California", "", ["America/Los_Angeles"]),
        ("", "", "902", ["America/Los_Angeles"]),
        ("US", "US-AZ", "850", ["America/Phoenix"]),
        ("US", "AZ", "", ["America/Phoenix", "America/Denver"]),
        ("US", "AZ", "86503", ["America/Phoenix", "America/Denver"]),
        ("US", "HI", "96813", ["Pacific/Honolulu"]),
        ("US", "AS", "96799", ["Pacific/Pago_Pago"]),
        ("PR", "", "", ["America/Puerto_Rico"]),
        ("USA", "PR", "009", ["America/Puerto_Rico"]),
        ("USA", "GU", "96910", ["Pacific/Guam"]),
        ("USA", "AK", "", ["America/Anchorage", "America/Adak"]),
        ("USA", "AK", "99801", ["America/Anchorage"]),
        ("US", "TN", "38103", ["America/Chicago"]),
        ("US", "TN", "37902", ["America/New_York"]),
        ("US", "TX", "79901", ["America/Chicago", "America/Denver"]),
        ("US", "TX", "88510", ["America/Denver"]),
        ("US", "FL", "32501", ["America/Chicago"]),
        ("US", "FL", "33101", ["America/New_York"]),
        ("US", "FL", "", ["America/New_York", "America/Chicago"]),
        ("US", "IN", "46402", ["America/Chicago"]),
        ("US", "ID", "83814", ["America/Los_Angeles"]),
        ("CA", "ON", "M5V", ["America/New_York"]),  # keeps the practice's time
        ("CAN", "BC", "V5K 0A1", ["America/Vancouver"]),
        ("", "", "V5K", ["America/Vancouver"]),
        ("CAN", "BC", "V1G", ["America/Dawson_Creek"]),
        ("CAN", "NL", "A1C", ["America/St_Johns"]),
        ("CAN", "NL", "", ["America/St_Johns", "America/Halifax"]),
        ("Canada", "SK", "S4P", ["America/Regina"]),
        ("GBR", "", "SW1A 1AA", ["Europe/London"]),
        ("England", "", "", ["Europe/London"]),
        ("", "", "SW1", ["Europe/London"]),
        ("DEU", "", "10115", ["Europe/Berlin"]),
        ("US", "", "", ["America/New_York"]),  # the practice's is one of its zones
        ("", "AE", "090", ["America/New_York"]),  # a military address may be anywhere
        ("nowhere", "", "", ["America/New_York"]),
        ("", "", "", ["America/New_York"]),
    ],
)
def test_an_address_decides_the_clock(country: str, state: str, code: str, zones: list[str]) -> None:
    found = [zone.key for zone in recipient_zones([somebody(country, state, code)], BOSTON)]
    assert found == zones


def test_a_state_and_a_postal_code_that_contradict_each_other_both_count() -> None:
    found = recipient_zones([somebody("US", "MA", "90210")], BOSTON)
    assert [zone.key for zone in found] == ["America/New_York", "America/Los_Angeles"]


def test_of_two_zones_left_open_the_practices_is_the_likelier() -> None:
    assert recipient_zones([somebody("US", "TN")], BOSTON)[0] == BOSTON
    assert recipient_zones([somebody("US", "TN")], ZoneInfo("America/Denver"))[0].key == "America/Chicago"


def test_a_zone_that_keeps_the_practices_time_is_the_practices() -> None:
    detroit = ZoneInfo("America/Detroit")
    assert recipient_zones([somebody("US", "NY", "10001")], detroit)[0] is detroit


def test_a_family_of_two_addresses_reads_by_both_clocks() -> None:
    found = recipient_zones([somebody("US", "MA"), somebody("US", "CA")], BOSTON)
    assert [zone.key for zone in found] == ["America/New_York", "America/Los_Angeles"]


def test_a_postal_area_lies_within_its_state() -> None:
    """The two tables were written apart; a slip in one shows against the other."""
    places = {"AL": "350-369", "AZ": "850-865", "FL": "320-339", "ID": "832-838", "IN": "460-479"}
    places |= {"KS": "660-679", "KY": "400-427", "MI": "480-499", "ND": "580-588", "NE": "680-693"}
    places |= {"NV": "889-898", "OR": "970-979", "SD": "570-577", "TN": "370-385", "TX": "750-799"}
    for state, area in places.items():
        first, last = map(int, area.split("-"))
        seen = {zone for n in range(first, last + 1) for zone in zones_of_postal_code(f"{n:03}", "US")}
        assert seen - {"America/New_York"} <= set(zones_of_state(state)) | {"America/New_York"}, state
        assert set(zones_of_state(state)) <= seen, state
