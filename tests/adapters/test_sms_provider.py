"""What every SMS provider must do, the real and the fake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.line_type import LineType
from integration.ports.sms import (
    Accepted,
    Billed,
    NotSent,
    ProviderUnavailable,
    Refused,
    Throttled,
    Uncertain,
)
from integration.sandbox.emulator import Emulator
from integration.testing.sms import Trouble
from tests.adapters.sms_worlds import (
    OTHER,
    PATIENT,
    FakeWorld,
    Receiver,
    TwilioWorld,
    World,
    exchange_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["twilio", "fake"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    with Receiver() as receiver, Emulator(exchange_for(receiver)) as emulator:
        yield TwilioWorld(receiver, emulator)


def test_a_text_that_is_taken_has_an_id_under_which_it_is_fetched_and_found(world: World) -> None:
    outcome = world.provider.send(world.text("Riverside Clinic: see you Tue at 2:30 PM."))
    assert isinstance(outcome, Accepted)
    taken = outcome.text
    assert (taken.to, taken.body) == (PATIENT, "Riverside Clinic: see you Tue at 2:30 PM.")
    assert taken.status is DeliveryStatus.ACCEPTED
    assert taken.created_at.tzinfo is not None
    fetched = world.provider.fetch(taken.provider_id)
    assert fetched is not None
    assert fetched.provider_id == taken.provider_id
    assert [text.provider_id for text in world.provider.find(PATIENT, LONG_AGO)] == [taken.provider_id]


def test_only_one_number_is_looked_for_and_the_newest_comes_first(world: World) -> None:
    for body in ("first", "second"):
        world.provider.send(world.text(body))
    world.provider.send(world.text("to somebody else", to=OTHER))
    assert [text.body for text in world.provider.find(PATIENT, LONG_AGO)] == ["second", "first"]


def test_a_text_of_this_second_is_found_though_its_time_has_no_fraction(world: World) -> None:
    outcome = world.provider.send(world.text())
    assert isinstance(outcome, Accepted)
    created = outcome.text.created_at
    assert world.provider.find(PATIENT, created + timedelta(microseconds=900_000))
    assert not world.provider.find(PATIENT, created + timedelta(seconds=1))


def test_an_unknown_id_is_none(world: World) -> None:
    assert world.provider.fetch("SM" + "0" * 32) is None


@pytest.mark.parametrize(
    ("trouble", "outcome", "was_kept"),
    [
        (Trouble.THROTTLED, Throttled, False),
        (Trouble.NO_CONNECTION, NotSent, False),
        (Trouble.LOST, Uncertain, False),
        (Trouble.KEPT, Uncertain, True),
    ],
)
def test_what_goes_wrong_says_whether_the_text_may_have_left(
    world: World, trouble: Trouble, outcome: type, *, was_kept: bool
) -> None:
    asked = world.provider
    world.happens(trouble)
    assert isinstance(world.provider.send(world.text("perhaps")), outcome)
    assert [text.body for text in asked.find(PATIENT, LONG_AGO)] == ["perhaps"] * was_kept


def test_the_list_may_lag_behind_what_was_taken(world: World) -> None:
    world.lag(on=True)
    outcome = world.provider.send(world.text())
    assert isinstance(outcome, Accepted)
    assert list(world.provider.find(PATIENT, LONG_AGO)) == []
    assert world.provider.fetch(outcome.text.provider_id) is not None
    world.lag(on=False)
    assert len(world.provider.find(PATIENT, LONG_AGO)) == 1


def test_after_stop_the_number_is_refused_until_start(world: World) -> None:
    world.patient_writes("STOP")
    refused = world.provider.send(world.text())
    assert isinstance(refused, Refused)
    assert refused.failure is Failure.OPTED_OUT
    assert isinstance(world.provider.send(world.text(to=OTHER)), Accepted)
    world.patient_writes("START")
    assert isinstance(world.provider.send(world.text()), Accepted)


def test_a_landline_is_told_from_a_mobile(world: World) -> None:
    world.has_a_landline(OTHER)
    assert world.provider.line_type(OTHER) is LineType.LANDLINE
    assert world.provider.line_type(PATIENT) is LineType.MOBILE
    world.goes_down()
    with pytest.raises(ProviderUnavailable):
        world.provider.line_type(OTHER)


def test_a_callback_is_verified_and_read(world: World) -> None:
    sent, delivered = world.told(["sent", "delivered"])
    for heard, status in ((sent, DeliveryStatus.SENT), (delivered, DeliveryStatus.DELIVERED)):
        lists = {name: [value] for name, value in heard.form.items()}
        assert world.provider.verify(heard.url, lists, heard.signature)
        report = world.provider.read_status(heard.form)
        assert (report.word, report.status, report.failure) == (str(status), status, None)
    assert world.provider.fetch(world.provider.read_status(sent.form).provider_id) is not None


def test_a_failure_names_its_kind(world: World) -> None:
    (heard,) = world.told(["undelivered"], Failure.BAD_NUMBER)
    report = world.provider.read_status(heard.form)
    assert (report.status, report.failure) == (DeliveryStatus.UNDELIVERED, Failure.BAD_NUMBER)
    fetched = world.provider.fetch(report.provider_id)
    assert fetched is not None
    assert (fetched.status, fetched.error_code) == (DeliveryStatus.UNDELIVERED, report.error_code)


def test_a_late_callback_does_not_bring_the_text_back(world: World) -> None:
    *_, late = world.told(["delivered", "sent"])
    report = world.provider.read_status(late.form)
    assert report.status is DeliveryStatus.SENT
    fetched = world.provider.fetch(report.provider_id)
    assert fetched is not None
    assert fetched.status is DeliveryStatus.DELIVERED


def test_a_text_on_its_way_has_a_price_and_a_time(world: World) -> None:
    (heard,) = world.told(["sent"])
    fetched = world.provider.fetch(world.provider.read_status(heard.form).provider_id)
    assert fetched is not None
    assert fetched.sent_at is not None
    assert fetched.price is not None
    assert float(fetched.price) > 0
    assert fetched.currency == "USD"


def test_a_forged_webhook_is_not_verified(world: World) -> None:
    heard = world.patient_writes("C")
    lists = {name: [value] for name, value in heard.form.items()}
    assert world.provider.verify(heard.url, lists, heard.signature)
    somewhere = next(name for name, value in heard.form.items() if value == "C")
    blank = next(name for name, value in heard.form.items() if not value)
    forged = {
        "another value": (heard.url, lists | {somewhere: ["R"]}, heard.signature),
        "one key more": (heard.url, {**lists, "Extra": ["x"]}, heard.signature),
        "a blank dropped": (heard.url, {n: v for n, v in lists.items() if n != blank}, heard.signature),
        "another address": (f"{heard.url}/", lists, heard.signature),
        "no signature": (heard.url, lists, ""),
        "another signature": (heard.url, lists, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        "not even ASCII": (heard.url, lists, "ünsigned"),
    }
    believed = [why for why, (url, form, by) in forged.items() if world.provider.verify(url, form, by)]
    assert believed == []


def test_a_reply_is_read(world: World) -> None:
    read = world.provider.read_reply(world.patient_writes("  Sí, ahí estaré 👍\n", media=2).form)
    assert (read.from_number, read.body, read.media) == (PATIENT, "  Sí, ahí estaré 👍\n", 2)
    assert read.provider_id
    assert read.to_number
    assert read.keyword_handled is None


def test_two_replies_of_the_same_words_have_two_ids(world: World) -> None:
    ids = {world.provider.read_reply(world.patient_writes("C").form).provider_id for _ in range(2)}
    assert len(ids) == 2


def test_a_keyword_the_provider_answered_is_marked(world: World) -> None:
    assert (
        world.provider.read_reply(world.patient_writes("STOP", handled=True).form).keyword_handled == "stop"
    )


@pytest.mark.parametrize("form", [{}, {"strange": "key"}])
def test_a_form_nobody_knows_never_raises(world: World, form: dict[str, str]) -> None:
    report = world.provider.read_status(form)
    assert (report.provider_id, report.status, report.failure) == ("", None, None)
    assert world.provider.read_reply(form).media == 0


def test_a_provider_that_is_down_cannot_be_asked_and_its_error_names_nobody(world: World) -> None:
    world.goes_down()
    for question in (
        lambda: world.provider.find(PATIENT, LONG_AGO),
        lambda: world.provider.fetch("SM" + "0" * 32),
    ):
        with pytest.raises(ProviderUnavailable) as caught:
            question()
        assert PATIENT[1:] not in repr(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    assert isinstance(world.provider.send(world.text()), NotSent | Uncertain)


@pytest.mark.parametrize("valid_for", [timedelta(0), timedelta(seconds=-5), timedelta(days=10)])
def test_a_validity_beyond_what_the_provider_knows_is_brought_within(
    world: World, valid_for: timedelta
) -> None:
    text = world.text()
    outcome = world.provider.send(type(text)(text.to, text.body, text.callback_url, valid_for))
    assert isinstance(outcome, Accepted)


def test_many_threads_may_send_through_one_provider(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: world.provider.send(world.text(f"number {n}")), range(40)))
    taken = [outcome.text for outcome in outcomes if isinstance(outcome, Accepted)]
    assert len({text.provider_id for text in taken}) == 40
    assert {text.body for text in world.provider.find(PATIENT, LONG_AGO)} == {
        f"number {n}" for n in range(40)
    }


def test_a_days_bill_names_each_text_that_was_sent_over_as_many_pages_as_there_are(world: World) -> None:
    for _ in range(2):
        world.told(["sent", "delivered"])
    sent = [world.provider.fetch(text.provider_id) for text in world.provider.find(PATIENT, LONG_AGO)]
    days = {
        text.sent_at.replace(hour=0, minute=0, second=0, microsecond=0)
        for text in sent
        if text and text.sent_at
    }
    billed: list[Billed] = []
    for day in sorted(days):
        page = None
        for _ in range(10):
            bill = world.provider.bill(day, page)
            billed += bill.billed
            page = bill.more
            if page is None:
                break
    assert {each.provider_id for each in billed} == {text.provider_id for text in sent if text}
    assert {(each.segments, each.currency) for each in billed} == {(1, "USD")}
    assert all(each.price is not None and float(each.price) > 0 for each in billed)
    assert world.provider.bill(LONG_AGO).billed in ([], ())
