"""What FHIR servers tell a subscriber is understood in every shape, and what is odd about it is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from fhir_mappers.findings import REFUSALS, WARNINGS
from fhir_mappers.notification import Event, Focus, Notification
from fhir_mappers.subscription import Received, read_bundle, read_kept, read_notification
from tests.mappers.notifications import (
    BASE,
    TOPIC,
    bundle,
    post,
    r4,
    r4_event,
    r4_status,
    r5,
    r5_event,
    status_entry,
)

VISIT = Focus("Appointment", "a-7")
SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "fhir"
BASES = {
    "FHIR+fhir-candle": "https://subscriptions.argo.run/fhir/r4",
    "inferno-framework+subscriptions-test-kit": "https://fhirserver.org/fhir",
    "athenahealth+aone-fhir-subscriptions": "https://api.platform.athenahealth.com/fhir/r4",
}


def read(body: Any = None, **said: Any) -> Notification:
    return read_notification(post(body, **said), BASE)


def noted(notification: Notification) -> set[tuple[str, str]]:
    return {(warning.code, warning.path) for warning in notification.warnings}


# HAPI, by criteria


def test_hapi_puts_the_resource_below_the_endpoint() -> None:
    found = read({"resourceType": "Appointment", "id": "a-7"}, method="PUT", path="Appointment/a-7")
    assert found == Notification("resource", events=(Event(focus=VISIT),))


def test_hapi_deletes_below_the_endpoint() -> None:
    found = read(method="DELETE", path="Appointment/a-7")
    assert found == Notification("resource", events=(Event(focus=VISIT, deleted=True),))


def test_a_path_may_name_a_version() -> None:
    assert read(method="PUT", path="Appointment/a-7/_history/3").events == (Event(focus=VISIT),)


def test_a_post_without_a_body_says_only_that_something_changed() -> None:
    assert read() == Notification("empty")
    assert read("  \r\n") == Notification("empty")


def test_hapi_sends_what_goes_with_it_as_a_transaction() -> None:
    found = read(
        bundle(
            {
                "resource": {"resourceType": "Appointment", "id": "a-7"},
                "request": {"method": "PUT", "url": "Appointment/a-7"},
            },
            {
                "resource": {"resourceType": "Patient", "id": "p-1"},
                "request": {"method": "PUT", "url": "Patient/p-1"},
            },
            {"request": {"method": "DELETE", "url": "Appointment/a-8"}},
            kind="transaction",
        )
    )
    assert found == Notification(
        "resource",
        events=(
            Event(focus=VISIT),
            Event(focus=Focus("Patient", "p-1")),
            Event(focus=Focus("Appointment", "a-8"), deleted=True),
        ),
    )


def test_path_and_body_that_disagree_are_told_and_the_path_is_believed() -> None:
    found = read({"resourceType": "Appointment", "id": "a-8"}, method="PUT", path="Appointment/a-7")
    assert found.events == (Event(focus=VISIT),)
    assert noted(found) == {("path-disagrees", "body.id")}


# Medplum


def test_medplum_posts_the_resource_and_names_its_subscription() -> None:
    found = read(
        {"resourceType": "Appointment", "id": "a-7", "status": "booked"},
        x_medplum_subscription="sub-9",
        x_medplum_interaction="update",
    )
    assert found == Notification("resource", subscription="sub-9", events=(Event(focus=VISIT),))


def test_medplum_posts_an_empty_object_for_what_was_deleted() -> None:
    found = read(
        {},
        x_medplum_interaction="delete",
        x_medplum_deleted_resource="Appointment/a-7",
        x_medplum_subscription="s",
    )
    assert found == Notification("resource", subscription="s", events=(Event(focus=VISIT, deleted=True),))


def test_an_empty_object_that_names_nothing_says_only_that_something_changed() -> None:
    found = read({})
    assert found.kind == "empty"
    assert noted(found) == {("nothing-said", "body")}


def test_a_resource_without_an_id_says_only_that_something_changed() -> None:
    found = read({"resourceType": "Appointment", "status": "booked"})
    assert (found.kind, noted(found)) == ("empty", {("no-id", "body.id")})


# By topic, R4


def test_an_r4_notification_names_what_changed_and_its_number() -> None:
    found = read(r4(r4_event("41", f"{BASE}/Appointment/a-7"), since="41"))
    assert found == Notification(
        "event",
        subscription="sub-1",
        topic=TOPIC,
        events=(Event(41, VISIT),),
        status="active",
        events_since_start=41,
    )


@pytest.mark.parametrize("kind", ["handshake", "heartbeat", "query-status"])
def test_what_is_no_event_tells_of_none(kind: str) -> None:
    found = read(r4(kind=kind, since="0", status={"valueCode": "requested"}))
    assert (found.kind, found.events, found.status, found.events_since_start) == (kind, (), "requested", 0)


def test_an_empty_notification_has_a_number_and_no_resource() -> None:
    found = read(r4(r4_event("2", None), since="2", topic=None))
    assert (found.kind, found.events, found.warnings) == ("event", (Event(2, None),), ())


def test_several_events_come_at_once() -> None:
    found = read(r4(r4_event("2", "Appointment/a-7"), r4_event("3", "Patient/p-1"), since="3"))
    assert found.events == (Event(2, VISIT), Event(3, Focus("Patient", "p-1")))


def test_fhir_candle_names_the_subscription_as_a_text_and_leaves_the_request_out() -> None:
    status = r4_status(
        r4_event("1", f"{BASE}/Appointment/a-7"), subscription={"valueString": f"{BASE}/Subscription/sub-1"}
    )
    found = read(bundle(status_entry(status, request=False)))
    assert (found.kind, found.subscription, found.events) == ("event", "sub-1", (Event(1, VISIT),))
    assert noted(found) == {
        ("no-request", "Bundle.entry[0].request"),
        ("other-value-type", "Bundle.entry[0].resource.parameter[0].valueString"),
    }


def test_an_event_whose_entry_is_a_delete_tells_of_a_deletion() -> None:
    entry = {"fullUrl": f"{BASE}/Appointment/a-7", "request": {"method": "DELETE", "url": "Appointment/a-7"}}
    found = read(bundle(status_entry(r4_status(r4_event("1", "Appointment/a-7"))), entry))
    assert found.events == (Event(1, VISIT, deleted=True),)


def test_events_without_a_focus_are_taken_from_the_other_entries() -> None:
    entry = {"fullUrl": f"{BASE}/Appointment/a-7", "request": {"method": "PUT", "url": "Appointment/a-7"}}
    found = read(bundle(status_entry(r4_status(r4_event("1", None))), entry))
    assert found.events == (Event(1, None), Event(None, VISIT))
    assert noted(found) == {("no-focus", "Bundle.entry")}


# By topic, R4B and R5, athenahealth


@pytest.mark.parametrize("number", ["7", 7])
def test_an_r5_notification_counts_in_words_or_in_numbers(number: object) -> None:
    found = read(r5(r5_event(number, f"{BASE}/Appointment/a-7"), eventsSinceSubscriptionStart=number))
    assert (found.events, found.events_since_start, found.warnings) == ((Event(7, VISIT),), 7, ())


def test_a_count_has_64_bits() -> None:
    largest = 2**63 - 1
    assert read(r4(r4_event(str(largest), "Appointment/a-7"))).events == (Event(largest, VISIT),)
    found = read(r4(r4_event(str(largest + 1), "Appointment/a-7")))
    assert found.events == (Event(None, VISIT),)
    assert noted(found) == {("not-a-number", "Bundle.entry[0].resource.parameter[5].part[0]")}


@pytest.mark.parametrize("number", [True, -1, 1.5, "one", "٣", "", [], {}, "1" * 4000])
def test_what_is_no_count_is_passed_over_and_named(number: object) -> None:
    found = read(r5(r5_event(number, "Appointment/a-7")))
    assert found.events == (Event(None, VISIT),)
    assert noted(found) == {("not-a-number", "Bundle.entry[0].resource.notificationEvent[0].eventNumber")}


def test_athenahealth_names_an_identifier_and_counts_anew_in_each_notification() -> None:
    focus = {"identifier": {"system": "urn:example:appointment:195900", "value": "2"}}
    found = read(
        r5(
            {"id": "e-1", "eventNumber": "1", "focus": focus},
            eventsInNotification=1,
            topic="https://ehr.example.org/fhir/r4/SubscriptionTopic/Appointment.create",
        )
        | {"type": "history"}
    )
    assert found.events == (Event(None, Focus("Appointment", identifier="urn:example:appointment:195900|2")),)
    assert found.events_since_start is None
    assert ("numbers-restart", "Bundle.entry[0].resource.eventsInNotification") in noted(found)


def test_a_literal_reference_comes_before_an_identifier() -> None:
    focus = {
        "reference": "Patient/a-432.E-528595",
        "identifier": {"system": "urn:example:patient", "value": "5"},
    }
    found = read(r5({"eventNumber": "1", "focus": focus}))
    assert found.events == (Event(1, Focus("Patient", "a-432.E-528595")),)


def test_the_codes_of_an_error_are_told_and_nothing_else_of_it() -> None:
    error = {
        "coding": [{"code": "no-response", "display": "No response"}],
        "text": "for Adalina Quillfeather",
    }
    found = read(r5(kind="heartbeat", status="error", error=[error]))
    assert (found.kind, found.status, found.errors) == ("heartbeat", "error", ("no-response",))
    assert read(r4(kind="heartbeat", error={"valueCodeableConcept": error})).errors == ("no-response",)


# Whatever is odd


def test_a_status_that_is_not_first_is_found() -> None:
    other = {"fullUrl": f"{BASE}/Patient/p-1", "request": {"method": "PUT", "url": "Patient/p-1"}}
    found = read(bundle(other, status_entry(r4_status(r4_event("1", "Appointment/a-7")))))
    assert found.events == (Event(1, VISIT),)
    assert noted(found) == {("status-not-first", "Bundle.entry[1]")}


def test_a_status_without_a_bundle_is_read() -> None:
    found = read(r4_status(r4_event("1", "Appointment/a-7")))
    assert (found.kind, found.events, noted(found)) == (
        "event",
        (Event(1, VISIT),),
        {("no-bundle", "Parameters")},
    )


def test_a_bundle_without_a_status_tells_of_its_entries() -> None:
    found = read(
        bundle({"resource": {"resourceType": "Appointment", "id": "a-7"}, "request": {"method": "PUT"}})
    )
    assert (found.kind, found.events, noted(found)) == (
        "resource",
        (Event(focus=VISIT),),
        {("no-status", "Bundle")},
    )


def test_a_bundle_with_nothing_in_it_says_only_that_something_changed() -> None:
    assert read(bundle()).kind == "empty"
    assert read({"resourceType": "Bundle"}).kind == "empty"


def test_a_type_in_no_table_is_taken_for_what_it_looks_like() -> None:
    assert read(r4(r4_event("1", "Appointment/a-7"), kind="event")).kind == "event"
    found = read(r4(kind="ping"))
    assert (found.kind, noted(found)) == ("heartbeat", {("unknown-notification-type", "type")})


def test_a_notification_of_events_that_names_none_still_says_that_something_changed() -> None:
    found = read(r4())
    assert (found.events, noted(found)) == ((Event(),), {("no-events", "Bundle.entry")})


def test_an_event_without_number_and_a_notification_without_subscription_are_named() -> None:
    found = read(r4(r4_event(None, "Appointment/a-7"), subscription=None))
    assert (found.subscription, found.events) == ("", (Event(None, VISIT),))
    assert noted(found) == {
        ("no-event-number", "Bundle.entry[0].resource.parameter[4]"),
        ("no-subscription", "Bundle.entry[0].resource.subscription"),
    }


@pytest.mark.parametrize("kind", ["collection", "", "message"])
def test_a_bundle_of_another_type_is_read_and_named(kind: str) -> None:
    found = read(r4(r4_event("1", "Appointment/a-7")) | {"type": kind})
    assert found.events == (Event(1, VISIT),)
    assert noted(found) == {("not-history", "Bundle.type")}


@pytest.mark.parametrize(
    "reference",
    [
        "https://elsewhere.example.org/fhir/r4/Appointment/a-7",
        "http://ehr.example.org/fhir/r4/Appointment/a-7",
        "https://ehr.example.org:8443/fhir/r4/Appointment/a-7",
        "https://ehr.example.org/fhir/r4b/Appointment/a-7",
        "https://ehr.example.org/Appointment/a-7",
        "https://somebody@ehr.example.org/fhir/r4/Appointment/a-7",
        "https://ehr.example.org@elsewhere.example.org/fhir/r4/Appointment/a-7",
        "http://169.254.169.254/fhir/r4/Appointment/a-7",
    ],
)
def test_a_reference_to_another_server_is_not_followed(reference: str) -> None:
    found = read(r5(r5_event("1", reference)))
    assert found.events == (Event(1, None),)
    assert noted(found) == {("foreign-reference", "Bundle.entry[0].resource.notificationEvent[0].focus")}


@pytest.mark.parametrize(
    "reference",
    [
        "Appointment/..",
        "Appointment/.",
        "Appointment/a-7/../../Patient/p-1",
        "../Appointment/a-7",
        "Appointment/a-7?_format=xml",
        "Appointment/",
        "appointment/a-7",
        "urn:uuid:7a0b41b4-3e1e-4a58-9d14-6f0b1d1f0a01",
        "#contained",
        "Appointment/" + "9" * 65,
        "",
    ],
)
def test_what_names_no_resource_is_not_followed(reference: str) -> None:
    found = read(r5(r5_event("1", reference)))
    assert found.events == (Event(1, None),)
    assert noted(found) == {("not-a-reference", "Bundle.entry[0].resource.notificationEvent[0].focus")}


@pytest.mark.parametrize(
    "reference",
    [
        "https://ehr.example.org/fhir/r4/Appointment/a-7",
        "https://EHR.example.org:443/fhir/r4/Appointment/a-7",
        "https://ehr.example.org/fhir/r4/Appointment/a-7/_history/2",
        "Appointment/a-7",
    ],
)
def test_a_reference_below_the_base_is_the_same_as_a_relative_one(reference: str) -> None:
    assert read(r5(r5_event("1", reference))).events == (Event(1, VISIT),)


def test_without_a_base_only_relative_references_are_followed() -> None:
    absolute = read_notification(post(r5(r5_event("1", f"{BASE}/Appointment/a-7"))), "")
    relative = read_notification(post(r5(r5_event("1", "Appointment/a-7"))), "")
    assert (absolute.events, relative.events) == ((Event(1, None),), (Event(1, VISIT),))


@pytest.mark.parametrize(
    ("body", "code"),
    [("<Bundle/>", "not-json"), ("{", "not-json"), ("[1]", "not-a-resource"), ('{"a": 1}', "not-a-resource")],
)
def test_what_is_no_resource_is_refused_by_name(body: str, code: str) -> None:
    found = read(body)
    assert found.kind == "unreadable"
    assert found.refusal is not None
    assert (found.refusal.path, found.refusal.code) == ("body", code)
    assert found.refusal.text == REFUSALS[code]


def test_json_too_deep_to_be_read_is_refused() -> None:
    assert read("[" * 200_000).kind == "unreadable"


def test_an_answer_to_status_is_no_event_whatever_type_it_tells() -> None:
    body = bundle(status_entry(r4_status(r4_event("2", "Appointment/a-7"), since="2"))) | {
        "type": "searchset"
    }
    found = read_bundle(body, BASE)
    assert (found.kind, found.events_since_start, found.warnings) == ("query-status", 2, ())


# What the inbox keeps


def test_what_is_kept_comes_back_as_it_was() -> None:
    received = post(
        {"resourceType": "Appointment", "id": "é"}, path="Appointment/1", content_type="application/json"
    )
    assert Received.from_bytes(received.to_bytes()) == received


@pytest.mark.parametrize(
    "kept", [b"", b"MSH|^~\\&|", b"[]", b'{"method": "POST"}', b"\xff", b'{"headers": {}}']
)
def test_what_is_no_kept_notification_is_refused(kept: bytes) -> None:
    found = read_kept(kept, BASE)
    assert found.refusal is not None
    assert (found.kind, found.refusal.code) == ("unreadable", "not-a-notification")


# Public samples, and noise


def sample(name: str) -> tuple[str, str]:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the public samples are not here")
    return path.read_text(encoding="utf-8"), BASES[path.parent.name]


ENCOUNTER = "86009987-eabe-42bf-8c02-b112b18cb616"
CANDLE, INFERNO = "FHIR+fhir-candle", "inferno-framework+subscriptions-test-kit"
REQUEST = ("no-request", "Bundle.entry[0].request")
AS_TEXT = ("other-value-type", "Bundle.entry[0].resource.parameter[0].valueString")
UNDERSTOOD = {
    f"{CANDLE}/r4-Bundle-notification-handshake.json": ("handshake", (), {REQUEST, AS_TEXT}),
    f"{CANDLE}/r4-Bundle-notification-id.json": (
        "event",
        (Event(1, Focus("Encounter", "36e1c9d9-6878-4ef0-b1ff-9f5986e2def6")),),
        {REQUEST, AS_TEXT},
    ),
    f"{CANDLE}/r4b-Bundle-notification-handshake.json": ("handshake", (), {REQUEST}),
    f"{CANDLE}/r5-Bundle-notification-handshake.json": ("handshake", (), set()),
    f"{INFERNO}/handshake_bundle_example.json": ("handshake", (), set()),
    f"{INFERNO}/heartbeat_bundle_example.json": ("heartbeat", (), set()),
    f"{INFERNO}/empty_notification_bundle_example.json": ("event", (Event(1),), set()),
    f"{INFERNO}/empty_notification_bundle_non_conformant_example.json": ("event", (Event(1),), {REQUEST}),
    f"{INFERNO}/id_only_notification_bundle_example.json": (
        "event",
        (Event(1, Focus("Encounter", ENCOUNTER)),),
        set(),
    ),
    f"{INFERNO}/full_resource_notification_bundle_example.json": (
        "event",
        (Event(1, Focus("Encounter", ENCOUNTER)),),
        set(),
    ),
    f"{INFERNO}/subscription_status_example.json": (
        "query-status",
        (Event(2),),
        {("foreign-reference", "Bundle.entry[0].resource.parameter[5].part[2]")},
    ),
    "athenahealth+aone-fhir-subscriptions/bundle.json": (
        "event",
        (
            Event(
                focus=Focus("Appointment", identifier="urn:athenahealth:athenanet:api:appointments:195900|1")
            ),
        ),
        {
            ("no-request", "Bundle.entry[1].request"),
            ("numbers-restart", "Bundle.entry[0].resource.eventsInNotification"),
        },
    ),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_a_public_sample_is_understood(name: str) -> None:
    body, base = sample(name)
    found = read_notification(post(body), base)
    assert found.subscription
    assert (found.kind, found.events, noted(found)) == UNDERSTOOD[name]


def test_no_public_sample_is_left_out() -> None:
    if not SAMPLES.exists():
        pytest.skip("the public samples are not here")
    notifications = {
        f"{path.parent.name}/{path.name}"
        for path in SAMPLES.rglob("*.json")
        if json.loads(path.read_text(encoding="utf-8"))["resourceType"] == "Bundle"
    }
    assert notifications == set(UNDERSTOOD)


ORIGINALS = [
    json.dumps(each)
    for each in (
        r4(
            r4_event("1", f"{BASE}/Appointment/a-7"),
            error={"valueCodeableConcept": {"coding": [{"code": "x"}]}},
        ),
        r5(r5_event("1", "Appointment/a-7"), eventsInNotification=1),
        bundle(
            {
                "resource": {"resourceType": "Patient", "id": "1"},
                "request": {"method": "PUT", "url": "Patient/1"},
            }
        ),
        {"resourceType": "Appointment", "id": "a-7"},
    )
]
PIECES = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        ["null", "[]", "{}", "true", '""', "-1e400", "9" * 40, "\\ud800", '"resourceType":"Bundle",']
    ),
)
KEYS = (
    *("resourceType", "id", "type", "name", "entry", "resource", "request", "url", "parameter", "part"),
    *(
        "valueString",
        "focus",
        "subscription",
        "notificationEvent",
        "reference",
        "identifier",
        "value",
        "error",
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner
            | st.sampled_from(
                ["Bundle", "Parameters", "SubscriptionStatus", "subscription", "notification-event"]
            ),
            max_size=5,
        )
    ),
    max_leaves=20,
)
QUICK = how(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(found: Notification) -> None:
    assert all(warning.text == WARNINGS[warning.code] for warning in found.warnings)
    assert (found.kind == "unreadable") == (found.refusal is not None)


@QUICK
@given(
    st.sampled_from(ORIGINALS),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 20), PIECES), max_size=8),
)
def test_a_damaged_notification_is_understood_or_refused(
    original: str, edits: list[tuple[int, int, str]]
) -> None:
    for position, length, piece in edits:
        start = position % (len(original) + 1)
        original = original[:start] + piece + original[start + length :]
    check(read(original))


@QUICK
@given(JSON, st.sampled_from(["POST", "PUT", "DELETE"]), st.text(max_size=30), st.text(max_size=30))
def test_any_json_at_all_is_understood_or_refused(body: Any, method: str, path: str, header: str) -> None:
    received = post(json.dumps(body), method=method, path=path, x_medplum_deleted_resource=header)
    check(read_notification(received, BASE))
    check(read_kept(received.to_bytes(), BASE))


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_as_kept(payload: bytes) -> None:
    check(read_kept(payload, BASE))
