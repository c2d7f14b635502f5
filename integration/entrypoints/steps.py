"""The pipeline's steps by name: the same for the threads of one process and for the tasks of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.circuit import Circuit
from integration.pipeline.acknowledge import Acknowledging
from integration.pipeline.costs.bill import Billing
from integration.pipeline.costs.budget import Budgets
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
from integration.pipeline.write_back.by_server import ByServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration.ports.store import Step
    from integration.ports.workshop import Workshop


def steps(workshop: Workshop) -> Mapping[Step, Callable[[], bool]]:
    """Every step over one workshop."""
    acknowledging, watching, telling = Acknowledging(workshop), Watching(workshop), ByServer(workshop)
    reading, lookups = Circuit(), Circuit()
    fetching, polling = Fetching(workshop, reading), Polling(workshop, reading)
    billing, budgets = Billing(workshop), Budgets(workshop)

    def listen() -> bool:
        polling.expect()
        billing.expect()
        budgets.look()
        return watching.look()

    return {
        "translate": lambda: bool(translate(workshop)),
        "acknowledge": lambda: bool(acknowledging.drain()),
        "plan": lambda: bool(plan_changes(workshop)),
        "send": lambda: send_next(workshop, lookups),
        "track": lambda: bool(track(workshop)),
        "reply": lambda: bool(hear(workshop)),
        "look_up": lambda: bool(look_up(workshop)),
        "write_back": lambda: bool(telling.drain()),
        "anew": lambda: anew(workshop),
        "silence": listen,
        "subscriptions": Upkeep(workshop).look,
        "fetch": lambda: bool(fetching.drain()),
        "poll": polling.next,
        "bill": billing.read,
    }
