"""What some tests need and pip cannot install; without it the test names the command that does.

On CI (`CI=true`) it is installed, so what is missing is a failure and not a skip.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

PEERS = Path(__file__).parent / "interop"
"""Where package.json names other people's HL7 software."""

# Where Debian puts programs that are not on everyone's PATH; first the RabbitMQ that runs as who starts it:
# the one on the PATH insists on its own user and its own folders.
_BEFORE = ("/usr/lib/rabbitmq/bin",)
_AFTER = ("/usr/sbin", "/usr/lib/chromium")

# program → Debian package
PACKAGES = {
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "node": "nodejs",
    "npm": "npm",
    "rabbitmq-server": "rabbitmq-server",
    "redis-server": "redis-server",
}


def need(program: str) -> str:
    """The path of a program; without it the test is skipped, or fails on CI."""
    path = shutil.which(program, path=os.pathsep.join((*_BEFORE, os.environ.get("PATH", ""), *_AFTER)))
    if path is None:
        do_without(f"needs {program}: apt-get install {PACKAGES[program]}")
    return path


def need_module(name: str) -> Path:
    """The folder of a Node module; without it the test is skipped, or fails on CI."""
    folder = PEERS / "node_modules" / name
    if not folder.is_dir():
        do_without(f"needs {name}: npm ci --ignore-scripts --prefix tests/interop")
    return folder


def do_without(sentence: str) -> NoReturn:
    """Skip the test, or fail it on CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)
