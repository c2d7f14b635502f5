"""`run`: the whole product on this machine, as two supervised processes over one database."""

from __future__ import annotations

import math
import os
import sys
from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from integration.bootstrap import may_run_fast
from integration.entrypoints.demo_folder import a_fresh_folder
from integration.entrypoints.printing import say, warn
from integration.entrypoints.supervisor import Child, Supervisor
from integration.entrypoints.surroundings import the_environment
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

# What any Python program may need of its surroundings.
_PLAIN = frozenset(
    {
        *(
            "PATH",
            "HOME",
            "USER",
            "LANG",
            "LANGUAGE",
            "TZ",
            "TMPDIR",
            "VIRTUAL_ENV",
            "COLUMNS",
            "TERM",
            "NO_COLOR",
        ),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    }
)
_PLAIN_PREFIXES = ("LC_", "PYTHON")
# What each child needs besides.
_OURS = {
    "listener": ("APPOINTMENT_TEXTS_",),
    "web": ("APPOINTMENT_TEXTS_", "PUBLIC_BASE_URL", "TWILIO_", "EHR_"),
}
# What --demo must not know: whose texts, charts and stores these are.
_NOT_FOR_DEMO = (
    *("TWILIO_", "EHR_", "PUBLIC_BASE_URL"),
    *("APPOINTMENT_TEXTS_DATABASE_URL", "APPOINTMENT_TEXTS_BROKER_URL", "APPOINTMENT_TEXTS_DATA_KEY"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sandbox, and the calendar clock."""
    parser.add_argument(
        "--demo",
        action="store_true",
        help="with the sandbox: phones, an EHR, a sample feed; needs no account",
    )
    parser.add_argument(
        "--from",
        dest="begin",
        type=_moment,
        metavar="T",
        help="what the calendar shows when ready, with its offset",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="X",
        help="how much faster than the wall the calendar runs (1)",
    )


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when it was told to stop, 1 when it could not start."""
    variables = dict(os.environ)
    if options.demo:
        variables = for_demo_alone(variables)
    environment = the_environment(variables)
    simulated = options.begin is not None or options.speed != 1
    if simulated and not options.demo and not may_run_fast(environment):
        raise Refused(
            "A calendar that runs by itself needs --demo, or TWILIO_API_BASE_URL on this machine, such as "
            "http://127.0.0.1:8090: texts must not go out at made-up times."
        )
    kind = "demo" if options.demo else "simulated" if simulated else "real"
    if not options.demo:
        return _supervise(options, kind, variables)
    with a_fresh_folder(environment.data / "demo") as folder:
        return _supervise(options, kind, variables | {"APPOINTMENT_TEXTS_DATA": str(folder)})


_ROOT = Path(__file__).resolve().parents[3]


def _supervise(options: argparse.Namespace, kind: str, variables: dict[str, str]) -> int:
    ear, mouth = os.pipe()  # the listener knocks here
    calendar = ["--begin", options.begin.isoformat()] if options.begin is not None else []
    children = [
        Child(
            "web",
            [
                *_python("web"),
                *("--kind", kind, *calendar, "--speed", str(options.speed), "--knock", str(ear)),
            ],
            for_child(variables, "web"),
            (ear,),
            ("--again",),
        ),
        Child(
            "listener",
            [*_python("listener"), kind, str(mouth)],
            for_child(variables, "listener"),
            (mouth,),
        ),
    ]
    return Supervisor(children, _say_ready, warn).run()


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", f"integration.entrypoints.{module}"]


def for_demo_alone(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that leads to real stores, texts or charts."""
    return {name: value for name, value in variables.items() if not name.startswith(_NOT_FOR_DEMO)}


def for_child(variables: Mapping[str, str], child: str) -> dict[str, str]:
    """The part of the environment that this child needs."""
    chosen = {
        name: value
        for name, value in variables.items()
        if name in _PLAIN or name.startswith((*_PLAIN_PREFIXES, *_OURS[child]))
    }
    # Run from a checkout that is not installed, a child finds its modules all the same.
    return chosen | {"PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), chosen.get("PYTHONPATH"))))}


def _say_ready(lines: Sequence[str]) -> None:
    say("Appointment Texts is ready.", *(f"  {line}" for line in lines), "Ctrl-C ends it.")
    sys.stdout.flush()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("must be a moment such as 2027-03-01T09:00-05:00") from None
    if moment.tzinfo is None:
        raise ArgumentTypeError("needs an offset, such as 2027-03-01T09:00-05:00")
    return moment


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not math.isfinite(speed) or speed <= 0:
        raise ArgumentTypeError("must be a number above 0")
    return speed
