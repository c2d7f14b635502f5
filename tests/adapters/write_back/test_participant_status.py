"""A yes or no as the patient's own status in the EHR's Appointment, and nothing else of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from integration.adapters.ehr.fhir_answers import Held, NoPlace, Unfit
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.write_back.participant_status import ParticipantStatusMode, build
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import LeftOut, NoChart, TryLater, Written
from tests.adapters.ehr.charts import ANA, VISIT, admit, appointment, patient, reply, reply_fact, tell
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr import Fact

OPEN: dict[str, Any] = {
    **VISIT,
    "comment": "kept as it is",
    "extension": [{"url": "urn:example:room", "valueString": "B\u00f6rse 7"}],
    "participant": [
        {"actor": {"display": "Dr. No"}, "status": "tentative"},
        {"actor": {"reference": "Patient/ana"}, "status": "needs-action", "required": "required"},
    ],
}
WAYS = [{"update"}, {"patch"}]


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        server.offers["Appointment"] = {"read", "search-type", "update"}
        admit(server)
        server.put(OPEN, "visit")
        yield server


@pytest.fixture
def client(ehr: StrictEhr) -> Iterator[FhirClient]:
    client = FhirClient(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield client
    client.close()


@pytest.fixture
def mode(client: FhirClient) -> ParticipantStatusMode:
    return build(tools(client))


def answer(intent: str = "confirm") -> Fact:
    return replace(reply_fact(WriteBackKind.CONFIRMATION), reply=reply(intent=intent))


def visit(ehr: StrictEhr, visit_id: str = "visit") -> dict[str, Any]:
    return next(each for each in ehr.all("Appointment") if each["id"] == visit_id)


def status(ehr: StrictEhr, visit_id: str = "visit") -> str:
    return str(visit(ehr, visit_id)["participant"][-1]["status"])


def versions(ehr: StrictEhr, visit_id: str = "visit") -> int:
    return len(ehr.history["Appointment", visit_id])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("intent", "wanted"), [("confirm", "accepted"), ("cancel", "declined")])
def test_an_answer_changes_the_patients_status_and_nothing_else(
    ehr: StrictEhr, mode: ParticipantStatusMode, way: set[str], intent: str, wanted: str
) -> None:
    ehr.offers["Appointment"] = {"read", "search-type", *way}
    before = visit(ehr)
    _, outcome = tell(mode, answer(intent))
    assert outcome == Written("visit", str(versions(ehr)), "ana", ((9, "visit"),))
    after = visit(ehr)
    assert status(ehr) == wanted
    expected = {**before, "meta": after["meta"]}
    expected["participant"] = [before["participant"][0], {**before["participant"][1], "status": wanted}]
    assert after == expected
    (sent,) = ehr.asked("PUT", "Appointment") or ehr.asked("PATCH", "Appointment")
    assert sent.headers["if-match"] == f'W/"{before["meta"]["versionId"]}"'


def test_what_is_so_already_is_not_written_again(ehr: StrictEhr, mode: ParticipantStatusMode) -> None:
    fact, first = tell(mode, answer())
    before = versions(ehr)
    _, again = tell(mode, fact)
    assert first == again
    assert versions(ehr) == before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("conflict", [412, 409])
def test_whoever_was_faster_is_read_again_and_kept(
    ehr: StrictEhr, mode: ParticipantStatusMode, way: set[str], conflict: int
) -> None:
    ehr.offers["Appointment"] = {"read", "search-type", *way}
    method = "PUT" if way == {"update"} else "PATCH"
    ehr.faults.append(Fault(method, "Appointment", conflict))
    _, outcome = tell(mode, answer())
    assert isinstance(outcome, Written)
    assert status(ehr) == "accepted"
    assert len(ehr.asked(method, "Appointment")) == 2


def test_a_yes_to_the_old_time_never_confirms_the_new_one(
    ehr: StrictEhr, mode: ParticipantStatusMode
) -> None:
    """Promise 7: it moves on the EHR before we have heard so."""
    ehr.put({**OPEN, "start": "2027-03-05T11:00:00-05:00"}, "visit")
    assert isinstance(mode.write(answer()), LeftOut)
    assert status(ehr) == "needs-action"
    assert not ehr.asked("PUT", "Appointment")


def test_the_same_instant_in_another_offset_is_the_same_time(
    ehr: StrictEhr, mode: ParticipantStatusMode
) -> None:
    ehr.put({**OPEN, "start": "2027-03-05T15:00:00.000Z"}, "visit")
    assert isinstance(mode.write(answer()), Written)


@pytest.mark.parametrize("standing", ["cancelled", "noshow", "fulfilled", "entered-in-error", "arrived"])
def test_a_visit_that_is_no_longer_to_come_is_left_as_it_is(
    ehr: StrictEhr, mode: ParticipantStatusMode, standing: str
) -> None:
    ehr.put({**OPEN, "status": standing}, "visit")
    assert isinstance(mode.write(answer()), LeftOut)
    assert not ehr.asked("PUT", "Appointment")


def test_it_moves_between_our_look_and_our_write(ehr: StrictEhr, client: FhirClient) -> None:
    mode = build(tools(client))
    moved = {**OPEN, "start": "2027-03-05T11:00:00-05:00"}

    class Faster(FhirClient):
        def update(self, resource: Any, resource_id: str, version: str | None) -> Any:
            ehr.put(moved, "visit")
            return super().update(resource, resource_id, version)

    faster = Faster(ehr.base_url)
    outcome = build(tools(faster)).write(answer())
    faster.close()
    assert isinstance(outcome, LeftOut)
    assert status(ehr) == "needs-action"
    assert isinstance(mode.write(answer()), LeftOut)


def test_one_yes_to_two_visits_accepts_both(ehr: StrictEhr, mode: ParticipantStatusMode) -> None:
    second = {**OPEN, "identifier": [{"value": "A-10"}]}
    ehr.put(second, "second")
    also = appointment(
        id=10, identifiers=("SCH-2|A-10",), resource={**VISIT, "identifier": [{"value": "A-10"}]}
    )
    fact = answer()
    _, outcome = tell(mode, replace(fact, appointments=(*fact.appointments, also)))
    assert isinstance(outcome, Written)
    assert (status(ehr), status(ehr, "second")) == ("accepted", "accepted")


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_got_lost_is_given_again_without_harm(
    ehr: StrictEhr, mode: ParticipantStatusMode, way: set[str]
) -> None:
    ehr.offers["Appointment"] = {"read", "search-type", *way}
    method = "PUT" if way == {"update"} else "PATCH"
    ehr.faults.append(Fault(method, "Appointment", after_storing=True))
    first = mode.write(answer())
    assert isinstance(first, TryLater)
    assert not first.doubtful
    _, outcome = tell(mode, answer())
    assert isinstance(outcome, Written)
    assert len(ehr.asked(method, "Appointment")) == 1


class Unversioned(FhirClient):
    """Of a server that shows no versions."""

    def read(self, resource_type: str, resource_id: str) -> Any:
        held = super().read(resource_type, resource_id)
        return replace(held, version=None) if isinstance(held, Held) else held


@pytest.fixture
def unversioned(ehr: StrictEhr) -> Iterator[Unversioned]:
    ehr.versioning = "no-version"
    client = Unversioned(ehr.base_url, timeout=httpx.Timeout(2, read=0.3))
    yield client
    client.close()


def test_a_patch_without_versions_looks_itself_whom_it_changes(
    ehr: StrictEhr, unversioned: Unversioned
) -> None:
    ehr.offers["Appointment"] = {"read", "search-type", "patch"}
    _, outcome = tell(build(tools(unversioned)), answer())
    assert isinstance(outcome, Written)
    assert status(ehr) == "accepted"


def test_a_visit_without_versions_is_not_put_over_what_somebody_else_may_have_changed(
    ehr: StrictEhr, unversioned: Unversioned
) -> None:
    before = versions(ehr)
    _, outcome = tell(build(tools(unversioned)), answer())
    assert isinstance(outcome, LeftOut)
    assert versions(ehr) == before


def test_oracle_takes_a_yes_by_a_path_of_its_own(ehr: StrictEhr) -> None:
    """docs.oracle.com, op-appointment-id-patch: replace /patient-status, `accepted` alone, If-Match."""
    sent: list[tuple[Any, str | None]] = []

    class Millennium(FhirClient):
        def capabilities(self) -> Any:
            said = ehr.capability_statement()
            return {**said, "software": {"name": "Cerner Millennium"}}

        def patch(self, resource_type: str, resource_id: str, operations: Any, version: str | None) -> Any:
            sent.append((operations, version))
            return self.read(resource_type, resource_id)

    ehr.offers["Appointment"] = {"read", "search-type", "patch"}
    oracle = Millennium(ehr.base_url)
    mode = build(tools(oracle))
    assert isinstance(mode.write(answer()), Written)
    assert isinstance(mode.write(answer("cancel")), LeftOut)
    oracle.close()
    version = str(versions(ehr))
    assert sent == [([{"op": "replace", "path": "/patient-status", "value": "accepted"}], version)]


@pytest.mark.parametrize(("refusal", "what"), [(403, NoPlace), (405, NoPlace), (422, Unfit)])
@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_names_the_type_so_that_another_way_is_tried(
    ehr: StrictEhr, client: FhirClient, way: set[str], refusal: int, what: type
) -> None:
    ehr.offers["Appointment"] = {"read", "search-type", *way}
    method = "PUT" if way == {"update"} else "PATCH"
    ehr.faults.append(Fault(method, "Appointment", refusal))
    mode = build(tools(client))
    outcome = mode.write(answer())
    assert isinstance(outcome, what)
    assert isinstance(outcome, NoPlace | Unfit)
    assert outcome.resource_type == "Appointment"
    if what is NoPlace:
        assert isinstance(mode.write(answer()), LeftOut)  # not asked again today


def test_a_locked_visit_is_asked_again(ehr: StrictEhr, mode: ParticipantStatusMode) -> None:
    """Oracle, 423: somebody is editing it."""
    ehr.faults.append(Fault("PUT", "Appointment", 423))
    assert isinstance(mode.write(answer()), TryLater)


def test_others_who_keep_changing_it_are_waited_for(ehr: StrictEhr, mode: ParticipantStatusMode) -> None:
    ehr.faults.extend([Fault("PUT", "Appointment", 412)] * 3)
    outcome = mode.write(answer())
    assert isinstance(outcome, TryLater)
    assert not outcome.away


def test_whoever_takes_no_part_is_not_put_in(ehr: StrictEhr, mode: ParticipantStatusMode) -> None:
    ehr.put({**ANA, "identifier": [{"value": "7"}]}, "ben")
    known = replace(answer(), appointments=(appointment(ehr_id="visit"),))
    ben = replace(known, patient=patient(ehr_id="ben"))
    assert isinstance(mode.write(ben), LeftOut)
    stranger = patient(resource={**ANA, "identifier": [{"value": "0"}]})
    assert isinstance(mode.write(replace(known, patient=stranger)), NoChart)
    assert status(ehr) == "needs-action"


def test_an_ehr_that_takes_no_change_is_not_asked(ehr: StrictEhr, mode: ParticipantStatusMode) -> None:
    ehr.offers["Appointment"] = {"read", "search-type", "create"}
    assert isinstance(mode.write(answer()), LeftOut)
    assert not ehr.asked("GET", "Appointment")


@pytest.mark.parametrize("intent", ["stop", "human", "reschedule"])
def test_another_reply_is_no_answer(mode: ParticipantStatusMode, intent: str) -> None:
    assert isinstance(mode.write(answer(intent)), LeftOut)


def test_without_a_server_the_setting_is_named() -> None:
    with pytest.raises(ValueError, match="EHR_FHIR_BASE_URL"):
        build(tools(None))
