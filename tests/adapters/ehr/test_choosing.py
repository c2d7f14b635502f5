"""Which way each kind of fact goes: a table of servers and settings, and the sentences that explain it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.adapters.chart import Chart, mode_names
from integration.adapters.ehr.capabilities import Server, read_server
from integration.adapters.ehr.choosing import MODES, NAMED, Purpose, Surroundings, Way, choose
from integration.adapters.ehr.tools import Tools
from integration.adapters.ehr.vendor import Vendor, vendor_of
from integration.domain.clock import wall_now
from integration.domain.write_back import WriteBackKind
from integration.settings.model import Documents, WritingBack
from tests.adapters.ehr.canvas import CanvasEhr
from tests.adapters.ehr.epic import EpicEhr
from tests.adapters.ehr.oracle import OracleEhr
from tests.adapters.ehr.partners_chart import port

if TYPE_CHECKING:
    from collections.abc import Iterable

HL7 = WritingBack(hl7=port())
STAFFED = WritingBack(staff_group="Group/9", staff_sender="Practitioner/1")
ALL = frozenset(name for names in MODES.values() for name in names)
EVERYTHING = "fhir_communication appointment_response fhir_consent fhir_task"
T, A, C, K = Purpose.TEXTS, Purpose.ANSWERS, Purpose.CONSENT, Purpose.TASKS


def server(software: str = "", **types: str) -> Server:
    """A server with these types; letters c, u, p, r, s."""
    codes = {"c": "create", "u": "update", "p": "patch", "r": "read", "s": "search-type"}
    resources = [
        {"type": name, "interaction": [{"code": codes[letter]} for letter in letters]}
        for name, letters in types.items()
    ]
    statement = {
        "resourceType": "CapabilityStatement",
        "software": {"name": software},
        "rest": [{"mode": "server", "resource": resources}],
    }
    read = read_server(statement)
    assert read is not None
    return read


def its(ehr: EpicEhr | OracleEhr | CanvasEhr) -> Server:
    read = read_server(ehr.capability_statement())
    assert read is not None
    return read


EPIC, ORACLE, CANVAS = its(EpicEhr()), its(OracleEhr()), its(CanvasEhr())
FULL = server(
    **dict.fromkeys(("Communication", "AppointmentResponse", "Task", "Consent", "DocumentReference"), "cursp")
)
ATHENA = server("athenahealth athenaOne", Patient="rs", Appointment="rs", DocumentReference="rs")


def chosen(
    of: Server | None,
    settings: WritingBack | None = None,
    without: Iterable[str] = (),
    modes: frozenset[str] = ALL,
) -> dict[Purpose, Way]:
    return choose(Surroundings(of, settings or WritingBack(), modes), frozenset(without))


@pytest.mark.parametrize(
    ("of", "settings", "modes"),
    [
        (None, WritingBack(), "log_only - - -"),
        (None, HL7, "hl7_mdm - - -"),
        (FULL, WritingBack(), EVERYTHING),
        (FULL, HL7, EVERYTHING),
        (EPIC, WritingBack(), "log_only - - -"),
        (EPIC, HL7, "hl7_mdm - - -"),
        (EPIC, WritingBack(document=Documents(encounter=True)), "fhir_document - - -"),
        (EPIC, replace(HL7, document=Documents(encounter=True)), "hl7_mdm - - -"),
        (EPIC, replace(HL7, texts="document"), "fhir_document - - -"),
        (EPIC, replace(HL7, answers="srm"), "hl7_mdm hl7_answer - -"),
        (ORACLE, WritingBack(), "fhir_document participant_status - -"),
        (ORACLE, STAFFED, "fhir_document participant_status - staff_message"),
        (ORACLE, replace(STAFFED, answers="task"), "fhir_document staff_message - staff_message"),
        (CANVAS, STAFFED, "fhir_communication participant_status fhir_consent fhir_task"),
        (CANVAS, WritingBack(), "log_only participant_status fhir_consent fhir_task"),
        (ATHENA, WritingBack(), "log_only - - -"),
        (ATHENA, HL7, "hl7_mdm - - -"),
        (server(Communication="c"), WritingBack(), "fhir_communication - - -"),
        (server(DocumentReference="c", Task="c"), WritingBack(), "fhir_document fhir_task - fhir_task"),
        (server(Appointment="u"), replace(WritingBack(), tasks="none"), "log_only participant_status - -"),
        (FULL, WritingBack("log", "none", "none", "none"), "log_only - - -"),
        (
            FULL,
            WritingBack(texts="communication_once"),
            EVERYTHING,
        ),
    ],
)
def test_the_way_of_each_purpose(of: Server | None, settings: WritingBack, modes: str) -> None:
    ways = chosen(of, settings)
    assert " ".join(ways[each].mode or "-" for each in (T, A, C, K)) == modes
    assert all(way.why for way in ways.values())


@pytest.mark.parametrize(
    ("of", "vendor"),
    [
        (EPIC, Vendor.EPIC),
        (ORACLE, Vendor.ORACLE),
        (CANVAS, Vendor.CANVAS),
        (ATHENA, Vendor.ATHENA),
        (server("HAPI FHIR Server"), Vendor.OTHER),
        (server("Epicurean records"), Vendor.OTHER),
        (replace(server(), publisher="Cerner"), Vendor.ORACLE),
        (
            replace(server(), search_parameters={"Communication": frozenset({"-email-status"})}),
            Vendor.ORACLE,
        ),
    ],
)
def test_a_vendor_is_known_by_its_name_or_by_what_only_it_has(of: Server, vendor: Vendor) -> None:
    assert vendor_of(of) is vendor


def test_what_has_refused_gives_way_to_the_next_and_the_reason_says_so() -> None:
    way = chosen(FULL, without=["fhir_communication"])[T]
    assert (way.mode, way.why) == (
        "fhir_document",
        "the EHR refused Communication; the EHR takes DocumentReference",
    )
    last = chosen(FULL, without=["fhir_communication", "fhir_document"])[T]
    assert last.mode == "log_only"


def test_a_setting_stands_whatever_the_server_can_and_is_told_when_it_cannot() -> None:
    way = chosen(EPIC, WritingBack(texts="communication", consent="consent"))
    assert (way[T].mode, way[C].mode) == ("fhir_communication", "fhir_consent")
    assert way[T].cannot[0].startswith("the setting asks for what the EHR cannot do")
    assert way[C].cannot[0].startswith("the setting asks for what the EHR cannot do")


def test_a_setting_for_a_server_that_is_not_there_leads_to_the_log_and_is_told() -> None:
    way = chosen(None, WritingBack(texts="document"))[T]
    assert way.mode == "log_only"
    assert "EHR_FHIR_BASE_URL is not set" in way.cannot[0]


def test_nothing_is_wished_of_a_team_that_its_vendor_does_not_make() -> None:
    wished = [wish for way in chosen(EPIC).values() for wish in way.wishes]
    assert not [wish for wish in wished if "Task" in wish or "Consent" in wish or "of Comm" in wish]
    assert any("MDM^T02" in wish for wish in wished)


def test_a_server_that_lacks_a_type_is_asked_for_it() -> None:
    ways = chosen(server(Communication="c", DocumentReference="cu"))
    assert "update of Communication, so that later news can be told" in ways[T].wishes
    assert "create (and update) of Consent" in ways[C].wishes


def test_every_word_of_the_settings_leads_to_a_mode_that_is_there() -> None:
    words = {mode for named in NAMED.values() for mode in named.values() if mode}
    assert words <= mode_names()


@pytest.mark.parametrize(
    ("set_to", "by_hl7"),
    [
        ({}, set()),
        ({"texts": "mdm"}, {WriteBackKind.TEXT, WriteBackKind.REPLY, WriteBackKind.SKIPPED}),
        ({"answers": "srm"}, {WriteBackKind.CONFIRMATION}),
    ],
)
def test_who_is_told_what_is_known_before_anybody_was_asked(
    set_to: dict[str, str], by_hl7: set[WriteBackKind]
) -> None:
    settings = replace(HL7, **set_to)  # type: ignore[arg-type] # words of the table
    servers = Chart(Tools(settings, lambda practice: practice or "", wall_now)).servers()
    assert servers.get("HL7 v2", frozenset()) == by_hl7
    assert frozenset().union(*servers.values()) == frozenset(WriteBackKind)
