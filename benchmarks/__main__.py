"""Every figure of the design, one file after another, beside its peers: `make bench`, some minutes.

Each file runs by itself too, longer and with more rounds: `python -m benchmarks.mllp --help`.
"""

from __future__ import annotations

import subprocess
import sys

# file → its shortest useful run
RUNS = {
    "starting": (),
    "reading": ("--rounds", "3"),
    "mllp": ("--seconds", "1.5", "--rounds", "1"),
    "planning": ("--count", "3000"),
    "first_text": ("--count", "20"),
    "claiming": (),
    "sending": ("--count", "1000"),
    "memory": (),
}


def main() -> int:
    """Run them all; 1 when one of them could not be measured. A missed target fails nothing."""
    print("what | figure | target | beside our peers", flush=True)
    failed = [
        name
        for name, options in RUNS.items()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode
    ]
    for name in failed:
        print(f"{name}: could not be measured", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
