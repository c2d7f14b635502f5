"""What standard output is shown on: how wide it is, and whether it may be painted."""

from __future__ import annotations

import os
import shutil
import sys
from enum import Enum


class Paint(Enum):
    """How a line is to stand out; the number is ANSI's (ECMA-48 8.3.117, SGR)."""

    PLAIN = ""
    STRONG = "1"
    FAINT = "2"
    WRONG = "31"
    WARNED = "33"
    NEW = "32"


def width() -> int | None:
    """How many columns there are; None when nobody said and a program reads along."""
    return shutil.get_terminal_size(fallback=(0, 0)).columns or None


def may_paint() -> bool:
    """Whether colours reach a person: a terminal that knows them, and no wish to be spared (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
