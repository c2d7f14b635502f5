"""Reads one vendor's profile that stands outside a configuration, on trial: it may extend the site's."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from fhir_mappers.errors import BadProfile
from fhir_mappers.profile import VendorProfile, resolve
from integration.settings.complaints import of_validation
from integration.settings.files import ConfigFolder
from integration.settings.mistakes import ConfigError, Mistake

if TYPE_CHECKING:
    from pathlib import Path


def read_vendor_file(path: Path, site: Path) -> VendorProfile:
    """The profile in a file, over those of a configuration folder. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([Mistake(str(path), "", error.strerror or "cannot be read")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Mistake(str(path), "", "is not UTF-8")]) from None
    return read_vendor(text, str(path), path.stem, site)


def read_vendor(text: str, file: str, name: str, site: Path) -> VendorProfile:
    """The profile a text says, as if it stood in `site` by that name. Raises ConfigError, naming `file`."""
    known: dict[str, Any] = {each.name: each.data for each in ConfigFolder(site).each("vendors")}
    try:
        return resolve(name, known | {name: tomllib.loads(text)})
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Mistake(file, "", f"is not TOML: {error}")]) from None
    except BadProfile as error:
        raise ConfigError([Mistake(file, "extends", error.text)]) from None
    except ValidationError as error:
        raise ConfigError(of_validation(file, VendorProfile, error)) from None
