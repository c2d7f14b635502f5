"""`[mllp]` of a feed: how its port behaves, and what is said of a mistake in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from integration.settings.files import SHIPPED
from integration.settings.load import load
from integration.settings.mistakes import ConfigError
from integration.settings.model import Mllp
from tests.listener.certificates import Authority

FEED = (SHIPPED / "feeds" / "main.toml").read_text()
THIS = str(Path(__file__).resolve())


def site(folder: Path, section: str, feed: str = FEED) -> Path:
    (folder / "feeds").mkdir(parents=True)
    (folder / "feeds" / "main.toml").write_text(f"{feed}\n[mllp]\n{section}\n")
    return folder


def mistake(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    (only,) = caught.value.mistakes
    return str(only)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority", "ours")


def test_without_it_everybody_may_connect_in_the_clear() -> None:
    assert load(SHIPPED).feeds["main"].mllp == Mllp()


def test_everything_can_be_said(tmp_path: Path, authority: Authority) -> None:
    files = authority.issue("server")
    section = f"""
        allow = ["10.1.0.0/16", "192.0.2.7", "2001:db8::/32"]
        certificate = "{files.certificate}"
        key = "{files.key}"
        clients_ca = "{authority.file}"
        commit_bytes = true
        batch_answer = "batch"
        sequence = true
        frame_limit = "2m"
        idle_limit = "12h"
        max_connections = 10
        max_unfinished_bytes = 33554432
    """
    assert load(site(tmp_path / "config", section)).feeds["main"].mllp == Mllp(
        allow=("10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32"),
        certificate=files.certificate,
        key=files.key,
        clients_ca=authority.file,
        commit_bytes=True,
        batch_answer="batch",
        sequence=True,
        frame_limit=timedelta(minutes=2),
        idle_limit=timedelta(hours=12),
        max_connections=10,
        max_unfinished_bytes=32 * 1024 * 1024,
    )


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('allow = ["10.1.2.3/16"]', "mllp.allow.0: must be a network or an address, such as"),
        ('allow = ["10.1.2.3/16"]', "; did you mean 10.1.0.0/16?"),
        ('allow = ["engine.example"]', "mllp.allow.0: must be a network or an address"),
        ("allow = [10]", "mllp.allow.0: must be a network or an address"),
        ('certificate = "server.pem"\nkey = "server.key"', "mllp.certificate: must be the whole path"),
        (f'certificate = "{THIS}"', "mllp: certificate and key go together"),
        (f'clients_ca = "{THIS}"', "mllp: clients_ca asks for TLS: it needs a certificate and a key of ours"),
        ('batch_answer = "batches"', "mllp.batch_answer: unknown word; allowed: batch, each; did you mean"),
        ("frame_limit = 5", 'mllp.frame_limit: must be at least 10 or "10s"'),
        ("idle_limit = 30", 'mllp.idle_limit: must be at least 600 or "10m"'),
        ("max_connections = 0", "mllp.max_connections: "),
        ("max_unfinished_bytes = 2048", "mllp.max_unfinished_bytes must leave room for one message"),
        ("allowed = []", "mllp.allowed: unknown key; "),
    ],
)
def test_a_mistake_is_said(section: str, said: str, tmp_path: Path) -> None:
    found = [line for line in _all_mistakes(site(tmp_path, section)) if said in line]
    assert found, said


def _all_mistakes(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return [str(each) for each in caught.value.mistakes]


def test_files_that_do_not_fit_are_found_before_anything_listens(
    tmp_path: Path, authority: Authority
) -> None:
    good, other = authority.issue("server"), authority.issue("other")
    pair = f'certificate = "{good.certificate}"\nkey = "{{}}"'.format
    assert mistake(site(tmp_path / "1", pair(other.key))) == (
        "feeds/main.toml: mllp.key: is not the key of the certificate"
    )
    assert mistake(site(tmp_path / "2", pair(THIS))).startswith("feeds/main.toml: mllp.certificate: it and")
    clients = f'{pair(good.key)}\nclients_ca = "{THIS}"'
    assert mistake(site(tmp_path / "3", clients)) == (
        "feeds/main.toml: mllp.clients_ca: holds no certificate in PEM form"
    )
