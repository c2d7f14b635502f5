"""Asks the EHR once what changed, and keeps the answer.

The first answer of a feed is a backfill, which plans the future only. How far was asked is remembered when
all of an answer is kept; an interrupted one begins anew, and what is kept already is kept once. Once a day
the whole window is read: what has come within the horizon, what nobody told of, whose number is another.
What is known, is to come, and is not shown then is read singly: it may be gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import orjson
import structlog

from fhir_mappers.from_fhir.elements import part, word
from integration.pipeline.reading.keeping import LEASE, close_refusals, keep
from integration.pipeline.reading.missing import Shown, not_shown
from integration.ports.ehr import TryLater
from integration.ports.ehr_reading import NotReadable, Page, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from integration.domain.clock import Clock
    from integration.ports.ehr_reading import EhrReader, Reference
    from integration.ports.ehr_store import Poll
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Feed, FhirHearing

BEHIND: Final = timedelta(days=1)  # visits of yesterday are heard of too: who came, who did not
MARGIN: Final = timedelta(days=2)  # beyond the horizon, so that a day later all within it is known
WHOLE_EVERY: Final = timedelta(days=1)
AT_ONCE: Final = timedelta(days=30)  # of visits asked for in one question
OVERLAP: Final = timedelta(minutes=5)  # clocks differ, and searches lag behind writes
ASLEEP: Final = timedelta(days=365)  # until somebody wants it
BITE: Final = 20  # snapshots of one transaction
PROGRESS: Final = 1000  # appointments between two lines of the log

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for one feed, or one of its places."""

    poll: Poll
    feed: Feed
    fhir: FhirHearing
    windows: Sequence[tuple[Window, bool]]  # and whether all that is found there plans the future only
    whole: bool  # all there is, not only what changed
    late: bool  # so long after the last answer that what bears no date may be old
    began: datetime  # wall

    @classmethod
    def of(cls, poll: Poll, feed: Feed, fhir: FhirHearing, clock: Clock) -> Question:
        """All, when there was no answer yet, a day after the last such one, and for another horizon."""
        began, today = clock.wall(), clock.calendar()
        starts, ends = today - BEHIND, today + fhir.horizon + MARGIN
        since, covered = poll.changed_since, poll.covered_until
        place, guardians = poll.location.removeprefix("Location/"), bool(fhir.guardians)
        if since is not None and covered is not None and ends - WHOLE_EVERY <= covered <= ends:
            whole = False
            windows = [(Window(starts, covered, since, place, guardians), False)]
        else:
            whole = True
            edges = [starts, *_between(starts, ends, covered), ends]
            windows = [
                (
                    Window(edge, following, None, place, guardians),
                    since is None or covered is None or edge >= covered,
                )
                for edge, following in pairwise(edges)
            ]
        late = since is not None and began - since > feed.oldest_event
        return cls(poll, feed, fhir, windows, whole, late, began)


@dataclass(slots=True)
class _Answer:
    """What has come so far."""

    at: datetime  # by the earlier of the two clocks
    seen: set[str] = field(default_factory=set)  # ids of Appointments
    kept: int = 0
    unread: int = 0
    place: str = ""  # the id of the Location it is about


@dataclass(frozen=True, slots=True)
class _Come:
    """A page of it."""

    page: Page
    asked_at: datetime  # wall
    quiet: bool  # all of it plans the future only


def ask(workshop: Workshop, reader: EhrReader, question: Question) -> TryLater | NotReadable | None:
    """Keep the whole answer and remember how far was asked; or the trouble that ended it."""
    answer = _Answer(question.began)
    for window, quiet in question.windows:
        asked_at = workshop.clock.wall()
        for page in _pages(reader.changed(window)):
            if not isinstance(page, Page):
                return page
            _keep(workshop, question, answer, _Come(page, asked_at, quiet))
            asked_at = workshop.clock.wall()
    if question.fhir.text_requests and not question.poll.location:
        trouble = _ask_for_requests(workshop, reader, question)
        if trouble is not None:
            return trouble
    _remember(workshop, question, answer)
    return None


def next_at(fhir: FhirHearing, now: datetime) -> datetime:
    """When a feed is asked for again."""
    return now + (ASLEEP if fhir.poll is None else fhir.poll)


def _pages(
    shown: Iterator[Page | NotReadable | TryLater],
) -> Iterator[Page | NotReadable | TryLater]:
    try:
        yield from shown
    except Exception as error:  # noqa: BLE001 - an answer that trips the reader must not stop other feeds
        # The type alone: an error's words may quote a person.
        yield TryLater(f"reading stopped unexpectedly ({type(error).__name__})", away=False)


def _ask_for_requests(workshop: Workshop, reader: EhrReader, question: Question) -> TryLater | None:
    """Keep the texts that charts ask for. An EHR that does not show them hinders nothing else."""
    since, feed = question.poll.changed_since, question.feed.name
    asked_at = workshop.clock.wall()
    for page in _pages(reader.requested(since)):
        if isinstance(page, TryLater):
            return page
        if isinstance(page, NotReadable):
            _log.warning("the EHR does not show who asks for texts", feed=feed, reason=page.reason)
            return None
        with workshop.store.unit() as unit:
            kept = keep(unit, feed, page.snapshots, asked_at, quiet=since is None)
            unit.wants.tell(feed, page.unresolved, asked_at)
            unit.polls.hold(question.poll, workshop.clock.wall() + LEASE)
        for step, news in (("translate", kept), ("fetch", page.unresolved)):
            if news:
                workshop.knock(step)
        asked_at = workshop.clock.wall()
    return None


def _keep(workshop: Workshop, question: Question, answer: _Answer, come: _Come) -> None:
    feed, page, before = question.feed.name, come.page, len(answer.seen)
    answer.place = page.location
    if page.at is not None:
        answer.at = min(answer.at, page.at)
    answer.unread += page.unread + len(page.unresolved)
    answer.seen |= {each.reference.id for each in page.snapshots} | {each.id for each in page.unresolved}
    for first in range(0, len(page.snapshots), BITE):
        bite = page.snapshots[first : first + BITE]
        silent = [each for each in bite if come.quiet or (question.late and not _is_dated(each.payload))]
        with workshop.store.unit() as unit:
            for snapshots in (silent, [each for each in bite if each not in silent]):
                answer.kept += keep(unit, feed, snapshots, come.asked_at, quiet=snapshots is silent)
    with workshop.store.unit() as unit:
        if page.unresolved:
            unit.wants.tell(feed, page.unresolved, workshop.clock.wall())
        unit.polls.hold(question.poll, workshop.clock.wall() + LEASE)
    if answer.kept:
        workshop.knock("translate")
    if page.unresolved:
        workshop.knock("fetch")
    if len(answer.seen) // PROGRESS > before // PROGRESS:
        _log.info("reading the EHR", feed=feed, read=len(answer.seen), new=answer.kept)


def _remember(workshop: Workshop, question: Question, answer: _Answer) -> None:
    """All is kept."""
    poll, feed = question.poll, question.feed.name
    missing: list[Reference] = []
    if question.whole:
        starts, ends = question.windows[0][0].starts, question.windows[-1][0].ends
        missing = not_shown(workshop, Shown(feed, starts, ends, answer.place, frozenset(answer.seen)))
    now = workshop.clock.wall()
    with workshop.store.unit() as unit:
        if missing:  # first, as a notification locks them: else each could wait for the other
            unit.wants.tell(feed, missing, now)
        unit.polls.settle(
            replace(
                poll,
                changed_since=answer.at - OVERLAP,
                covered_until=question.windows[-1][0].ends if question.whole else poll.covered_until,
                next_at=now + ASLEEP if poll.location else next_at(question.fhir, now),
                tries=0,
                reason=None,
            )
        )
        if poll.reason is not None:
            close_refusals(unit, feed, workshop.clock.calendar())
        _heard(unit, feed, now)
    if missing:
        workshop.knock("fetch")
    if answer.kept or answer.unread or missing or poll.changed_since is None:
        _log.info(
            "the EHR was asked what changed",
            feed=feed,
            first=poll.changed_since is None,
            read=len(answer.seen),
            new=answer.kept,
            unread=answer.unread,
            not_shown=len(missing),
        )


def _between(starts: datetime, ends: datetime, covered: datetime | None) -> list[datetime]:
    """Where long windows are cut, and where what was covered ends."""
    cuts = {covered} if covered is not None and starts < covered < ends else set()
    cut = starts + AT_ONCE
    while cut < ends:
        cuts.add(cut)
        cut += AT_ONCE
    return sorted(cuts)


def _is_dated(payload: bytes) -> bool:
    """Whether an Appointment says when it changed, or when it was made."""
    resource = part(part(orjson.loads(payload), "entry"), "resource")
    return bool(word(part(resource, "meta"), "lastUpdated") or word(resource, "created"))


def _heard(unit: Unit, feed: str, at: datetime) -> None:
    """A feed that was answered is not silent, even if nothing has changed."""
    for watch in unit.feeds.claim() or ():
        if watch.name == feed:
            unit.feeds.save(replace(watch, last_heard=at))
