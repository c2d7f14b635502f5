"""What becomes of a text once the network has it: scripts that can be played to any number.

A script is a list of steps. No callback is ever sent for the first status
(messaging reference §1.3), so every script begins with what follows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integration.sandbox.texts import RANK

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Step:
    """One status: when it comes, and how often the product is told of it."""

    word: str
    code: int | None = None
    told: int = 1  # callbacks; 0: the status changes in silence
    wait: float = 1.0  # paces since the step before


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A script with the words the phone page shows for it."""

    title: str
    steps: tuple[Step, ...]


def _ends(word: str, code: int) -> tuple[Step, ...]:
    return (Step("sent"), Step(word, code))


LIFECYCLES: Mapping[str, Lifecycle] = {
    "normal": Lifecycle("Normal: sent, then delivered", (Step("sent"), Step("delivered"))),
    "landline": Lifecycle("Landline (undelivered, 30006)", _ends("undelivered", 30006)),
    "unreachable": Lifecycle(
        "Switched off or out of reach (undelivered, 30003)", _ends("undelivered", 30003)
    ),
    "unknown-number": Lifecycle("No longer in service (undelivered, 30005)", _ends("undelivered", 30005)),
    "filtered": Lifecycle("Filtered as spam (undelivered, 30007)", _ends("undelivered", 30007)),
    "unregistered": Lifecycle("Sender not registered (failed, 30034)", (Step("failed", 30034),)),
    "opted-out": Lifecycle("Opted out, found late (failed, 21610)", (Step("failed", 21610),)),
    "slow": Lifecycle("Slow carrier", (Step("sent", wait=10), Step("delivered", wait=20))),
    "sent-only": Lifecycle("Carrier gives no receipt (sent is the last word)", (Step("sent"),)),
    "stuck": Lifecycle("Stuck in the queue", ()),
    "lost": Lifecycle("Callbacks are lost", (Step("sent", told=0), Step("delivered", told=0))),
    "duplicated": Lifecycle("Every callback twice", (Step("sent", told=2), Step("delivered", told=2))),
    "out-of-order": Lifecycle(
        "Callbacks out of order", (Step("sent", told=0), Step("delivered"), Step("sent", wait=0))
    ),
}


class UnknownPlay(ValueError):
    """A script that does not exist, or words no status has."""


def script(play: Mapping[str, Any]) -> Lifecycle:
    """The lifecycle a request names: `{"play": "landline"}`, or one of its own making.

    `{"words": ["delivered", "sent"], "code": 30003}` tells exactly these words
    in this order; the code goes with `undelivered` and `failed`.
    Raises `UnknownPlay`.
    """
    words, code = play.get("words"), play.get("code")
    if words is None:
        name = play.get("play")
        if not isinstance(name, str) or name not in LIFECYCLES:
            raise UnknownPlay(f"play is one of {', '.join(LIFECYCLES)}")
        return LIFECYCLES[name]
    if not isinstance(words, list) or not set(words) <= RANK.keys():
        raise UnknownPlay(f"words are a list of {', '.join(RANK)}")
    if code is not None and not isinstance(code, int):
        raise UnknownPlay("code is a number")
    carries = {"undelivered", "failed"}
    return Lifecycle(
        " → ".join(words), tuple(Step(word, code if word in carries else None) for word in words)
    )
