"""What most commands begin with: the environment, the settings, and the feed a person named."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from integration.domain.text_template import choices
from integration.entrypoints.troubles import Usage
from integration.settings.environment import read_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration.settings.environment import Environment
    from integration.settings.model import Feed, Practice, Settings
    from integration.settings.written import Written


def the_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """What the surroundings say, or these variables; raises ConfigError."""
    return read_environment(os.environ if variables is None else variables)


def the_settings(environment: Environment) -> Settings:
    """The site's configuration, or the shipped one; raises ConfigError."""
    from integration.settings.files import SHIPPED
    from integration.settings.load import load

    return load(environment.config_folder or SHIPPED)


def the_configuration(environment: Environment) -> Written:
    """The same with the texts it was read from; raises ConfigError."""
    from integration.settings.files import SHIPPED
    from integration.settings.written import read_folder

    return read_folder(environment.config_folder or SHIPPED)


def the_feed(settings: Settings, name: str | None) -> Feed:
    """The feed of that name; without one the only one, the only one of HL7 v2, or `main`. Raises Usage."""
    if name is None:
        feeds = list(settings.feeds.values())
        feeds = [feed for feed in feeds if feed.fhir is None] or feeds
        if len(feeds) == 1:
            return feeds[0]
    wanted = name or "main"
    if wanted not in settings.feeds:
        raise Usage(f"--feed {wanted}: no such feed; {choices(wanted, settings.feeds)}")
    return settings.feeds[wanted]


def fitting(settings: Settings, feed: Feed, message: bytes, *, named: bool) -> Feed:
    """The feed a message is to be read by: the one a person named, else one that hears such messages.

    FHIR is read by the only feed that hears it; where there is none, or several, as of a plain server.
    """
    from fhir_mappers.from_fhir.split import is_json
    from integration.settings.model import FhirHearing

    if named or feed.fhir is not None or not is_json(message):
        return feed
    hearing = [each for each in settings.feeds.values() if each.fhir is not None]
    return hearing[0] if len(hearing) == 1 else replace(feed, fhir=FhirHearing())


def the_practice(settings: Settings, name: str | None) -> Practice | None:
    """The practice of that name, None when none is named. Raises Usage."""
    if name is None:
        return None
    if name not in settings.practices:
        raise Usage(f"--practice {name}: no such practice; {choices(name, settings.practices)}")
    return settings.practices[name]
