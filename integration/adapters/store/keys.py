"""Seals what is personal before it is stored, and finds it again by a keyed hash (promise 10).

A sealed value is one byte, the number of the data key; twelve random bytes, the nonce;
then AES-256-GCM's ciphertext and tag. It opens only in the column it was sealed for.
The hash key is made with the store and lies there wrapped by the data key:
a new data key wraps it anew, and every hash stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from integration.ports.store import WrongKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEY_BYTES = 32
HASH_BYTES = 16
_NONCE_BYTES = 12
_DOES_NOT_OPEN = (InvalidTag, ValueError)  # ValueError: too short to be sealed at all
_WRAPPED = "data_keys.sealed_hash_key"

VARIABLE = "APPOINTMENT_TEXTS_DATA_KEY"
KEY_FILE = "data.key"


class Keys:
    """The keys of one open store. Safe to share between threads."""

    def __init__(self, number: int, data_key: bytes, hash_key: bytes) -> None:
        self._number = bytes([number])
        self._box = AESGCM(data_key)
        self._hash_key = hash_key

    def seal(self, column: str, plain: str | bytes) -> bytes:
        """Encrypt a value for one column, named `table.column`."""
        if isinstance(plain, str):
            plain = plain.encode()
        nonce = os.urandom(_NONCE_BYTES)
        return self._number + nonce + self._box.encrypt(nonce, plain, column.encode())

    def unseal(self, column: str, sealed: bytes) -> bytes:
        """Decrypt a value of one column; `WrongKey` when it was sealed elsewhere or by another key."""
        opened = None
        if sealed[:1] == self._number:
            with suppress(*_DOES_NOT_OPEN):
                opened = _open(self._box, sealed, column)
        if opened is None:
            raise WrongKey(f"a value of {column} does not open with this store's data key")
        return opened

    def read(self, column: str, sealed: bytes) -> str:
        """Decrypt a value of one column that is text."""
        return self.unseal(column, sealed).decode()

    def hash(self, kind: str, value: str) -> bytes:
        """What finds a value of a kind (`number`, or whose identifier it is): 16 bytes of HMAC-SHA256."""
        return hmac.digest(self._hash_key, f"{kind}\0{value}".encode(), "sha256")[:HASH_BYTES]


def new_store_keys(data_key: bytes) -> tuple[Keys, int, bytes]:
    """Keys for an empty store, with the number of the data key and the hash key wrapped by it."""
    number, hash_key = 1, os.urandom(KEY_BYTES)
    keys = Keys(number, data_key, hash_key)
    return keys, number, keys.seal(_WRAPPED, hash_key)


def open_keys(data_key: bytes, wrapped: Iterable[tuple[int, bytes]], *, source: str) -> Keys:
    """The keys of a store that has some, `(number, wrapped hash key)` each; `WrongKey` when none opens."""
    box = AESGCM(data_key)
    for number, sealed in wrapped:
        with suppress(*_DOES_NOT_OPEN):
            return Keys(number, data_key, _open(box, sealed, _WRAPPED))
    raise WrongKey(f"the data key in {source} is not the one this store was made with")


def find_data_key(data_directory: Path, given: str | None) -> tuple[bytes, str] | None:
    """The data key and where it was found: the value given, else the key file; None when there is neither."""
    if given:
        return _decode(given, VARIABLE), VARIABLE
    path = data_directory / KEY_FILE
    try:
        written = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise WrongKey(f"the key file {path} cannot be read ({type(problem).__name__})") from None
    return _decode(written, str(path)), str(path)


def make_key_file(data_directory: Path) -> tuple[bytes, str]:
    """A new data key, written to the key file so that it outlives a power cut; only for an empty store."""
    path = data_directory / KEY_FILE
    data_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    data_key = os.urandom(KEY_BYTES)
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(data_key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # never over a key that is there
    finally:
        draft.unlink()
    directory = os.open(data_directory, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return data_key, str(path)


def missing_key(data_directory: Path) -> WrongKey:
    """What to say when a store that has data finds no key."""
    path = data_directory / KEY_FILE
    return WrongKey(f"the store is not empty, but its data key is neither in {VARIABLE} nor in {path}")


def _open(box: AESGCM, sealed: bytes, column: str) -> bytes:
    return box.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], column.encode())


def _decode(written: str, source: str) -> bytes:
    try:
        data_key = base64.b64decode(written.strip(), validate=True)
    except binascii.Error:
        data_key = b""
    if len(data_key) != KEY_BYTES:
        raise WrongKey(f"the data key in {source} is not {KEY_BYTES} bytes in base64")
    return data_key
