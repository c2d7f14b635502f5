"""Troubles a command may meet that are not its own fault, and the words for them."""

from __future__ import annotations


class Usage(Exception):
    """The command was called with words that make no sense together, or name what does not exist."""


class Refused(Exception):
    """The command cannot be done; its words say why and what to do."""


def describe_trouble(error: Exception) -> str | None:
    """What to tell the person about it, None for a surprise."""
    from integration.bootstrap import NoStore
    from integration.ports.store import StoreUnavailable, WrongKey, WrongStamp
    from integration.settings.mistakes import ConfigError

    if isinstance(error, ConfigError):
        count = len(error.mistakes)
        return f"The configuration has {count} mistake{'s' * (count > 1)}:\n{error}"
    if isinstance(error, StoreUnavailable):
        return f"The database cannot be used: {error or 'it does not answer'}"
    if isinstance(error, (Refused, NoStore, WrongKey, WrongStamp)):
        return str(error)
    return None
