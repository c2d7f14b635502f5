"""The folder of `run --demo`: its own, new at each start, and of one demo at a time."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARK = "This folder belongs to `appointment-texts run --demo`, which empties it at each start.\n"


@contextmanager
def a_fresh_folder(folder: Path) -> Iterator[Path]:
    """The folder, empty, while the demo runs. Raises Refused for one that is in use or not the demo's."""
    folder = folder.absolute()
    mark = folder / "README"
    if folder.exists() and not mark.is_file() and any(folder.iterdir()):
        raise Refused(f"{folder} is not a folder of the demo's; move it, or set APPOINTMENT_TEXTS_DATA")
    folder.mkdir(parents=True, exist_ok=True)
    with mark.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"another demo runs in {folder}") from None
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        lock.truncate(0)
        lock.write(_MARK)
        lock.flush()
        yield folder
