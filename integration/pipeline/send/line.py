"""What kind of line a number is, asked before its first text; outside any transaction, and once for all.

Of two threads one asks, the other's text waits. Whoever gets no answer in time goes without it: the
carrier will say soon enough that a line takes no texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from integration.domain.line_type import Line, LineType, is_to_be_asked
from integration.domain.line_type import of_line as of_known_line
from integration.ports.sms import ProviderUnavailable

if TYPE_CHECKING:
    from integration.domain.circuit import Circuit
    from integration.domain.last_look import Verdict
    from integration.pipeline.send.desk import Desk
    from integration.ports.workshop import Workshop

_log = structlog.get_logger(__name__)


def of_line(desk: Desk, number: str) -> Verdict:
    """Whether the number's line takes texts; under its lock.

    When that is to be asked first, `desk.to_ask` is the number, and it is noted so that nobody else asks.
    """
    sending = desk.workshop.settings.sending
    if not sending.lookup:
        return None
    line = desk.unit.lines.get(number)
    if line is None or is_to_be_asked(line, desk.wall, sending.lookup_again_after):
        line = Line(number, desk.wall)
        desk.unit.lines.keep(line)
        desk.to_ask = number
    return of_known_line(line, wall=desk.wall, calendar=desk.now)


def ask(workshop: Workshop, number: str, lookups: Circuit) -> None:
    """Ask the provider, and write down what it says; blocks at most about ten seconds."""
    line_type = _answer(workshop, number, lookups)
    with workshop.store.unit() as unit:
        unit.numbers.lock(number)
        unit.lines.keep(Line(number, workshop.clock.wall(), line_type))


def _answer(workshop: Workshop, number: str, lookups: Circuit) -> LineType:
    """A service that is away is let be for a while: no burst waits for one time-out after another."""
    now = workshop.clock.wall()
    admitted = lookups.admit(now)
    if admitted is None or workshop.sms is None:
        return LineType.UNANSWERED
    try:
        line_type = workshop.sms.line_type(number)
    except ProviderUnavailable as why:
        lookups.failed(admitted, workshop.clock.wall(), None, workshop.random())
        _log.warning("the provider cannot be asked about lines; the text goes without", why=str(why))
        return LineType.UNANSWERED
    lookups.heard()
    return line_type
