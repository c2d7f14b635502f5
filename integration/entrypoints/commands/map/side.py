"""One side of a comparison of mappings: what a person named, as a feed with the profile it is read by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from integration.domain.text_template import choices
from integration.entrypoints.surroundings import the_feed
from integration.entrypoints.troubles import Usage
from integration.settings.load import load
from integration.settings.vendor_file import read_vendor_file

if TYPE_CHECKING:
    from integration.settings.model import Feed, Settings


def side(named: str, settings: Settings, feed: Feed, site: Path) -> tuple[Settings, Feed]:
    """The feed as it would be with what is named, and the settings around it.

    A folder is a whole configuration, whose feed of the same name is taken; a file is a vendor's profile,
    which may extend those of `site`; anything else is the name of such a profile. Raises Usage, ConfigError.
    """
    path = Path(named)
    if path.is_dir():
        there = load(path)
        return there, the_feed(there, feed.name)
    if path.is_file():
        return settings, replace(feed, vendor=read_vendor_file(path, site))
    if path.suffix == ".toml" or "/" in named:
        raise Usage(f"--diff {named}: there is no such file")
    if named not in settings.vendors:
        raise Usage(f"--diff {named}: no such vendor; {choices(named, settings.vendors)}")
    return settings, replace(feed, vendor=settings.vendors[named])
