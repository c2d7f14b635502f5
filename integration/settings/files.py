"""Finds and reads the TOML files of a configuration: a site's own folder, laid over the shipped one.

A site's folder holds what differs. Of single files the site's own is taken, else the shipped one; vendors
and languages add up; feeds and practices are the site's own as soon as it has one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from integration.domain.text_template import choices
from integration.settings.mistakes import ConfigError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHIPPED: Final = Path(__file__).resolve().parents[2] / "config"
SINGLE: Final = ("settings.toml", "reminders.toml", "error_codes.toml")
ADDING_UP: Final = ("vendors", "messages")
OWN: Final = ("feeds", "practices")
# What tomllib says → what has likely happened
_HINTS: Final = {
    "Cannot overwrite a value": "; a key stands there twice",
    "Cannot declare": "; a table stands there twice",
    "Illegal character '\\n'": "; a text lacks its closing quote",
    "Invalid value": "; texts stand in quotes",
    "Expected '=' after a key": "; a key with other than letters, digits, - and _ stands in quotes",
}
_BESIDE: Final = frozenset({"schema"})  # a folder that holds no settings


@dataclass(frozen=True, slots=True)
class Document:
    """One TOML file, read."""

    file: str  # relative to its folder: feeds/main.toml
    name: str  # main
    data: dict[str, Any]


class ConfigFiles(Protocol):
    """Where a configuration is read from; `mistakes` fills as files are read."""

    mistakes: list[Mistake]

    def single(self, file: str) -> Document:
        """One of `SINGLE`; empty when it cannot be read, which is then among the mistakes."""

    def each(self, folder: str) -> Iterator[Document]:
        """Every file of one of `ADDING_UP` or `OWN`, in order of name; empty when it cannot be read."""


@dataclass(slots=True)
class ConfigFolder:
    """A site's folder over the shipped one; `texts` fills as `mistakes` does, with what was read."""

    site: Path
    shipped: Path = SHIPPED
    mistakes: list[Mistake] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.site.is_dir():
            raise ConfigError([Mistake(str(self.site), "", "there is no such folder")])
        for path in sorted(self.site.rglob("*")):
            name = str(path.relative_to(self.site))
            # A backup beside a file (main.toml~, main.toml.bak) is left alone; these were meant to be read.
            if path.name.lower().endswith((".toml", ".toml.txt")) and path.suffix != ".toml":
                told = "is not read: the name of a settings file ends in .toml"
                self.mistakes.append(Mistake(name, "", told))
        known = {*SINGLE, *ADDING_UP, *OWN, *_BESIDE}
        for path in sorted(self.site.iterdir()):
            settings = path.is_dir() or path.suffix == ".toml"
            if settings and path.name not in known and not path.name.startswith("."):
                self.mistakes.append(Mistake(path.name, "", f"unknown; {choices(path.name, known)}"))

    def single(self, file: str) -> Document:
        """One of `SINGLE`; empty when it cannot be read, which is then among the mistakes."""
        own = self.site / file
        return self._read(own if own.is_file() else self.shipped / file, file)

    def each(self, folder: str) -> Iterator[Document]:
        """Every file of one of `ADDING_UP` or `OWN`, in order of name; empty when it cannot be read."""
        own = {path.name: path for path in (self.site / folder).glob("*.toml")}
        paths = own
        if folder in ADDING_UP or not own:
            paths = {path.name: path for path in (self.shipped / folder).glob("*.toml")} | own
        for name in sorted(paths):
            yield self._read(paths[name], f"{folder}/{name}")

    def _read(self, path: Path, file: str) -> Document:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            self.mistakes.append(Mistake(file, "", error.strerror or "cannot be read"))
        except UnicodeDecodeError:
            self.mistakes.append(Mistake(file, "", "is not UTF-8"))
        else:
            self.texts[file] = text
            return _document(file, text, self.mistakes)
        return Document(file, path.stem, {})


@dataclass(slots=True)
class ConfigTexts:
    """A configuration read before, from memory: file → its text."""

    texts: Mapping[str, str]
    mistakes: list[Mistake] = field(default_factory=list)

    def single(self, file: str) -> Document:
        """As `ConfigFiles` says."""
        if file not in self.texts:
            self.mistakes.append(Mistake(file, "", "is missing"))
            return Document(file, Path(file).stem, {})
        return _document(file, self.texts[file], self.mistakes)

    def each(self, folder: str) -> Iterator[Document]:
        """As `ConfigFiles` says."""
        for file in sorted(self.texts):
            if file.startswith(f"{folder}/"):
                yield _document(file, self.texts[file], self.mistakes)


def _document(file: str, text: str, mistakes: list[Mistake]) -> Document:
    data: dict[str, Any] = {}
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = next((each for said, each in _HINTS.items() if said in str(error)), "")
        mistakes.append(Mistake(file, "", f"is not TOML: {error}{hint}"))
    else:
        if not data:
            mistakes.append(Mistake(file, "", "is empty"))
    return Document(file, Path(file).stem, data)
