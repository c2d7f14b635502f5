"""Where the stores of tests lie, and with which key they open."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from integration.adapters.store.inbox import open_inbox
from integration.adapters.store.opening import open_store

if TYPE_CHECKING:
    import pytest

    from integration.adapters.store.inbox import GroupInbox
    from integration.adapters.store.unit_of_work import SqlStore

TEST_DATA_KEY = base64.b64encode(b"a key for tests, 32 bytes long..").decode()


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A store that can be opened, by as many as want to."""

    url: str
    data_directory: Path

    @classmethod
    def on_sqlite(cls, directory: Path) -> StorePlace:
        """In a file of this directory."""
        return cls(f"sqlite:///{directory / 'store.sqlite'}", directory)

    @property
    def file(self) -> Path:
        """Of a store on SQLite."""
        return Path(self.url.removeprefix("sqlite:///"))

    def lead_commands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let commands find it, by their environment and the folder they are typed in."""
        monkeypatch.setenv("APPOINTMENT_TEXTS_DATABASE_URL", self.url)
        monkeypatch.setenv("APPOINTMENT_TEXTS_DATA", str(self.data_directory))
        monkeypatch.setenv("APPOINTMENT_TEXTS_DATA_KEY", TEST_DATA_KEY)
        monkeypatch.delenv("APPOINTMENT_TEXTS_CONFIG", raising=False)
        monkeypatch.chdir(self.data_directory)

    def open(self) -> SqlStore:
        """As the pipeline does."""
        return open_store(self.url, data_directory=self.data_directory, data_key=TEST_DATA_KEY, stamp="real")

    def open_inbox(self) -> GroupInbox:
        """As the listener does."""
        return open_inbox(self.url, data_directory=self.data_directory, data_key=TEST_DATA_KEY, stamp="real")
