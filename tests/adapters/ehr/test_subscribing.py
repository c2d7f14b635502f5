"""Subscriptions are made and mended in every dialect, one of each, and nobody else's are touched."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from integration.adapters.ehr.capabilities import Capabilities
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.subscribing import FhirSubscriber
from integration.adapters.ehr.subscription_topics import read_topics
from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_reading import Reference
from integration.ports.ehr_subscribing import Gone, Offer, Standing, Topic, Wish
from tests.adapters.ehr.subscribing_server import ANY, BOOKED, Dialect, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = "https://texts.example.org/fhir/subscriptions/ehr"
SECRET = "a secret of tests"
CLASSIC = Wish("ehr", "Appointment", "classic", "", OURS, "id-only", timedelta(minutes=5))
TOPICAL = replace(CLASSIC, kind="topic", topic=ANY)
WISHES: dict[Dialect, Wish] = {"classic": CLASSIC, "topic": TOPICAL, "r5": TOPICAL, "medplum": CLASSIC}
DIALECTS = list(WISHES)


@contextmanager
def at(server: Server, secret: str = SECRET) -> Iterator[FhirSubscriber]:
    """A subscriber at a running server."""
    with serving(server):
        client = FhirClient(server.base_url)
        yield FhirSubscriber(client, Capabilities(client), {"ehr": (secret, "an older one")})
        client.close()


def made(answer: object) -> Standing:
    assert isinstance(answer, Standing), answer
    return answer


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_made_is_taken_and_lives(dialect: Dialect) -> None:
    server = Server(dialect)
    with at(server) as subscriber:
        standing = made(subscriber.ensure(WISHES[dialect]))
        assert (standing.did, standing.status) == ("made", "active")
        looked = made(subscriber.look(standing.ehr_id, WISHES[dialect].kind))
        assert looked.status == "active"
    (resource,) = server.resources.values()
    assert SECRET in str(resource)
    assert "an older one" not in str(resource)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_second_time_nothing_is_done(dialect: Dialect) -> None:
    server = Server(dialect)
    with at(server) as subscriber:
        first = made(subscriber.ensure(WISHES[dialect]))
        again = made(subscriber.ensure(WISHES[dialect], first.ehr_id))
        unknown = made(subscriber.ensure(WISHES[dialect]))
    assert (again.did, unknown.did) == ("found", "found")
    assert first.ehr_id == again.ehr_id == unknown.ehr_id
    assert [method for method, _ in server.asked if method != "GET"] == ["POST"]


CHANGES: list[dict[str, Any]] = [
    {"payload": "empty"},
    {"heartbeat": timedelta(minutes=1)},
    {"endpoint": "https://elsewhere.example.org/fhir/subscriptions/ehr"},
]


@pytest.mark.parametrize("dialect", ["topic", "r5"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_is_mended_in_its_place(dialect: Dialect, change: dict[str, Any]) -> None:
    server = Server(dialect)
    with at(server) as subscriber:
        first = made(subscriber.ensure(TOPICAL))
        mended = made(subscriber.ensure(replace(TOPICAL, **change), first.ehr_id))
    assert (mended.did, mended.ehr_id) == ("mended", first.ehr_id)
    assert len(server.resources) == 1


def test_a_classic_one_that_says_too_much_is_mended() -> None:
    server = Server("classic")
    with at(server) as subscriber:
        made(subscriber.ensure(CLASSIC))
        assert made(subscriber.ensure(replace(CLASSIC, payload="empty"))).did == "mended"
    (resource,) = server.resources.values()
    assert "payload" not in resource["channel"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_new_secret_is_told_to_the_server(dialect: Dialect) -> None:
    server = Server(dialect)
    with at(server) as subscriber:
        made(subscriber.ensure(WISHES[dialect]))
    with at(server, "the next secret") as subscriber:
        assert made(subscriber.ensure(WISHES[dialect])).did == "mended"
    (resource,) = server.resources.values()
    assert "the next secret" in str(resource)
    assert SECRET not in str(resource)


def test_a_process_that_does_not_know_the_secret_takes_it_from_nobody() -> None:
    server = Server("classic")
    with at(server) as subscriber:
        first = made(subscriber.ensure(CLASSIC))
        server.resources[first.ehr_id]["status"] = "error"
    with serving(server):
        client = FhirClient(server.base_url)
        ignorant = FhirSubscriber(client, Capabilities(client), {})
        answer = ignorant.ensure(CLASSIC, first.ehr_id)
        client.close()
    assert answer == NotWritable("EHR_SUBSCRIPTION_SECRET is not set in this process")
    assert SECRET in str(server.resources)


def test_a_server_that_hides_secrets_is_not_written_to_for_ever() -> None:
    server = Server("classic", hides_headers=True)
    with at(server) as subscriber:
        made(subscriber.ensure(CLASSIC))
        assert made(subscriber.ensure(CLASSIC)).did == "found"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("status", ["error", "off"])
def test_one_that_was_stopped_begins_again(dialect: Dialect, status: str) -> None:
    server = Server(dialect)
    with at(server) as subscriber:
        first = made(subscriber.ensure(WISHES[dialect]))
        server.resources[first.ehr_id]["status"] = status
        assert made(subscriber.look(first.ehr_id, WISHES[dialect].kind)).status == status
        again = made(subscriber.ensure(WISHES[dialect], first.ehr_id))
    assert (again.did, again.status, again.ehr_id) == ("mended", "active", first.ehr_id)


def test_the_subscriptions_of_others_are_left_alone() -> None:
    server = Server("classic")
    theirs = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "theirs",
        "criteria": "Appointment?",
        "channel": {"type": "rest-hook", "endpoint": "https://others.example.org/hook"},
    }
    server.keep(theirs, "theirs")
    with at(server) as subscriber:
        assert made(subscriber.ensure(CLASSIC)).did == "made"
    assert server.resources["theirs"]["channel"]["endpoint"] == "https://others.example.org/hook"
    assert all("theirs" not in path for _, path in server.asked)


def test_of_two_that_do_the_same_for_us_one_stays() -> None:
    server = Server("classic")
    with at(server) as subscriber:
        first = made(subscriber.ensure(CLASSIC))
        server.keep({**server.resources[first.ehr_id], "status": "requested"}, "twin")
        standing = made(subscriber.ensure(CLASSIC, first.ehr_id))
    assert (standing.ehr_id, standing.removed) == (first.ehr_id, 1)
    assert list(server.resources) == [first.ehr_id]


def test_one_made_whose_answer_was_lost_is_found_and_not_made_again() -> None:
    server = Server("topic", drops_answer=True)
    with at(server) as subscriber:
        assert isinstance(subscriber.ensure(TOPICAL), TryLater)
        assert made(subscriber.ensure(TOPICAL)).did == "found"
    assert len(server.resources) == 1


def test_where_none_may_be_changed_another_takes_its_place() -> None:
    server = Server("topic", changes=False)
    with at(server) as subscriber:
        first = made(subscriber.ensure(TOPICAL))
        second = made(subscriber.ensure(replace(TOPICAL, payload="empty"), first.ehr_id))
    assert second.ehr_id != first.ehr_id
    assert list(server.resources) == [second.ehr_id]


def test_where_none_can_be_searched_the_one_we_know_is_enough() -> None:
    server = Server("classic", searches=False)
    with at(server) as subscriber:
        first = made(subscriber.ensure(CLASSIC))
        assert made(subscriber.ensure(CLASSIC, first.ehr_id)).did == "found"


def test_a_rehearsal_does_nothing() -> None:
    server = Server("classic")
    with at(server) as subscriber:
        assert made(subscriber.ensure(CLASSIC, dry=True)) == Standing("", "requested", "made")
        first = made(subscriber.ensure(CLASSIC))
        server.resources[first.ehr_id]["status"] = "error"
        assert made(subscriber.ensure(CLASSIC, dry=True)).did == "mended"
    assert [method for method, _ in server.asked if method != "GET"] == ["POST"]


@pytest.mark.parametrize("deletes", [True, False])
def test_one_that_is_taken_back_is_gone_or_off(*, deletes: bool) -> None:
    server = Server("classic", deletes=deletes)
    with at(server) as subscriber:
        first = made(subscriber.ensure(CLASSIC))
        assert subscriber.remove(first.ehr_id) is None
        assert subscriber.remove("never-there") is None
    assert [each["status"] for each in server.resources.values()] == ([] if deletes else ["off"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_that_is_gone_is_seen_to_be_gone(dialect: Dialect) -> None:
    with at(Server(dialect)) as subscriber:
        assert subscriber.look("never-there", WISHES[dialect].kind) == Gone()


@pytest.mark.parametrize("dialect", ["topic", "r5"])
def test_its_status_tells_how_many_events_there_were(dialect: Dialect) -> None:
    server = Server(dialect)
    with at(server) as subscriber:
        first = made(subscriber.ensure(TOPICAL))
        server.counts[first.ehr_id] = 12
        assert made(subscriber.look(first.ehr_id, "topic")).events == 12


@pytest.mark.parametrize("dialect", ["topic", "r5"])
def test_past_events_are_told_again_where_the_server_can(dialect: Dialect) -> None:
    server = Server(dialect, past={1: "Appointment/7", 2: "Patient/8", 3: "Appointment/7"})
    with at(server) as subscriber:
        first = made(subscriber.ensure(TOPICAL))
        told = subscriber.events(first.ehr_id, 1, 3)
        assert told == [Reference("Appointment", "7"), Reference("Patient", "8")]
        assert isinstance(subscriber.events(first.ehr_id, 3, 4), NotWritable)  # it has not kept the fourth
        server.past = None
        assert isinstance(subscriber.events(first.ehr_id, 1, 3), NotWritable)


@pytest.mark.parametrize("dialect", ["topic", "r5"])
def test_it_is_known_which_topics_leave_something_out(dialect: Dialect) -> None:
    with at(Server(dialect)) as subscriber:
        offer = subscriber.offer()
    assert isinstance(offer, Offer)
    assert offer.topics == (Topic(ANY, {"Appointment": True}), Topic(BOOKED, {"Appointment": False}))
    assert offer.classic is (dialect == "topic")
    assert offer.subscribes


def test_a_server_without_subscriptions_says_so() -> None:
    with at(Server("none")) as subscriber:
        offer = subscriber.offer()
        assert isinstance(offer, Offer)
        assert (offer.subscribes, offer.topics, offer.server) == (False, (), "Strict 1")
        assert isinstance(subscriber.ensure(CLASSIC), NotWritable)


def test_what_a_server_refuses_is_not_tried_in_another_way() -> None:
    server = Server("topic")
    with at(server) as subscriber:
        assert isinstance(subscriber.ensure(CLASSIC), NotWritable)
        assert isinstance(subscriber.ensure(replace(TOPICAL, topic=f"{ANY}-not")), NotWritable)
    assert server.resources == {}


def test_a_server_that_is_away_is_asked_later() -> None:
    client = FhirClient("http://127.0.0.1:9/fhir")
    subscriber = FhirSubscriber(client, Capabilities(client), {})
    assert isinstance(subscriber.offer(), TryLater)
    assert isinstance(subscriber.ensure(CLASSIC), TryLater)
    assert isinstance(subscriber.look("1", "topic"), TryLater)
    assert isinstance(subscriber.events("1", 1, 2), TryLater)
    assert isinstance(subscriber.remove("1"), TryLater)
    client.close()


def test_topics_with_any_condition_leave_something_out() -> None:
    trigger = {"resource": "http://hl7.org/fhir/StructureDefinition/Appointment"}
    cases: list[tuple[dict[str, Any], bool]] = [
        ({}, True),
        ({"fhirPathCriteria": "true"}, True),
        ({"fhirPathCriteria": "%current.status = 'booked'"}, False),
        ({"queryCriteria": {"current": "status=booked"}}, False),
        ({"supportedInteraction": ["create"]}, False),
        ({"supportedInteraction": ["create", "update", "delete"]}, True),
    ]
    for said, whole in cases:
        topic = {"url": ANY, "resourceTrigger": [{**trigger, **said}]}
        assert read_topics([topic]) == {ANY: {"Appointment": whole}}, said
