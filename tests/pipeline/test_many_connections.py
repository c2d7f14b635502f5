"""Several connections that resend and overtake one another, several workers of every step: one end state."""

from __future__ import annotations

import asyncio
from itertools import count
from random import Random
from typing import TYPE_CHECKING

import pytest

from hl7_listener.client import send
from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import ListenerSettings, MllpServer
from integration.testing.store import FakeStore
from tests.pipeline.reorderings import NOW, Said, deliver, in_order, known
from tests.pipeline.workers import Workers
from tests.site import Site, TurnedClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.stores import StorePlace

CONNECTIONS = 5
PATIENCE = 60.0  # seconds for an answer
HISTORY = [
    Said(trigger, visit=visit, mrn=mrn, start=start, phone=phone, status=status)
    for trigger, start, phone, status in (
        ("S12", 0, 0, None),
        ("S14", 0, 1, "Booked"),
        ("S13", 1, 1, None),
        ("S14", 1, 0, ""),
        ("S15", 1, 0, None),
        ("S12", 2, 0, None),
        ("A08", 0, 1, None),
        ("S13", 0, 1, None),
        ("S18", 0, 1, "Booked"),
    )
    for visit, mrn in (("A1", "MRN1"), ("A2", "MRN2"))
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_connections_workers_and_resends_end_as_one_of_each_would(
    postgres_place: StorePlace, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - nobody is to guess it
    payloads = [said.at(minute) for minute, said in enumerate(HISTORY)]
    shares: list[list[bytes]] = [[] for _ in range(CONNECTIONS)]
    for payload in (*payloads, *chance.choices(payloads, k=2 * len(payloads))):
        share = chance.choice(shares)
        share.insert(chance.randint(0, len(share)), payload)
    store = postgres_place.open()
    try:
        site = Site(store, TurnedClock(NOW))
        workers = Workers(site)
        workers.start()
        codes = asyncio.run(sent(postgres_place, shares))
        workers.finish()
        assert codes == {"AA"}
        with store.unit() as unit:
            assert unit.inbox.count("done") == len(payloads)
        assert known(site) == known(deliver(FakeStore(), HISTORY, in_order(len(HISTORY)), sending=True))
        assert max(site.sms.copies.values(), default=1) == 1
    finally:
        store.close()


async def sent(place: StorePlace, shares: Sequence[Sequence[bytes]]) -> set[str]:
    """Send each share over a connection of its own, all at once; how they were answered."""
    inbox = place.open_inbox()
    numbers = count(1)
    server = MllpServer(
        ListenerSettings("main", port=0), GroupCommit(inbox), lambda: NOW, lambda: f"OURS{next(numbers)}"
    )
    _, port = await server.start()
    answers = await asyncio.gather(*(asyncio.to_thread(answers_to, port, share) for share in shares))
    await server.stop()
    inbox.close()
    return set().union(*answers)


def answers_to(port: int, share: Sequence[bytes]) -> set[str]:
    return {answer.code for answer in send("127.0.0.1", port, share, PATIENCE)}
