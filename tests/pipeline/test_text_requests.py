"""Stories of texts that a chart asks for: each becomes one text, under all the rules, or a call to make."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.circuit import Circuit
from integration.domain.consent import ALL_SENDERS, ConsentPolicy, Suppression, SuppressionKind
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import TextKind
from integration.domain.text_request import RequestState
from integration.domain.write_back import WriteBackKind
from integration.pipeline.write_back import drain
from integration.ports.ehr_reading import Reference
from integration.ports.store import KeptMessage
from integration.settings.model import FhirHearing
from integration.testing.ehr import FakeWriteBack
from tests.fhir import fhir_appointment, fhir_patient
from tests.mappers.test_communication_request import ASKED
from tests.messages import ANA
from tests.settings import feed, practice
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.domain.text_request import TextRequest
    from integration.ports.ehr import Fact
    from integration.ports.store import Store

AT = local("2027-03-01T11:00")
PERSON = fhir_patient(ANA)
NUMBER = "+16175550123"
SIGNATURE = "Riverside Clinic: "
WORDS = "Please bring your glasses."


@pytest.fixture
def site(store: Store) -> Site:
    site = Site(store, TurnedClock(AT))
    site.change(
        settings=replace(site.settings, feeds={"ehr": feed(name="ehr", scope="ehr", fhir=FhirHearing())})
    )
    return site


def with_feed(site: Site, **changes: Any) -> None:
    one = replace(site.workshop.settings.feeds["ehr"], **changes)
    site.change(settings=replace(site.workshop.settings, feeds={"ehr": one}))


def with_practice(site: Site, **changes: Any) -> None:
    site.change(settings=replace(site.workshop.settings, practices={"riverside": practice(**changes)}))


def keep(site: Site, *resources: dict[str, Any], replayed: bool = False) -> None:
    entries = [{"resource": each} for each in resources]
    payload = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    digest = sha256(payload + site.clock.now.isoformat().encode()).digest()
    with site.store.unit() as unit:
        unit.inbox.add(KeptMessage(0, "ehr", "", payload, site.clock.wall(), replayed=replayed), digest)


def ask(site: Site, person: dict[str, Any] = PERSON, **said: Any) -> None:
    """The chart asks, changes its mind, or says the same again."""
    subject = {"subject": {"reference": f"Patient/{person['id']}"}, "authoredOn": site.clock.now.isoformat()}
    request = {name: value for name, value in (ASKED | subject | said).items() if value is not None}
    keep(site, request, person)
    site.work()


def request(site: Site, ehr_id: str = "r-1") -> TextRequest:
    with site.store.unit() as unit:
        found = unit.requests.find("ehr", ehr_id)
    assert found is not None
    return found


def bodies(site: Site) -> list[str]:
    """The words of each text, behind the practice's name."""
    offered = [text.body for text in site.texts if text.offered_at is not None]
    assert all(body.startswith(SIGNATURE) for body in offered)
    return [body.removeprefix(SIGNATURE) for body in offered]


def test_what_a_chart_asks_for_is_texted_at_once(site: Site) -> None:
    ask(site)
    [text] = site.texts
    assert (text.kind, text.number, text.practice) == (TextKind.FREE, NUMBER, "riverside")
    assert text.body == SIGNATURE + WORDS
    assert (request(site).state, request(site).text_id) == (RequestState.SENT, text.id)
    with site.store.unit() as unit:
        found = unit.requests.of_text(text.id)
    assert found is not None
    assert found.ehr_id == "r-1"


def test_however_often_it_is_told_it_is_one_text(site: Site) -> None:
    for _ in range(3):
        ask(site)
        site.clock.now += timedelta(minutes=5)
    assert bodies(site) == [WORDS]


def test_two_requests_are_two_texts_under_the_caps(site: Site) -> None:
    ask(site)
    ask(
        site,
        id="r-2",
        payload=[{"contentString": "And your card."}],
        authoredOn=local("2027-03-01T10:00").isoformat(),
    )
    assert bodies(site) == [WORDS]
    assert request(site, "r-2").reason == "the number has had its text of the day"
    site.until(local("2027-03-02T09:30"))
    assert bodies(site) == [WORDS, "And your card."]


def test_it_waits_for_its_time(site: Site) -> None:
    ask(site, occurrenceDateTime="2027-03-03T14:00:00-05:00")
    assert bodies(site) == []
    with site.store.unit() as unit:
        assert unit.requests.claim_due(local("2027-03-03T13:59")) is None
    site.clock.now = local("2027-03-03T14:00")
    site.work()
    assert bodies(site) == [WORDS]


def test_at_night_it_waits_for_the_morning(site: Site) -> None:
    site.clock.now = local("2027-03-01T23:00")
    ask(site)
    assert (bodies(site), request(site).reason) == ([], "quiet hours")
    site.clock.now = request(site).due_at
    site.work()
    assert bodies(site) == [WORDS]


def test_a_request_changed_before_it_is_sent_is_sent_as_changed(site: Site) -> None:
    later = "2027-03-03T14:00:00-05:00"
    ask(site, occurrenceDateTime=later)
    ask(site, occurrenceDateTime=later, payload=[{"contentString": "No glasses after all."}])
    site.clock.now = local("2027-03-03T14:00")
    site.work()
    assert bodies(site) == ["No glasses after all."]


@pytest.mark.parametrize("said", [{"status": "revoked"}, {"status": "on-hold"}, {"doNotPerform": True}])
def test_a_request_withdrawn_before_it_is_sent_is_not_sent(site: Site, said: dict[str, Any]) -> None:
    later = "2027-03-03T14:00:00-05:00"
    ask(site, occurrenceDateTime=later)
    ask(site, occurrenceDateTime=later, **said)
    site.clock.now = local("2027-03-03T15:00")
    site.work()
    assert (bodies(site), request(site).state) == ([], RequestState.WITHDRAWN)
    ask(site, occurrenceDateTime=None)
    assert bodies(site) == [WORDS]


def test_a_request_withdrawn_after_it_was_sent_stays_sent(site: Site) -> None:
    ask(site)
    ask(site, status="revoked")
    assert (bodies(site), request(site).state) == ([WORDS], RequestState.SENT)


def test_while_news_of_it_is_unread_it_waits(site: Site) -> None:
    later = "2027-03-03T14:00:00-05:00"
    ask(site, occurrenceDateTime=later)
    with site.store.unit() as unit:
        unit.wants.tell("ehr", [Reference("CommunicationRequest", "r-1")], site.clock.wall())
    site.clock.now = local("2027-03-03T14:00")
    site.work()
    assert bodies(site) == []
    assert request(site).reason == "news of the request or its patient is being read"
    with site.store.unit() as unit:
        want = unit.wants.claim(site.clock.wall(), site.clock.wall())
        assert want is not None
        unit.wants.settle(replace(want, state="read"))
    site.clock.now += timedelta(minutes=1)
    site.work()
    assert bodies(site) == [WORDS]


def refusal(site: Site) -> str:
    """Why the only request was refused: nothing went out, and a person is to call."""
    found = request(site)
    assert (bodies(site), found.state) == ([], RequestState.REFUSED)
    [task] = site.tasks
    assert task.kind is TaskKind.CALL_PATIENT
    assert str(found.reason) in task.reason
    return str(found.reason)


def test_who_has_opted_out_is_not_texted_and_the_chart_hears_why(site: Site) -> None:
    with site.store.unit() as unit:
        unit.numbers.suppress(Suppression(0, NUMBER, SuppressionKind.OPT_OUT, ALL_SENDERS, AT, "reply"))
    ask(site)
    assert refusal(site) == "opted out"
    text_id = request(site).text_id
    assert text_id is not None
    with site.store.unit() as unit:
        text = unit.texts.get(text_id)
        told = unit.write_backs.find(WriteBackKind.TEXT, text_id, text.subjects[0].patient_id)
    assert (text.status, text.failure, text.offered_at) == (DeliveryStatus.FAILED, Failure.OPTED_OUT, None)
    assert told is not None


def test_without_consent_nothing_is_texted(site: Site) -> None:
    with_practice(site, consent=ConsentPolicy.EXPRESS)
    ask(site)
    assert refusal(site) == "no consent to texts"


def test_without_a_number_there_is_a_call_to_make(site: Site) -> None:
    ask(site, fhir_patient(ANA, telecom=[]))
    assert refusal(site) == "the patient has no number for texts"
    assert request(site).text_id is None


def test_the_dead_are_silent(site: Site) -> None:
    ask(site, fhir_patient(ANA, deceasedBoolean=True))
    assert refusal(site) == "the patient has died"


def test_a_child_without_a_guardian_is_not_texted(site: Site) -> None:
    ask(site, fhir_patient(ANA, birthDate="2020-05-05"))
    assert refusal(site) == "the patient is a minor and no guardian's number is known"


def test_a_feed_in_shadow_sends_nothing(site: Site) -> None:
    with_feed(site, state="shadow")
    ask(site)
    assert refusal(site) == "the feed is in shadow"


def test_a_practice_that_does_not_text_does_not(site: Site) -> None:
    with_practice(site, sms=False)
    ask(site)
    assert refusal(site) == "texts are off for this practice"


def test_without_a_provider_it_is_held_and_a_switch_on_does_not_send_it(site: Site) -> None:
    sms = site.workshop.sms
    site.change(sms=None)
    ask(site)
    assert request(site).reason == "no provider"
    site.change(sms=sms)
    site.clock.now += timedelta(hours=1)
    site.work()
    assert refusal(site) == "was due while there was no provider"


def test_what_was_held_too_long_is_refused(site: Site) -> None:
    ask(site, occurrencePeriod={"start": "2027-03-01T22:00:00-05:00", "end": "2027-03-01T23:00:00-05:00"})
    site.clock.now = local("2027-03-01T22:00")
    site.work()
    assert refusal(site) == "quiet hours until it is too late to be useful"


def test_an_old_request_first_heard_of_is_left_alone(site: Site) -> None:
    ask(site, authoredOn="2027-02-01T11:00:00-05:00")
    with site.store.unit() as unit:
        assert unit.requests.find("ehr", "r-1") is None
        [message] = unit.inbox.listing()
    assert (message.state, message.reason) == ("done", "request-too-old CommunicationRequest.occurrence")
    assert (bodies(site), list(site.tasks)) == ([], [])


def test_a_request_without_any_date_that_was_found_by_reading_all_is_left_alone(site: Site) -> None:
    undated = {name: value for name, value in ASKED.items() if name not in {"authoredOn", "meta"}}
    keep(site, undated | {"subject": {"reference": f"Patient/{PERSON['id']}"}}, PERSON, replayed=True)
    site.work()
    assert bodies(site) == []


@pytest.mark.parametrize(
    ("written", "texted"),
    [
        ("Bring\x07 your\x00 glasses\x1b.", "Bring  your  glasses ."),
        ("Bring \ud83d it", "Bring   it"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
    ],
)
def test_what_no_phone_shows_is_left_out(site: Site, written: str, texted: str) -> None:
    ask(site, payload=[{"contentString": written}])
    assert bodies(site) == [texted]


def test_what_is_asked_for_by_other_ways_is_none_of_ours(site: Site) -> None:
    ask(site, medium=None)
    with site.store.unit() as unit:
        [message] = unit.inbox.listing()
    assert (message.state, bodies(site)) == ("done", [])


def test_a_feed_that_hears_no_requests_sends_none(site: Site) -> None:
    with_feed(site, fhir=FhirHearing(text_requests=False))
    ask(site)
    assert bodies(site) == []


def test_of_several_practices_the_one_of_the_visit_texts(site: Site) -> None:
    others = {name: practice(name=name) for name in ("hillside", "riverside")}
    site.change(settings=replace(site.workshop.settings, practices=others))
    visit = fhir_appointment(at=AT, start=local("2027-03-20T09:00"), visit="7", patients=(PERSON,))
    location = {"resourceType": "Location", "id": "RIVER"}
    keep(site, visit, PERSON, location)
    site.work()
    site.clock.now = local("2027-03-02T11:00")
    ask(site, about=[{"reference": f"Appointment/{visit['id']}"}])
    assert (request(site).practice, request(site).state) == ("riverside", RequestState.SENT)


def told(site: Site) -> list[Fact]:
    """What the chart is told, in order."""
    mode = FakeWriteBack()
    drain(site.store, mode, site.clock, lambda: 0.0, Circuit())
    return [fact for history in mode.records.values() for fact in history]


def test_the_chart_hears_of_the_text_by_the_request_it_answers_and_that_the_request_is_done(
    site: Site,
) -> None:
    ask(site)
    assert [(fact.row.kind, fact.request) for fact in told(site)] == [(WriteBackKind.TEXT, "r-1")]
    provider_id = site.texts[0].provider_id
    assert provider_id is not None
    site.told(provider_id, "sent")
    facts = told(site)
    assert [(fact.row.kind, fact.request) for fact in facts] == [
        (WriteBackKind.TEXT, "r-1"),
        (WriteBackKind.REQUEST, "r-1"),
    ]
    assert {fact.text.status for fact in facts if fact.text} == {DeliveryStatus.SENT}


def test_the_chart_hears_of_a_request_that_was_refused(site: Site) -> None:
    ask(site, fhir_patient(ANA, telecom=[]))
    found = [fact for fact in told(site) if fact.row.kind is WriteBackKind.REQUEST]
    assert [(fact.request, fact.text) for fact in found] == [("r-1", None)]


def test_a_patient_who_has_no_chart_is_not_texted(site: Site) -> None:
    keep(site, ASKED | {"contained": [PERSON | {"id": "inside"}], "subject": {"reference": "#inside"}})
    site.work()
    with site.store.unit() as unit:
        [message] = unit.inbox.listing()
    assert (message.state, message.reason) == ("dead", "no-recipient CommunicationRequest.subject")
    assert bodies(site) == []
