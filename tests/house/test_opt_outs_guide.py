"""docs/opt-outs.md does what it says: its list is taken in, and its commands work in their order."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from integration.domain.consent import ConsentPolicy, permits
from integration.domain.consent_list import COLUMNS
from integration.entrypoints.cli import main
from tests.adapters.store.records import patient
from tests.house.files import ROOT

if TYPE_CHECKING:
    import pytest

    from tests.stores import StorePlace

GUIDE = (ROOT / "docs" / "opt-outs.md").read_text(encoding="utf-8")


def test_every_command_works(
    sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sqlite_place.lead_commands(monkeypatch)
    store = sqlite_place.open()
    with store.unit() as unit:
        unit.patients.save(patient(scope="main", identifiers=("|MR|4711",)))
    store.close()
    [listed] = re.findall(r"^```csv\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    (sqlite_place.data_directory / "intake.csv").write_text(listed, encoding="utf-8")
    assert set(listed.splitlines()[0].split(",")) <= set(COLUMNS)
    commands = re.findall(r"^appointment-texts (.*)$", GUIDE, re.MULTILINE)

    assert {shlex.split(command)[1] for command in commands} == {"import", "export", "show", "lift"}
    for command in commands:
        assert main(shlex.split(command)) == 0, command
    printed = capsys.readouterr().out
    assert "2 would be recorded" in printed
    assert "2 recorded, 0 known already, 0 refused" in printed
    assert "stopped by an imported list; in force" in printed
    assert "The stop is lifted." in printed


def test_the_policies_are_those_there_are() -> None:
    table = re.findall(
        r"^\| `(\w+)`.*? \| (texts|no texts) \| (texts|no texts) \| (texts|no texts) \|$", GUIDE, re.MULTILINE
    )
    assert {name: tuple(cell == "texts" for cell in cells) for name, *cells in table} == {
        policy.value: tuple(permits(policy, recorded=recorded) for recorded in (None, True, False))
        for policy in ConsentPolicy
    }
