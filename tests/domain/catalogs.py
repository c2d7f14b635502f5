"""The shipped catalogues, as every test of wording and replies reads them."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from integration.domain.catalog_inheritance import whole
from integration.domain.wording import Catalog, PracticeWords

MESSAGES = Path(__file__).parents[2] / "config" / "messages"
LANGUAGES = sorted(file.stem for file in MESSAGES.glob("*.toml"))
PRACTICE = PracticeWords("Riverside Clinic", "555-555-0100")


def mapping(language: str) -> dict[str, Any]:
    """A fresh copy of a shipped catalogue as TOML holds it, with what it extends."""
    return whole(language, {file.stem: tomllib.loads(file.read_text()) for file in MESSAGES.glob("*.toml")})


def own(language: str) -> dict[str, Any]:
    """What a language's own file holds, without what it extends."""
    return tomllib.loads((MESSAGES / f"{language}.toml").read_text())


@cache
def catalog(language: str) -> Catalog:
    """A shipped catalogue."""
    return Catalog.from_mapping(language, mapping(language))
