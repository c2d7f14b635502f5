"""What is sealed opens with the right key only, and is found again by a hash."""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING

import pytest

from integration.adapters.store.keys import (
    KEY_FILE,
    find_data_key,
    make_key_file,
    missing_key,
    new_store_keys,
    open_keys,
)
from integration.ports.store import WrongKey

if TYPE_CHECKING:
    from pathlib import Path

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


@pytest.mark.parametrize("plain", ["", "Adalina", "Grüße an Žofie 🎈", "\x00"])
def test_what_was_sealed_is_read_again(plain: str) -> None:
    keys, _, _ = new_store_keys(KEY)
    assert keys.read("patients.sealed_given", keys.seal("patients.sealed_given", plain)) == plain


def test_the_same_value_is_never_sealed_the_same_way() -> None:
    keys, _, _ = new_store_keys(KEY)
    assert len({keys.seal("texts.sealed_body", "Hola") for _ in range(100)}) == 100


def test_a_value_opens_only_in_its_own_column_and_only_unharmed() -> None:
    keys, _, _ = new_store_keys(KEY)
    sealed = keys.seal("patients.sealed_given", "Adalina")
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for column, value in (
        ("patients.sealed_family", sealed),
        ("patients.sealed_given", flipped),
        ("patients.sealed_given", b"\x02" + sealed[1:]),
        ("patients.sealed_given", b""),
        ("patients.sealed_given", sealed[:5]),
    ):
        with pytest.raises(WrongKey, match=column):
            keys.unseal(column, value)


def test_a_hash_finds_the_same_value_of_the_same_kind() -> None:
    keys, _, _ = new_store_keys(KEY)
    stranger, _, _ = new_store_keys(KEY)
    found = keys.hash("number", "+12025550123")
    assert found == keys.hash("number", "+12025550123")
    assert len(found) == 16
    assert found != keys.hash("number", "+12025550124")
    assert found != keys.hash("identifier\0main", "+12025550123")
    assert found != stranger.hash("number", "+12025550123")  # each store has a hash key of its own


def test_a_new_data_key_touches_no_hash() -> None:
    """Rotation: the hash key is wrapped anew, under another number."""
    keys, number, wrapped = new_store_keys(KEY)
    again = open_keys(KEY, [(9, os.urandom(60)), (number, wrapped)], source="the test")
    assert again.hash("number", "+12025550123") == keys.hash("number", "+12025550123")
    assert again.read("t.c", keys.seal("t.c", "Adalina")) == "Adalina"


def test_a_wrong_data_key_opens_no_store() -> None:
    _, number, wrapped = new_store_keys(KEY)
    with pytest.raises(WrongKey, match="in the test is not the one"):
        open_keys(OTHER_KEY, [(number, wrapped)], source="the test")
    with pytest.raises(WrongKey):
        open_keys(KEY, [], source="the test")


def test_the_key_given_comes_before_the_key_file(tmp_path: Path) -> None:
    assert find_data_key(tmp_path, None) is None
    made, source = make_key_file(tmp_path)
    assert source == str(tmp_path / KEY_FILE)
    assert find_data_key(tmp_path, None) == (made, source)
    assert find_data_key(tmp_path, base64.b64encode(KEY).decode()) == (KEY, "APPOINTMENT_TEXTS_DATA_KEY")


def test_a_key_file_is_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    made, _ = make_key_file(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new" / KEY_FILE).stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        make_key_file(tmp_path / "new")
    assert find_data_key(tmp_path / "new", None) == (made, str(tmp_path / "new" / KEY_FILE))
    assert [each.name for each in (tmp_path / "new").iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("written", ["", "not base64!", base64.b64encode(b"short").decode(), "ключ"])
def test_a_malformed_key_is_named_and_never_shown(tmp_path: Path, written: str) -> None:
    (tmp_path / KEY_FILE).write_text(written, encoding="utf-8")
    with pytest.raises(WrongKey, match=KEY_FILE) as refused:
        find_data_key(tmp_path, None)
    assert not written or written not in str(refused.value)


def test_a_missing_key_says_where_it_was_looked_for(tmp_path: Path) -> None:
    assert "APPOINTMENT_TEXTS_DATA_KEY" in str(missing_key(tmp_path))
    assert str(tmp_path / KEY_FILE) in str(missing_key(tmp_path))
