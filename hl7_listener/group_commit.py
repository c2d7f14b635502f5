"""Keeps the messages of all connections in shared commits, so that many of them wait for one fsync.

There is no linger timer: all that waits is taken, kept and answered, then what came meanwhile is taken.
What waits is bounded: at the bound `full` says so, and connections stop reading until there is room.
Errors are logged by the name of their class alone: their words, a database's above all, may quote a patient.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from hl7_listener.inbox import Inbox, Receipt, ReceivedMessage, Sequenced, StoreUnavailable

_log = logging.getLogger(__name__)

Answered = Callable[[Sequence[Receipt | Sequenced]], None]

_MEBIBYTE = 1024 * 1024
_OVERHEAD_BYTES = 512  # what a message weighs beside its payload, roughly


class GroupCommit:
    """The one way from connections, of one or several listeners, into an inbox. Lives in one event loop.

    `on_kept(n)` is called after each commit that stored n > 0 new messages: the time to knock.
    A batch ends at the submission that reaches `max_batch_bytes` or `max_batch_messages`.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        on_kept: Callable[[int], None] | None = None,
        max_batch_messages: int = 1000,
        max_batch_bytes: int = 8 * _MEBIBYTE,
        max_waiting_bytes: int = 64 * _MEBIBYTE,
    ) -> None:
        self._inbox = inbox
        self._on_kept = on_kept
        self._max_batch_messages = max_batch_messages
        self._max_batch_bytes = max_batch_bytes
        self._max_waiting_bytes = max_waiting_bytes
        self._queue: deque[tuple[Sequence[ReceivedMessage], int, Answered]] = deque()
        self._waiting_bytes = 0
        self._wanting_room: list[Callable[[], None]] = []
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting_bytes(self) -> int:
        """What the messages weigh that have no receipt yet, those of the commit under way included."""
        return self._waiting_bytes

    @property
    def full(self) -> bool:
        """Whether the bound is reached: submit no more, and ask `when_room` to be told."""
        return self._waiting_bytes >= self._max_waiting_bytes

    def when_room(self, resume: Callable[[], None]) -> None:
        """Call `resume` once, when half of the bound is free again."""
        self._wanting_room.append(resume)

    def submit(self, messages: Sequence[ReceivedMessage], answered: Answered) -> None:
        """Keep these messages; `answered` gets their receipts, after all that was submitted before."""
        weight = sum(len(message.payload) + _OVERHEAD_BYTES for message in messages)
        self._queue.append((messages, weight, answered))
        self._waiting_bytes += weight
        if self._worker is None:
            # It begins after every socket that is readable now has been read: they share its first commit.
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def settled(self) -> None:
        """Return when nothing waits any more. Whoever may still submit is to be stopped first."""
        while self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        try:
            while self._queue:
                await self._gather()
                await self._commit_once()
        finally:
            self._worker = None

    async def _gather(self) -> None:
        """Let what is arriving arrive while each look at the sockets finds more: it shares the commit."""
        waiting = 0
        while waiting < len(self._queue) < self._max_batch_messages:
            waiting = len(self._queue)
            await asyncio.sleep(0)

    async def _commit_once(self) -> None:
        messages, submissions, weight = self._take()
        receipts = await self._keep(messages)
        position = 0
        for count, answered in submissions:
            try:
                answered(receipts[position : position + count])
            except Exception as error:  # noqa: BLE001 - one connection's fault must not stop the others
                _log.error("an answer could not be given: %s", type(error).__name__)
            position += count
        self._waiting_bytes -= weight
        if self._wanting_room and self._waiting_bytes <= self._max_waiting_bytes // 2:
            wanting, self._wanting_room = self._wanting_room, []
            for resume in wanting:
                resume()
        self._tell(sum(map(_is_new, receipts)))

    def _take(self) -> tuple[list[ReceivedMessage], list[tuple[int, Answered]], int]:
        messages: list[ReceivedMessage] = []
        submissions: list[tuple[int, Answered]] = []
        total = 0
        while self._queue and total < self._max_batch_bytes and len(messages) < self._max_batch_messages:
            submitted, weight, answered = self._queue.popleft()
            messages += submitted
            submissions.append((len(submitted), answered))
            total += weight
        return messages, submissions, total

    async def _keep(self, messages: Sequence[ReceivedMessage]) -> list[Receipt | Sequenced]:
        """The receipts of a batch. One that fails is halved, so that a poison message fails alone.

        Halving ends when the store says that it takes nothing, or plainly takes nothing: enough failures in a
        row to have found a poison message twice over. What is left is then refused unasked.
        """
        receipts: list[Receipt | Sequenced] = []
        patience = 2 * (len(messages).bit_length() + 1)
        parts = [messages]  # a stack: the earliest part on top, so that messages are kept in their order
        while parts:
            part = parts.pop()
            if patience <= 0:
                receipts += self._refuse(part, "store unavailable")
                continue
            try:
                receipts += await self._offer(part)
            except StoreUnavailable:
                patience = 0
                receipts += self._refuse(part, "store unavailable")
            except Exception as error:  # noqa: BLE001 - whatever the store raises, nothing may pretend to be kept
                patience -= 1
                if len(part) == 1:
                    receipts += self._refuse(part, type(error).__name__)
                else:
                    middle = len(part) // 2
                    parts += (part[middle:], part[:middle])
            else:
                patience = 2 * (len(messages).bit_length() + 1)
        return receipts

    async def _offer(self, messages: Sequence[ReceivedMessage]) -> Sequence[Receipt | Sequenced]:
        receipts = await self._inbox.keep(messages)
        if len(receipts) != len(messages):
            raise ValueError("the inbox gave another number of receipts than it got messages")
        return receipts

    @staticmethod
    def _refuse(messages: Sequence[ReceivedMessage], why: str) -> list[Receipt]:
        """Refuse these, by name: their control ids are all that may be said of them."""
        _log.error(
            "%d messages not stored (%s), control ids %s",
            len(messages),
            why,
            [message.control_id for message in messages[:10]],
        )
        return [Receipt.REFUSED] * len(messages)

    def _tell(self, stored: int) -> None:
        if stored and self._on_kept is not None:
            try:
                self._on_kept(stored)
            except Exception as error:  # noqa: BLE001 - a lost knock costs a moment, the sweep finds the rows
                _log.warning("a knock was lost: %s", type(error).__name__)


def _is_new(receipt: Receipt | Sequenced) -> bool:
    return (receipt.receipt if isinstance(receipt, Sequenced) else receipt) is Receipt.STORED
