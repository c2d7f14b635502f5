"""A vendor nobody has heard of is connected by one file, with its specification in hand and no line of code.

The specification of Zephyr Practice Manager, as far as texting needs it:

    Delimiters    $ field, * component, % repetition, ! escape, + subcomponent
    Messages      ZSI*NEW booked, ZSI*CHG changed, ZSI*DEL cancelled
    ZAP           1 appointment number, 2 start, 3 minutes, 4 site, 5 V for video, 6 status:
                  10 booked, 20 the patient has confirmed, 30 arrived, 90 cancelled, 95 did not come
    SCH-11        when the booking was made (!)
    ZPN           one telephone number a segment: 2 kind (C cellular, L landline, W work), 3 the number
    ZPD           1 language (1 English, 2 Spanish), 2 texts wanted (0 no, 1 yes)
    ZFM           one relative a segment: 2 number, 3 relation (7 mother, 8 father, 9 sibling)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from integration.entrypoints.cli import main

if TYPE_CHECKING:
    from pathlib import Path

VENDOR = """
extends = "generic"
title = "Zephyr Practice Manager"
confirmed = ["20"]

[triggers]
"ZSI^NEW" = "S12"
"ZSI^CHG" = "S14"
"ZSI^DEL" = "S15"

[appointment]
identity = ["ZAP-1"]
status = ["ZAP-6"]
locations = ["ZAP-4"]
place = ["ZAP-4"]

[[times]]
start = "ZAP-2"
duration = "ZAP-3"
[durations]
unitless = "minutes"
[statuses]
booked = ["10"]
arrived = ["30"]
cancelled = ["90"]
noshow = ["95"]

[patient]
publicity = ["ZPD-2"]
silent_publicity = ["0"]
language = ["ZPD-1"]
[languages]
en = ["...", "1"]
es = ["...", "2"]

[phones]
mobile = ["C"]
home = ["L"]
sources = [{ path = "ZPN-3.1", kind = "unknown", kind_path = "ZPN-2" }]
offer = ["mobile"]

[modality]
paths = ["ZAP-5"]
[modality.video]
codes = ["V"]

[guardian]
order = ["family"]
relationships = ["7", "8"]
[guardian.sources.family]
phones = [{ path = "ZFM-2.1", kind = "mobile" }]
relationship = ["ZFM-3"]
"""
FEED = """
vendor = "zephyr"
zone = "America/New_York"
region = "US"
state = "live"
[locations]
12 = { practice = "riverside", place = "Riverside Clinic" }
"""
NOW = "2027-03-01T11:00-05:00"


def message(
    number: int,
    trigger: str = "NEW",
    *,
    status: str = "10",
    kind: str = "O",
    born: str = "19800102",
    more: str = "",
) -> str:
    """One Zephyr message about appointment 501."""
    lines = [
        f"MSH$*%!+$ZEPHYR$12$TEXTS$12$20270301110{number}00$$ZSI*{trigger}$Z-{number}$P$2.5",
        "SCH$1$1$$$$$$$$$***20270301105900",
        f"ZAP$501$202703111430$45$12${kind}${status}",
        f"PID$1$$77***ZEPHYR*MR$$O!X27!Neill*Ana$${born}$F",
        "ZPD$2$1",
        "ZPN$1$L$(617) 555-0111",
        "ZPN$2$W$(617) 555-0122",
        "ZPN$3$C$(617) 555-0123",
    ]
    return "\r".join([*lines, more, ""] if more else [*lines, ""])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a site that has nothing but this feed."""
    for folder, text in (("vendors", VENDOR), ("feeds", FEED)):
        (tmp_path / "config" / folder).mkdir(parents=True)
        (tmp_path / "config" / folder / "zephyr.toml").write_text(text)
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], site: Path, text: str, *command: str) -> list[dict[str, Any]]:
    """What a command says of these messages."""
    file = site / "zephyr.hl7"
    file.write_bytes(text.encode())
    capsys.readouterr()
    assert main([*command, str(file), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_configuration_is_complete(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.is_dir()
    assert main(["check-config"]) == 0
    assert "zephyr (live)" in capsys.readouterr().out


def test_a_booking_becomes_what_the_specification_says(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mapped,) = told(capsys, site, message(0), "map")
    appointment, (patient,) = mapped["appointment"], mapped["patients"]
    assert (mapped["refusal"], mapped["warnings"]) == (None, [])
    assert (mapped["trigger"], mapped["event"], mapped["text_to"]) == ("S12", "booked", ["+16175550123"])
    assert (appointment["start"], appointment["end"]) == (
        "2027-03-11T14:30:00-05:00",
        "2027-03-11T15:15:00-05:00",
    )
    assert appointment["identifier"][0]["value"] == "501"
    assert patient["name"] == [{"family": "O'Neill", "given": ["Ana"]}]
    assert mapped["sources"]["Appointment.start"] == "ZAP-2"
    assert mapped["sources"]["Patient.text_to"] == "ZPN[3]-3.1"


STATUSES = [  # trigger, status, event, Appointment.status
    ("NEW", "10", "booked", "booked"),
    ("NEW", "20", "booked", "booked"),
    ("CHG", "30", "arrived", "arrived"),
    ("CHG", "95", "no-show", "noshow"),
    ("CHG", "90", "cancelled", "cancelled"),
    ("DEL", "90", "cancelled", "cancelled"),
]


@pytest.mark.parametrize("row", STATUSES, ids=lambda row: f"{row[0]}-{row[1]}")
def test_numeric_statuses_are_understood(
    site: Path, capsys: pytest.CaptureFixture[str], row: tuple[str, str, str, str]
) -> None:
    trigger, status, event, fhir = row
    (mapped,) = told(capsys, site, message(0, trigger, status=status), "map")
    assert (mapped["event"], mapped["appointment"]["status"]) == (event, fhir)
    accepted = mapped["appointment"]["participant"][0]["status"] == "accepted"
    assert accepted == (status == "20")


def texts(capsys: pytest.CaptureFixture[str], site: Path, text: str) -> list[dict[str, Any]]:
    found = told(capsys, site, text, "preview", "--now", NOW)
    return [line for line in found if line["skip"] is None]


def test_the_patient_is_texted_in_her_language_at_the_time_of_the_visit(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = texts(capsys, site, message(0))
    assert [(line["occasion"], line["to"], line["language"]) for line in found] == [
        (occasion, "+16175550123", "es") for occasion in ("booked", "five_days", "two_days", "three_hours")
    ]
    assert "jue 11 mar" in found[0]["text"]
    assert "2:30" in found[0]["text"]


def test_a_video_visit_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_person, video = (texts(capsys, site, message(0, kind=kind))[0]["text"] for kind in "OV")
    assert "video" in video.lower()
    assert "video" not in in_person.lower()


def test_a_cancellation_ends_the_reminders(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = message(0) + message(1, "DEL", status="90")
    assert [line["occasion"] for line in texts(capsys, site, both)] == []


def test_who_wants_no_texts_gets_none(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert texts(capsys, site, message(0).replace("ZPD$2$1", "ZPD$2$0")) == []


def test_a_childs_mother_is_texted(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sibling, mother = "ZFM$1$6175550166$9", "ZFM$2$6175550177$7"
    found = texts(capsys, site, message(0, born="20180301", more=f"{sibling}\r{mother}"))
    assert {line["to"] for line in found} == {"+16175550177"}
    assert all("Ana" in line["text"] for line in found)
    assert texts(capsys, site, message(0, born="20180301", more=sibling)) == []
