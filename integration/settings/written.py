"""A configuration with the very texts it was read from, so that it can be stored, compared and read again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.settings.files import SHIPPED, ConfigFolder, ConfigTexts
from integration.settings.load import load_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from integration.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """Settings and what says so."""

    settings: Settings
    texts: Mapping[str, str]  # file, such as feeds/main.toml → its text; shipped files included

    @property
    def digest(self) -> str:
        """SHA-256 over every file, hexadecimal: the same for the same bytes."""
        seen = hashlib.sha256()
        for file in sorted(self.texts):
            for part in (file, self.texts[file]):
                data = part.encode()
                seen.update(b"%d " % len(data) + data)
        return seen.hexdigest()


def read_folder(config: Path, shipped: Path = SHIPPED) -> Written:
    """Everything in a configuration folder, laid over the shipped one. Raises ConfigError."""
    folder = ConfigFolder(config, shipped)
    settings = load_from(folder)
    return Written(settings, folder.texts)


def read_again(texts: Mapping[str, str]) -> Written:
    """What was read before. Raises ConfigError: another release may find mistakes in it."""
    return Written(load_from(ConfigTexts(texts)), texts)
