"""`learn` turns a folder of samples into a profile that a site can put into its configuration."""

from __future__ import annotations

import json
import shutil
import tomllib
from typing import TYPE_CHECKING

import pytest

from integration.entrypoints.cli import main
from tests.house.files import ROOT
from tests.mappers.test_learning import orchard

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "DATA", "DATABASE_URL", "BROKER_URL", "DATA_KEY"):
        monkeypatch.delenv(f"APPOINTMENT_TEXTS_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.hl7").write_bytes(orchard(number, status="Cancelled by us"))
    return folder


@pytest.mark.usefixtures("samples")
def test_what_is_proposed_passes_check_config_and_texts_the_numbers_of_the_z_segment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder of samples to a feed, by one file."""
    site = tmp_path / "config"
    for folder in ("feeds", "vendors"):
        (site / folder).mkdir(parents=True)
    shutil.copy(ROOT / "config" / "feeds" / "main.toml", site / "feeds")
    assert main(["map", "samples", "--json"]) == 0
    before = [json.loads(line)["text_to"] for line in capsys.readouterr().out.splitlines()]
    assert before == [[None]] * 8
    assert main(["learn", "samples", "--output", "config/vendors/orchard.toml"]) == 0
    assert capsys.readouterr().err == "8 of 8 messages are mapped; generic maps 8.\n"
    feed = site / "feeds" / "main.toml"
    feed.write_text(feed.read_text().replace('vendor = "generic"', 'vendor = "orchard"'))
    assert main(["check-config"]) == 0
    capsys.readouterr()
    assert main(["map", "samples", "--json"]) == 0
    after = [json.loads(line)["text_to"] for line in capsys.readouterr().out.splitlines()]
    assert after[0] == ["+16175550100"]
    assert [None] not in after
    assert main(["map", "samples", "--diff", "generic", "orchard", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["by_fact"]["Patient.text_to"] == 8


@pytest.mark.usefixtures("samples")
def test_the_proposal_goes_to_standard_output_and_the_count_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["learn", "samples"]) == 0
    heard = capsys.readouterr()
    assert tomllib.loads(heard.out)["extends"] == "generic"
    assert heard.err == "8 of 8 messages are mapped; generic maps 8.\n"


@pytest.mark.usefixtures("samples")
def test_counts_are_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "samples", "--output", "new.toml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"messages": 8, "mapped": 8, "mapped_by_generic": 8}


@pytest.mark.usefixtures("samples")
def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text("title = 'mine'")
    assert main(["learn", "samples", "--output", "mine.toml"]) == 1
    assert "mine.toml is there already; learn writes over nothing." in capsys.readouterr().err
    assert (tmp_path / "mine.toml").read_text() == "title = 'mine'"


WRONG = (
    (["learn"], 2, "name the FILEs to read, or --inbox N"),
    (["learn", "samples", "--extends", "genric"], 2, "no such vendor; allowed: "),
    (["learn", "samples", "--json"], 2, "--json needs --output"),
    (["learn", "samples", "--output", "nowhere/new.toml"], 1, "nowhere/new.toml: No such file or directory"),
    (["learn", "noise.hl7"], 1, "None of these is an HL7 v2 message."),
)


@pytest.mark.parametrize(("arguments", "status", "said"), WRONG, ids=[" ".join(row[0]) for row in WRONG])
@pytest.mark.usefixtures("samples")
def test_what_cannot_be_done_is_said(
    arguments: list[str], status: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.hl7").write_bytes(b"no message")
    assert main(arguments) == status
    assert said in capsys.readouterr().err
