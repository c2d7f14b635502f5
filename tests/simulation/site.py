"""The configuration the simulated year runs with: three practices in three zones, as a site writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from integration.settings.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from integration.settings.model import Settings

FEED_ZONE = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Clinic:
    """One practice as its patients know it."""

    name: str
    public_name: str
    phone: str
    zone: ZoneInfo
    state: str
    languages: tuple[str, ...]


CLINICS = {
    each.name: each
    for each in (
        Clinic("riverside", "Riverside Clinic", "617-555-0100", FEED_ZONE, "MA", ("en", "es")),
        Clinic(
            "lakeview", "Lakeview Family", "312-555-0100", ZoneInfo("America/Chicago"), "IL", ("en", "es")
        ),
        Clinic("bayside", "Bayside Health", "213-555-0100", ZoneInfo("America/Los_Angeles"), "CA", ("en",)),
    )
}
_SETTINGS = """
mode = "live"
[sending]
recheck_after = "2h"
"""
_PRACTICE = """
sms = true
public_name = "{clinic.public_name}"
phone = "{clinic.phone}"
zone = "{clinic.zone.key}"
languages = [{languages}]
consent = "implied"
price_per_segment = "0.0083"
"""
_FEED = """
vendor = "own"
zone = "America/New_York"
region = "US"
state = "live"
acknowledge = "msh"
processing_id = "P"
[locations]
"""
_VENDOR = """
extends = "generic"
[guardian]
order = ["NK1"]
"""
# From July on the second reminder of one practice goes earlier, and another leaves out the last.
CHANGED = {
    "riverside": "\n[steps.two_days]\ndays_ahead = 3\n",
    "lakeview": "\n[steps.three_hours]\noff = true\n",
}


def settings(folder: Path, *, changed: bool) -> Settings:
    """The site's settings, read from files as the product reads them; `changed`: as they are from July on."""
    for name in ("practices", "feeds", "vendors"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_text(_SETTINGS)
    (folder / "vendors" / "own.toml").write_text(_VENDOR)
    places = ""
    for clinic in CLINICS.values():
        languages = ", ".join(f'"{each}"' for each in clinic.languages)
        text = _PRACTICE.format(clinic=clinic, languages=languages)
        (folder / "practices" / f"{clinic.name}.toml").write_text(
            text + (CHANGED.get(clinic.name, "") if changed else "")
        )
        places += f'{clinic.name.upper()} = {{ practice = "{clinic.name}", zone = "{clinic.zone.key}" }}\n'
    (folder / "feeds" / "main.toml").write_text(_FEED + places)
    return load(folder)
