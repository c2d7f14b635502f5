"""Step 5: what became of the texts: callbacks are heard, and silence is looked into (promises 2, 5 and 6).

`track` works status callbacks. `look_up` asks the provider about offers whose
outcome nobody knows, and about texts it has long said nothing of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.pipeline.track.callbacks import track
from integration.pipeline.track.silent import ask_about_silent
from integration.pipeline.track.uncertain import look_for_uncertain

if TYPE_CHECKING:
    from integration.ports.workshop import Workshop

__all__ = ("look_up", "track")


def look_up(workshop: Workshop) -> int:
    """Look into overdue offers and silent texts, a bounded number a call; returns how many."""
    worked = look_for_uncertain(workshop) + ask_about_silent(workshop)
    if worked:
        workshop.knock("send")  # an absent text is offered once more
        workshop.knock("write_back")
    return worked
