"""What may go wrong between the product and Twilio, to be ordered in advance.

| kind     | the product sees                                   | was the text stored? |
|----------|----------------------------------------------------|----------------------|
| throttle | 429, code 20429, Retry-After                       | no                   |
| refuse   | 400 with any `code`                                | no                   |
| redirect | 302                                                | no                   |
| error    | any 5xx `status`                                   | as `when` says       |
| drop     | the connection ends without an answer              | as `when` says       |
| slow     | the answer comes `seconds` late                    | as `when` says, then |
| truncate | half an answer                                     | yes                  |
| garbage  | 201 and a page of HTML                             | yes                  |
| twice    | (webhooks) every webhook is posted twice           |                      |
| silent   | (webhooks) none is posted                          |                      |
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

API_KINDS = frozenset({"throttle", "refuse", "redirect", "error", "drop", "slow", "truncate", "garbage"})
WEBHOOK_KINDS = frozenset({"twice", "silent"})
NEVER_STORED = frozenset({"throttle", "refuse", "redirect"})
ALWAYS_STORED = frozenset({"truncate", "garbage"})
OPERATIONS = frozenset({"create", "list", "fetch", "webhook"})
MOST = 1000  # faults that may wait at once
LONGEST = 120.0  # seconds


class WrongFault(ValueError):
    """An order nobody can carry out; says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One order: this, to the next `times` requests that fit."""

    kind: str
    on: str = "create"
    to: str | None = None  # only for this number; None: any
    times: int | None = 1  # None: until cleared
    when: str = "before"  # before | after the text is stored
    status: int = 503
    code: int = 21610
    seconds: float = 1.0

    @classmethod
    def read(cls, order: Mapping[str, Any]) -> Fault:
        """Read an order as JSON has it. Raises `WrongFault`."""
        strange = set(order) - {field.name for field in fields(cls)}
        if strange:
            raise WrongFault(f"unknown: {', '.join(sorted(strange))}")
        fault = replace(cls("", on="webhook" if order.get("kind") in WEBHOOK_KINDS else "create"), **order)
        if fault.kind not in (WEBHOOK_KINDS if fault.on == "webhook" else API_KINDS):
            raise WrongFault(f"kind is one of {', '.join(sorted(API_KINDS | WEBHOOK_KINDS))}")
        if fault.on not in OPERATIONS or fault.when not in {"before", "after"}:
            raise WrongFault(f"on is one of {', '.join(sorted(OPERATIONS))}; when is before or after")
        counts = (1 if fault.times is None else fault.times, fault.status, fault.code)
        if not all(isinstance(count, int) and count > 0 for count in counts):
            raise WrongFault("times, status and code are whole numbers above 0")
        if not isinstance(fault.seconds, int | float) or fault.seconds < 0:
            raise WrongFault("seconds is a number")
        if fault.kind in NEVER_STORED | ALWAYS_STORED:
            fault = replace(fault, when="before" if fault.kind in NEVER_STORED else "after")
        return replace(fault, seconds=min(fault.seconds, LONGEST))


class Faults:
    """The orders that wait. Its owner holds a lock around every call."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque(maxlen=MOST)

    def order(self, fault: Fault) -> None:
        """Let this happen."""
        self._waiting.append(fault)

    def take(self, on: str, to: str | None) -> Fault | None:
        """The first order that fits this request, used up by one."""
        for place, fault in enumerate(self._waiting):
            if fault.on == on and fault.to in (None, to):
                if fault.times == 1:
                    del self._waiting[place]
                elif fault.times is not None:
                    self._waiting[place] = replace(fault, times=fault.times - 1)
                return fault
        return None

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """The orders that wait."""
        return list(self._waiting)

    def listed(self) -> list[dict[str, Any]]:
        """The orders that wait, as JSON has them."""
        return [asdict(fault) for fault in self._waiting]
