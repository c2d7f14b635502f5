"""The public port and the operator's together, and what their pages say of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.bootstrap import signing_keys
from integration.domain.feed_silence import silence
from integration.entrypoints.console import console_app
from integration.entrypoints.listener_metrics import ListenerFigures
from integration.entrypoints.metrics import metrics_app
from integration.entrypoints.receiving import Exchangeable, Receiver, mounted, public_app
from integration.ports.ehr_subscribing import WELL
from integration.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from wsgiref.types import WSGIApplication

    from flask import Flask

    from integration.ports.workshop import Workshop
    from integration.settings.environment import Environment


class Ports:
    """The public port and the operator's, together."""

    def __init__(
        self,
        environment: Environment,
        workshop: Workshop,
        ready: Callable[[], Mapping[str, bool | str]],
        notes: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        """Take the public port. Raises Refused, and ConfigError for a key that is none."""
        self._ready, self._notes = ready, notes
        self._secrets = environment.subscription_secrets
        self._keys = signing_keys(environment)
        self.listener = ListenerFigures()
        self._metrics = Exchangeable(metrics_app(workshop, self.listener))
        self._public = Exchangeable(self._public_app(workshop))
        self._console = Exchangeable(console_app(workshop))
        self.pages: Mapping[str, WSGIApplication] = {
            "/metrics": self._metrics,
            "/console": self._console,
            "/console/": self._console,
        }
        self._receivers = [
            Receiver(
                self._public,
                environment.bind,
                environment.http_port,
                "APPOINTMENT_TEXTS_HTTP_PORT",
            )
        ]
        self._operator_port = environment.operator_port

    def take_operator_port(self) -> None:
        """Serve the operator's pages, on loopback only until sign-in exists. Raises Refused."""
        variable = "APPOINTMENT_TEXTS_OPERATOR_PORT"
        app = mounted(self.pages, self._metrics)
        self._receivers.append(Receiver(app, "127.0.0.1", self._operator_port, variable))

    def take(self, workshop: Workshop) -> None:
        """Work with this from the next request on."""
        self._metrics.app = metrics_app(workshop, self.listener)
        self._console.app = console_app(workshop)
        self._public.app = self._public_app(workshop)

    def start(self) -> None:
        """Begin to serve."""
        for receiver in self._receivers:
            receiver.start()

    def stop(self) -> None:
        """Answer what is under way, then let go."""
        for receiver in self._receivers:
            receiver.stop()

    def _public_app(self, workshop: Workshop) -> Flask:
        return public_app(workshop, self._ready, self._notes, secrets=self._secrets, keys=self._keys)


def store_answers(workshop: Workshop) -> bool | str:
    """Whether the store answers, for `/health/ready`."""
    try:
        workshop.store.next_times()
    except StoreUnavailable:
        return "does not answer"
    return True


def silent_feeds(workshop: Workshop) -> list[str]:
    """A sentence for each feed that should speak and does not, for `/health/ready`."""
    try:
        watches = workshop.store.feed_watches()
    except StoreUnavailable:
        return []
    feeds = workshop.settings.feeds
    return [
        silence(watch.name, watch.silent_since, feeds[watch.name].zone)
        for watch in watches
        if watch.silent_since is not None and watch.name in feeds
    ]


def stopped_texts(workshop: Workshop) -> list[str]:
    """A sentence for each breaker that waits for a person's release, for `/health/ready`."""
    try:
        stopped = workshop.store.breakers()
    except StoreUnavailable:
        return []
    return [f'texts wait for `release "{name}"`: {reason}' for name, reason in sorted(stopped.items())]


def stopped_subscriptions(workshop: Workshop) -> list[str]:
    """A sentence for each Subscription of ours that does not tell us what changes, for `/health/ready`."""
    try:
        with workshop.store.reading() as unit:
            rows = unit.subscriptions.all()
    except StoreUnavailable:
        return []
    return [
        f"the EHR's Subscription of feed {row.feed} for {row.resource_type} is "
        f"{row.status or 'not made yet'}{f': {row.reason}' if row.reason else ''}"
        for row in rows
        if row.status != WELL or row.tries
    ]
