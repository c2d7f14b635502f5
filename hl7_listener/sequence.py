"""The sequence number protocol (HL7 v2 chapter 2, 2.10.1): MSH-13 asks, MSA-4 tells which number comes next.

    MSH-13   when                        kept   then MSA-4
    0        the sender (re)starts       -      the last number + 1, or -1 when there is none
    -1       the sender begins anew      -      -1: whatever comes next is the first
    n        nothing was heard yet       yes    n + 1
    n        n is the last number + 1    yes    n + 1
    n        n is the last number        yes    n + 1: our answer was lost; the same bytes are a duplicate
    n        n is any other              no     the last number + 1, with an error

A message with 0 or -1 needs no content, not even MSH-9. If it has some, it is kept like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

START, BEGIN_ANEW = 0, -1
ANY = -1
"""MSA-4 when whatever comes next is the first."""


class NotANumber(Exception):
    """MSH-13 holds no sequence number."""


def read_number(field: bytes) -> int | None:
    """MSH-13 as a number, None when it is empty. Raises NotANumber."""
    text = field.strip()
    if text in (b"", b'""'):
        return None
    if text == b"-1":
        return BEGIN_ANEW
    if not text.isdigit() or len(text) > 15:  # noqa: PLR2004 - HL7's NM in MSH-13 has 15 characters
        raise NotANumber
    return int(text)


@dataclass(slots=True)
class Numbers:
    """The last numbers of channels while a batch of messages is kept; to be stored with them."""

    stored: Callable[[str], int | None]
    """What the store knows: the last number kept of a channel."""
    changed: dict[str, int | None] = field(default_factory=dict)
    """What the store is to know with this batch."""
    _known: dict[str, int | None] = field(default_factory=dict)

    def admit(self, channel: str, number: int) -> bool:
        """Whether a message with this number is to be kept; if so, its number counts."""
        last = self._last(channel)
        if number == START:
            return True
        if number == BEGIN_ANEW:
            self._remember(channel, None)
            return True
        if last is None or number == last + 1:
            self._remember(channel, number)
            return True
        return number == last

    def expected(self, channel: str) -> int:
        """The number that comes next, or ANY."""
        last = self._last(channel)
        return ANY if last is None else last + 1

    def _last(self, channel: str) -> int | None:
        if channel not in self._known:
            self._known[channel] = self.stored(channel)
        return self._known[channel]

    def _remember(self, channel: str, number: int | None) -> None:
        self._known[channel] = self.changed[channel] = number
