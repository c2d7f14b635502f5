"""Which files are ours: what git tracks, or would."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository that is, or may yet be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def modules() -> list[Path]:
    """Every Python file."""
    return [path for path in tracked() if path.suffix == ".py"]


def toplevel_names() -> set[str]:
    """The packages that are installed."""
    kept_apart = {"tests", "benchmarks", ".ci"}
    return {
        room
        for path in modules()
        if (room := path.relative_to(ROOT).parts[0]) not in kept_apart and path.parent != ROOT
    }
