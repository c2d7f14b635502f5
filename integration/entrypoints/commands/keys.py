"""`keys`: the keys by which an EHR knows us (EHR_PRIVATE_KEY_FILE): made, rotated, and shown in public."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from integration.adapters.ehr.key_rotation import make, rotate
from integration.adapters.ehr.signing_keys import ALGORITHMS, BadKey, published, read_keys
from integration.domain.clock import wall_now
from integration.entrypoints.printing import warn
from integration.entrypoints.surroundings import the_environment
from integration.entrypoints.troubles import Refused, Usage
from integration.settings.values import duration

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import timedelta

    from integration.adapters.ehr.signing_keys import SigningKey

_ASIDE: Final = "for the EHR's team: register this address, or this set where it takes no address"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is to be done, and with which file."""
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    new = actions.add_parser("new", help="make a file with one private key")
    new.add_argument("--out", required=True, type=Path, metavar="FILE", help="it must not be there yet")
    new.add_argument("--alg", choices=ALGORITHMS, default="ES384", help="ES384 unless given")
    turned = actions.add_parser("rotate", help="add a key, and drop those that ended a day ago or earlier")
    turned.add_argument("file", type=Path, metavar="FILE", help="PEM, JWK or JWK Set; it becomes a JWK Set")
    turned.add_argument(
        "--after",
        default="24h",
        metavar="TIME",
        help="how long the new key is only published before it signs: 24h unless given, as EHRs keep what "
        "they read from us for a while",
    )
    shown = actions.add_parser("show", help="print the public set")
    shown.add_argument("file", type=Path, metavar="FILE", nargs="?", help="EHR_PRIVATE_KEY_FILE unless given")


def run(options: argparse.Namespace) -> int:
    """Raises Refused when the file cannot be used, Usage, ConfigError."""
    try:
        if options.action == "new":
            _new(options)
        elif options.action == "rotate":
            _rotate(options)
        else:
            _show(options.file)
    except FileExistsError:
        raise Refused(f"{options.out} is there already, and keys are never written over.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The file cannot be used ({type(error).__name__}).") from None
    except BadKey as error:
        raise Refused(f"The file holds no key of ours: {error}.") from None
    return 0


def _new(options: argparse.Namespace) -> None:
    key = make(options.out, options.alg)
    warn(
        f"A new {key.algorithm} key, kid {key.kid}, is in {options.out}: name it in EHR_PRIVATE_KEY_FILE.",
        f"Its public half will be at {_address()}, {_ASIDE}.",
    )
    _print([key])


def _rotate(options: argparse.Namespace) -> None:
    after = _duration(options.after)
    key, dropped = rotate(options.file, wall_now(), after)
    warn(
        f"A new {key.algorithm} key, kid {key.kid}, is published at once at {_address()},",
        f"and signs from {key.signs_from.isoformat()} on. What runs takes it up without a restart.",
        *(f"Dropped, as it signs no more: kid {each.kid}" for each in dropped),
    )
    _print(read_keys(options.file.read_text(encoding="utf-8")))


def _show(file: Path | None) -> None:
    if file is not None:
        text = file.read_text(encoding="utf-8")
    else:
        given = the_environment().ehr_private_key
        if given is None:
            raise Usage("keys show: name a file, or set EHR_PRIVATE_KEY_FILE")
        text = given
    _print(read_keys(text))


def _print(keys: Sequence[SigningKey]) -> None:
    sys.stdout.write(json.dumps(published(keys), indent=2) + "\n")


def _address() -> str:
    return f"{the_environment().public_base_url}/.well-known/jwks.json"


def _duration(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise Usage(f"--after: {error}") from None
