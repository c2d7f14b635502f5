"""Fuzzes framing, answers, reader, mapper and replies: `make fuzz`, or `python -m tests.fuzzing NAME …`.

Each target gets its inputs from atheris (where it is installed) and from Hypothesis. Prints a table of what
was tried; ends with 1 when something did not hold, and names the file with the input. FUZZ=0.01 tries a
hundredth.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzzing.drawn import draw
from tests.fuzzing.targets import TARGETS, quietly

ROOT: Final = Path(__file__).parents[2]
FINDINGS: Final = ROOT / ".fuzz"
# target → inputs from atheris, from Hypothesis
INPUTS: Final = {
    "frames": (250_000, 5_000),
    "answer": (150_000, 5_000),
    "later_answer": (150_000, 5_000),
    "reader": (300_000, 5_000),
    "mapper": (120_000, 10_000),
    "reply": (30_000, 3_000),
}
_DONE: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


class Tried(NamedTuple):
    """One row of the table."""

    target: str
    engine: str
    inputs: int
    seconds: float
    finding: str


def guided(target: str, runs: int, seed: int) -> Tried:
    """In a process of its own, which atheris ends."""
    began = time.monotonic()
    folder = FINDINGS / target
    command = [sys.executable, "-m", "tests.fuzzing.guided", target, str(runs), str(seed)]
    child = subprocess.run(
        [*command, str(folder / "corpus"), str(folder / "found")],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    )
    said = child.stdout + child.stderr
    done = _DONE.search(said)
    if child.returncode:
        sys.stderr.write(said[-4000:])
    finding = f"see {folder / 'found'}" if child.returncode else ""
    return Tried(target, "atheris", int(done[1]) if done else 0, time.monotonic() - began, finding)


def drawn(target: str, count: int) -> Tried:
    """In this process."""
    began = time.monotonic()
    try:
        tried, finding = draw(target, count), ""
    except Exception:  # noqa: BLE001 - whatever it is, it is a finding
        traceback.print_exc()
        tried, finding = 0, "see above"
    return Tried(target, "Hypothesis", tried, time.monotonic() - began, finding)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    """Fuzz the targets named, else all."""
    quietly()
    share = float(os.environ.get("FUZZ", "1"))
    seed = int(os.environ.get("FUZZ_SEED", "1"))
    has_atheris = find_spec("atheris") is not None
    if not has_atheris:
        sys.stderr.write("atheris is not installed: Hypothesis alone.\n")
    rows: list[Tried] = []
    for target in names or TARGETS:
        by_atheris, by_hypothesis = (max(1, int(count * share)) for count in INPUTS[target])
        rows += [guided(target, by_atheris, seed)] if has_atheris else []
        rows.append(drawn(target, by_hypothesis))
        for row in rows[-1 - has_atheris :]:
            said = row.finding or "held"
            _say(f"{row.target:<13} {row.engine:<11} {row.inputs:>9,} {row.seconds:>7.0f} s  {said}")
    _say(f"{sum(row.inputs for row in rows):,} inputs")
    return int(any(row.finding for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
