"""The pipeline's steps by name: the same for the threads of one process and for the tasks of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.circuit import Circuit
from integration.domain.pace import Pace, Progress
from integration.pipeline.acknowledge import Acknowledging
from integration.pipeline.plan import plan_changes
from integration.pipeline.reading.fetch import Fetching
from integration.pipeline.reading.poll import Polling
from integration.pipeline.reply import hear
from integration.pipeline.send import send_next
from integration.pipeline.subscriptions import Upkeep
from integration.pipeline.track import look_up, track
from integration.pipeline.translate import translate
from integration.pipeline.translate.anew import anew
from integration.pipeline.watch import Watching
from integration.pipeline.write_back import drain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration.ports.store import Step
    from integration.ports.workshop import Workshop


def steps(workshop: Workshop) -> Mapping[Step, Callable[[], bool]]:
    """Every step over one workshop."""
    circuit, acknowledging, watching = Circuit(), Acknowledging(workshop), Watching(workshop)
    how = workshop.settings.write_back
    there_is_an_ehr = workshop.ehr is not None or how.hl7 is not None  # else only the log is told
    pace, progress = Pace(how.per_second) if there_is_an_ehr else None, Progress()
    reading = Circuit()
    fetching, polling = Fetching(workshop, reading), Polling(workshop, reading)

    def listen() -> bool:
        polling.expect()
        return watching.look()

    return {
        "translate": lambda: bool(translate(workshop)),
        "acknowledge": lambda: bool(acknowledging.drain()),
        "plan": lambda: bool(plan_changes(workshop)),
        "send": lambda: send_next(workshop),
        "track": lambda: bool(track(workshop)),
        "reply": lambda: bool(hear(workshop)),
        "look_up": lambda: bool(look_up(workshop)),
        "write_back": lambda: bool(
            drain(
                workshop.store,
                workshop.write_back,
                workshop.clock,
                workshop.random,
                circuit,
                is_sensitive=workshop.settings.is_sensitive,
                # A second's worth, so that who stops waits no longer.
                limit=max(1, int(how.per_second)) if there_is_an_ehr else 100,
                pace=pace,
                progress=progress,
            )
        ),
        "anew": lambda: anew(workshop),
        "silence": listen,
        "subscriptions": Upkeep(workshop).look,
        "fetch": lambda: bool(fetching.drain()),
        "poll": polling.next,
    }
