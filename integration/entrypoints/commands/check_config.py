"""`check-config`: reads the environment and the whole configuration, and says every mistake at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from integration.bootstrap import hearing, signing_keys
from integration.entrypoints.printing import json_line, say
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.settings.lawfulness import beyond_the_safe_default
from integration.settings.mistakes import ConfigError
from integration.settings.plan_check import unknown_places

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from integration.settings.environment import Environment
    from integration.settings.mistakes import Mistake


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing but the form of its output."""
    parser.add_argument("--json", action="store_true", help="one mistake a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when there is a mistake."""
    mistakes: list[Mistake] = []
    settings = None
    try:
        environment = the_environment()
    except ConfigError as error:
        mistakes += error.mistakes
        # What is wrong elsewhere in the surroundings hides no mistake of the configuration.
        where = "APPOINTMENT_TEXTS_CONFIG"
        environment = the_environment({where: os.environ.get(where, "")})
    try:
        settings = the_settings(environment)
    except ConfigError as error:
        mistakes += error.mistakes
    mistakes += _of_the_keys(environment)
    for mistake in mistakes:
        if options.json:
            json_line({"file": mistake.file, "key": mistake.key, "text": mistake.text})
        else:
            say(str(mistake))
    if mistakes:
        return 1
    if settings is not None and not options.json:
        read = environment.config_folder or "the shipped configuration"
        say(
            f"Nothing is wrong in {read}: mode {settings.mode}.",
            f"Feeds: {', '.join(f'{feed.name} ({feed.state})' for feed in settings.feeds.values())}.",
            f"Practices: {', '.join(settings.practices)}. Languages: {', '.join(settings.catalogs)}.",
            *hearing(environment, settings),
            *(f"Look at this: {each}" for each in unknown_places(settings)),
            *(f"Look at this: {each}" for each in beyond_the_safe_default(settings)),
        )
    return 0


def _of_the_keys(environment: Environment) -> Sequence[Mistake]:
    """What would stop the start: keys that cannot sign."""
    try:
        signing_keys(environment)
    except ConfigError as error:
        return error.mistakes
    return ()
