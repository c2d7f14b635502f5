"""`/metrics` for Prometheus: how much waits, what could not be applied, whether something was stopped.

Counted in the store when asked, so that every process and every restart tells the same.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, get_args

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector

from integration.domain.application_acknowledgment import AcknowledgmentState
from integration.domain.consequences import ACCOUNT_BREAKER
from integration.domain.failure import Failure
from integration.domain.write_back import WriteBackState
from integration.ports.ehr_store import WantState
from integration.ports.ehr_subscribing import WELL
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

    from integration.entrypoints.listener_metrics import ListenerFigures
    from integration.ports.workshop import Workshop

_A_DAY = timedelta(days=1)
_PREFIX = "appointment_texts"


def metrics_app(workshop: Workshop, listener: ListenerFigures | None = None) -> WSGIApplication:
    """The page; with what a listener has counted, where one tells it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_StoreCollector(workshop))
    if listener is not None:
        registry.register(listener)
    app: WSGIApplication = make_wsgi_app(registry)
    return app


class _StoreCollector:
    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is known before the store is asked."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask the store."""
        up = GaugeMetricFamily(f"{_PREFIX}_store_up", "Whether the store answers.")
        try:
            families = list(self._from_store())
        except StoreUnavailable:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield from (up, *families)

    def _from_store(self) -> Iterator[GaugeMetricFamily]:
        store, clock = self._workshop.store, self._workshop.clock
        inbox = GaugeMetricFamily(f"{_PREFIX}_inbox_messages", "Messages kept, by state.", labels=["state"])
        outbox = GaugeMetricFamily(f"{_PREFIX}_write_backs", "Facts for charts, by state.", labels=["state"])
        answers = GaugeMetricFamily(
            f"{_PREFIX}_application_acknowledgments", "What senders are told, by state.", labels=["state"]
        )
        tasks = GaugeMetricFamily(f"{_PREFIX}_open_tasks", "What waits for a person.")
        stopped = GaugeMetricFamily(
            f"{_PREFIX}_open_breakers", "What was stopped until a person releases it."
        )
        refused = GaugeMetricFamily(
            f"{_PREFIX}_account_refused", "Whether the provider refused our account, so that nothing is sent."
        )
        failed = GaugeMetricFamily(
            f"{_PREFIX}_failed_texts",
            "Texts offered in the last 24 hours that failed, by kind.",
            labels=["kind"],
        )
        late = GaugeMetricFamily(
            f"{_PREFIX}_next_due_seconds", "Calendar seconds until the next reminder is due."
        )
        with store.unit() as unit:
            for state in ("new", "done", "dead"):
                inbox.add_metric([state], unit.inbox.count(state))
            for written in WriteBackState:
                outbox.add_metric([written.value], unit.write_backs.count(written))
            for told in AcknowledgmentState:
                answers.add_metric([told.value], unit.acknowledgments.count(told))
            tasks.add_metric([], len(unit.tasks.open()))
            failures = unit.texts.failures_since(clock.calendar() - _A_DAY)
        for kind in Failure:
            failed.add_metric([kind.value], failures.get(kind, 0))
        breakers = store.breakers()
        stopped.add_metric([], len(breakers))
        refused.add_metric([], ACCOUNT_BREAKER in breakers)
        due = store.next_times().calendar
        if due is not None:
            late.add_metric([], (due - clock.calendar()).total_seconds())
        silent = GaugeMetricFamily(
            f"{_PREFIX}_feed_silent", "Whether a feed is silent for longer than expected.", labels=["feed"]
        )
        heard = GaugeMetricFamily(
            f"{_PREFIX}_feed_last_heard_seconds", "When a feed last spoke, since 1970.", labels=["feed"]
        )
        for watch in store.feed_watches():
            silent.add_metric([watch.name], watch.silent_since is not None)
            if watch.last_heard is not None:
                heard.add_metric([watch.name], watch.last_heard.timestamp())
        calendar = GaugeMetricFamily(f"{_PREFIX}_calendar_seconds", "What the calendar shows, since 1970.")
        calendar.add_metric([], clock.calendar().timestamp())
        yield from (inbox, outbox, answers, tasks, stopped, refused, failed, late, silent, heard, calendar)
        yield from self._listening()
        yield from self._subscriptions()

    def _listening(self) -> Iterator[GaugeMetricFamily]:
        wants = GaugeMetricFamily(
            f"{_PREFIX}_ehr_wants", "What was said to have changed in the EHR, by state.", labels=["state"]
        )
        polls = GaugeMetricFamily(
            f"{_PREFIX}_ehr_poll_failures",
            "How often in a row the EHR did not say what changed.",
            labels=["feed", "location"],
        )
        with self._workshop.store.reading() as unit:
            for state in get_args(WantState):
                wants.add_metric([state], unit.wants.count(state))
            for poll in unit.polls.all():
                polls.add_metric([poll.feed, poll.location], poll.tries)
        yield from (wants, polls)

    def _subscriptions(self) -> Iterator[GaugeMetricFamily]:
        labels = ["feed", "resource_type", "topic"]
        active = GaugeMetricFamily(
            f"{_PREFIX}_ehr_subscription_active", "Whether the EHR tells what changes.", labels=labels
        )
        heard = GaugeMetricFamily(
            f"{_PREFIX}_ehr_subscription_last_heard_seconds",
            "When it last gave a sign of life, since 1970.",
            labels=labels,
        )
        event = GaugeMetricFamily(
            f"{_PREFIX}_ehr_subscription_last_event_seconds",
            "When it last told of one, since 1970.",
            labels=labels,
        )
        with self._workshop.store.reading() as unit:
            rows = unit.subscriptions.all()
        for row in rows:
            name = [row.feed, row.resource_type, row.topic]
            active.add_metric(name, row.status == WELL and row.tries == 0)
            if row.heard_at is not None:
                heard.add_metric(name, row.heard_at.timestamp())
            if row.event_at is not None:
                event.add_metric(name, row.event_at.timestamp())
        yield from (active, heard, event)
