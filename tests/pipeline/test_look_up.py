"""Stories of offers whose outcome nobody knows, and of texts gone silent (promise 2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import AttemptState
from integration.domain.write_back import WriteBackKind
from integration.pipeline.track import look_up, track
from integration.testing.sms import FakeSmsProvider, Trouble
from tests.pipeline.network import (
    ANAS_NUMBER,
    BOOKED_AT,
    Dying,
    attempts,
    booked_site,
    first_attempt,
    report,
    say,
    the_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.domain.text_message import TextMessage
    from integration.ports.sms import ProviderText
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")

LOOKS = (15, 60, 180)  # tests.settings: seconds after the offer
NEVER = timedelta(days=30)


def seconds_later(site: Site, seconds: float) -> None:
    """So long after the booking, everything due is done."""
    site.clock.now = BOOKED_AT + timedelta(seconds=seconds)
    site.work()


def test_a_text_that_arrived_without_an_answer_is_found_and_not_sent_again() -> None:
    site = booked_site(trouble=Trouble.KEPT)
    seconds_later(site, LOOKS[0] - 1)
    assert first_attempt(site).state is AttemptState.UNCERTAIN
    seconds_later(site, LOOKS[0])

    assert first_attempt(site).state is AttemptState.ACCEPTED
    text = the_text(site)
    assert (text.status, text.provider_id) == (DeliveryStatus.ACCEPTED, site.sms.texts()[0].provider_id)
    assert len(site.sms.texts()) == 1


def test_a_list_that_lags_is_looked_at_again() -> None:
    site = booked_site(trouble=Trouble.KEPT)
    kept = site.sms._texts[site.sms.texts()[0].provider_id]
    kept.listed_from = BOOKED_AT + timedelta(seconds=100)
    for look in LOOKS:
        assert first_attempt(site).state is AttemptState.UNCERTAIN
        seconds_later(site, look)

    assert (first_attempt(site).state, first_attempt(site).looks) == (AttemptState.ACCEPTED, 3)
    assert len(site.sms.texts()) == 1


def test_a_text_that_never_arrived_is_offered_once_more_after_the_last_look() -> None:
    site = booked_site(trouble=Trouble.LOST)
    for look in LOOKS[:-1]:
        seconds_later(site, look)
        assert not site.sms.texts()
    seconds_later(site, LOOKS[-1])

    assert [attempt.state for attempt in attempts(site)] == [AttemptState.ABSENT, AttemptState.ACCEPTED]
    assert len(site.sms.texts()) == 1
    assert not site.tasks


def test_a_text_lost_twice_is_left_to_a_person() -> None:
    site = booked_site(trouble=Trouble.LOST)
    site.sms.troubles.append(Trouble.LOST)
    for look in (*LOOKS, *(LOOKS[-1] + look for look in LOOKS), 1000):
        seconds_later(site, look)

    assert [attempt.state for attempt in attempts(site)] == [AttemptState.ABSENT, AttemptState.UNRESOLVED]
    assert the_text(site).unresolved
    assert [task.kind for task in site.tasks] == [TaskKind.UNRESOLVED_TEXT]
    assert not site.sms.texts()


def test_a_lost_text_that_is_no_longer_useful_is_not_offered_again() -> None:
    site = booked_site(trouble=Trouble.LOST)
    for look in LOOKS[:-1]:
        seconds_later(site, look)
    site.clock.now = the_text(site).not_after
    site.work()

    assert [attempt.state for attempt in attempts(site)] == [AttemptState.UNRESOLVED]
    assert [task.kind for task in site.tasks] == [TaskKind.UNRESOLVED_TEXT]
    assert the_text(site).body not in {text.body for text in site.sms.texts()}


def test_a_callback_settles_what_the_looks_could_not() -> None:
    site = booked_site(trouble=Trouble.KEPT)
    site.sms._texts[site.sms.texts()[0].provider_id].listed_from = BOOKED_AT + NEVER
    for look in LOOKS[:-1]:
        seconds_later(site, look)
    report(site, "delivered")
    seconds_later(site, 1000)

    assert [attempt.state for attempt in attempts(site)] == [AttemptState.ACCEPTED]
    assert the_text(site).status is DeliveryStatus.DELIVERED
    assert len(site.sms.texts()) == 1


def test_a_provider_that_cannot_be_asked_has_not_been_looked_at() -> None:
    site = booked_site(trouble=Trouble.KEPT)
    site.sms.is_down = True
    for look in (*LOOKS, 400, 900, 2000):
        seconds_later(site, look)
    assert (first_attempt(site).state, first_attempt(site).looks) == (AttemptState.UNCERTAIN, 0)

    site.sms.is_down = False
    seconds_later(site, 4000)
    assert first_attempt(site).state is AttemptState.ACCEPTED
    assert len(site.sms.texts()) == 1


def test_looks_that_come_late_keep_their_distance() -> None:
    site = booked_site(trouble=Trouble.LOST)
    seconds_later(site, 3600)
    assert (first_attempt(site).state, first_attempt(site).looks) == (AttemptState.UNCERTAIN, 1)
    seconds_later(site, 3614)
    assert first_attempt(site).looks == 1
    seconds_later(site, 3615)
    assert first_attempt(site).looks == 2


def test_an_offer_whose_sender_died_is_uncertain_after_its_deadline_and_found() -> None:
    site = booked_site(sms=Dying)
    seconds_later(site, 29)
    assert first_attempt(site).state is AttemptState.OFFERED
    seconds_later(site, 30)

    assert first_attempt(site).state is AttemptState.ACCEPTED
    assert len(site.sms.texts()) == 1


@pytest.mark.parametrize(
    "troubles",
    [
        (Trouble.KEPT, Trouble.KEPT),
        (Trouble.KEPT, Trouble.LOST),
        (Trouble.LOST, Trouble.KEPT),
        (Trouble.LOST, Trouble.LOST),
    ],
)
def test_two_uncertain_offers_of_the_same_words_find_each_its_own_text(
    troubles: tuple[Trouble, Trouble],
) -> None:
    site = booked_site()
    site.sms.troubles.extend(troubles)
    start = site.clock.now
    say(site, "HELP", after=timedelta(seconds=1))
    say(site, "HELP", after=timedelta(seconds=5))
    for look in (20, 25, 70, 75, 190, 195, 400):
        site.clock.now = start + timedelta(seconds=look)
        site.work()

    answers = _answers(site)
    assert len(answers) == 2
    assert answers[0].body == answers[1].body
    assert {text.provider_id for text in answers} == {
        text.provider_id for text in site.sms.texts() if text.body == answers[0].body
    }
    assert len({text.provider_id for text in answers}) == 2
    assert site.sms.copies[answers[0].number, answers[0].body] == 2


def test_two_offers_found_in_order_keep_the_order() -> None:
    site = booked_site()
    site.sms.troubles.extend([Trouble.KEPT, Trouble.KEPT])
    say(site, "HELP", after=timedelta(seconds=1))
    say(site, "HELP", after=timedelta(seconds=5))
    site.clock.now += timedelta(seconds=60)
    site.work()

    ours = [text.provider_id for text in _answers(site)]
    theirs = [text.provider_id for text in site.sms.texts()[1:]]
    assert ours == theirs


def test_a_callback_that_comes_while_the_list_is_read_wins() -> None:
    site = booked_site(trouble=Trouble.LOST)

    class Interrupted(FakeSmsProvider):
        """Lists nothing, while the callback of the very text comes in."""

        def find(self, to: str, since: datetime) -> Sequence[ProviderText]:
            del to, since
            report(site, "delivered", provider_id="late", token="token-1", work=False)
            track(site.workshop)
            return []

    site.sms.__class__ = Interrupted
    seconds_later(site, LOOKS[0])

    assert (first_attempt(site).state, first_attempt(site).provider_id) == (AttemptState.ACCEPTED, "late")
    assert the_text(site).status is DeliveryStatus.DELIVERED


def test_a_text_without_news_is_asked_about() -> None:
    site = booked_site()
    site.sms.tell(site.sms.texts()[0].provider_id, "delivered")  # the callback is lost
    site.clock.now += timedelta(minutes=14)
    assert look_up(site.workshop) == 0
    site.clock.now += timedelta(minutes=2)
    site.work()

    text = the_text(site)
    assert text.status is DeliveryStatus.DELIVERED
    assert (text.price, text.currency) == ("0.0083", "USD")


def test_a_failure_that_was_never_reported_has_its_consequences() -> None:
    site = booked_site()
    site.sms.tell(site.sms.texts()[0].provider_id, "undelivered", Failure.BAD_NUMBER)
    site.clock.now += timedelta(minutes=16)
    site.work()

    assert the_text(site).failure is Failure.BAD_NUMBER
    with site.store.unit() as unit:
        assert unit.numbers.suppressions(ANAS_NUMBER)
    assert [task.kind for task in site.tasks] == [TaskKind.CALL_PATIENT]


@pytest.mark.parametrize(
    ("word", "tasks"), [("sent", []), ("accepted", [TaskKind.UNRESOLVED_TEXT])], ids=["sent", "accepted"]
)
def test_a_day_of_silence_is_final_news(word: str, tasks: list[TaskKind]) -> None:
    site = booked_site()
    report(site, word)
    revision = _revision(site)
    site.clock.now = BOOKED_AT + timedelta(hours=23)
    site.work()
    assert the_text(site).final_at is None
    site.clock.now = BOOKED_AT + timedelta(hours=25)
    site.work()

    text = the_text(site)
    assert (text.status, text.final_at) == (DeliveryStatus(word), site.clock.now)
    assert _revision(site) == revision + 1
    assert [task.kind for task in site.tasks] == tasks
    assert look_up(site.workshop) == 0


def test_silence_taken_for_final_yields_to_later_news() -> None:
    site = booked_site()
    report(site, "sent")
    site.clock.now = BOOKED_AT + timedelta(hours=25)
    site.work()
    report(site, "delivered")

    assert the_text(site).status is DeliveryStatus.DELIVERED


def test_without_a_provider_nothing_is_looked_up() -> None:
    site = booked_site(trouble=Trouble.KEPT)
    site.change(sms=None)
    site.clock.now += timedelta(hours=1)

    assert look_up(site.workshop) == 0
    assert track(site.workshop) == 0


def _answers(site: Site) -> list[TextMessage]:
    """What we wrote back to Ana, oldest first."""
    with site.store.unit() as unit:
        return [*reversed(unit.texts.answers_to(ANAS_NUMBER, BOOKED_AT))]


def _revision(site: Site) -> int:
    text = the_text(site)
    with site.store.unit() as unit:
        row = unit.write_backs.find(WriteBackKind.TEXT, text.id, text.subjects[0].patient_id)
    assert row is not None
    return row.revision
