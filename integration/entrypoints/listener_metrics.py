"""What the listener has counted, for `/metrics` of the process beside it, which hears it over the lifeline.

The listener's process serves nothing but MLLP; it tells its figures every few seconds. They begin at zero
with each start of it, as counters may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

Figures = dict[str, dict[str, int]]  # by feed, then by name

_PREFIX: Final = "appointment_texts_mllp"
_NOW: Final = {
    "open_connections": "Senders connected now.",
    "unfinished_bytes": "What messages that have begun and not ended hold.",
}
_SO_FAR: Final = {
    "connections": "Connections that were served.",
    "connections_refused": "Connections closed because there were too many.",
    "not_allowed": "Connections closed because their network may not connect.",
    "tls_failed": "Connections closed because TLS failed, or the sender's certificate.",
    "accepted": "Messages acknowledged AA or CA, repeats included.",
    "duplicates": "Of these, repeats.",
    "unreadable": "Messages refused because they cannot be read; kept as dead letters.",
    "fragments": "Parts of continued messages, refused; kept as dead letters.",
    "too_many": "Frames of too many messages, refused; kept as dead letters.",
    "out_of_sequence": "Messages refused because another sequence number was expected.",
    "not_stored": "Messages refused because they could not be stored.",
    "miscounted": "Batches that held another number of messages than they said.",
    "oversized": "Connections closed over a message too large.",
    "shed": "Connections closed because unfinished messages held too much.",
    "too_slow": "Connections closed over a message that took too long.",
    "idle": "Connections closed after a long silence.",
    "incomplete": "Messages that broke off.",
    "noise_bytes": "Bytes outside any message.",
}
NAMES: Final = frozenset(_NOW) | frozenset(_SO_FAR)


class ListenerFigures:
    """The newest figures of each feed; a collector of prometheus_client."""

    def __init__(self) -> None:
        self._figures: Mapping[str, Mapping[str, int]] = {}

    def take(self, figures: Figures | bool) -> None:  # noqa: FBT001 - a fact that holds no more is False
        """What the listener said; False when it has ended."""
        self._figures = figures if isinstance(figures, dict) else {}

    def describe(self) -> list[Metric]:
        """Nothing is known before the listener speaks."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One family a figure, one sample a feed."""
        figures = self._figures
        if not figures:
            return
        for name, words in _NOW.items():
            gauge = GaugeMetricFamily(f"{_PREFIX}_{name}", words, labels=["feed"])
            for feed, of in figures.items():
                gauge.add_metric([feed], of.get(name, 0))
            yield gauge
        for name, words in _SO_FAR.items():
            counter = CounterMetricFamily(f"{_PREFIX}_{name}", words, labels=["feed"])
            for feed, of in figures.items():
                counter.add_metric([feed], of.get(name, 0))
            yield counter
