"""The FHIR client: what every answer means, where the token goes, and whose words are never repeated."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from integration.adapters.ehr.authorization import FixedToken
from integration.adapters.ehr.fhir_answers import (
    LONGEST_REST,
    Conflict,
    Found,
    Held,
    Missing,
    NoPlace,
    Uncertain,
    Unfit,
    retry_after,
)
from integration.adapters.ehr.fhir_client import FhirClient
from integration.ports.ehr import NotWritable, TryLater
from tests.adapters.ehr.charts import ANA, admit
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = {
    "resourceType": "Communication",
    "status": "preparation",
    "identifier": [{"system": "urn:x", "value": "1"}],
}
NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        yield server


@pytest.fixture
def client(ehr: StrictEhr) -> Iterator[FhirClient]:
    client = FhirClient(ehr.base_url, authorization=FixedToken("a-token"), timeout=httpx.Timeout(2, read=0.5))
    yield client
    client.close()


def test_what_is_created_can_be_read_and_updated_over_its_version(client: FhirClient) -> None:
    created = client.create(PLAIN)
    assert isinstance(created, Held)
    assert (created.created, created.version) == (True, "1")
    read = client.read("Communication", created.id)
    assert isinstance(read, Held)
    updated = client.update({**PLAIN, "status": "in-progress"}, created.id, read.version)
    assert isinstance(updated, Held)
    assert updated.version == "2"


def test_the_id_comes_from_location_when_the_server_shows_no_body(ehr: StrictEhr, client: FhirClient) -> None:
    ehr.returns_body = False
    created = client.create(PLAIN)
    assert isinstance(created, Held)
    assert (created.id, created.version, created.resource) == ("r1", "1", None)


def test_a_conditional_create_of_what_is_there_writes_nothing(ehr: StrictEhr, client: FhirClient) -> None:
    first = client.create(PLAIN, if_none_exist={"identifier": "urn:x|1"})
    again = client.create(PLAIN, if_none_exist={"identifier": "urn:x|1"})
    assert isinstance(first, Held)
    assert isinstance(again, Held)
    assert (again.id, again.created) == (first.id, False)
    assert len(ehr.all("Communication")) == 1


@pytest.mark.parametrize("status", [409, 412])
def test_an_older_version_is_a_conflict_under_either_status(
    ehr: StrictEhr, client: FhirClient, status: int
) -> None:
    ehr.conflict_status = status
    created = client.create(PLAIN)
    assert isinstance(created, Held)
    assert client.update(PLAIN, created.id, "7") == Conflict()


def test_what_is_not_there_is_missing_and_what_was_deleted_says_so(
    ehr: StrictEhr, client: FhirClient
) -> None:
    admit(ehr)
    ehr.delete("Patient", "ana")
    assert client.read("Patient", "nobody") == Missing(deleted=False)
    assert client.read("Patient", "ana") == Missing(deleted=True)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Unfit),
        (401, TryLater),
        (403, NoPlace),
        (405, NoPlace),
        (408, TryLater),
        (415, NotWritable),
        (422, Unfit),
        (429, TryLater),
        (302, TryLater),
        (307, TryLater),
        (500, Uncertain),
        (501, NoPlace),
        (502, Uncertain),
        (503, Uncertain),
        (504, Uncertain),
        (0, Uncertain),
    ],
)
def test_what_a_status_means_for_a_create(
    ehr: StrictEhr, client: FhirClient, status: int, kind: type[object]
) -> None:
    ehr.faults.append(Fault("POST", "Communication", status))
    answer = client.create(PLAIN)
    assert type(answer) is kind


@pytest.mark.parametrize("status", [500, 502, 503, 0])
def test_a_read_that_fails_is_only_to_be_tried_later(ehr: StrictEhr, client: FhirClient, status: int) -> None:
    ehr.faults.append(Fault("GET", "Patient", status))
    assert type(client.read("Patient", "ana")) is TryLater


def test_silence_after_a_create_is_uncertain(ehr: StrictEhr, client: FhirClient) -> None:
    ehr.faults.append(Fault("POST", "Communication", hold=True, after_storing=True))
    assert type(client.create(PLAIN)) is Uncertain
    assert len(ehr.all("Communication")) == 1


def test_a_server_that_is_not_there_got_nothing(ehr: StrictEhr) -> None:
    with listening(StrictEhr()) as other:
        base_url = other.base_url
    client = FhirClient(base_url)
    assert type(client.create(PLAIN)) is TryLater
    client.close()
    assert not ehr.seen


def test_html_instead_of_fhir_is_no_answer(ehr: StrictEhr, client: FhirClient) -> None:
    ehr.faults.append(Fault("GET", "Patient", 200, body="<h1>Please sign in</h1>"))
    ehr.faults.append(Fault("POST", "Communication", 200, body="<h1>Please sign in</h1>"))
    assert type(client.read("Patient", "ana")) is TryLater
    assert type(client.create(PLAIN)) is Uncertain


def test_a_refusal_keeps_codes_and_paths_and_drops_the_servers_words(
    ehr: StrictEhr, client: FhirClient
) -> None:
    refused = client.create({**PLAIN, "subject": {"reference": "Patient/nobody"}})
    words = "the EHR refused it: HTTP 422 (not-found Communication.payload[0])"
    assert refused == Unfit(words, resource_type="Communication")
    assert ehr.asked("POST", "Communication")


def test_what_the_server_says_of_a_refusal_is_kept_apart_for_a_person(
    ehr: StrictEhr, client: FhirClient
) -> None:
    issue = {
        "severity": "error",
        "code": "business-rule",
        "details": {"text": "Grant is no patient here"},
        "diagnostics": "Patient/7 (Grant, born 1984)",
        "expression": ["Communication.subject"],
    }
    odd = {"code": 7, "details": "none", "expression": {}}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue, odd, "word", None]}
    ehr.faults.append(Fault("POST", "Communication", 422, body=outcome))
    refused = client.create(PLAIN)
    assert isinstance(refused, NotWritable)
    assert refused.words == (
        "error: business-rule: Grant is no patient here: Patient/7 (Grant, born 1984): "
        "at Communication.subject\n7"
    )
    assert "Grant" not in repr(refused)
    assert "Grant" not in refused.reason


@pytest.mark.parametrize("body", ["<h1>Grant</h1>", {"issue": {}}, {"resourceType": "OperationOutcome"}])
def test_a_refusal_without_an_outcome_has_no_words(ehr: StrictEhr, client: FhirClient, body: Any) -> None:
    ehr.faults.append(Fault("POST", "Communication", 422, body=body))
    refused = client.create(PLAIN)
    assert isinstance(refused, NotWritable)
    assert refused.words is None


def test_every_request_carries_the_token_and_asks_for_json(ehr: StrictEhr, client: FhirClient) -> None:
    client.create(PLAIN)
    client.capabilities()
    assert {(each.headers["authorization"], each.headers["accept"]) for each in ehr.seen} == {
        ("Bearer a-token", "application/fhir+json")
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_follows_no_redirect(ehr: StrictEhr, client: FhirClient, status: int) -> None:
    with listening(StrictEhr()) as elsewhere:
        ehr.faults.append(
            Fault("GET", "Patient", status, headers={"Location": f"{elsewhere.base_url}/Patient/ana"})
        )
        assert isinstance(client.read("Patient", "ana"), TryLater)
        assert not elsewhere.seen


def test_a_search_reads_all_its_pages(ehr: StrictEhr, client: FhirClient) -> None:
    ehr.page_size = 2
    for number in range(5):
        admit(ehr, {**ANA, "id": f"p{number}"})
    found = client.search("Patient", {"identifier": "12345"})
    assert isinstance(found, Found)
    assert [each["id"] for each in found.resources] == ["p0", "p1", "p2", "p3", "p4"]
    assert found.complete


def test_a_search_stops_after_some_pages_and_says_so(ehr: StrictEhr, client: FhirClient) -> None:
    ehr.page_size = 1
    for number in range(9):
        admit(ehr, {**ANA, "id": f"p{number}"})
    found = client.search("Patient", {"identifier": "12345"})
    assert isinstance(found, Found)
    assert (len(found.resources), found.complete) == (5, False)


@pytest.mark.parametrize("base", ["elsewhere", "http://[not-a-host/fhir", "file:///etc/passwd"])
def test_a_next_link_to_another_origin_is_not_followed(ehr: StrictEhr, client: FhirClient, base: str) -> None:
    with listening(StrictEhr()) as elsewhere:
        ehr.page_size, ehr.next_link_base = 1, elsewhere.base_url if base == "elsewhere" else base
        admit(ehr, {**ANA, "id": "p1"}, {**ANA, "id": "p2"})
        found = client.search("Patient", {"identifier": "12345"})
        assert isinstance(found, Found)
        assert (len(found.resources), found.complete) == (1, False)
        assert not elsewhere.seen


def test_a_search_asks_past_caches_because_hapi_remembers_answers_for_a_minute(
    ehr: StrictEhr, client: FhirClient
) -> None:
    client.search("Patient", {"identifier": "12345"})
    assert ehr.seen[-1].headers["cache-control"] == "no-cache"


def test_no_log_names_a_patient(ehr: StrictEhr, client: FhirClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client.search("Patient", {"identifier": "MRN-98765"})
        client.create({**PLAIN, "subject": {"reference": "Patient/nobody"}})
    assert ehr.asked("GET", "Patient")[0].query["identifier"] == ["MRN-98765"]
    assert "98765" not in caplog.text
    assert "Secret" not in caplog.text


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta(0)),
        ("999999999999999999999", LONGEST_REST),
        ("Mon, 01 Mar 2027 14:01:30 GMT", timedelta(seconds=90)),
        ("Mon, 01 Mar 2027 13:00:00 GMT", timedelta(0)),
        ("Wed, 01 Mar 2028 14:00:00 GMT", LONGEST_REST),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_an_hour_at_most(header: str, rest: timedelta | None) -> None:
    assert retry_after(header, NOW) == rest


def test_a_busy_server_is_given_the_rest_it_asks_for(ehr: StrictEhr, client: FhirClient) -> None:
    ehr.faults.append(Fault("POST", "Communication", 429, headers={"Retry-After": "30"}))
    answer = client.create(PLAIN)
    assert isinstance(answer, TryLater)
    assert answer.after == timedelta(seconds=30)


class Purse:
    """Tokens to give out, one after another; the last one stays."""

    def __init__(self, *tokens: str | TryLater) -> None:
        self._tokens = list(tokens)
        self.refusals: list[str] = []

    def token(self) -> str | TryLater | None:
        return self._tokens[0]

    def refused(self, token: str) -> bool:
        self.refusals.append(token)
        if len(self._tokens) == 1:
            return False
        del self._tokens[0]
        return True


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_replaced_and_the_request_sent_again_once(ehr: StrictEhr, method: str) -> None:
    purse = Purse("old", "new", "newest")
    client = FhirClient(ehr.base_url, authorization=purse)
    ehr.faults += [Fault(method, "Communication", 401)] * 2
    answer = client.create(PLAIN) if method == "POST" else client.read("Communication", "r1")
    client.close()
    assert isinstance(answer, TryLater)
    assert [each.headers["authorization"] for each in ehr.seen] == ["Bearer old", "Bearer new"]
    assert purse.refusals == ["old"]


def test_what_the_second_token_opens_is_created_once(ehr: StrictEhr) -> None:
    client = FhirClient(ehr.base_url, authorization=Purse("old", "new"))
    ehr.faults.append(Fault("POST", "Communication", 401))
    assert isinstance(client.create(PLAIN), Held)
    client.close()
    assert len(ehr.all("Communication")) == 1


def test_without_another_token_a_refusal_stands(ehr: StrictEhr, client: FhirClient) -> None:
    ehr.faults.append(Fault("GET", "Communication", 401))
    assert isinstance(client.read("Communication", "r1"), TryLater)
    assert len(ehr.seen) == 1


def test_without_a_token_nothing_is_sent(ehr: StrictEhr) -> None:
    later = TryLater("no token can be had now", timedelta(seconds=30))
    client = FhirClient(ehr.base_url, authorization=Purse(later))
    assert client.create(PLAIN) is later
    client.close()
    assert not ehr.seen


def test_when_no_new_token_can_be_had_that_is_the_answer(ehr: StrictEhr) -> None:
    later = TryLater("no token can be had now")
    client = FhirClient(ehr.base_url, authorization=Purse("old", later))
    ehr.faults.append(Fault("POST", "Communication", 401))
    assert client.create(PLAIN) is later
    client.close()
    assert len(ehr.seen) == 1
