"""The command line as other people's scripts use it: what it prints, where, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hl7_listener.framing import frame
from integration.entrypoints.cli import COMMANDS, main
from tests.house.files import ROOT
from tests.messages import siu

if TYPE_CHECKING:
    from pathlib import Path

VISIT = datetime.fromisoformat("2027-03-11T14:30-05:00")
BOOKED_AT = datetime.fromisoformat("2027-03-01T11:00-05:00")


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test; the folder is empty, so the shipped configuration serves."""
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def booking(tmp_path: Path) -> Path:
    path = tmp_path / "booking.hl7"
    path.write_bytes(siu("S12", at=BOOKED_AT, start=VISIT, control_id="C1"))
    return path


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_help_lists_every_command_and_imports_none() -> None:
    script = (
        "import sys; from integration.entrypoints.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print([name for name in sys.modules if name in "
        "('pydantic', 'sqlalchemy', 'flask', 'celery', 'fhir_mappers', 'babel')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert [name for name in COMMANDS if name not in done.stdout] == []
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"appointment-texts {command}" in capsys.readouterr().out


WRONG_USAGE: tuple[list[str], ...] = (
    [],
    ["mpa"],
    ["map", "--jsno", "x.hl7"],
    ["run", "--from", "tomorrow"],
    ["run", "--from", "2027-03-01T09:00"],
    ["run", "--speed", "0"],
    ["run", "--speed", "fast"],
    ["send", "x.hl7"],
    ["usage", "--from", "2027-03-01"],
    ["usage", "--from", "March", "--to", "2027-03-01"],
)


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_is_exit_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: appointment-texts")


NAMES_NOTHING = (
    (
        ["map", "booking.hl7", "--feed", "mian"],
        "--feed mian: no such feed; allowed: ehr, main; did you mean main?",
    ),
    (["map"], "name the FILEs to read, or --inbox N"),
    (["map", "booking.hl7", "--inbox", "5"], "FILE or --inbox, not both"),
    (["map", "--inbox", "0"], "--inbox needs a number from 1"),
    (["map", "booking.hl7", "--diff", "generic", "genric"], "no such vendor; allowed: "),
    (["map", "booking.hl7", "--diff", "generic", "new.toml"], "--diff new.toml: there is no such file"),
    (["preview", "booking.hl7", "--practice", "x"], "--practice x: no such practice; allowed: riverside"),
    (["classify-reply", "--language", "xx"], "--language xx: allowed: en, en_GB, es, pt, vi, zh"),
    (["classify-reply", "--options", "C"], "--options: write LABEL=intent"),
    (["classify-reply", "--options", "C=confrim"], "--options C=confrim: unknown intent"),
    (["usage", "--from", "2027-03-02", "--to", "2027-03-01"], "--to lies before --from"),
)


@pytest.mark.parametrize(("arguments", "said"), NAMES_NOTHING, ids=str)
@pytest.mark.usefixtures("booking")
def test_a_name_of_nothing_is_exit_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "nowhere.hl7"]) == 1
    heard = capsys.readouterr()
    assert (heard.out, heard.err) == ("", "nowhere.hl7: No such file or directory\n")


def test_an_empty_file_is_exit_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.hl7").write_bytes(b"\n")
    assert main(["map", "empty.hl7"]) == 1
    assert capsys.readouterr().err == "empty.hl7: is empty\n"


def test_a_wrong_configuration_is_told_and_is_exit_status_1(
    tmp_path: Path, booking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('mode = "tset"\nalowed_numbers = []\n')
    assert main(["map", str(booking)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("The configuration has 2 mistakes:\n")
    assert "did you mean test?" in told
    assert "did you mean allowed_numbers?" in told


def test_check_config_says_the_shipped_one_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config"]) == 0
    assert "Nothing is wrong in the shipped configuration: mode test." in capsys.readouterr().out


def test_check_config_tries_the_keys_and_says_what_no_feed_hears(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EHR_SUBSCRIPTION_SECRET_NOBODY", "a word")
    assert main(["check-config"]) == 0
    assert "EHR_SUBSCRIPTION_SECRET_NOBODY: no feed of that name has [fhir]." in capsys.readouterr().out
    monkeypatch.setenv("EHR_PRIVATE_KEY", "no key")
    assert main(["check-config"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("environment: EHR_PRIVATE_KEY: it is no private key")
    assert "no key\n" not in out


def test_check_config_lists_mistakes_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "reminders.toml").write_text("settle = 1")
    assert main(["check-config", "--json"]) == 1
    assert {(each["file"], each["key"]) for each in lines(capsys)} == {
        ("reminders.toml", key) for key in ("caps", "evening", "hours", "steps")
    }


def test_map_tells_what_a_message_becomes(booking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(booking), "--json"]) == 0
    (told,) = lines(capsys)
    assert list(told) == [
        *("file", "control_id", "trigger", "event", "appointment", "patients", "text_to"),
        *("warnings", "refusal", "sources", "facts", "visit", "merges"),
    ]
    assert (told["file"], told["control_id"], told["trigger"]) == (str(booking), "C1", "S12")
    assert (told["event"], told["refusal"]) == ("booked", None)
    assert datetime.fromisoformat(told["appointment"]["start"]) == VISIT
    assert told["text_to"] == ["+16175550123"]


def test_map_reads_many_messages_framed_or_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    messages = [siu("S12", at=BOOKED_AT, start=VISIT, control_id=f"C{n}") for n in range(4)]
    (tmp_path / "framed.hl7").write_bytes(frame(messages[0]) + b"\n" + frame(messages[1]))
    (tmp_path / "bare.hl7").write_bytes(messages[2] + messages[3])
    assert main(["map", "framed.hl7", "bare.hl7", "--json"]) == 0
    assert [(told["file"], told["control_id"]) for told in lines(capsys)] == [
        *(("framed.hl7", "C0"), ("framed.hl7", "C1"), ("bare.hl7", "C2"), ("bare.hl7", "C3"))
    ]


def test_a_refused_message_has_its_reason_and_is_exit_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.hl7").write_bytes(b"no message at all")
    assert main(["map", "noise.hl7", "--json"]) == 1
    (told,) = lines(capsys)
    assert told["appointment"] is None
    assert set(told["refusal"]) == {"code", "text"}


def test_preview_tells_the_texts(booking: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", str(booking), "--now", BOOKED_AT.isoformat(), "--json"]) == 0
    told = lines(capsys)
    assert [each["step"] for each in told if each["skip"] is None][:2] == ["booked", "five_days"]
    assert {each["control_id"] for each in told} == {"C1"}


def test_classify_reply_reads_a_reply_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", iter(["C\n", "CANCEL\n", "thanks\n"]))
    assert main(["classify-reply", "--json"]) == 0
    told = lines(capsys)
    assert [(each["text"], each["intent"]) for each in told] == [
        *(("C", "confirm"), ("CANCEL", "stop"), ("thanks", "human"))
    ]
    assert [set(each) for each in told] == [{"text", "intent", "urgent", "reason"}] * 3


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_replies_are_utf8_whatever_the_locale_and_garbage_is_read_on(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "integration.entrypoints.cli", "classify-reply", "--json"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        input="👍\n".encode() + b"\xff\xfe\nsi\xcc\x81\n",
        check=True,
        capture_output=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["text"], each["intent"]) for each in told] == [
        *(("👍", "confirm"), ("\ufffd\ufffd", "human"), ("si\u0301", "confirm"))
    ]


def test_check_config_tells_of_surroundings_and_configuration_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "settings.toml").write_text('mode = "lvie"')
    monkeypatch.setenv("APPOINTMENT_TEXTS_CONFIG", str(tmp_path / "site"))
    monkeypatch.setenv("APPOINTMENT_TEXTS_MLLP_PORT", "many")
    assert main(["check-config", "--json"]) == 1
    assert [(each["file"], each["key"]) for each in lines(capsys)] == [
        ("environment", "APPOINTMENT_TEXTS_MLLP_PORT"),
        ("settings.toml", "mode"),
    ]


def test_help_keeps_the_names_of_standards(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["send", "--help"])
    assert "Send HL7 v2 messages over MLLP" in capsys.readouterr().out


def test_a_fast_calendar_is_refused_where_texts_could_leave(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"ACCOUNT_SID": "AC0", "AUTH_TOKEN": "t", "FROM": "+15005550006"}.items():
        monkeypatch.setenv(f"TWILIO_{name}", value)
    assert main(["run", "--speed", "60"]) == 1
    assert "TWILIO_API_BASE_URL on this machine" in capsys.readouterr().err


def test_usage_and_inbox_make_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    today = BOOKED_AT.date()
    assert main(["inbox"]) == 1
    assert main(["usage", "--from", f"{today}", "--to", f"{today + timedelta(days=1)}"]) == 1
    assert capsys.readouterr().err.count("There is no store in var yet") == 2
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_has_seen_enough_is_no_error(booking: Path) -> None:
    command = [sys.executable, "-m", "integration.entrypoints.cli", "map", *[str(booking)] * 200, "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as mapping:
        assert mapping.stdout is not None
        assert mapping.stderr is not None
        assert mapping.stdout.readline()
        mapping.stdout.close()
        assert mapping.stderr.read() == b""
    assert mapping.returncode == 0
