"""`/metrics` shows what the listener told of itself, by feed, and nothing once it has ended."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from integration.entrypoints.listener_metrics import NAMES, ListenerFigures


def page(figures: ListenerFigures) -> str:
    registry = CollectorRegistry()
    registry.register(figures)
    return generate_latest(registry).decode()


def test_each_figure_stands_there_by_feed() -> None:
    figures = ListenerFigures()
    assert page(figures) == ""
    figures.take({"main": dict.fromkeys(NAMES, 7), "lab": dict.fromkeys(NAMES, 0) | {"accepted": 3}})
    shown = page(figures)
    assert 'appointment_texts_mllp_accepted_total{feed="main"} 7.0' in shown
    assert 'appointment_texts_mllp_accepted_total{feed="lab"} 3.0' in shown
    assert 'appointment_texts_mllp_open_connections{feed="main"} 7.0' in shown
    assert shown.count('{feed="main"} 7.0') == len(NAMES)


def test_a_listener_that_has_ended_shows_nothing() -> None:
    figures = ListenerFigures()
    figures.take({"main": dict.fromkeys(NAMES, 7)})
    figures.take(False)
    assert page(figures) == ""
