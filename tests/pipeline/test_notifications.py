"""Stories of FHIR notifications: what they name is wanted, what they leave out is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration.ports.ehr_reading import Reference
from integration.ports.ehr_store import EhrSubscription
from integration.ports.store import KeptMessage
from integration.settings.model import FhirHearing
from tests.mappers.notifications import BASE, bundle, post, r4, r4_event, r5, r5_event
from tests.settings import feed
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from fhir_mappers.subscription import Received
    from integration.ports.ehr_store import Want
    from integration.ports.store import Store

AT = local("2027-03-01T11:00")
VISIT = Reference("Appointment", id="a-7")
PERSON = Reference("Patient", id="p-1")


@dataclass
class Ehr:
    """The EHR as far as translating asks for it: where it is."""

    base_url: str = BASE

    def close(self) -> None: ...


@pytest.fixture
def site(store: Store) -> Site:
    site = Site(store, TurnedClock(AT))
    feeds = {"main": feed(), "ehr": feed(name="ehr", scope="ehr", fhir=FhirHearing())}
    site.change(settings=replace(site.settings, feeds=feeds), ehr=Ehr())
    return site


def hearing(site: Site, **changes: object) -> None:
    heard = feed(name="ehr", fhir=FhirHearing(**changes))  # type: ignore[arg-type]
    site.change(settings=replace(site.workshop.settings, feeds={"ehr": heard}))


def notify(site: Site, received: Received, channel: str = "fhir:ehr") -> KeptMessage:
    """Keep it, work, and return what has become of it."""
    payload = received.to_bytes()
    site.clock.now += timedelta(seconds=1)
    with site.store.unit() as unit:
        known = len(unit.inbox.listing())
        unit.inbox.add(
            KeptMessage(0, channel, "c", payload, site.clock.wall()), payload[-31:] + bytes([known])
        )
    site.work()
    with site.store.unit() as unit:
        return unit.inbox.listing()[-1]


def wants(site: Site) -> list[Want]:
    found: list[Want] = []
    with site.store.unit() as unit:
        while (
            want := unit.wants.claim(site.clock.wall(), site.clock.wall() + timedelta(hours=1))
        ) is not None:
            found.append(want)
            unit.wants.settle(replace(want, state="read"))
    return found


def is_asked(site: Site) -> bool:
    with site.store.unit() as unit:
        return [poll.feed for poll in unit.polls.all()] == ["ehr"]


def test_what_a_notification_names_is_wanted(site: Site) -> None:
    message = notify(site, post(r4(r4_event("1", f"{BASE}/Appointment/a-7"), r4_event("2", "Patient/p-1"))))
    assert (message.state, message.reason) == ("done", None)
    found = wants(site)
    assert {(want.feed, want.reference, want.deleted) for want in found} == {
        ("ehr", VISIT, False),
        ("ehr", PERSON, False),
    }
    assert {want.inbox_id for want in found} == {message.id}
    assert not is_asked(site)


def test_what_was_deleted_is_wanted_as_such(site: Site) -> None:
    notify(site, post(method="DELETE", path="Appointment/a-7"))
    notify(site, post({}, x_medplum_deleted_resource="Patient/p-1"))
    assert [(want.reference, want.deleted) for want in wants(site)] == [(VISIT, True), (PERSON, True)]


def test_a_body_is_never_believed_only_what_it_names_is_read(site: Site) -> None:
    whole = {"resourceType": "Appointment", "id": "a-7", "status": "cancelled"}
    notify(site, post(whole, method="PUT", path="Appointment/a-7"))
    assert [want.reference for want in wants(site)] == [VISIT]
    with site.store.unit() as unit:
        assert unit.appointments.find("ehr", ["anything"]) is None


def test_an_identifier_is_wanted_where_no_id_is_told(site: Site) -> None:
    event = {"eventNumber": "1", "focus": {"identifier": {"system": "urn:example:appointment", "value": "2"}}}
    topic = "https://ehr.example.org/SubscriptionTopic/Appointment.create"
    notify(site, post(r5(event, topic=topic, eventsInNotification=1)))
    assert [want.reference for want in wants(site)] == [
        Reference("Appointment", identifier="urn:example:appointment|2")
    ]


@pytest.mark.parametrize(
    "received",
    [
        post(),
        post(r4(r4_event("1", None))),
        post(r4()),
        post(bundle()),
        post({"resourceType": "Appointment"}),
    ],
)
def test_what_says_only_that_something_changed_has_the_ehr_asked(site: Site, received: Received) -> None:
    message = notify(site, received)
    assert message.state == "done"
    assert (message.reason or "").endswith("asked what changed")
    assert (wants(site), is_asked(site)) == ([], True)


def test_a_url_elsewhere_is_not_wanted_but_the_ehr_is_asked(site: Site) -> None:
    message = notify(site, post(r5(r5_event("1", "https://elsewhere.example.org/fhir/Appointment/a-7"))))
    path = "Bundle.entry[0].resource.notificationEvent[0].focus"
    assert (message.state, message.reason) == ("done", f"foreign-reference {path}, asked what changed")
    assert (wants(site), is_asked(site)) == ([], True)


@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status"])
def test_what_tells_of_no_event_wants_nothing(site: Site, kind: str) -> None:
    message = notify(site, post(r4(kind=kind, since="0")))
    assert (message.state, message.reason) == ("done", None)
    assert (wants(site), is_asked(site)) == ([], False)


def test_resources_no_text_depends_on_are_left_alone(site: Site) -> None:
    message = notify(site, post(r4(r4_event("1", "Encounter/e-1"))))
    assert (message.state, message.reason) == ("done", "nothing a text could depend on")
    assert (wants(site), is_asked(site)) == ([], False)


def test_requests_for_texts_are_wanted_where_the_feed_hears_them(site: Site) -> None:
    asked = {"resourceType": "CommunicationRequest", "id": "r-1"}
    notify(site, post(asked))
    assert [want.reference for want in wants(site)] == [Reference("CommunicationRequest", id="r-1")]
    hearing(site, text_requests=False)
    assert notify(site, post(asked)).reason == "nothing a text could depend on"
    assert wants(site) == []


def test_what_is_odd_is_written_beside_it(site: Site) -> None:
    body = r4(r4_event("1", "Appointment/a-7"))
    del body["entry"][0]["request"]
    message = notify(site, post(body))
    assert (message.state, message.reason) == ("done", "no-request Bundle.entry[0].request")
    assert [want.reference for want in wants(site)] == [VISIT]


@pytest.mark.parametrize(
    ("body", "reason"),
    [("{", "not-json body"), ("[]", "not-a-resource body"), ('{"id": "1"}', "not-a-resource body")],
)
def test_what_cannot_be_understood_waits_for_a_person(site: Site, body: str, reason: str) -> None:
    message = notify(site, post(body))
    assert (message.state, message.reason) == ("dead", reason)
    assert is_asked(site)  # what changed, whatever it was


@pytest.mark.parametrize("channel", ["fhir:nobody", "fhir:main", "fhir:"])
def test_a_notification_to_no_fhir_feed_waits_for_a_person(site: Site, channel: str) -> None:
    message = notify(site, post(r4(kind="heartbeat")), channel)
    assert (message.state, message.reason) == ("dead", f"unknown-feed {channel}")


def test_a_feed_in_shadow_and_live_mode_are_no_reason_not_to_listen(site: Site) -> None:
    shadow = feed(name="ehr", fhir=FhirHearing(), state="shadow")
    site.change(settings=replace(site.workshop.settings, mode="live", feeds={"ehr": shadow}))
    assert notify(site, post({"resourceType": "Appointment", "id": "a-7"})).state == "done"
    assert [want.reference for want in wants(site)] == [VISIT]


def test_without_an_ehr_what_it_named_is_wanted_until_there_is_one(site: Site) -> None:
    site.change(ehr=None)
    notify(site, post({"resourceType": "Appointment", "id": "a-7"}))
    assert [want.reference for want in wants(site)] == [VISIT]


def test_a_replayed_notification_tells_its_wants_again_and_is_no_sign_of_life(site: Site) -> None:
    ours = EhrSubscription("ehr", "Appointment", "sub-1", "topic", "active", topic="t", last_event=0)
    with site.store.unit() as unit:
        unit.subscriptions.save(ours)
    message = notify(site, post(r4(r4_event("1", "Appointment/a-7"))))
    assert len(wants(site)) == 1
    heard_at = site.clock.wall()
    site.clock.now += timedelta(hours=3)
    with site.store.unit() as unit:
        unit.subscriptions.save(replace(ours, last_event=1, heard_at=heard_at + timedelta(hours=2)))
        assert unit.inbox.replay([message.id]) == 1
    site.work()
    [want] = wants(site)
    assert (want.reference, want.revision) == (VISIT, 2)
    with site.store.unit() as unit:
        found = unit.subscriptions.by_ehr_id("ehr", "sub-1")
    assert found is not None
    assert found.heard_at == heard_at + timedelta(hours=2)


def test_a_notification_is_a_sign_of_life_of_its_subscription(site: Site) -> None:
    with site.store.unit() as unit:
        unit.subscriptions.save(EhrSubscription("ehr", "Appointment", "sub-1", "topic", "active", topic="t"))
    notify(site, post(r4(kind="heartbeat", since="0")))
    with site.store.unit() as unit:
        found = unit.subscriptions.by_ehr_id("ehr", "sub-1")
    assert found is not None
    assert found.heard_at == site.clock.wall()


def test_whoever_fetches_and_whoever_asks_is_told(site: Site) -> None:
    knocks: list[str] = []
    site.change(knock=knocks.append)
    notify(site, post(r4(kind="heartbeat")))
    assert not {"fetch", "poll"} & set(knocks)
    notify(site, post())
    assert {"fetch", "poll"} <= set(knocks)
