"""Stories of landlines that the provider knows of before anything is sent to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.circuit import Circuit
from integration.domain.line_type import LANDLINE, PATIENCE, Line, LineType
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.pipeline.plan import plan_changes
from integration.pipeline.send import send_next
from integration.pipeline.translate import translate
from integration.ports.sms import ProviderUnavailable
from integration.testing.sms import FakeSmsProvider
from tests.messages import ANA, called, siu
from tests.pipeline.network import ANAS_NUMBER, BOOKED_AT, VISIT, book, site_at

if TYPE_CHECKING:
    from tests.site import Site

MOMENT = timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("every_store")


def _site(line: LineType | None = None, **sending: Any) -> Site:
    site = site_at()
    site.sms.lines |= {} if line is None else {ANAS_NUMBER: line}
    wanted = {"lookup": True} | sending
    site.change(settings=replace(site.settings, sending=replace(site.settings.sending, **wanted)))
    return site


def _book(site: Site) -> None:
    """And give the provider a moment to answer."""
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    site.until(site.clock.now + MOMENT)


def test_nobody_is_asked_unless_the_site_wants_it() -> None:
    site = _site(LineType.LANDLINE, lookup=False)
    _book(site)

    assert site.sms.lookups == {}
    assert len(site.sent) == 1


@pytest.mark.parametrize("line", [LineType.LANDLINE, LineType.PAYPHONE, LineType.INVALID])
def test_a_line_without_texts_gets_none_and_somebody_calls_once_about_the_visit(line: LineType) -> None:
    site = _site(line)
    _book(site)
    booked = site.reminders["booked"]
    assert (booked.state, booked.reason) == (ReminderState.SKIPPED, LANDLINE)
    [task] = site.tasks
    assert task.kind is TaskKind.CALL_PATIENT
    assert LANDLINE in task.reason
    assert task.due_at is not None
    assert task.due_at < VISIT

    with site.store.unit() as unit:
        unit.tasks.close(task.id, site.clock.now)
    site.until(VISIT)
    assert site.sms.texts() == []
    assert {each.reason for each in site.reminders.values()} == {LANDLINE}
    assert site.tasks == []
    assert site.sms.lookups[ANAS_NUMBER] == 1


def test_bad_news_for_a_landline_is_a_call_of_its_own() -> None:
    site = _site(LineType.MOBILE)
    _book(site)
    with site.store.unit() as unit:
        unit.lines.keep(Line(ANAS_NUMBER, site.clock.now, LineType.LANDLINE))
    site.clock.now += timedelta(hours=1)
    site.hear(siu("S15", at=site.clock.now, start=None))
    site.until(BOOKED_AT + timedelta(hours=3))

    assert "cancelled" not in [occasion for _, occasion in site.sent]
    assert [task.kind for task in site.tasks] == [TaskKind.CALL_PATIENT]


@pytest.mark.parametrize("line", [LineType.MOBILE, LineType.VOIP, LineType.UNKNOWN])
def test_every_other_line_is_texted_and_asked_about_once_in_ninety_days(line: LineType) -> None:
    site = _site(line)
    _book(site)
    site.until(VISIT)
    assert len(site.sent) > 1
    assert site.sms.lookups[ANAS_NUMBER] == 1

    site.clock.now = BOOKED_AT + timedelta(days=91)
    book(site, "A2", "2027-06-10T09:00")
    site.until(site.clock.now + MOMENT)
    assert site.sms.lookups[ANAS_NUMBER] == 2


def test_who_may_not_be_texted_is_not_asked_about() -> None:
    site = site_at("2027-03-01T23:30")
    sending = replace(site.settings.sending, lookup=True)
    site.change(settings=replace(site.settings, sending=sending))
    site.hear(siu("S12", at=site.clock.now, start=VISIT))
    assert site.sms.lookups == {}

    site.until(BOOKED_AT + timedelta(days=1))
    assert site.sms.lookups[ANAS_NUMBER] == 1
    assert len(site.sent) == 1


class Silent(FakeSmsProvider):
    """Sends, and cannot be asked about lines."""

    def line_type(self, number: str) -> LineType:
        self.lookups[number] += 1
        raise ProviderUnavailable("read-timeout")


def test_a_provider_that_does_not_answer_holds_no_text_up() -> None:
    site = _site()
    site.sms.__class__ = Silent
    _book(site)

    assert len(site.sent) == 1
    site.until(BOOKED_AT + timedelta(days=6))
    assert len(site.sent) == 2
    assert site.sms.lookups[ANAS_NUMBER] == 2  # with its next text


def test_a_provider_that_is_away_is_not_asked_about_every_number_of_a_burst() -> None:
    site, lookups = _site(), Circuit()
    site.sms.__class__ = Silent
    for n in range(12):
        person = called(ANA, mrn=f"M{n}", phone=f"(617)555-01{n:02}")
        site.receive(siu("S12", at=BOOKED_AT, start=VISIT, visit=f"V{n}", person=person))
    for _ in range(3):
        while any((translate(site.workshop), plan_changes(site.workshop), send_next(site.workshop, lookups))):
            pass
        site.clock.now += MOMENT

    assert len(site.sent) == 12
    assert sum(site.sms.lookups.values()) == 3


def test_while_another_process_asks_the_text_waits_and_not_for_ever() -> None:
    """It has been killed."""
    site = _site()
    with site.store.unit() as unit:
        unit.lines.keep(Line(ANAS_NUMBER, site.clock.now))
    _book(site)
    assert (site.sent, site.sms.lookups) == ([], {})

    site.until(BOOKED_AT + PATIENCE)
    assert len(site.sent) == 1
    assert site.sms.lookups == {}
