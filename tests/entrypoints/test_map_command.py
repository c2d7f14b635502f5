"""`map` explains what a message becomes; `map --diff` what another mapping would make of it."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from integration.entrypoints import terminal
from integration.entrypoints.cli import main
from tests.adapters.store.records import digest, kept
from tests.house.files import ROOT
from tests.messages import siu
from tests.stores import TEST_DATA_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stores import StorePlace

VISIT = datetime.fromisoformat("2027-03-11T14:30-05:00")
BOOKED_AT = datetime.fromisoformat("2027-03-01T11:00-05:00")


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def booking(tmp_path: Path) -> Path:
    path = tmp_path / "booking.hl7"
    path.write_bytes(siu("S12", at=BOOKED_AT, start=VISIT, control_id="C1"))
    return path


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


EXPLAINED = {
    "event": ("booked", "MSH-9.2", "trigger event S12"),
    "Appointment.identifier": ("A1", "SCH-2", "appointment.identity"),
    "Appointment.status": ("booked", "SCH-25.1", 'statuses.booked: "booked"'),
    "Appointment.start": ("2027-03-11 14:30-05:00", "SCH-11.4", "times[2].start"),
    "Appointment.end": ("2027-03-11 15:00-05:00", "SCH-11.3", "times[2].duration"),
    "Appointment.zone": ("America/New_York", "", "the feed's zone"),
    "Appointment.location": ("RIVER", "AIL-3", "appointment.locations"),
    "Patient.identifier": ("MRN1 (RIVER/MR)", "PID-3", "patient.identifiers, patient.types: MR"),
    "Patient.text_to": ("+16175550123", "PID-13", 'phones.sources[1].path, phones.mobile: "PRS"'),
    "practice": ("riverside", "", "practices/riverside.toml: serves_unclaimed, in test mode"),
}


def test_every_fact_has_its_value_its_source_and_the_line_that_made_it_so(
    booking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", str(booking), "--json"]) == 0
    (told,) = lines(capsys)
    # A name that repeats: the first counts, the most specific location.
    facts = {each["name"]: (each["value"], each["path"], each["rule"]) for each in reversed(told["facts"])}
    assert {name: facts.get(name) for name in EXPLAINED} == EXPLAINED


def test_a_person_reads_a_table(booking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(booking)]) == 0
    told = capsys.readouterr().out
    assert f"{booking}  C1  S12 → booked" in told
    (start,) = [line for line in told.splitlines() if "Appointment.start" in line]
    assert "  SCH-11.4  " in start
    assert "times[2].start" in start
    assert "\x1b" not in told


@pytest.mark.parametrize("columns", [40, 79, 100])
def test_nothing_is_wider_than_the_terminal(
    columns: int, booking: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["map", booking.name]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= columns
    assert "Appointment.start" in told


@pytest.mark.parametrize(
    ("variables", "painted"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_a_terminal_is_painted_unless_it_asks_to_be_spared(
    variables: dict[str, str],
    painted: bool,  # noqa: FBT001 - a row of the table
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert terminal.may_paint() is painted


def test_a_start_that_is_not_believed_is_warned_of_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = siu("S12", at=BOOKED_AT, start=VISIT).replace(b"Booked\r", b"Perhaps\r")
    (tmp_path / "odd.hl7").write_bytes(message)
    assert main(["map", "odd.hl7"]) == 0
    assert "warning at SCH-25.1: the status word is in no table" in capsys.readouterr().out


def test_a_folder_stands_for_every_file_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    below = tmp_path / "samples" / "january"
    below.mkdir(parents=True)
    (tmp_path / "samples" / ".hidden").write_bytes(siu("S12", at=BOOKED_AT, start=VISIT))
    (below / "b.hl7").write_bytes(siu("S12", at=BOOKED_AT, start=VISIT, control_id="B"))
    (tmp_path / "samples" / "a.txt").write_bytes(
        siu("S12", at=BOOKED_AT, start=VISIT, control_id="A").decode().encode("utf-16")
    )
    (tmp_path / "samples" / "notes.md").write_text("# notes")
    assert main(["map", "samples", "--json"]) == 0
    heard = capsys.readouterr()
    assert [json.loads(line)["control_id"] for line in heard.out.splitlines()] == ["A", "B"]
    assert heard.err == ("samples: passed over what holds no message, 1 files such as samples/notes.md\n")


def test_a_folder_without_messages_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["map", "empty"]) == 1
    assert capsys.readouterr().err == "empty: holds no file\n"
    (tmp_path / "empty" / "notes.md").write_text("# notes")
    assert main(["map", "empty"]) == 1
    assert "empty: no file in it holds a message" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("mode", [0o000, 0o600])
def test_a_folder_that_may_not_be_read_is_said_so(
    mode: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "a.hl7").write_bytes(b"MSH|")
    folder.chmod(mode)
    assert main(["map", "closed"]) == 1
    folder.chmod(0o700)
    assert "closed" in capsys.readouterr().err


def test_a_binary_file_is_refused_and_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "picture.png").write_bytes(bytes(range(256)) * 100)
    assert main(["map", "picture.png"]) == 1
    told = capsys.readouterr().out
    assert "refused at MSH: no MSH segment was found" in told
    assert len(told) < 300


def test_a_profile_on_trial_shows_what_it_alters(
    tmp_path: Path, booking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.toml").write_text(
        'extends = "generic"\ntitle = "On trial"\n[appointment]\nidentity = ["SCH-1"]\n'
        '[statuses]\narrived = ["Booked"]\nbooked = ["Sched"]\n[phones]\nmobile = ["XX"]\nhome = ["CP"]\n'
    )
    assert main(["map", booking.name, "--diff", "generic", "new.toml", "--json"]) == 0
    differing, summary = lines(capsys)
    found = {each["fact"]: (each["old"], each["new"]) for each in differing["differences"]}
    assert (differing["file"], differing["control_id"]) == (booking.name, "C1")
    assert found["Appointment.identifier"] == ("A1", "PA1")
    assert found["Appointment.status"] == ("booked", "arrived")
    assert found["event"] == ("booked", "arrived")
    assert "warning home-number" in found
    assert "Appointment.start" not in found
    assert summary["messages"] == summary["differ"] == 1
    assert summary["by_fact"]["event"] == 1


def test_the_same_identifier_from_another_place_is_another_identifier(
    tmp_path: Path, booking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    booking.write_bytes(booking.read_bytes().replace(b"SCH|PA1|A1|", b"SCH|A1|A1|"))
    (tmp_path / "new.toml").write_text('extends = "generic"\n[appointment]\nidentity = ["SCH-1"]\n')
    assert main(["map", booking.name, "--diff", "generic", "new.toml"]) == 0
    told = capsys.readouterr().out
    assert "Appointment.identifier" in told
    assert "1 of 1 messages become something else" in told


def test_two_mappings_alike_say_so(booking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", booking.name, "--diff", "generic", "generic"]) == 0
    assert capsys.readouterr().out == "The 1 messages become the same.\n"


def test_whole_configurations_are_compared(
    tmp_path: Path, booking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, zone in (("old", "America/New_York"), ("new", "America/Chicago")):
        (tmp_path / name / "feeds").mkdir(parents=True)
        shipped = (ROOT / "config" / "feeds" / "main.toml").read_text()
        (tmp_path / name / "feeds" / "main.toml").write_text(shipped.replace("America/New_York", zone))
    assert main(["map", booking.name, "--diff", "old", "new", "--json"]) == 0
    differing, _ = lines(capsys)
    found = {each["fact"]: (each["old"], each["new"]) for each in differing["differences"]}
    assert found["Appointment.start"] == ("2027-03-11 14:30-05:00", "2027-03-11 14:30-06:00")
    assert found["Appointment.zone"] == ("America/New_York", "America/Chicago")


def test_a_message_the_new_mapping_refuses_is_exit_status_1(
    tmp_path: Path, booking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.toml").write_text('extends = "generic"\n[appointment]\nidentity = ["ZAP-1"]\n')
    assert main(["map", booking.name, "--diff", "generic", "new.toml", "--json"]) == 1
    differing, _ = lines(capsys)
    found = {each["fact"]: (each["old"], each["new"]) for each in differing["differences"]}
    assert found["refusal"] == ("", "no-appointment-identifier")


def test_a_wrong_profile_on_trial_has_its_mistakes_listed(
    tmp_path: Path, booking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.toml").write_text('extends = "generic"\n[appointment]\nidentiy = ["SCH-1"]\n')
    assert main(["map", booking.name, "--diff", "generic", "new.toml"]) == 1
    assert "new.toml: appointment.identiy: unknown key" in capsys.readouterr().err


def test_what_the_inbox_has_kept_can_be_mapped_and_compared(
    sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATABASE_URL", sqlite_place.url)
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(sqlite_place.data_directory))
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA_KEY", TEST_DATA_KEY)
    store = sqlite_place.open()
    with store.unit() as unit:
        for number in range(1, 4):
            message = kept(number, payload=siu("S12", at=BOOKED_AT, start=VISIT, control_id=f"K{number}"))
            unit.inbox.add(message, digest(message))
        stranger = kept(9, channel="other", payload=b"MSH|")
        unit.inbox.add(stranger, digest(stranger))
    store.close()
    assert main(["map", "--inbox", "2", "--json"]) == 0
    assert [(told["file"], told["control_id"]) for told in lines(capsys)] == [
        *(("inbox 2", "K2"), ("inbox 3", "K3"))
    ]
    assert main(["map", "--inbox", "9", "--diff", "generic", "generic"]) == 0
    assert "The 3 messages become the same." in capsys.readouterr().out


def test_noise_that_happens_to_hold_the_letters_is_one_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.bin").write_bytes(b"\x0bab\x0bcdMSH\x0bef\x1c" * 50)
    assert main(["map", "noise.bin", "--json"]) == 1
    assert len(lines(capsys)) == 1


EXPLAINED_ADT = (
    ("adt_a04.hl7", "Visit.identifier", ("V-55101", "PV1-19")),
    ("adt_a40_two_pairs.hl7", "Merge.gone", ("900102 (RIVERSIDE/MR)", "MRG-1")),
    ("adt_a08_dead.hl7", "Patient.deceased", ("yes", "PID-29")),
    ("adt_a45_visit_moved.hl7", "Visit.taken_from", ("900199 (RIVERSIDE/MR)", "MRG-1")),
)


@pytest.mark.parametrize(("file", "name", "said"), EXPLAINED_ADT, ids=[row[0] for row in EXPLAINED_ADT])
def test_what_adt_says_is_explained_too(
    file: str, name: str, said: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", str(ROOT / "tests" / "samples" / file), "--json"]) == 0
    (told,) = lines(capsys)
    facts = {each["name"]: (each["value"], each["path"]) for each in reversed(told["facts"])}
    assert facts[name] == said
