"""What `run` hands on to its children, and where the demo lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.entrypoints.commands.run import for_child, for_demo_alone
from integration.entrypoints.demo_folder import a_fresh_folder
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    from pathlib import Path

SURROUNDINGS = {
    "PATH": "/bin",
    "LC_ALL": "C.UTF-8",
    "AWS_SECRET_ACCESS_KEY": "s3cret",
    "APPOINTMENT_TEXTS_MLLP_PORT": "2575",
    "APPOINTMENT_TEXTS_DATA": "var",
    "APPOINTMENT_TEXTS_DATA_KEY": "s3cret",
    "APPOINTMENT_TEXTS_DATABASE_URL": "postgresql://db",
    "PUBLIC_BASE_URL": "https://texts.example.org",
    "TWILIO_AUTH_TOKEN": "s3cret",
    "EHR_BEARER_TOKEN": "s3cret",
}


def test_the_listener_is_told_of_its_store_and_its_port_alone() -> None:
    told = for_child(SURROUNDINGS, "listener")
    assert {"PATH", "LC_ALL", "APPOINTMENT_TEXTS_MLLP_PORT", "APPOINTMENT_TEXTS_DATA_KEY"} <= set(told)
    assert {"TWILIO_AUTH_TOKEN", "EHR_BEARER_TOKEN", "AWS_SECRET_ACCESS_KEY"}.isdisjoint(told)


def test_the_web_process_is_told_of_provider_and_ehr_too() -> None:
    told = for_child(SURROUNDINGS, "web")
    assert {"TWILIO_AUTH_TOKEN", "EHR_BEARER_TOKEN", "PUBLIC_BASE_URL"} <= set(told)
    assert "AWS_SECRET_ACCESS_KEY" not in told


def test_the_demo_knows_neither_the_real_store_nor_provider_nor_ehr() -> None:
    assert set(for_demo_alone(SURROUNDINGS)) == {
        *("PATH", "LC_ALL", "AWS_SECRET_ACCESS_KEY", "APPOINTMENT_TEXTS_MLLP_PORT", "APPOINTMENT_TEXTS_DATA")
    }


def test_the_demo_begins_anew(tmp_path: Path) -> None:
    with a_fresh_folder(tmp_path / "demo") as folder:
        (folder / "store.sqlite").write_text("yesterday")
        (folder / "ehr").mkdir()
        (folder / "ehr" / "charts").write_text("yesterday")
    with a_fresh_folder(tmp_path / "demo") as folder:
        assert [path.name for path in folder.iterdir()] == ["README"]


def test_the_demo_never_empties_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "patients").write_text("real")
    with pytest.raises(Refused, match="is not a folder of the demo's"), a_fresh_folder(tmp_path):
        pass
    assert (tmp_path / "patients").read_text() == "real"


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with a_fresh_folder(tmp_path) as folder:
        (folder / "store.sqlite").write_text("in use")
        with pytest.raises(Refused, match="another demo runs"), a_fresh_folder(tmp_path):
            pass
        assert (folder / "store.sqlite").exists()
