"""How long a person waits for `--help`, and for `run` to be ready: `python -m benchmarks.starting`.

`run` begins with an empty folder: keys, store and tables are made. `again` finds them there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, median, show
from benchmarks.grounds import ROOT, product, site
from tests.journey.product import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

HELP_TARGET, READY_TARGET = 0.3, 3.0  # seconds


def help_seconds() -> float:
    """One `--help`."""
    begin = time.perf_counter()
    subprocess.run([*COMMAND, "--help"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def python_seconds() -> float:
    """A Python that does nothing."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - begin


def figures(*, rounds: int) -> Iterator[Figure]:
    """Medians, after one round that warms the disk's cache."""
    help_seconds()
    taken = [(help_seconds(), python_seconds()) for _ in range(2 * rounds + 1)]
    helps, bare = (median(column) for column in zip(*taken, strict=True))
    yield Figure("appointment-texts --help", helps, "s", HELP_TARGET, note=f"a bare Python {bare:.2g} s")
    first: list[float] = []
    again: list[float] = []
    for _ in range(rounds):
        with site() as of:
            for seconds in (first, again):
                with product(of) as running:
                    seconds.append(running.seconds)
    yield Figure("run → ready, from nothing", median(first), "s", READY_TARGET)
    yield Figure("run → ready, again", median(again), "s", READY_TARGET)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    show(figures(rounds=parser.parse_args().rounds))


if __name__ == "__main__":
    main()
