"""One fact of a translated message, as it is explained to an engineer."""

from typing import NamedTuple


class Fact(NamedTuple):
    """One thing a message says."""

    name: str  # Appointment.start
    value: str  # as the site works with it
    path: str  # where it stood, '' when it was written nowhere
    rule: str  # the line of the profile or feed that made it so, or the standard's own
