"""Keys are made, rotated and shown; a file of keys is never written over, and no command prints a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from integration.adapters.ehr.signing_keys import read_keys
from integration.entrypoints.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def a_plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PUBLIC_BASE_URL", "EHR_PRIVATE_KEY", "EHR_PRIVATE_KEY_FILE", "EHR_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def private_words(file: Path) -> list[str]:
    return [key.private()["d"] for key in read_keys(file.read_text())]


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    said = capsys.readouterr()
    return json.loads(said.out), said.err


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_new_key_is_for_its_owner_and_its_public_half_is_shown(
    tmp_path: Path, algorithm: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://texts.example.org")
    file = tmp_path / "keys.json"
    assert main(["keys", "new", "--out", str(file), "--alg", algorithm]) == 0
    shown, said = printed(capsys)
    (key,) = read_keys(file.read_text())
    assert shown == {"keys": [key.public()]}
    assert (key.algorithm, file.stat().st_mode & 0o777) == (algorithm, 0o600)
    assert "https://texts.example.org/.well-known/jwks.json" in said
    assert not [word for word in private_words(file) if word in f"{shown}{said}"]


def test_a_file_of_keys_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "keys.json"
    main(["keys", "new", "--out", str(file)])
    before = file.read_text()
    assert main(["keys", "new", "--out", str(file)]) == 1
    assert "never written over" in capsys.readouterr().err
    assert file.read_text() == before


def test_a_rotation_publishes_a_key_that_signs_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys.json"
    main(["keys", "new", "--out", str(file)])
    capsys.readouterr()
    assert main(["keys", "rotate", str(file), "--after", "2h"]) == 0
    shown, said = printed(capsys)
    new, old = read_keys(file.read_text())
    assert [each["kid"] for each in shown["keys"]] == [new.kid, old.kid]
    assert f"signs from {new.signs_from.isoformat()} on" in said
    assert not [word for word in private_words(file) if word in f"{shown}{said}"]


def test_the_public_set_is_shown_of_a_file_or_of_what_the_environment_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    main(["keys", "new", "--out", str(file)])
    made, _ = printed(capsys)
    assert main(["keys", "show", str(file)]) == 0
    assert printed(capsys)[0] == made
    assert main(["keys", "show"]) == 2
    capsys.readouterr()
    monkeypatch.setenv("EHR_PRIVATE_KEY_FILE", str(file))
    assert main(["keys", "show"]) == 0
    assert printed(capsys)[0] == made


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["rotate", "nowhere.json"], 1, "FileNotFoundError"),
        (["rotate", "wrong.pem"], 1, "no private key"),
        (["show", "wrong.pem"], 1, "no private key"),
        (["new", "--out", "nowhere/keys.json"], 1, "FileNotFoundError"),
        (["rotate", "wrong.pem", "--after", "soon"], 2, "--after: must be seconds"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.pem").write_text("s3cret")
    assert main(["keys", *arguments]) == status
    told = capsys.readouterr()
    assert said in told.err
    assert "s3cret" not in told.out + told.err
