"""docs/costs.md does what it says: its settings load, its commands are understood, its columns are there."""

from __future__ import annotations

import re
import shlex
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from integration.domain.cost import Costs
from integration.entrypoints.cli import main
from integration.entrypoints.commands.usage import FIGURES
from integration.settings.load import load
from tests.house.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_settings_it_shows_load_as_it_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    practice = tmp_path / "config" / "practices" / "riverside.toml"
    (shown,) = blocks("toml")
    keys = {line.split(" =")[0] for line in shown.splitlines() if " = " in line}
    kept = [
        line for line in practice.read_text(encoding="utf-8").splitlines() if line.split(" =")[0] not in keys
    ]
    practice.write_text("\n".join([*kept, shown]), encoding="utf-8")
    assert load(tmp_path / "config").practices["riverside"].costs == Costs(
        price_per_segment=Decimal("0.0083"),
        price_per_reply_segment=Decimal("0.0083"),
        allowance=5000,
        overage=Decimal("0.012"),
        budget=Decimal(80),
        warn_at=0.8,
        stop=True,
    )


@pytest.mark.parametrize("command", [line for block in blocks("sh") for line in block.splitlines()])
def test_its_commands_are_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(tmp_path))
    name, *words = shlex.split(command)
    assert name == "appointment-texts"
    assert main(words) == 1  # there is no store; a command that is not understood ends with 2
    assert "store" in capsys.readouterr().err


def test_it_explains_every_column() -> None:
    explained = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", GUIDE, re.MULTILINE))))
    assert explained == set(FIGURES)
