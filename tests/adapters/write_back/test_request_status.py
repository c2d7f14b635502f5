"""A chart's request for a text is brought to its end, completed or revoked; nothing else of it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fhir_mappers.communication import OutboundText, Outcome, outbound_text
from integration.adapters.ehr.fhir_answers import NoPlace
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back.request_status import RequestStatusMode, build
from integration.domain.delivery_status import DeliveryStatus
from integration.domain.text_message import TextKind
from integration.domain.write_back import WriteBack, WriteBackKind
from integration.ports.ehr import Fact, LeftOut, TryLater, Written
from tests.adapters.ehr.charts import CREATED, admit, patient, text
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.domain.text_message import TextMessage

ASKED: dict[str, Any] = {
    "resourceType": "CommunicationRequest",
    "status": "active",
    "subject": {"reference": "Patient/ana"},
    "payload": [{"contentString": "Please bring your glasses."}],
    "note": [{"text": "kept as it is"}],
}


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        server.offers["CommunicationRequest"] = {"read", "update"}
        admit(server)
        server.put(ASKED, "r-1")
        yield server


@pytest.fixture
def mode(ehr: StrictEhr) -> Iterator[RequestStatusMode]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield build(tools(client))
    client.close()


def fact(became: TextMessage | None = None, request: str | None = "r-1") -> Fact:
    row = WriteBack(5, WriteBackKind.REQUEST, 2, 4)
    return Fact(row, patient(), text=became, request=request)


def free(status: DeliveryStatus, **changes: Any) -> TextMessage:
    return text(kind=TextKind.FREE, occasion="request", status=status, **changes)


@pytest.mark.parametrize(
    ("became", "status"),
    [
        (free(DeliveryStatus.SENT), "completed"),
        (free(DeliveryStatus.DELIVERED), "completed"),
        (free(DeliveryStatus.UNDELIVERED), "completed"),
        (free(DeliveryStatus.ACCEPTED, final_at=CREATED), "completed"),
        (free(DeliveryStatus.FAILED), "revoked"),
        (None, "revoked"),
    ],
)
def test_it_ends_as_its_text_did(
    ehr: StrictEhr, mode: RequestStatusMode, became: TextMessage | None, status: str
) -> None:
    assert isinstance(mode.write(fact(became)), Written)
    [request] = ehr.all("CommunicationRequest")
    assert request["status"] == status
    assert {name: request[name] for name in ("note", "payload", "subject")} == {
        name: ASKED[name] for name in ("note", "payload", "subject")
    }


def test_told_again_it_is_left_as_it_is(ehr: StrictEhr, mode: RequestStatusMode) -> None:
    for _ in range(3):
        assert isinstance(mode.write(fact(free(DeliveryStatus.SENT))), Written)
    assert ehr.statuses("CommunicationRequest", "r-1") == ["active", "completed"]


def test_what_a_person_brought_to_an_end_stays_so(ehr: StrictEhr, mode: RequestStatusMode) -> None:
    ehr.put({**ASKED, "status": "entered-in-error"}, "r-1")
    assert isinstance(mode.write(fact(free(DeliveryStatus.SENT))), Written)
    assert ehr.all("CommunicationRequest")[0]["status"] == "entered-in-error"


def test_when_somebody_was_faster_it_is_read_again(ehr: StrictEhr, mode: RequestStatusMode) -> None:
    ehr.faults.append(Fault("PUT", "CommunicationRequest", 412))
    assert isinstance(mode.write(fact(free(DeliveryStatus.SENT))), Written)
    assert ehr.all("CommunicationRequest")[0]["status"] == "completed"


def test_what_is_under_way_or_gone_or_nobodys_is_left_out(ehr: StrictEhr, mode: RequestStatusMode) -> None:
    assert isinstance(mode.write(fact(free(DeliveryStatus.ACCEPTED))), LeftOut)
    assert isinstance(mode.write(fact(free(DeliveryStatus.SENT), request=None)), LeftOut)
    assert isinstance(mode.write(fact(free(DeliveryStatus.SENT), request="r-9")), LeftOut)
    assert ehr.statuses("CommunicationRequest", "r-1") == ["active"]


def test_an_ehr_that_is_away_hears_it_later(ehr: StrictEhr, mode: RequestStatusMode) -> None:
    ehr.faults.append(Fault("PUT", "CommunicationRequest", 503))
    assert isinstance(mode.write(fact(free(DeliveryStatus.SENT))), TryLater)
    assert isinstance(mode.write(fact(free(DeliveryStatus.SENT))), Written)


def test_an_ehr_that_takes_no_change_is_not_asked_again(ehr: StrictEhr, mode: RequestStatusMode) -> None:
    ehr.faults.append(Fault("PUT", "CommunicationRequest", 403))
    outcome = mode.write(fact(free(DeliveryStatus.SENT)))
    assert isinstance(outcome, NoPlace)
    assert outcome.resource_type == "CommunicationRequest"


def test_a_mode_without_a_server_is_not_built() -> None:
    with pytest.raises(ValueError, match="EHR_FHIR_BASE_URL"):
        build(tools(None))


def test_the_communication_says_which_request_it_answers() -> None:
    resource = outbound_text(
        OutboundText("m-1", "ana", "Riverside Clinic", Outcome.SENT, "Hi", based_on="r-1")
    )
    assert [each["reference"] for each in resource["basedOn"]] == ["CommunicationRequest/r-1"]
    assert "basedOn" not in outbound_text(OutboundText("m-1", "ana", "Riverside Clinic", Outcome.SENT, "Hi"))
