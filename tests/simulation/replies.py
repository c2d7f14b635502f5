"""What patients write back, each with what a person would say it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

# meaning → how often of a hundred texts; what is written in English; in Spanish
REPLIES: dict[str, tuple[float, tuple[str, ...], tuple[str, ...]]] = {
    "confirm": (
        45.0,
        ("C", "c", "Yes", "yes thanks", "Confirm", "ok", "I'll be there", "👍", "C.", "Y"),
        ("C", "c", "si", "sí", "confirmo", "👍"),
    ),
    "reschedule": (2.5, ("R", "r", "reschedule", "need to change"), ("R", "cambiar")),
    "cancel": (2.0, ("I can't make it", "cancel my appointment", "need to cancel"), ("no puedo ir",)),
    "stop": (
        0.35,
        ("STOP", "Stop!", "stop texting me", "unsubscribe", "ALTO", "no more texts", "cancel"),
        ("STOP", "ALTO", "no mas mensajes"),
    ),
    "help": (0.2, ("HELP",), ("AYUDA",)),
    "wrong": (0.15, ("wrong number", "you have the wrong number"), ("numero equivocado",)),
    "urgent": (0.05, ("chest pain now", "I am bleeding a lot"), ("chest pain now",)),
    "other": (
        2.0,
        ("thanks", "lol", "?", "can we do 3?", "yes but running late", "Liked “your visit”", "confirm 2pm?"),
        ("gracias", "?", "1"),
    ),
}


UNASKED = 0.1  # of those who would say yes, who say so to a text that asks for nothing


def choose(rng: random.Random, language: str, *, asked: bool) -> tuple[str, str] | None:
    """What somebody answers to a text in a language: its meaning and its words; None: nothing."""
    drawn = rng.random() * 100
    for meaning, (share, english, spanish) in REPLIES.items():
        drawn -= share
        if drawn < 0 and meaning == "confirm" and not asked and rng.random() >= UNASKED:
            return None
        if drawn < 0:
            return meaning, rng.choice(spanish if language == "es" else english)
    return None
