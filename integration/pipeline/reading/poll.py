"""Asks the EHR what changed, feed by feed: at their times, and when a notification was missed or empty.

A poll is claimed with a lease that is renewed page by page. Where the EHR is asked place by place, the feed's
own poll wakes those of its places.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from integration.domain.write_back import rest
from integration.pipeline.reading.asking import Question, ask, next_at
from integration.pipeline.reading.keeping import LEASE, close_refusals, tell_of_refusal
from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import NotReadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.circuit import Circuit
    from integration.ports.ehr_reading import EhrReader
    from integration.ports.ehr_store import Poll
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed, FhirHearing

AFTER_REFUSAL: Final = timedelta(hours=1)

_log = structlog.get_logger(__name__)


class Polling:
    """One process's asking; `circuit` is the server's."""

    def __init__(self, workshop: Workshop, circuit: Circuit) -> None:
        self._workshop = workshop
        self._circuit = circuit
        self._expected = False

    def expect(self) -> None:
        """See, once for these settings, that every feed that polls will be asked about, and no other.

        What the EHR refused is wanted again.
        """
        if self._expected or self._workshop.reader is None:
            return
        feeds = self._workshop.settings.feeds
        now = self._workshop.clock.wall()
        with self._workshop.store.unit() as unit:
            known = unit.polls.all()
            for poll in known:
                feed = feeds.get(poll.feed)
                if feed is None or feed.fhir is None:
                    unit.polls.forget(poll.feed, [poll.location])
            own = {poll.feed: poll for poll in known if not poll.location}
            for feed in feeds.values():
                if feed.fhir is not None:
                    unit.wants.reopen(feed.name)  # what was refused may be allowed by now
                if feed.fhir is not None and feed.fhir.poll is not None:
                    _begin(unit, own.get(feed.name), feed.name, now, feed.fhir.poll)
        self._expected = True

    def next(self) -> bool:
        """Ask for one feed, or one of its places, that is due; whether there was one.

        Raises `StoreUnavailable`.
        """
        reader = self._workshop.reader
        if reader is None:
            return False
        self.expect()
        let_in = self._circuit.admit(self._workshop.clock.wall())
        if let_in is None:
            return False
        try:
            now = self._workshop.clock.wall()
            with self._workshop.store.unit() as unit:
                poll = unit.polls.claim(now, now + LEASE)
            if poll is None:
                return False
            trouble = self._ask(reader, poll, now)
            if isinstance(trouble, TryLater) and trouble.away:
                self._circuit.failed(
                    let_in, self._workshop.clock.wall(), trouble.after, self._workshop.random()
                )
            else:
                self._circuit.heard()
            return True
        finally:
            self._circuit.let_be(let_in)

    def _ask(self, reader: EhrReader, poll: Poll, now: datetime) -> TryLater | NotReadable | None:
        feed = self._workshop.settings.feeds.get(poll.feed)
        if feed is None or feed.fhir is None or (poll.location and poll.location not in _places(feed)):
            with self._workshop.store.unit() as unit:
                unit.polls.forget(poll.feed, [poll.location])
            return None
        trouble: TryLater | NotReadable | None
        if not poll.location:
            by_location = reader.poll_locations(feed.fhir.poll_by)
            if isinstance(by_location, TryLater):
                trouble = by_location
                self._put_off(poll, feed.fhir, trouble)
                return trouble
            if self._divide(poll, feed, feed.fhir, now, by_location=by_location):
                return None
        trouble = ask(self._workshop, reader, Question.of(poll, feed, feed.fhir, self._workshop.clock))
        if trouble is not None:
            self._put_off(poll, feed.fhir, trouble)
        return trouble

    def _divide(self, poll: Poll, feed: Feed, fhir: FhirHearing, now: datetime, *, by_location: bool) -> bool:
        """Have each place asked about, where the EHR is asked place by place; whether it is."""
        places = _places(feed) if by_location else ()
        with self._workshop.store.unit() as unit:
            others = [each.location for each in unit.polls.all() if each.feed == feed.name and each.location]
            unit.polls.forget(feed.name, [each for each in others if each not in places])
            if not by_location:
                return False
            for place in places:
                unit.polls.want(feed.name, place, now)
            reason = None
            if not places:
                reason = "it shows Appointments by location alone: name its Locations in [locations]"
                today, settings = self._workshop.clock.calendar(), self._workshop.settings
                tell_of_refusal(unit, feed.name, reason, today, settings)
            elif poll.reason is not None:
                close_refusals(unit, feed.name, self._workshop.clock.calendar())
            unit.polls.settle(replace(poll, next_at=next_at(fhir, now), tries=0, reason=reason))
        return True

    def _put_off(self, poll: Poll, fhir: FhirHearing, trouble: TryLater | NotReadable) -> None:
        workshop, tries = self._workshop, poll.tries + 1
        now = workshop.clock.wall()
        if isinstance(trouble, TryLater):
            again = now + rest(tries, trouble.after, workshop.random())
        else:
            again = now + max(AFTER_REFUSAL, fhir.poll or AFTER_REFUSAL)
        with workshop.store.unit() as unit:
            unit.polls.settle(replace(poll, next_at=again, tries=tries, reason=trouble.reason))
            if isinstance(trouble, NotReadable):
                today, settings = workshop.clock.calendar(), workshop.settings
                tell_of_refusal(unit, poll.feed, trouble.reason, today, settings)
        _log.warning("the EHR could not be asked", feed=poll.feed, tries=tries, reason=trouble.reason)


def _begin(unit: Unit, poll: Poll | None, feed: str, now: datetime, interval: timedelta) -> None:
    """Ask at once who was never asked, who was not answered, and who would have to wait too long."""
    if poll is None or poll.reason is not None or poll.next_at is None or poll.next_at > now + interval:
        unit.polls.want(feed, "", now)


def _places(feed: Feed) -> Sequence[str]:
    return tuple(feed.locations)
