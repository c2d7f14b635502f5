"""`[application_acknowledgment]` of a feed: off unless written; a mistake in it is said with its remedy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from integration.settings.files import SHIPPED
from integration.settings.load import load
from integration.settings.mistakes import ConfigError
from integration.settings.model import ApplicationAcknowledging, TlsFiles

FEED = (SHIPPED / "feeds" / "main.toml").read_text()


def site(folder: Path, section: str, feed: str = FEED) -> Path:
    (folder / "feeds").mkdir()
    (folder / "feeds" / "main.toml").write_text(f"{feed}\n{section}\n")
    return folder


def test_it_is_off_unless_written() -> None:
    assert load(SHIPPED).feeds["main"].application_acknowledgment is None


def test_host_and_port_are_enough(tmp_path: Path) -> None:
    section = '[application_acknowledgment]\nhost = "engine.example"\nport = 2576'
    assert load(site(tmp_path, section)).feeds["main"].application_acknowledgment == ApplicationAcknowledging(
        "engine.example", 2576, "accept", timedelta(seconds=30), timedelta(hours=24), None
    )


def test_everything_can_be_said(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "certificate", "key")}
    for file in files.values():
        file.touch()
    lines = [
        '[application_acknowledgment]\nhost = "10.1.2.3"\nport = 2576\nanswer = "none"',
        'timeout = 5\ngive_up_after = "2h"\n[application_acknowledgment.tls]',
        *(f'{name} = "{file}"' for name, file in files.items()),
    ]
    assert load(site(tmp_path, "\n".join(lines))).feeds["main"].application_acknowledgment == (
        ApplicationAcknowledging(
            "10.1.2.3", 2576, "none", timedelta(seconds=5), timedelta(hours=2), TlsFiles(**files)
        )
    )


WHERE = '[application_acknowledgment]\nhost = "h"\nport = 2576\n'


@pytest.mark.parametrize(
    ("section", "feed", "said"),
    [
        ('[application_acknowledgment]\nhost = "h"', FEED, "application_acknowledgment.port: missing"),
        (
            WHERE + 'answer = "acept"',
            FEED,
            "answer: unknown word; allowed: accept, commit, none; did you mean",
        ),
        (WHERE + 'timeout = "5m"', FEED, "application_acknowledgment.timeout: "),
        (WHERE + 'tls = { ca = "ca.pem" }', FEED, "tls.ca: must be the whole path of a file that is there"),
        (WHERE + f'tls = {{ key = "{Path(__file__).resolve()}" }}', FEED, "certificate and key go together"),
        (WHERE, FEED.replace('"msh"', '"always_aa"'), "application_acknowledgment follows a CA"),
    ],
)
def test_a_mistake_is_said(section: str, feed: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(site(tmp_path, section, feed))
    (mistake,) = caught.value.mistakes
    assert said in str(mistake)
