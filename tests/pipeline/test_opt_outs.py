"""Stories of stopping and beginning again: five minutes to say so, what staff lift, HELP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.staff_task import TaskKind
from tests.adt import adt
from tests.messages import BEN, called, siu
from tests.pipeline.network import ANAS_NUMBER, book, booked_site, deliver, say
from tests.pipeline.test_reply import asked_site, occasions, suppressed
from tests.site import Site, local

pytestmark = pytest.mark.usefixtures("every_store")


def stopped_site(body: str = "STOP") -> Site:
    """Ana was asked to confirm, and wrote that she wants no texts."""
    site = asked_site()
    say(site, body)
    return site


def lift(site: Site, *, await_start: bool) -> None:
    """Staff lift her opt-out."""
    with site.store.unit() as unit:
        for each in unit.numbers.suppressions(ANAS_NUMBER):
            unit.consents.lift(each, at=site.clock.calendar(), by="staff", await_start=await_start)


def opted_out(site: Site) -> list[tuple[int | None, int | None]]:
    """Of whom, and of which visits, staff are told that the number stopped."""
    tasks = [task for task in site.tasks if task.kind is TaskKind.OPTED_OUT]
    return [(task.patient_id, task.appointment_id) for task in tasks]


def test_the_confirmation_of_a_stop_is_useful_for_five_minutes() -> None:
    site = stopped_site()
    with site.store.unit() as unit:
        [text] = unit.texts.answers_to(ANAS_NUMBER, local("2027-03-01T00:00"))
        [heard] = unit.replies.heard_since(ANAS_NUMBER, local("2027-03-01T00:00"))
    assert text.not_after == heard.heard_at + timedelta(minutes=5)


def test_a_stop_that_was_heard_too_late_is_obeyed_and_not_confirmed() -> None:
    site = asked_site()
    say(site, "STOP", work=False)
    site.clock.now += timedelta(minutes=5)
    site.work()
    assert suppressed(site)
    assert occasions(site) == []


def test_a_confirmation_that_could_not_leave_in_five_minutes_never_does() -> None:
    site = asked_site()
    site.sms.is_down = True
    say(site, "STOP")
    site.sms.is_down = False
    site.until(site.clock.now + timedelta(hours=2))
    assert "stop" not in [occasion for _, occasion in site.sent]


@pytest.mark.parametrize(
    ("body", "source"), [("STOP", "keyword"), ("Stop.", "reply"), ("stop texting me", "reply")]
)
def test_what_the_carrier_obeys_too_is_written_down_as_such_with_the_words(body: str, source: str) -> None:
    site = stopped_site(body)
    with site.store.unit() as unit:
        [opt_out] = unit.numbers.suppressions(ANAS_NUMBER)
    assert (opt_out.source, opt_out.evidence) == (source, body)


def test_help_is_answered_once_a_day_even_after_a_stop() -> None:
    site = stopped_site()
    say(site, "HELP", after=timedelta(minutes=10))
    say(site, "HELP", after=timedelta(hours=2))
    assert occasions(site) == ["stop", "help"]
    deliver(site)
    assert [occasion for _, occasion in site.sent][-2:] == ["stop", "help"]
    say(site, "HELP", after=timedelta(hours=25))
    assert occasions(site) == ["stop", "help", "help"]


def test_what_awaits_start_gets_no_text_until_start_arrives() -> None:
    site = stopped_site()
    lift(site, await_start=True)
    assert suppressed(site)
    say(site, "START", after=timedelta(hours=1))
    assert not suppressed(site)


def test_what_awaits_start_is_lifted_by_an_answer_that_reaches_the_number() -> None:
    site = stopped_site()
    lift(site, await_start=True)
    say(site, "HELP", after=timedelta(hours=1))
    assert suppressed(site)
    deliver(site)
    assert not suppressed(site)
    with site.store.unit() as unit:
        assert unit.consents.of_number(ANAS_NUMBER)[0].lifted_by == "passed"


def test_an_answer_that_was_offered_before_the_stop_and_arrives_late_lifts_nothing() -> None:
    site = asked_site()
    say(site, "HELP")
    say(site, "STOP")
    site.clock.now += timedelta(minutes=5)
    lift(site, await_start=True)
    deliver(site)
    assert suppressed(site)


def test_a_stop_after_the_staffs_lift_awaits_nothing() -> None:
    site = stopped_site()
    lift(site, await_start=True)
    say(site, "please stop texting me", after=timedelta(hours=1))
    with site.store.unit() as unit:
        [opt_out] = unit.numbers.suppressions(ANAS_NUMBER)
    assert opt_out.awaiting_start is None


def test_the_first_text_of_a_practice_to_a_number_says_what_the_programme_is_and_later_ones_do_not() -> None:
    site = booked_site()
    deliver(site)
    site.until(local("2027-03-06T10:00"))
    first, second = (text.body for text in site.sms.texts()[:2])
    assert "HELP" in first
    assert "rates" in first
    assert "HELP" not in second


def test_an_opt_out_stays_with_the_number() -> None:
    site = stopped_site()
    site.until(local("2027-03-12T00:00"))
    assert suppressed(site) == [(SuppressionKind.OPT_OUT, "*")]
    with site.store.unit() as unit:
        texts = unit.texts.between(local("2027-03-01T00:00"), local("2027-03-13T00:00"))
    assert all(text.status is not DeliveryStatus.QUEUED for text in texts)


def test_a_stop_of_a_shared_phone_is_work_for_each_visit_to_come_of_each_who_has_it() -> None:
    """Also where nothing more was to be said of it; who has no visit to come makes no work."""
    site = asked_site()
    say(site, "C")
    site.until(local("2027-03-10T09:00"))
    deliver(site)
    book(site, "B1", "2027-03-18T09:00", BEN)
    book(site, "B2", "2027-03-19T09:00", BEN)
    site.hear(siu("S15", at=site.clock.now, visit="B2", start=None, person=BEN))
    site.hear(adt("A28", at=site.clock.now, person=called(BEN, mrn="MRN3", given="Cleo"), phone=None))
    site.until(local("2027-03-10T12:00"))
    deliver(site)
    say(site, "STOP")

    assert opted_out(site) == [(1, 1), (2, 2)]


def test_a_stop_of_a_number_without_a_visit_to_come_is_no_work() -> None:
    site = asked_site()
    site.until(local("2027-03-12T10:00"))
    say(site, "STOP")
    assert suppressed(site)
    assert opted_out(site) == []


def suppress(site: Site, kind: SuppressionKind) -> None:
    since = site.clock.calendar()
    with site.store.unit() as unit:
        unit.numbers.lock(ANAS_NUMBER)
        unit.numbers.suppress(Suppression(0, ANAS_NUMBER, kind, ALL_SENDERS, since, "story"))


@pytest.mark.parametrize("kind", list(SuppressionKind))
def test_help_is_answered_once_a_day_whyever_the_number_gets_no_texts(kind: SuppressionKind) -> None:
    site = asked_site()
    suppress(site, kind)
    for _ in range(2):
        say(site, "HELP")
    assert occasions(site) == ["help"]
    assert site.sent[-1][1] == "help"  # it has left
    say(site, "Where do I park?")
    assert occasions(site) == ["help"]
    assert [each for each, _ in suppressed(site)] == [kind]


def test_a_strangers_help_is_answered_with_what_the_texts_are_and_no_word_of_anybody() -> None:
    site = asked_site()
    say(site, "HELP", number="+12025550177")
    [text] = [each for each in site.texts if each.number == "+12025550177"]
    assert text.occasion == "help"
    assert (text.subjects, "Ana" in text.body) == ((), False)
