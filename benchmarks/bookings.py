"""Bookings of 2 KB as an EHR sends them, each of another visit of another invented person with another phone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import phonenumbers

if TYPE_CHECKING:
    from datetime import datetime

_AREAS = range(201, 990)
_LINES = range(5_550_100, 5_550_200)  # reserved for fiction
_TEMPLATE = "\r".join(
    (
        "MSH|^~\\&|SCHED|RIVERSIDE|TEXTS|RIVERSIDE|{at}||SIU^S12^SIU_S12|{id}|P|2.5.1|||||USA|UNICODE UTF-8",
        "SCH|P{id}^SCHED|V{id}^PORTAL||||ROUTINE^Routine appointment^HL70276|FUP^Follow-up visit^L|"
        "OFFICE^Office visit^L|30|min^minutes^ISO+|^^30^{start}|||||"
        "4411^Clerk^Front^^^^^^NORTH|^WPN^PH^^1^617^5550100|1 Main St^^Boston^MA^02110^USA|DESK 2|"
        "4411^Clerk^Front|||||Booked^Booked^HL70278",
        "TQ1|1||||||{start}||R^Routine^HL70485|||||30^min",
        "NTE|1|L|Please bring your insurance card and a list of your medicines.|RE^Remark^HL70364",
        "PID|1||M{id}^^^NORTH^MR~999-12-3456^^^USSSA^SS||Sample{id}^Ana^Maria^^Ms^^L||19800214|F|Ana^Nick^N|"
        "2106-3^White^HL70005|12 Mill Rd^Apt 4^Boston^MA^02110^USA^H^^025|025|^PRN^CP^^1^{area}^{line}~"
        "^NET^Internet^ana@example.com|^WPN^PH^^1^617^5550124^12|eng^English^HL70296|M^Married^HL70002|"
        "CAT^Catholic^HL70006|5567^^^NORTH^AN|||||2186-5^Not Hispanic^HL70189|||||||N",
        "PD1|||NORTH CLINIC^^1001|1234^Example^Doctor^^^^MD^^NPI||||||||N|20260101",
        "NK1|1|Sample^Luis|SPO^Spouse^HL70063|12 Mill Rd^Apt 4^Boston^MA^02110|^PRN^CP^^1^617^5550125||EC",
        "PV1|1|O|CLINIC^ROOM1^^NORTH^^^^^2nd floor||||1234^Example^Doctor^^^^MD^^NPI|5678^Other^Doctor|||||||||"
        "1234^Example^Doctor|OFF|E{id}^^^NORTH^VN|||||||||||||||||||||||||{start}",
        "PV2|||FUP^Follow-up of blood pressure^L||||||30|||||||||||||||||||||||||||||N",
        "IN1|1|PPO1^Gold plan^L|77001^^^NORTH|Example Insurance|1 Policy Way^^Hartford^CT^06101|"
        "^WPN^PH^^1^860^5550100|G-100|Sample Works||||20260101|20271231|||Sample^Ana|SEL^Self^HL70063|19800214",
        "RGS|1|A|R1^Clinic",
        "AIS|1|A|99213^Office visit, established^CPT|{start}|||30|min^minutes^ISO+|NO|Booked",
        "AIG|1|A|ROOM1^Room 1^L|ROOM^Room^L|||1|{start}|||30|min^minutes^ISO+|NO|Booked",
        "AIL|1|A|CLINIC^ROOM1^^NORTH|CLINIC^Clinic^L||{start}|||30|min^minutes^ISO+|NO|Booked",
        "AIP|1|A|1234^Example^Doctor^^^^MD^^NPI|MD^Physician^L||{start}|||30|min^minutes^ISO+|NO|Booked",
        "",
    )
)


def booking(number: int, *, at: datetime, start: datetime) -> bytes:
    """The S12 of visit `number`, sent at `at`; both times aware. Phones repeat after some 30,000."""
    area, line = phone(number)
    return _TEMPLATE.format(
        id=f"{number:012}",
        at=f"{at:%Y%m%d%H%M%S%z}",
        start=f"{start:%Y%m%d%H%M%z}",
        area=area,
        line=line,
    ).encode()


def phone(number: int) -> tuple[int, int]:
    """Area code and line of a telephone that does not exist."""
    areas = _areas()
    return areas[number % len(areas)], _LINES[number // len(areas) % len(_LINES)]


def phones() -> int:
    """How many different ones there are."""
    return len(_areas()) * len(_LINES)


@cache
def _areas() -> list[int]:
    return [area for area in _AREAS if _is_an_area(area)]


def _is_an_area(code: int) -> bool:
    number = phonenumbers.parse(f"+1{code}{_LINES[0]}")
    texted = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == texted
