"""Programs that some tests need and pip cannot install; without one the test names its Debian package.

On CI (`CI=true`) they are installed, so a missing one is a failure and not a skip.
"""

from __future__ import annotations

import os
import shutil

import pytest

# Where Debian puts programs that are not on everyone's PATH; first the RabbitMQ that runs as who starts it:
# the one on the PATH insists on its own user and its own folders.
_BEFORE = ("/usr/lib/rabbitmq/bin",)
_AFTER = ("/usr/sbin", "/usr/lib/chromium")

# program → Debian package
PACKAGES = {
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "rabbitmq-server": "rabbitmq-server",
    "redis-server": "redis-server",
}


def need(program: str) -> str:
    """The path of a program; without it the test is skipped, or fails on CI."""
    path = shutil.which(program, path=os.pathsep.join((*_BEFORE, os.environ.get("PATH", ""), *_AFTER)))
    if path is not None:
        return path
    sentence = f"needs {program}: apt-get install {PACKAGES[program]}"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)
