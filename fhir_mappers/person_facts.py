"""What PID, NK1 and GT1 say alike of a person: language, and the wish for silence."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from fhir_mappers import iso_639
from fhir_mappers.datatypes import plain
from fhir_mappers.profile import VendorProfile
from fhir_mappers.profile_people import PatientPlaces
from fhir_mappers.v2_message import SegmentRun

YES: Final = frozenset({"Y", "YES", "TRUE", "1"})  # HL7 table 0136 and what is seen instead


class Valued(NamedTuple):
    """A value, and where it stood; both '' when nowhere."""

    value: str
    path: str


def first_valued(run: SegmentRun, paths: Sequence[str]) -> Valued:
    """Return the first of these paths that is valued."""
    for path in paths:
        value = plain(run.get(path))
        if value:
            return Valued(value, path)
    return Valued("", "")


def read_language(run: SegmentRun, paths: Sequence[str], profile: VendorProfile) -> tuple[str | None, str]:
    """Return the first language that is known among these paths (BCP-47), and its field."""
    for path in paths:
        code = language_code(plain(run.get(path)), profile)
        if code is not None:
            return code, path.partition(".")[0]
    return None, ""


def language_code(word: str, profile: VendorProfile) -> str | None:
    """Return the language a word or code stands for (BCP-47), None when it is not known."""
    if not word:
        return None
    word = word.casefold()
    primary = word.replace("_", "-").partition("-")[0].strip()  # es-MX, English - US
    return (
        profile.language_of.get(word)
        or profile.language_of.get(primary)
        or iso_639.TWO_LETTERS.get(primary)
        or (primary if primary in iso_639.KNOWN else None)
    )


def asks_for_silence(
    run: SegmentRun, publicity: Sequence[str], protection: Sequence[str], rules: PatientPlaces
) -> bool:
    """Say whether any of these paths holds a word that asks for no texts."""
    for path in publicity:
        if plain(run.get(path)).casefold() in rules.silent_publicity:
            return True
    return any(plain(run.get(path)).casefold() in rules.silent_protection for path in protection)
