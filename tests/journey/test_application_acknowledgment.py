"""A sender in enhanced mode, on real sockets: CA at once where it sends, AA and AE later where it listens."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from hl7_listener.client import read_acknowledgment, send
from hl7_listener.framing import frame
from hl7_listener.group_commit import GroupCommit
from hl7_listener.server import ListenerSettings, MllpServer
from integration import bootstrap
from integration.entrypoints.steps import steps
from integration.settings.model import ApplicationAcknowledging
from integration.testing.store import FakeInbox, FakeStore
from tests import settings as make
from tests.adapters.ehr.partner import Partner, pieces
from tests.messages import siu, without
from tests.site import Site, TurnedClock, local

NOW, VISIT = local("2027-03-01T11:00"), local("2027-03-11T14:30")


@pytest.mark.parametrize("answer", ["accept", "commit", "none"])
def test_ca_now_and_the_outcome_later(answer: Literal["accept", "commit", "none"]) -> None:
    booked = [siu("S12", at=NOW, visit=visit, start=VISIT, control_id=visit) for visit in ("A1", "A2", "A3")]
    booked[1] = without(booked[1], "PID")
    messages = [each.replace(b"|P|2.5.1", b"|P|2.5.1|||AL|AL", 1) for each in booked]
    store = FakeStore()
    with Partner() as partner:
        if answer == "commit":
            partner.plans.extend([pieces(frame(b"\x06"))] * 3)
        how = ApplicationAcknowledging(
            host="127.0.0.1",
            port=partner.port,
            answer=answer,
            timeout=timedelta(minutes=1),
            give_up_after=timedelta(hours=1),
            tls=None,
        )
        site = Site(store, TurnedClock(NOW))
        settings = replace(site.settings, feeds={"main": make.feed(application_acknowledgment=how)})
        site.change(settings=settings, partners=bootstrap.partners(settings))
        assert asyncio.run(sent(store, messages)) == ["CA A1", "CA A2", "CA A3"]
        work = steps(site.workshop)
        work["translate"]()
        work["plan"]()
        work["send"]()
        assert work["acknowledge"]()
        assert not work["acknowledge"]()
        heard = [read_acknowledgment(message) for message in partner.heard]
    assert [f"{each.code} {each.control_id}" for each in heard] == ["AA A1", "AE A2", "AA A3"]
    assert len(site.texts) == 1
    assert not any(b"Sample" in message for message in partner.heard)


async def sent(store: FakeStore, messages: list[bytes]) -> list[str]:
    """Send them to a listener of ours; what it answers."""
    control_ids = (hashlib.sha256(bytes([number])).hexdigest()[:20] for number in range(256))
    server = MllpServer(
        ListenerSettings("main", port=0),
        GroupCommit(FakeInbox(store)),
        lambda: NOW,
        lambda: next(control_ids),
    )
    _, port = await server.start()
    answers = await asyncio.to_thread(lambda: list(send("127.0.0.1", port, messages, 30)))
    await server.stop()
    return [f"{each.code} {each.control_id}" for each in answers]
