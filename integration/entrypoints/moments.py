"""The times a person gives a command: with an offset, or they are refused."""

from __future__ import annotations

from datetime import datetime

from integration.entrypoints.troubles import Usage


def moment(option: str, text: str) -> datetime:
    """A time with an offset; raises Usage."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"{option} {text}: is no time; write 2027-03-01T09:00-05:00") from None
    if found.tzinfo is None:
        raise Usage(f"{option} {text}: has no offset; write {text}-05:00 or {text}Z")
    return found
