"""Stories of texts that a chart asks for: each becomes one text, under all the rules, or a call to make."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from integration.adapters.ehr.telling import remarks_on_text
from integration.domain.catalog_sections import FreeForm
from integration.domain.circuit import Circuit
from integration.domain.consent import ALL_SENDERS, ConsentPolicy, Suppression, SuppressionKind
from integration.domain.conversation import Reply
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.failure import Failure
from integration.domain.staff_task import TaskKind
from integration.domain.text_message import TextKind
from integration.domain.text_request import OF_PAGE, RequestSource, RequestState, TextRequest
from integration.domain.write_back import WriteBackKind
from integration.pipeline.write_back import drain
from integration.ports.ehr_reading import Reference
from integration.ports.store import KeptMessage
from integration.settings.model import FeedLocation, FhirHearing
from integration.testing.ehr import FakeWriteBack
from integration.testing.sms import SENDER, Trouble
from tests.fhir import fhir_appointment, fhir_patient
from tests.mappers.test_communication_request import ASKED
from tests.messages import ANA
from tests.settings import feed, practice
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.ports.ehr import Fact
    from integration.ports.store import Store

AT = local("2027-03-01T11:00")
PERSON = fhir_patient(ANA)
NUMBER = "+16175550123"
SIGNATURE = "Riverside Clinic: "
WAY_OUT = " Call 617-555-0100. Reply STOP to opt out."
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
    """The words of each text, between the practice's name and the way out."""
    offered = [text.body for text in site.texts if text.offered_at is not None]
    assert all(body.startswith(SIGNATURE) and body.endswith(WAY_OUT) for body in offered)
    return [body.removeprefix(SIGNATURE).removesuffix(WAY_OUT) for body in offered]


def test_what_a_chart_asks_for_is_texted_at_once(site: Site) -> None:
    ask(site)
    [text] = site.texts
    assert (text.kind, text.number, text.practice) == (TextKind.FREE, NUMBER, "riverside")
    assert text.body == SIGNATURE + WORDS + WAY_OUT
    assert (text.segments, text.encoding) == (1, "GSM-7")
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
        ("Bring \ud83d it", "Bring   it."),
        ("one\r\ntwo\rthree", "one\ntwo\nthree."),
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


def test_what_does_not_fit_is_refused_before_anything_is_sent(site: Site) -> None:
    with_practice(site, max_segments=1)
    ask(site, payload=[{"contentString": "word " * 40}])
    assert refusal(site) == "the words do not fit into the segments that the practice allows a text"


def test_a_practice_may_give_words_more_room_than_reminders(site: Site) -> None:
    with_practice(site, max_segments=1, free_text_segments=2)
    ask(site, payload=[{"contentString": "word " * 40}])
    assert [text.segments for text in site.texts] == [2]


@pytest.mark.parametrize(("refuses", "sent"), [(False, 1), (True, 0)])
def test_clinical_words_are_refused_where_the_practice_says_so(site: Site, refuses: bool, sent: int) -> None:  # noqa: FBT001 - a row of a table
    with_practice(site, refuse_flagged_words=refuses)
    ask(site, payload=[{"contentString": "Your chemotherapy starts at nine."}])
    assert len([text for text in site.texts if text.offered_at]) == sent
    if refuses:
        assert refusal(site) == "the words hold clinical, financial or marketing content, or a link"


def test_a_request_to_a_childs_guardian_is_texted_and_one_to_an_adults_relative_is_not(site: Site) -> None:
    ask(site, recipient=[{"reference": "RelatedPerson/m-1"}])
    assert refusal(site) == "the request is for somebody else than the patient, who is of age"


def test_the_visit_it_is_about_and_who_wrote_reach_the_chart(site: Site) -> None:
    visit = fhir_appointment(at=AT, start=local("2027-03-20T09:00"), visit="7", patients=(PERSON,))
    keep(site, visit, PERSON, {"resourceType": "Location", "id": "RIVER"})
    site.work()
    site.clock.now = local("2027-03-02T11:00")
    ask(site, about=[{"reference": f"Appointment/{visit['id']}"}], requester={"display": "Dr. Wren"})
    [fact] = [fact for fact in told(site) if fact.text and fact.text.kind is TextKind.FREE]
    assert (fact.author, len(fact.appointments)) == ("Dr. Wren", 1)
    assert "Written by Dr. Wren." in remarks_on_text(fact, fact.text or site.texts[0], withheld=False)


def by_page(site: Site, **changes: Any) -> TextRequest:
    """A person asks for a text on our page."""
    with site.store.unit() as unit:
        whose = next(iter(unit.patients.with_number(NUMBER))).id
        asked = TextRequest(
            id=0,
            feed="ehr",
            ehr_id=f"{OF_PAGE}{site.clock.now.isoformat()}",
            patient_id=whose,
            body=WORDS,
            due_at=site.clock.now,
            not_after=site.clock.now + timedelta(days=1),
            practice="riverside",
            source=RequestSource.PAGE,
            author="Robin",
        )
        asked_id = unit.requests.save(replace(asked, **changes))
    site.work()
    with site.store.unit() as unit:
        return unit.requests.get(asked_id)


def test_hours_and_caps_yield_to_a_reason_and_nothing_else_does(site: Site) -> None:
    ask(site)
    assert by_page(site).reason == "the number has had its text of the day"
    site.clock.now = local("2027-03-01T22:00")
    assert by_page(site).reason == "quiet hours"
    site.clock.now += timedelta(minutes=1)
    urgent = by_page(site, override="The clinic is flooded.", form=FreeForm.RUNNING_LATE, minutes=30)
    assert urgent.state is RequestState.SENT
    assert "30 minutes late" in site.texts[-1].body
    with site.store.unit() as unit:
        unit.numbers.suppress(Suppression(0, NUMBER, SuppressionKind.OPT_OUT, ALL_SENDERS, AT, "reply"))
    site.clock.now += timedelta(minutes=1)
    refused = by_page(site, override="The clinic is flooded.")
    assert (refused.state, refused.reason) == (RequestState.REFUSED, "opted out")


def test_a_text_of_the_page_is_told_to_the_chart_with_its_author_and_answers_no_request(site: Site) -> None:
    ask(site)
    told(site)
    site.clock.now = local("2027-03-01T22:00")
    by_page(site, override="The clinic is flooded.")
    [fact] = told(site)
    assert (fact.request, fact.author, fact.override) == (None, "Robin", "The clinic is flooded.")
    assert fact.row.kind is WriteBackKind.TEXT
    provider_id = site.texts[-1].provider_id
    assert provider_id is not None
    site.told(provider_id, "delivered")
    assert {fact.row.kind for fact in told(site)} == {WriteBackKind.TEXT}


def test_a_text_about_a_visit_that_has_moved_since_is_not_sent(site: Site) -> None:
    visit = fhir_appointment(at=AT, start=local("2027-03-20T09:00"), visit="7", patients=(PERSON,))
    keep(site, visit, PERSON, {"resourceType": "Location", "id": "RIVER"})
    site.work()
    site.clock.now = local("2027-03-02T11:00")
    with site.store.unit() as unit:
        [about] = unit.appointments.of_patient(next(iter(unit.patients.with_number(NUMBER))).id)
        slot = unit.appointments.get(about).slot_number
    asked = by_page(site, form=FreeForm.REMINDER, appointment_id=about, slot_number=slot - 1, body="")
    assert (asked.state, asked.reason) == (
        RequestState.REFUSED,
        "the visit was moved or called off since the text was asked for",
    )
    site.clock.now += timedelta(minutes=1)
    by_page(site, form=FreeForm.REMINDER, appointment_id=about, slot_number=slot, body="")
    assert "A reminder of your appointment Sat Mar 20 at 9:00 AM." in site.texts[-1].body


def test_a_yes_after_a_persons_own_words_confirms_no_older_question(site: Site) -> None:
    visit = fhir_appointment(at=AT, start=local("2027-03-04T09:00"), visit="7", patients=(PERSON,))
    keep(site, visit, PERSON, {"resourceType": "Location", "id": "RIVER"})
    site.work()
    with site.store.unit() as unit:
        assert len(unit.replies.questions(NUMBER)) == 1  # booked, and asked to confirm
    site.clock.now += timedelta(hours=1)
    sent = by_page(site, override="Asked at the desk.", body="Could you come at 3 instead?")
    reply = heard(site, "yes")
    assert [task.kind for task in site.tasks] == [TaskKind.READ_REPLY]
    assert reply.text_id == sent.text_id
    with site.store.unit() as unit:
        [known] = unit.appointments.of_patient(sent.patient_id)
        assert not unit.appointments.get(known).confirmed


def test_a_yes_after_a_template_that_asks_nothing_still_confirms(site: Site) -> None:
    visit = fhir_appointment(at=AT, start=local("2027-03-04T09:00"), visit="7", patients=(PERSON,))
    keep(site, visit, PERSON, {"resourceType": "Location", "id": "RIVER"})
    site.work()
    site.clock.now += timedelta(hours=1)
    sent = by_page(site, override="Asked at the desk.", body="", form=FreeForm.RUNNING_LATE)
    heard(site, "C")
    with site.store.unit() as unit:
        [known] = unit.appointments.of_patient(sent.patient_id)
        assert unit.appointments.get(known).confirmed


def heard(site: Site, body: str) -> Reply:
    """The patient writes."""
    with site.store.unit() as unit:
        unit.replies.add(
            Reply(0, "fake", f"in-{body}", NUMBER, SENDER, body, site.clock.wall(), site.clock.now)
        )
    site.work()
    with site.store.unit() as unit:
        return unit.replies.heard_since(NUMBER, AT)[0]


def throttled(site: Site, **changes: Any) -> None:
    """A text of the page is handed back by the provider, late in the evening; then two seconds pass."""
    ask(site)
    site.clock.now = local("2027-03-01T22:00")
    site.sms.troubles.append(Trouble.THROTTLED)
    by_page(site, override="The clinic is flooded.", **changes)
    site.clock.now += timedelta(seconds=2)


def test_what_the_provider_handed_back_keeps_its_reason_to_go_at_night(site: Site) -> None:
    throttled(site)
    site.work()
    assert site.texts[-1].status is DeliveryStatus.ACCEPTED


def test_what_the_provider_handed_back_goes_to_nobody_who_has_died_since(site: Site) -> None:
    throttled(site)
    keep(site, fhir_patient(ANA, deceasedBoolean=True))
    with site.store.unit() as unit:
        [patient] = unit.patients.with_number(NUMBER)
        unit.patients.save(replace(patient, deceased=True))
    site.work()
    with site.store.unit() as unit:
        [_, last] = unit.texts.of_patient(patient.id, AT)
    assert last.status is DeliveryStatus.FAILED


def test_a_place_that_is_not_texted_about_yields_to_no_reason(site: Site) -> None:
    visit = fhir_appointment(at=AT, start=local("2027-03-20T09:00"), visit="7", patients=(PERSON,))
    keep(site, visit, PERSON, {"resourceType": "Location", "id": "RIVER"})
    site.work()
    with site.store.unit() as unit:
        [about] = unit.appointments.of_patient(next(iter(unit.patients.with_number(NUMBER))).id)
    with_feed(site, locations={"RIVER": FeedLocation("riverside", sensitive=True)})
    site.clock.now = local("2027-03-02T11:00")
    asked = by_page(site, appointment_id=about, slot_number=1, override="It is urgent.")
    assert (asked.state, asked.reason) == (
        RequestState.REFUSED,
        "the visit is at a place that the practice does not text about",
    )
