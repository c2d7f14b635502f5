"""Stories of status callbacks: what the provider reports, and what follows (promises 5 and 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.domain.consent import ALL_SENDERS, SuppressionKind
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.reminder import ReminderState
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import AttemptState
from integration.domain.write_back import WriteBackKind
from integration.pipeline.send import send_next
from integration.pipeline.track import track
from integration.testing.sms import Trouble
from tests import settings as make
from tests.messages import ANA, BEN, CARLA, siu
from tests.pipeline.network import ANAS_NUMBER, Dying, booked_site, first_attempt, report, the_text
from tests.site import local

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration.ports.sms import StatusReport
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")

Life = list[tuple[str, Failure | None]]
LIVES: list[Life] = [
    [("accepted", None), ("sent", None), ("delivered", None)],
    [("accepted", None), ("sent", None), ("undelivered", Failure.UNREACHABLE)],
    [("accepted", None), ("failed", Failure.FILTERED)],
    [("sent", None)],
]


def test_a_delivered_text_is_delivered_and_the_chart_is_to_know() -> None:
    site = booked_site()
    site.clock.now += timedelta(seconds=5)
    report(site, "delivered")

    text = the_text(site)
    assert (text.status, text.word, text.failure) == (DeliveryStatus.DELIVERED, "delivered", None)
    assert text.delivered_at == text.final_at == site.clock.now
    with site.store.unit() as unit:
        row = unit.write_backs.find(WriteBackKind.TEXT, text.id, text.subjects[0].patient_id)
    assert row is not None
    assert row.revision == 2  # once when it left, once now
    assert not site.tasks


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_callbacks_in_any_order_and_number_end_alike(data: st.DataObject) -> None:
    life: Life = data.draw(st.sampled_from(LIVES))
    heard: Life = data.draw(st.permutations([*life, *data.draw(st.lists(st.sampled_from(life), max_size=3))]))
    in_order, as_heard = booked_site(), booked_site()
    for word, failure in life:
        report(in_order, word, failure)
    for word, failure in heard:
        report(as_heard, word, failure, work=False)
    as_heard.work()

    # The provider gives each text an id of its own; nothing else may differ.
    assert replace(the_text(as_heard), provider_id="") == replace(the_text(in_order), provider_id="")
    assert as_heard.tasks == in_order.tasks


def test_a_callback_may_come_before_our_record_of_the_offer() -> None:
    site = booked_site(trouble=Trouble.KEPT)
    assert first_attempt(site).state is AttemptState.UNCERTAIN
    report(site, "sent")

    assert first_attempt(site).state is AttemptState.ACCEPTED
    assert first_attempt(site).provider_id == the_text(site).provider_id == site.sms.texts()[0].provider_id
    assert the_text(site).status is DeliveryStatus.SENT


def test_a_callback_settles_an_offer_whose_sender_died() -> None:
    site = booked_site(sms=Dying)
    assert first_attempt(site).state is AttemptState.OFFERED
    report(site, "delivered")

    assert first_attempt(site).state is AttemptState.ACCEPTED
    assert the_text(site).status is DeliveryStatus.DELIVERED


def test_a_callback_under_a_strange_token_is_known_by_the_providers_id() -> None:
    site = booked_site()
    report(site, "delivered", token="not-ours")

    assert the_text(site).status is DeliveryStatus.DELIVERED


def test_a_callback_that_nobody_knows_changes_nothing_and_is_not_read_again() -> None:
    site = booked_site()
    before = the_text(site)
    report(site, "failed", token="not-ours", provider_id="not-ours-either")

    assert the_text(site) == before
    assert track(site.workshop) == 0


def test_a_word_we_do_not_know_proves_the_text_arrived_and_no_more() -> None:
    site = booked_site(trouble=Trouble.KEPT)
    report(site, "teleported")

    assert the_text(site).status is DeliveryStatus.ACCEPTED
    assert first_attempt(site).state is AttemptState.ACCEPTED


def test_a_reminder_whose_text_failed_stays_sent_and_somebody_calls() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.UNKNOWN)

    assert site.reminders["booked"].state is ReminderState.SENT
    [task] = site.tasks
    assert (task.kind, task.text_id) == (TaskKind.CALL_PATIENT, the_text(site).id)
    assert task.due_at is not None
    assert task.due_at < local("2027-03-11T14:30")
    assert "unknown" in task.reason


def test_a_number_that_cannot_receive_texts_gets_no_more() -> None:
    site = booked_site()
    report(site, "undelivered", Failure.BAD_NUMBER)
    site.until(local("2027-03-07T12:00"))

    assert [occasion for _, occasion in site.sent] == ["booked"]
    assert site.reminders["five_days"].reason == "the number cannot receive texts"


def test_a_stop_the_carrier_holds_is_recorded_as_ours() -> None:
    site = booked_site()
    report(site, "failed", Failure.OPTED_OUT)
    with site.store.unit() as unit:
        [suppression] = unit.numbers.suppressions(ANAS_NUMBER)

    assert (suppression.kind, suppression.sender) == (SuppressionKind.OPT_OUT, ALL_SENDERS)
    assert (suppression.source, suppression.evidence) == ("carrier", "opted_out +15005550006")
    assert [task.kind for task in site.tasks] == [TaskKind.OPTED_OUT]


def test_a_carrier_gone_mad_opts_out_no_more_than_the_cap() -> None:
    site = booked_site(settings=make.settings(sending=make.sending(automatic_opt_outs_per_hour=1)))
    site.hear(siu("S12", at=site.clock.now, visit="A2", start=local("2027-03-12T09:00"), person=CARLA))
    for text in site.sms.texts():
        report(site, "failed", Failure.OPTED_OUT, provider_id=text.provider_id)
    with site.store.unit() as unit:
        opted_out = [bool(unit.numbers.suppressions(text.to)) for text in site.sms.texts()]

    assert opted_out == [True, False]
    assert "carrier opt-outs" in site.store.breakers()
    assert {task.kind for task in site.tasks} == {TaskKind.OPTED_OUT, TaskKind.CALL_PATIENT, TaskKind.RELEASE}


def test_after_a_carrier_has_gone_mad_its_word_opts_nobody_out_until_a_person_releases_it() -> None:
    site = booked_site()
    site.store.open_breaker("carrier opt-outs", "more than patients would ask for")
    report(site, "failed", Failure.OPTED_OUT)

    with site.store.unit() as unit:
        assert not unit.numbers.suppressions(ANAS_NUMBER)


def test_trouble_with_our_account_stops_every_text_until_a_person_releases_them() -> None:
    site = booked_site()
    report(site, "failed", Failure.ACCOUNT)
    assert "account" in site.store.breakers()
    assert TaskKind.RELEASE in {task.kind for task in site.tasks}

    site.clock.now = local("2027-03-06T10:00")
    assert not send_next(site.workshop)
    site.store.release("account", site.clock.calendar())
    site.work()

    assert [occasion for _, occasion in site.sent] == ["booked", "five_days"]


def test_two_final_words_are_one_task_however_often_they_are_said() -> None:
    site = booked_site()
    report(site, "delivered")
    for _ in range(3):
        report(site, "undelivered", Failure.UNREACHABLE)

    assert the_text(site).status is DeliveryStatus.DELIVERED
    [task] = site.tasks
    assert task.kind is TaskKind.UNRESOLVED_TEXT


def test_each_patient_of_a_shared_text_is_told_of_in_their_own_chart() -> None:
    site = booked_site(hear=False)
    for person, visit in ((ANA, "A1"), (BEN, "A2")):
        site.receive(
            siu("S12", at=site.clock.now, visit=visit, start=local("2027-03-11T14:30"), person=person)
        )
    site.work()
    report(site, "delivered")

    text = the_text(site)
    assert len(text.subjects) == 2
    with site.store.unit() as unit:
        rows = [unit.write_backs.find(WriteBackKind.TEXT, text.id, s.patient_id) for s in text.subjects]
    assert all(row is not None and row.revision == 2 for row in rows)


@pytest.mark.parametrize("offered_again", [False, True])
def test_a_text_taken_for_absent_that_speaks_up_is_not_sent_again_unless_it_was(
    offered_again: bool,  # noqa: FBT001 - a row
) -> None:
    site = booked_site(trouble=Trouble.KEPT)
    site.sms.list_lag = timedelta(days=1)
    _take_for_absent(site)
    if offered_again:
        send_next(site.workshop)
    first = site.sms.texts()[0].provider_id
    report(site, "delivered", token="token-1", provider_id=first, work=False)
    track(site.workshop)
    site.work()

    assert len(site.sms.texts()) == (2 if offered_again else 1)
    expected = DeliveryStatus.ACCEPTED if offered_again else DeliveryStatus.DELIVERED
    assert the_text(site).status is expected


def _take_for_absent(site: Site) -> None:
    """As a provider's list that is wrong for long would have it."""
    with site.store.unit() as unit:
        attempt = unit.texts.attempts(1)[0]
        changed = replace(attempt, state=AttemptState.ABSENT, next_look_at=None)
        assert unit.texts.update_attempt(changed, {AttemptState.UNCERTAIN})


def test_a_callback_that_surprises_is_set_aside_and_its_neighbours_are_heard() -> None:
    site = booked_site()

    class Stumbling(type(site.sms)):  # type: ignore[misc]  # whatever the fake's class is
        def read_status(self, form: Mapping[str, str]) -> StatusReport:
            if form["word"] == "stumble":
                raise RuntimeError("a word that holds a person's name")
            return super().read_status(form)  # type: ignore[no-any-return]

    site.sms.__class__ = Stumbling
    report(site, "stumble", work=False)
    report(site, "delivered")

    assert the_text(site).status is DeliveryStatus.DELIVERED
    assert track(site.workshop) == 0
