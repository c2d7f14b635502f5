"""Which scopes are asked for, by what the settings use, and which of them are missing from a grant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.adapters.ehr.scopes import missing_scopes, needs, offered, spelled
from integration.settings.files import SHIPPED
from integration.settings.load import load
from integration.settings.model import Documents, FhirHearing, WritingBack

if TYPE_CHECKING:
    from integration.settings.model import Settings


@pytest.fixture(scope="module")
def shipped() -> Settings:
    settings = load(SHIPPED)
    return replace(settings, feeds={"main": replace(settings.feeds["main"], fhir=None)})


BASE = {"Appointment": "rs", "Patient": "rs"}
WRITTEN = {
    "nothing": (WritingBack("log", "none", "none", "none"), {}),
    "communications": (WritingBack("communication", "none", "none", "none"), {"Communication": "crus"}),
    "documents": (WritingBack("document", "none", "none", "none"), {"DocumentReference": "crs"}),
    "notes of encounters": (
        WritingBack("document", "none", "none", "none", document=Documents(encounter=True)),
        {"DocumentReference": "crs", "Encounter": "rs"},
    ),
    "participants": (WritingBack("log", "participant", "none", "none"), {"Appointment": "rus"}),
    "answers": (
        WritingBack("log", "appointment_response", "consent", "task"),
        {"AppointmentResponse": "crus", "Consent": "crus", "Task": "crus"},
    ),
}


@pytest.mark.parametrize(("how", "more"), WRITTEN.values(), ids=WRITTEN.keys())
def test_what_is_written_decides(shipped: Settings, how: WritingBack, more: dict[str, str]) -> None:
    assert needs(replace(shipped, write_back=how)).letters({}) == dict(sorted((BASE | more).items()))


def test_what_goes_by_the_server_is_asked_for_where_it_can_be_done(shipped: Settings) -> None:
    epic = {"Patient": frozenset("rs"), "Appointment": frozenset("rs"), "DocumentReference": frozenset("crs")}
    assert needs(shipped).letters(epic) == BASE | {"DocumentReference": "crs"}
    updates = {"DocumentReference": frozenset("crus")}  # notes are brought forward
    assert needs(shipped).letters(updates) == BASE | {"DocumentReference": "crus"}
    readable = {"Communication": frozenset("rs")}  # nothing of ours could be there
    assert needs(shipped).letters(readable) == BASE
    unknown = needs(shipped).letters(None)
    assert unknown.keys() >= {"Communication", "DocumentReference", "AppointmentResponse", "Consent", "Task"}


def test_what_is_heard_decides(shipped: Settings) -> None:
    quiet = replace(shipped, write_back=WritingBack("log", "none", "none", "none"))

    def hears(how: FhirHearing) -> Settings:
        return replace(quiet, feeds={"ehr": replace(shipped.feeds["main"], fhir=how)})

    server = {"Subscription": frozenset("crud"), "CommunicationRequest": frozenset("ru")}
    assert needs(hears(FhirHearing(text_requests=False))).letters(server) == BASE | {
        "Location": "rs",
        "Subscription": "crud",
    }
    found = needs(hears(FhirHearing(guardians=("MTH",)))).letters(server)
    assert (found["RelatedPerson"], found["CommunicationRequest"]) == ("rs", "ru")


def test_both_spellings_say_the_same() -> None:
    wanted = {"Patient": "rs", "Communication": "crus", "Task": "c"}
    assert spelled(wanted, "v2") == "system/Patient.rs system/Communication.crus system/Task.c"
    assert spelled(wanted, "v1") == (
        "system/Patient.read system/Communication.read system/Communication.write system/Task.write"
    )


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        ("system/Patient.rs system/Communication.cruds", ()),
        ("system/Patient.read system/Communication.read system/Communication.write", ()),
        ("system/*.rs system/Communication.cu", ()),
        ("system/*.*", ()),
        ("system/Patient.rs system/Communication.crs?category=reminder", ("system/Communication.u",)),
        ("system/Patient.r", ("system/Patient.s", "system/Communication.crus")),
        ("user/*.* patient/*.* openid", ("system/Patient.rs", "system/Communication.crus")),
        ("", ("system/Patient.rs", "system/Communication.crus")),
    ],
)
def test_what_is_missing_is_spelled_whatever_way_the_grant_is(granted: str, missing: tuple[str, ...]) -> None:
    wanted = {"Patient": "rs", "Communication": "crus"}
    assert missing_scopes(granted, wanted) == missing
    assert missing_scopes(granted, spelled(wanted, "v2")) == missing


def test_a_statement_offers_letters() -> None:
    interactions = [{"code": "create"}, {"code": "vread"}, {"code": "search-type"}, {"code": "history-type"}]
    statement = {"rest": [{"resource": [{"type": "Task", "interaction": interactions}, {"type": "Flag"}]}]}
    assert offered(statement) == {"Task": frozenset("crs"), "Flag": frozenset()}
