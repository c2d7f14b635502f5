"""Reads what somebody said has changed, one resource at a time, and keeps it in the inbox.

A want is claimed with a lease; the transaction ends; the EHR is asked; a second transaction keeps the answer
and settles the want. A worker that dies in between leaves a want whose lease runs out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from integration.domain.write_back import TELL_STAFF_AFTER, rest
from integration.pipeline.reading.keeping import LEASE, close_refusals, keep, tell_of_refusal
from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import NotReadable, NotThere, Snapshot, deletion

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.circuit import Circuit
    from integration.ports.ehr_reading import EhrReader
    from integration.ports.ehr_store import Want
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import FhirHearing

TURN: Final = 20  # resources one call reads
# A server may tell of what its own copies do not show yet.
LOOKS_FOR_WHAT_IS_NOT_THERE: Final = 4

_log = structlog.get_logger(__name__)


class Fetching:
    """One process's reading; `circuit` is the server's."""

    def __init__(self, workshop: Workshop, circuit: Circuit) -> None:
        self._workshop = workshop
        self._circuit = circuit
        self._refused = True  # perhaps something is, since an earlier run

    def drain(self) -> int:
        """Read what is wanted, a few at most; how many there were. Raises `StoreUnavailable`."""
        reader = self._workshop.reader
        if reader is None:
            return 0
        for done in range(TURN):
            if not self._next(reader):
                return done
        return TURN

    def _next(self, reader: EhrReader) -> bool:
        let_in = self._circuit.admit(self._workshop.clock.wall())
        if let_in is None:
            return False
        try:
            now = self._workshop.clock.wall()
            with self._workshop.store.unit() as unit:
                want = unit.wants.claim(now, now + LEASE)
            if want is None:
                return False
            feed = self._workshop.settings.feeds.get(want.feed)
            if feed is None or feed.fhir is None:
                self._settle(want, NotReadable(f"no FHIR feed {want.feed} is configured"), now)
                return True
            asked_at = self._workshop.clock.wall()
            outcome = _read(reader, want, feed.fhir)
            if isinstance(outcome, TryLater) and outcome.away:
                self._circuit.failed(
                    let_in, self._workshop.clock.wall(), outcome.after, self._workshop.random()
                )
            else:
                self._circuit.heard()
            self._settle(want, outcome, asked_at)
            return True
        finally:
            self._circuit.let_be(let_in)

    def _settle(
        self, want: Want, outcome: Snapshot | NotThere | NotReadable | TryLater, asked_at: datetime
    ) -> None:
        workshop = self._workshop
        kept = 0
        with workshop.store.unit() as unit:
            answer = _understood(unit, want, outcome)
            if isinstance(answer, Snapshot):
                kept = keep(unit, want.feed, [answer], asked_at, quiet=False)
                settled = replace(want, state="read", tries=0, next_try_at=None, reason=None)
            elif isinstance(answer, TryLater):
                tries = want.tries + 1
                again = workshop.clock.wall() + rest(tries, answer.after, workshop.random())
                settled = replace(want, tries=tries, next_try_at=again, reason=answer.reason)
            else:
                settled = replace(want, state="refused", next_try_at=None, reason=answer.reason)
            unit.wants.settle(settled)
            self._tell(unit, settled, outcome)
        if kept:
            workshop.knock("translate")
        _log.info(
            "read at the EHR" if settled.state == "read" else "not read at the EHR",
            want=want.id,
            feed=want.feed,
            type=want.reference.type,
            state=settled.state,
            tries=settled.tries,
            reason=settled.reason,
        )

    def _tell(self, unit: Unit, want: Want, outcome: Snapshot | NotThere | NotReadable | TryLater) -> None:
        """A person must see to what is refused, or cannot be had, until nothing is refused any more."""
        today = self._workshop.clock.calendar()
        in_vain = isinstance(outcome, TryLater) and want.tries > 0 and want.tries % TELL_STAFF_AFTER == 0
        if isinstance(outcome, NotReadable) or in_vain:
            tell_of_refusal(unit, want.feed, want.reason or "", today, self._workshop.settings)
            self._refused = True
        elif self._refused and not isinstance(outcome, TryLater) and not unit.wants.count("refused"):
            close_refusals(unit, want.feed, today)
            self._refused = False


def _read(reader: EhrReader, want: Want, fhir: FhirHearing) -> Snapshot | NotThere | NotReadable | TryLater:
    try:
        return reader.read(want.reference, guardians=bool(fhir.guardians))
    except Exception as error:  # noqa: BLE001 - one resource that trips the reader must not stop the others
        # The type alone: an error's words may quote a person.
        return TryLater(f"reading stopped unexpectedly ({type(error).__name__})", away=False)


def _understood(
    unit: Unit, want: Want, outcome: Snapshot | NotThere | NotReadable | TryLater
) -> Snapshot | NotReadable | TryLater:
    """What is not there is gone, if it was said to be or was there once; else it may come yet."""
    if not isinstance(outcome, NotThere):
        return outcome
    if want.reference.id and (want.deleted or unit.snapshots.knows(want.feed, want.reference)):
        return deletion(want.reference)
    reason = f"the EHR knows of no such {want.reference.type}"
    if want.tries + 1 < LOOKS_FOR_WHAT_IS_NOT_THERE and not want.deleted:
        return TryLater(reason, away=False)
    return NotReadable(reason)
