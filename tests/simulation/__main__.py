"""Lives a year and prints what came of it: `python -m tests.simulation --patients 20000 --seed 1`."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from functools import partial

from tests.simulation.report import together
from tests.simulation.shard import live


def main() -> int:
    """1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--appointments", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shards", type=int, default=2, help="processes; families stay together")
    given = parser.parse_args()
    begin = time.monotonic()
    shard = partial(live, given.seed, given.patients, given.appointments, given.shards)
    if given.shards == 1:
        reports = [shard(0)]
    else:
        with multiprocessing.get_context("spawn").Pool(given.shards) as pool:
            reports = pool.map(shard, range(given.shards))
    report = together(reports)
    sys.stdout.writelines(f"{line}\n" for line in report.lines(given.seed, time.monotonic() - begin))
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
