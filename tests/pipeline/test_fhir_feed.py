"""Stories of a site whose EHR is heard by FHIR, alone or beside an HL7 v2 feed of the same scope."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.appointment import Modality
from integration.pipeline.send import send_next
from integration.ports.ehr_reading import Reference
from integration.settings.model import FeedLocation, FhirHearing
from integration.testing.sms import FakeSmsProvider
from tests.adt import adt
from tests.fhir import (
    FILLER_SYSTEM,
    MRN_SYSTEM,
    fhir_appointment,
    fhir_patient,
    gone,
    snapshot,
    visit_of,
)
from tests.messages import ANA, BEN, siu
from tests.settings import feed, settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from integration.domain.appointment import Appointment
    from integration.domain.recipient import Patient
    from integration.ports.store import Store

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
LATER = local("2027-03-18T09:00")
CHILD = replace(ANA, mrn="MRN7", given="Mia", born="20180510")


def fhir_feed(**how: Any) -> Any:
    """The feed `ehr`; its Location RIVER is the practice's."""
    return feed(
        name="ehr",
        fhir=FhirHearing(**how),
        identifier_systems={"RIVER": MRN_SYSTEM},
        locations={"RIVER": FeedLocation(practice="riverside")},
    )


def at_work(store: Store, **feeds: Any) -> Site:
    clock = TurnedClock(BOOKED_AT)
    return Site(store, clock, sms=FakeSmsProvider(now=clock.wall), settings=settings(feeds=feeds))


@pytest.fixture
def site(store: Store) -> Site:
    """FHIR alone."""
    return at_work(store, ehr=fhir_feed())


@pytest.fixture
def both(store: Store) -> Site:
    """HL7 v2 books; FHIR corrects."""
    how = {"role": "reconcile", "identity": {FILLER_SYSTEM: "SCH-2"}}
    return at_work(store, main=feed(), ehr=fhir_feed(**how))


def say(site: Site, payload: bytes, at: str | None = None) -> None:
    if at is not None:
        site.clock.now = max(site.clock.now, local(at))
    site.hear(payload, "ehr")


def book(site: Site, **more: Any) -> None:
    say(site, visit_of(**{"at": site.clock.now, "start": VISIT, **more}))


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def the_visit(site: Site, key: str = "Appointment.id||a-A1|") -> Appointment:
    with site.store.unit() as unit:
        found = unit.appointments.find("main", [key])
    assert found is not None
    return found


def the_patient(site: Site, key: str = "Patient.id||p-MRN1") -> Patient:
    with site.store.unit() as unit:
        found = unit.patients.find("main", [key])
    assert found is not None
    return found


def last_message(site: Site) -> tuple[str, str]:
    with site.store.unit() as unit:
        last = unit.inbox.listing()[-1]
    return last.state, last.reason or ""


def test_a_booked_appointment_is_texted_about_to_its_end(site: Site) -> None:
    book(site)
    site.until(VISIT + timedelta(hours=1))
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]
    assert last_message(site) == ("done", "")


def test_what_was_read_from_the_ehr_is_linked_to_it(site: Site) -> None:
    book(site)
    assert (the_visit(site).ehr_id, the_patient(site).ehr_id) == ("a-A1", "p-MRN1")


def test_an_appointment_made_long_ago_and_heard_of_today_plans_the_future_only(site: Site) -> None:
    book(site, created="2027-01-15T09:00:00Z")
    site.until(VISIT)
    assert occasions(site) == ["five_days", "two_days", "three_hours"]


def test_moved_and_cancelled_are_told(site: Site) -> None:
    book(site)
    say(site, visit_of(at=local("2027-03-03T10:00"), start=LATER), "2027-03-03T10:00")
    cancelled = visit_of(at=local("2027-03-04T10:00"), start=LATER, status="cancelled")
    say(site, cancelled, "2027-03-04T10:00")
    site.until(LATER)
    assert occasions(site) == ["booked", "moved", "cancelled"]


def test_the_same_again_and_a_new_reason_are_no_news(site: Site) -> None:
    book(site)
    for note in ("one", "two"):
        site.clock.now += timedelta(minutes=5)
        book(site, reasonCode=[{"text": note}], created="2027-03-01T16:00:00Z")
    assert occasions(site) == ["booked"]


def test_an_older_version_that_comes_late_changes_nothing(site: Site) -> None:
    book(site)
    say(site, visit_of(at=local("2027-03-03T10:00"), start=LATER), "2027-03-03T10:00")
    say(site, visit_of(at=BOOKED_AT, start=VISIT))
    assert the_visit(site).slot.start == LATER
    assert last_message(site) == ("done", "older-than-stored meta.lastUpdated")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_the_versions_come_the_last_stands(site: Site, order: tuple[int, ...]) -> None:
    days = [local(f"2027-03-0{day}T10:00") for day in (1, 2, 3)]
    versions = [
        visit_of(at=days[0], start=VISIT),
        visit_of(at=days[1], start=LATER),
        visit_of(at=days[2], start=LATER, status="cancelled"),
    ]
    site.clock.now = days[2]
    for number in order:
        say(site, versions[number])
    found = the_visit(site)
    assert (found.status, found.slot.start, found.event_time) == ("cancelled", LATER, days[2])


def test_a_deleted_appointment_is_silence(site: Site) -> None:
    book(site)
    say(site, gone("Appointment/a-A1"), "2027-03-03T10:00")
    site.until(VISIT)
    assert the_visit(site).status == "entered-in-error"
    assert occasions(site) == ["booked"]


def test_a_deletion_outweighs_an_older_version_that_comes_after_it(site: Site) -> None:
    site.clock.now = local("2027-03-03T10:00")
    say(site, gone("Appointment/a-A1"))
    say(site, visit_of(at=BOOKED_AT, start=VISIT))
    site.until(VISIT)
    assert occasions(site) == []


def test_who_has_arrived_is_not_reminded(site: Site) -> None:
    book(site)
    say(site, visit_of(at=local("2027-03-08T10:00"), start=VISIT, status="arrived"), "2027-03-08T10:00")
    site.until(VISIT)
    assert "two_days" not in occasions(site)


def test_a_proposed_appointment_is_told_once_it_is_booked(site: Site) -> None:
    book(site, status="proposed")
    assert occasions(site) == []
    site.clock.now += timedelta(minutes=5)
    book(site)
    assert occasions(site) == ["booked"]


def test_an_unknown_status_promises_nothing_and_changes_nothing(site: Site) -> None:
    book(site, status="penciled-in")
    assert occasions(site) == []
    book(site)
    assert occasions(site) == ["booked"]
    site.clock.now += timedelta(minutes=5)
    book(site, status="penciled-in")
    assert the_visit(site).status == "booked"


def accepted(at: str, start: object, status: str = "accepted") -> bytes:
    patient = fhir_patient()
    participants = [
        {"actor": {"reference": "Patient/p-MRN1"}, "status": status},
        {"actor": {"reference": "Location/RIVER"}, "status": "accepted"},
    ]
    return snapshot(fhir_appointment(at=local(at), start=start, participant=participants), patient)  # type: ignore[arg-type]


def test_a_patient_who_accepts_has_confirmed_and_a_moved_visit_asks_anew(site: Site) -> None:
    book(site)
    say(site, accepted("2027-03-02T10:00", VISIT), "2027-03-02T10:00")
    assert the_visit(site).confirmed
    say(site, accepted("2027-03-03T10:00", LATER), "2027-03-03T10:00")
    assert not the_visit(site).confirmed
    say(site, accepted("2027-03-03T11:00", LATER), "2027-03-03T11:00")
    assert not the_visit(site).confirmed  # the old yes, said again
    say(site, accepted("2027-03-04T10:00", LATER, "needs-action"), "2027-03-04T10:00")
    say(site, accepted("2027-03-05T10:00", LATER), "2027-03-05T10:00")
    assert the_visit(site).confirmed


def answered(at: str, start: object, ana: str, ben: str) -> bytes:
    """A visit of two, and how each of them stands in it."""
    people = [fhir_patient(), fhir_patient(BEN)]
    participants = [
        {"actor": {"reference": "Patient/p-MRN1"}, "status": ana},
        {"actor": {"reference": "Patient/p-MRN2"}, "status": ben},
        {"actor": {"reference": "Location/RIVER"}, "status": "accepted"},
    ]
    return snapshot(fhir_appointment(at=local(at), start=start, participant=participants), *people)  # type: ignore[arg-type]


def who_confirmed(site: Site) -> list[int]:
    return [each for each in (1, 2) if the_visit(site).is_confirmed_by(each)]


def test_of_two_patients_whoever_accepts_has_confirmed_alone(site: Site) -> None:
    story = [
        ("2027-03-02T10:00", VISIT, "needs-action", "needs-action", []),
        ("2027-03-02T11:00", VISIT, "accepted", "needs-action", [1]),
        ("2027-03-02T12:00", VISIT, "accepted", "tentative", [1]),
        ("2027-03-03T10:00", LATER, "accepted", "tentative", []),  # Ana's old yes, to another time
        ("2027-03-03T11:00", LATER, "accepted", "accepted", [2]),  # as it still is
        ("2027-03-03T12:00", LATER, "needs-action", "accepted", [2]),
        ("2027-03-03T13:00", LATER, "accepted", "accepted", [1, 2]),
    ]
    for at, start, ana, ben, who in story:
        say(site, answered(at, start, ana, ben), at)
        assert who_confirmed(site) == who, at
    assert the_visit(site).confirmed


def test_where_accepted_is_the_servers_habit_it_confirms_nothing(store: Store) -> None:
    site = at_work(store, ehr=fhir_feed(accepted_confirms=False))
    say(site, accepted("2027-03-01T11:00", VISIT))
    assert not the_visit(site).confirmed


def test_a_patient_who_declined_hears_no_more_of_the_visit(site: Site) -> None:
    book(site)
    say(site, accepted("2027-03-02T10:00", VISIT, "declined"), "2027-03-02T10:00")
    site.until(VISIT)
    assert occasions(site) == ["booked"]


def test_of_a_group_visit_every_patient_is_told(site: Site) -> None:
    ana, ben = fhir_patient(ANA), fhir_patient(replace(BEN, phone="(617)555-0177"))
    say(site, snapshot(fhir_appointment(at=BOOKED_AT, start=VISIT, patients=(ana, ben)), ana, ben))
    assert sorted(text.number for text in site.texts) == ["+16175550123", "+16175550177"]


def test_a_meeting_without_a_patient_is_nobodys_visit(site: Site) -> None:
    say(site, snapshot(fhir_appointment(at=BOOKED_AT, start=VISIT)))
    assert last_message(site) == ("done", "no-patient Appointment.participant")


def test_a_visit_whose_patient_was_taken_out_waits_for_a_person(site: Site) -> None:
    book(site)
    empty = snapshot(fhir_appointment(at=local("2027-03-02T10:00"), start=VISIT))
    say(site, empty, "2027-03-02T10:00")
    site.until(VISIT)
    assert last_message(site) == ("dead", "no-patient Appointment.participant")
    assert occasions(site) == ["booked"]


def test_a_new_number_is_that_of_every_visit_and_one_taken_away_is_not_texted(site: Site) -> None:
    book(site)
    say(site, snapshot(fhir_patient(replace(ANA, phone="(617)555-0177"))), "2027-03-02T10:00")
    site.until(local("2027-03-07T12:00"))
    assert [text.number for text in site.texts] == ["+16175550123", "+16175550177"]
    say(site, snapshot(fhir_patient(telecom=None)), "2027-03-08T10:00")
    site.until(VISIT)
    assert occasions(site) == ["booked", "five_days"]


@pytest.mark.parametrize(
    "more", [{"deceasedDateTime": "2027-03-02"}, {"deceasedBoolean": True}, {"active": False}]
)
def test_the_dead_and_records_out_of_use_are_silent(site: Site, more: dict[str, Any]) -> None:
    book(site)
    say(site, snapshot(fhir_patient(**more)), "2027-03-03T10:00")
    site.until(VISIT)
    assert occasions(site) == ["booked"]


def test_a_deleted_patient_is_silent(site: Site) -> None:
    book(site)
    say(site, gone("Patient/p-MRN1"), "2027-03-03T10:00")
    site.until(VISIT)
    assert occasions(site) == ["booked"]


def replaced(by: str) -> dict[str, Any]:
    return fhir_patient(active=False, link=[{"type": "replaced-by", "other": {"reference": by}}])


@pytest.mark.parametrize("together", [True, False])
def test_a_record_that_was_replaced_becomes_part_of_the_other(site: Site, *, together: bool) -> None:
    book(site)
    survivor = fhir_patient(replace(ANA, mrn="MRN8", phone="(617)555-0188"))
    others = (survivor,) if together else ()
    say(site, snapshot(replaced("Patient/p-MRN8"), *others), "2027-03-02T10:00")
    assert the_patient(site).ehr_id == "p-MRN8"
    say(site, snapshot(survivor), "2027-03-02T11:00")
    site.until(VISIT)
    assert the_patient(site).id == the_patient(site, "Patient.id||p-MRN8").id
    assert the_patient(site).ehr_id == "p-MRN8"
    assert [text.number for text in site.texts] == ["+16175550123", *["+16175550188"] * 3]


def test_a_visit_still_in_the_name_of_a_replaced_record_is_told_to_the_one_that_stays(site: Site) -> None:
    survivor = fhir_patient(replace(ANA, mrn="MRN8", phone="(617)555-0188"))
    record = replaced("Patient/p-MRN8")
    visit = fhir_appointment(at=BOOKED_AT, start=VISIT, patients=(record,))
    say(site, snapshot(visit, record, survivor))
    assert [text.number for text in site.texts] == ["+16175550188"]
    assert the_patient(site).id == the_patient(site, "Patient.id||p-MRN8").id


def test_a_child_is_silent_until_the_site_says_who_is_texted(store: Store) -> None:
    guardian = {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "patient": {"reference": "Patient/p-MRN7"},
        "relationship": [{"coding": [{"code": "MTH"}]}],
        "telecom": [{"system": "phone", "use": "mobile", "value": "(617)555-0166"}],
    }
    child = fhir_patient(CHILD)
    payload = snapshot(fhir_appointment(at=BOOKED_AT, start=VISIT, patients=(child,)), child, guardian)
    site = at_work(store, ehr=fhir_feed())
    say(site, payload)
    assert occasions(site) == []
    site.change(settings=settings(feeds={"ehr": fhir_feed(guardians=("MTH",))}))
    say(site, payload + b" ")
    site.until(VISIT)
    assert {text.number for text in site.texts} == {"+16175550166"}


def test_r5_is_heard_as_r4_is(site: Site) -> None:
    patient = fhir_patient()
    resource = fhir_appointment(at=BOOKED_AT, start=VISIT, patients=(patient,))
    r5 = resource | {
        "class": [{"coding": [{"code": "AMB"}]}],
        "subject": {"reference": "Patient/p-MRN1"},
        "serviceType": [{"concept": {"text": "Check-up"}}],
        "virtualService": [{"addressUrl": "https://video.example.org/1"}],
        "recurrenceId": 3,
    }
    say(site, snapshot(r5, patient))
    assert the_visit(site).slot.modality is Modality.VIDEO
    moved = r5 | {"virtualService": [], "meta": {"lastUpdated": "2027-03-02T15:00:00Z"}}
    say(site, snapshot(moved, patient), "2027-03-02T10:00")
    called_off = moved | {"status": "cancelled", "cancellationReason": {"text": "Closed"}}
    called_off["meta"] = {"lastUpdated": "2027-03-03T15:00:00Z"}
    say(site, snapshot(called_off, patient), "2027-03-03T10:00")
    assert occasions(site) == ["booked", "moved", "cancelled"]
    assert the_visit(site).resource["cancelationReason"] == {"text": "Closed"}


@pytest.mark.parametrize("reference", [Reference("Appointment", "a-A1"), Reference("Patient", "p-MRN1")])
def test_a_text_waits_while_what_changed_is_still_to_be_read(site: Site, reference: Reference) -> None:
    book(site)
    with site.store.unit() as unit:
        unit.wants.tell("ehr", [reference, Reference("Patient", "somebody-else")], site.clock.wall())
    site.until(local("2027-03-06T10:30"))
    assert occasions(site) == ["booked"]
    with site.store.unit() as unit:
        for _ in range(2):
            want = unit.wants.claim(site.clock.wall(), site.clock.wall() + timedelta(minutes=1))
            assert want is not None
            unit.wants.settle(replace(want, state="read"))
    site.until(local("2027-03-06T11:30"))
    assert occasions(site) == ["booked", "five_days"]


def test_a_text_waits_for_what_the_ehr_will_not_show(site: Site) -> None:
    book(site)
    with site.store.unit() as unit:
        unit.wants.tell("ehr", [Reference("Appointment", "a-A1")], site.clock.wall())
        want = unit.wants.claim(site.clock.wall(), site.clock.wall() + timedelta(minutes=1))
        assert want is not None
        unit.wants.settle(replace(want, state="refused", reason="the EHR refused it: HTTP 403"))
    site.until(local("2027-03-06T11:30"))
    assert occasions(site) == ["booked"]


NOTIFIED = {
    "ours": ("PUT", "Appointment/a-A1", ["booked"]),
    "its patient": ("PUT", "Patient/p-MRN1", ["booked"]),
    "another": ("PUT", "Appointment/a-A9", ["booked", "five_days"]),
}


@pytest.mark.parametrize("name", NOTIFIED)
def test_a_text_waits_for_a_notification_that_names_its_visit_and_for_no_other(site: Site, name: str) -> None:
    method, path, expected = NOTIFIED[name]
    book(site)
    kind, _, written = path.partition("/")
    body = {"resourceType": kind, "id": written}
    envelope = {"method": method, "path": path, "headers": {}, "body": json.dumps(body)}
    site.clock.now = local("2027-03-06T10:00")
    site.receive(json.dumps(envelope).encode(), "fhir:ehr")
    while send_next(site.workshop):
        pass
    assert occasions(site) == expected


def test_a_text_waits_for_a_notification_that_names_its_patient_by_identifier(site: Site) -> None:
    book(site)
    focus = {"type": "Patient", "identifier": {"system": MRN_SYSTEM, "value": "MRN1"}}
    status = {
        "resourceType": "SubscriptionStatus",
        "type": "event-notification",
        "subscription": {"reference": "Subscription/1"},
        "notificationEvent": [{"eventNumber": "1", "focus": focus}],
    }
    body = {"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}]}
    envelope = {"method": "POST", "path": "", "headers": {}, "body": json.dumps(body)}
    site.clock.now = local("2027-03-06T10:00")
    site.receive(json.dumps(envelope).encode(), "fhir:ehr")
    while send_next(site.workshop):
        pass
    assert occasions(site) == ["booked"]


@pytest.mark.parametrize("written", [{}, {"start": "2027-03-20"}, {"start": "soon"}])
def test_a_visit_that_has_no_time_any_more_is_not_texted_about_at_its_former_one(
    site: Site, written: dict[str, str]
) -> None:
    book(site)
    patient = fhir_patient()
    timeless = fhir_appointment(at=local("2027-03-02T10:00"), start=None, patients=(patient,))
    say(site, snapshot(timeless | written, patient), "2027-03-02T10:00")
    site.until(VISIT)
    assert occasions(site) == ["booked"]


# HL7 v2 and FHIR, one scope


def test_two_feeds_that_tell_of_one_visit_have_one_appointment_and_one_patient(both: Site) -> None:
    both.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    say(both, visit_of(at=BOOKED_AT, start=VISIT), "2027-03-01T11:05")
    both.until(VISIT)
    assert the_visit(both).id == the_visit(both, "SCH-2||A1|").id
    assert the_patient(both).id == the_patient(both, "RIVER|MR|MRN1").id
    assert (the_visit(both).ehr_id, the_patient(both).ehr_id) == ("a-A1", "p-MRN1")
    assert occasions(both) == ["booked", "five_days", "two_days", "three_hours"]


def test_hl7_v2_does_not_unlink_what_fhir_has_linked(both: Site) -> None:
    both.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    say(both, visit_of(at=BOOKED_AT, start=VISIT), "2027-03-01T11:05")
    both.clock.now = local("2027-03-02T10:00")
    both.hear(siu("S13", at=both.clock.now, start=LATER))
    assert the_visit(both).slot.start == LATER
    assert (the_visit(both).ehr_id, the_patient(both).ehr_id) == ("a-A1", "p-MRN1")


def test_an_old_yes_confirms_no_other_time_that_hl7_v2_told_of(both: Site) -> None:
    both.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    say(both, accepted("2027-03-01T11:05", VISIT), "2027-03-01T11:05")
    assert the_visit(both).confirmed
    both.clock.now = local("2027-03-02T10:00")
    both.hear(siu("S13", at=both.clock.now, start=LATER))
    say(both, accepted("2027-03-02T10:05", LATER), "2027-03-02T10:05")
    assert not the_visit(both).confirmed
    say(both, accepted("2027-03-03T10:00", LATER, "needs-action"), "2027-03-03T10:00")
    say(both, accepted("2027-03-04T10:00", LATER), "2027-03-04T10:00")
    assert the_visit(both).confirmed


def test_an_old_yes_of_one_of_two_confirms_no_other_time_that_hl7_v2_told_of(both: Site) -> None:
    ben = siu("S12", at=BOOKED_AT, start=VISIT, person=BEN).split(b"\r")[2]
    both.hear(siu("S12", at=BOOKED_AT, start=VISIT).replace(b"RGS|1", ben + b"\rRGS|1"))
    say(both, answered("2027-03-01T11:05", VISIT, "accepted", "needs-action"), "2027-03-01T11:05")
    assert who_confirmed(both) == [1]
    both.clock.now = local("2027-03-02T10:00")
    both.hear(siu("S13", at=both.clock.now, start=LATER).replace(b"RGS|1", ben + b"\rRGS|1"))
    assert who_confirmed(both) == []
    say(both, answered("2027-03-02T10:05", LATER, "accepted", "accepted"), "2027-03-02T10:05")
    assert who_confirmed(both) == [2]


def test_a_feed_that_reconciles_creates_nothing(both: Site) -> None:
    say(both, visit_of(at=BOOKED_AT, start=VISIT))
    assert last_message(both) == ("done", "not-created: another feed of the scope creates")
    for payload in (snapshot(fhir_patient()), snapshot(replaced("Patient/p-MRN8"))):
        say(both, payload)
        state, note = last_message(both)
        assert state == "done"
        assert "not-created: another feed of the scope creates" in note
    both.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    assert occasions(both) == ["booked"]


def test_a_feed_that_reconciles_notices_a_cancellation_and_a_move_hl7_v2_lost(both: Site) -> None:
    both.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    say(both, visit_of(at=local("2027-03-02T10:00"), start=LATER), "2027-03-02T10:00")
    assert occasions(both) == ["booked", "moved"]
    cancelled = visit_of(at=local("2027-03-03T10:00"), start=LATER, status="cancelled")
    say(both, cancelled, "2027-03-03T10:00")
    assert occasions(both) == ["booked", "moved", "cancelled"]
    assert the_visit(both).feed == "main"


def test_what_the_reconciling_feed_does_not_know_is_not_unsaid(store: Store) -> None:
    how = {"role": "reconcile", "identity": {FILLER_SYSTEM: "SCH-2"}}
    reconciling = replace(fhir_feed(**how), locations={}, identifier_systems={})
    river = FeedLocation(practice="riverside", place="Riverside Clinic, North")
    site = at_work(store, main=feed(locations={"RIVER": river}), ehr=reconciling)
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
    told = the_visit(site, "SCH-2||A1|")
    # A patient whom nothing links, without a number, at a Location nobody has named.
    payload = snapshot(
        fhir_appointment(at=local("2027-03-02T10:00"), start=VISIT, patients=(fhir_patient(),)),
        fhir_patient(telecom=None),
    )
    say(site, payload, "2027-03-02T10:00")
    heard = the_visit(site)
    assert (heard.slot, heard.patients, heard.practice) == (told.slot, told.patients, told.practice)
    site.until(VISIT)
    assert occasions(site) == ["booked", "five_days", "two_days", "three_hours"]


def test_a_merge_told_by_hl7_v2_joins_what_fhir_linked(both: Site) -> None:
    for person, visit in ((ANA, "A1"), (BEN, "A2")):
        both.hear(siu("S12", at=BOOKED_AT, start=VISIT, person=person, visit=visit))
        say(both, visit_of(person, at=BOOKED_AT, start=VISIT, visit=visit), "2027-03-01T11:05")
    both.clock.now = local("2027-03-02T10:00")
    both.hear(adt("A40", at=both.clock.now, person=ANA, gone=BEN.mrn))
    assert the_patient(both).id == the_patient(both, "Patient.id||p-MRN2").id
    assert the_patient(both).ehr_id == "p-MRN1"
    # News of the record that is gone is news of nobody.
    say(both, snapshot(fhir_patient(replace(BEN, phone="(617)555-0177"))), "2027-03-03T10:00")
    assert (the_patient(both).number, the_patient(both).ehr_id) == ("+16175550123", "p-MRN1")


def test_two_charts_under_one_number_stay_two_patients(site: Site) -> None:
    book(site)
    twin = fhir_patient(replace(ANA, given="Anabel"), patient_id="another-chart")
    say(site, snapshot(twin), "2027-03-01T11:05")
    assert the_patient(site, "Patient.id||another-chart").id != the_patient(site).id
    assert the_patient(site).ehr_id == "p-MRN1"
