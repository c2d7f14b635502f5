"""Files of signing keys: made, added to, and cleared of keys that signed long ago."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from integration.adapters.ehr.signing_keys import new_key, read_keys, signer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from integration.adapters.ehr.signing_keys import Algorithm, SigningKey

# How long a key that signs no more is published: longer than its assertions live, and any cache of the EHR's.
PUBLISHED_AFTERWARDS: Final = timedelta(days=1)
_PRIVATE: Final = 0o600


def make(file: Path, algorithm: Algorithm) -> SigningKey:
    """A new JWK Set with one key that signs at once. Raises FileExistsError, OSError."""
    key = new_key(algorithm)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write(_as_text([key]))
        written.flush()
        os.fsync(written.fileno())
    return key


def rotate(file: Path, now: datetime, after: timedelta) -> tuple[SigningKey, list[SigningKey]]:
    """Add a key like the one that signs, which signs from `now + after` on; drop those that ended.

    Returns the new key and the dropped ones. Raises BadKey, OSError.
    """
    there = file.resolve(strict=True)
    keys = read_keys(there.read_text(encoding="utf-8"))
    signing = signer(keys, None, now) or keys[0]
    fresh = new_key(signing.algorithm, (now + after).replace(microsecond=0))
    dropped = [each for each in keys if _has_ended(each, keys, now)]
    _replace(there, _as_text([fresh, *(each for each in keys if each not in dropped)]))
    return fresh, dropped


def _has_ended(key: SigningKey, keys: Sequence[SigningKey], now: datetime) -> bool:
    """Whether another of its algorithm has signed instead of it for long enough."""
    later = [
        each.signs_from
        for each in keys
        if each.algorithm == key.algorithm and each.signs_from > key.signs_from
    ]
    return bool(later) and min(later) + PUBLISHED_AFTERWARDS <= now


def _as_text(keys: Sequence[SigningKey]) -> str:
    return json.dumps({"keys": [each.private() for each in keys]}, indent=2) + "\n"


def _replace(file: Path, text: str) -> None:
    """In one step, with the file's own owner and permissions: who reads it now can read it then."""
    was = file.stat()
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            with suppress(PermissionError):  # it is ours, and stays ours
                os.fchown(descriptor, was.st_uid, was.st_gid)
            os.fchmod(descriptor, was.st_mode & 0o777)
            written.write(text)
            written.flush()
            os.fsync(descriptor)
        Path(draft).replace(file)
    finally:
        draft.unlink(missing_ok=True)
