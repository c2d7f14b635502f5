"""The command line: finds the command, lets it run, and turns what went wrong into words and an exit status.

Exit 0 done, warnings included; 1 something was refused or wrong; 2 wrong usage.
A command is a module of `commands` and is imported only when asked for.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

# The command → what it does; its module is named alike.
COMMANDS: Final = {
    "run": "run the whole product on this machine",
    "listen": "the listener of a distributed deployment",
    "web": "the web receiver of a distributed deployment",
    "check-config": "read the configuration and say every mistake at once",
    "reload": "let what runs take a changed configuration, saying first what follows",
    "map": "show what each message becomes",
    "learn": "propose a vendor's profile from sample messages",
    "preview": "show the texts that messages would cause, on an empty store",
    "texts": "show every text at its longest and shortest, with segments and price",
    "classify-reply": "show how replies are understood, one a line on standard input",
    "ehr": "ask the EHR's FHIR server what it allows, and say what will be done",
    "subscribe": "have the EHR's FHIR server tell what changes, or take that back",
    "send": "send HL7 v2 messages over MLLP and print the acknowledgments",
    "inbox": "what was kept, what could not be applied, and replay after a fix",
    "consent": "what patients said about texts: import, export, show, lift a stop",
    "reminders": "what was decided about each step of each visit, and why",
    "tasks": "what staff are asked to do, and crossing it off",
    "keys": "the keys by which an EHR knows us: make, rotate, show",
    "chart": "what the EHR did not take, in its own words, and telling it again",
    "release": "what a breaker has stopped, and letting it go on",
    "usage": "how many texts and segments, at what price",
}
_AFTER_HELP: Final = "Exit status: 0 done, 1 something was refused or wrong, 2 wrong usage."


class Command(Protocol):
    """What a module of `commands` offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command takes."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it; the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    _speak_utf8()
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="appointment-texts",
        description="Hears an EHR's appointments, texts the patients, understands the answers, files both.",
        epilog=_AFTER_HELP,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    wanted = next((word for word in given if not word.startswith("-")), "")
    command: Command | None = None
    for name, summary in COMMANDS.items():
        own = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=_AFTER_HELP,
            allow_abbrev=False,
        )
        if name == wanted:
            module = name.replace("-", "_")
            command = cast("Command", import_module(f"integration.entrypoints.commands.{module}"))
            command.add_arguments(own)
    options = parser.parse_args(given)
    assert command is not None  # noqa: S101 - the parser has refused every other word
    return _run(command, options)


def _speak_utf8() -> None:
    """Read and write UTF-8 whatever the locale; what is none becomes U+FFFD, and stops nobody."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _run(command: Command, options: argparse.Namespace) -> int:
    """Run it; expected troubles become a sentence on standard error and exit status 1 or 2."""
    from integration.entrypoints.troubles import Usage, describe_trouble

    try:
        return command.run(options)
    except Usage as error:
        sys.stderr.write(f"appointment-texts {options.command}: {error}\n")
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more can be flushed there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        words = describe_trouble(error)
        if words is None:
            raise
        sys.stderr.write(words + "\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
