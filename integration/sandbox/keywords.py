"""The network's own STOP list: which words it obeys, what it answers, whom it blocks.

Only a whole message that is one keyword counts: "STOP PLEASE" does nothing.
The list is the second lock; the product's own is the first.
Words: messaging reference §1.12.
"""

from __future__ import annotations

STOP_WORDS = frozenset({"stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel"})
START_WORDS = frozenset({"start", "yes", "unstop"})
TOLL_FREE_START_WORDS = frozenset({"start", "unstop"})  # YES does not undo a carrier's block
HELP_WORDS = frozenset({"help", "info"})

STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
STARTED = (
    "You have successfully been re-subscribed to messages from this number. "
    "Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELPED = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
NETWORK_STOPPED = (
    'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    'Text back "unstop" to receive messages again.'
)
NETWORK_STARTED = (
    'NETWORK MSG: You have replied "{word}" and will begin receiving messages again from this number.'
)


def keyword(body: str, *, toll_free: bool) -> str | None:
    """STOP, START or HELP, when the whole message is such a word."""
    word = body.strip().casefold()
    if word in STOP_WORDS:
        return "STOP"
    if word in (TOLL_FREE_START_WORDS if toll_free else START_WORDS):
        return "START"
    return "HELP" if word in HELP_WORDS else None


class Keywords:
    """Who is blocked from whom. Its owner holds a lock around every call.

    A block is between a patient's number and a sender, or a whole service when one is used.
    """

    def __init__(self) -> None:
        self._blocked: set[tuple[str, str]] = set()

    def blocks(self, scope: str, number: str) -> bool:
        """Whether texts from this sender or service to this number are refused (21610)."""
        return (scope, number) in self._blocked

    def blocks_any(self, number: str) -> bool:
        """Whether this number has blocked any of our senders."""
        return any(blocked == number for _, blocked in self._blocked)

    def obey(self, kind: str, scope: str, number: str, word: str, *, toll_free: bool) -> str | None:
        """Block or unblock as the keyword asks; the network's own answer to the patient, if any."""
        if kind == "STOP":
            self._blocked.add((scope, number))
            return NETWORK_STOPPED if toll_free else STOPPED
        if kind == "START":
            self._blocked.discard((scope, number))
            return NETWORK_STARTED.format(word=word.strip().casefold()) if toll_free else STARTED
        return None if self.blocks(scope, number) else HELPED

    def listed(self) -> list[dict[str, str]]:
        """The blocks, as JSON has them."""
        return [{"from": scope, "to": number} for scope, number in sorted(self._blocked)]

    def clear(self) -> None:
        """Lift every block."""
        self._blocked.clear()
