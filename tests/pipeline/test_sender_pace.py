"""Stories of a burst of texts, and of a sender that passes on one a second."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.sender_pace import NO_TURN, WAITS_ITS_TURN
from integration.domain.staff_task import TaskKind
from integration.testing.sms import SENDER
from tests import settings as make
from tests.messages import ANA, called, siu
from tests.pipeline.network import BOOKED_AT, VISIT, site_at

if TYPE_CHECKING:
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")


def _burst(rate: float, count: int) -> Site:
    site = site_at()
    practices = {"riverside": make.practice(max_segments=1)}
    sending = replace(site.settings.sending, segments_per_second={SENDER: rate})
    site.change(settings=replace(site.settings, practices=practices, sending=sending))
    for n in range(count):
        person = called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}")
        site.receive(siu("S12", at=BOOKED_AT, start=VISIT, visit=f"V{n}", person=person))
    site.work()
    return site


def test_a_burst_leaves_no_faster_than_the_sender_passes_on() -> None:
    site = _burst(rate=0.1, count=12)
    first = len(site.sent)
    assert first < 12
    assert {each.reason for each in site.reminders.values() if each.step == "booked"} == {WAITS_ITS_TURN}

    site.until(BOOKED_AT + timedelta(minutes=5))
    offered = sorted(text.offered_at for text in site.texts if text.offered_at is not None)
    assert len(offered) == 12
    seconds = sum(text.segments for text in site.texts[:-1]) / 0.1
    assert offered[-1] - offered[0] >= timedelta(seconds=seconds) - timedelta(seconds=2)


def test_who_would_have_their_turn_too_late_is_called() -> None:
    site = _burst(rate=0.000005, count=4)  # one in two days; the text is of use for five

    assert 0 < len(site.sent) < 4
    with site.store.unit() as unit:
        reminders = unit.reminders.states_of_practice("riverside", BOOKED_AT)
    assert NO_TURN in {each.reason for each in reminders}
    assert TaskKind.CALL_PATIENT in {task.kind for task in site.tasks}


def test_without_a_limit_nobody_waits() -> None:
    assert len(_burst(rate=1000.0, count=12).sent) == 12
