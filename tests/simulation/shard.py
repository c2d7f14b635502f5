"""One process's part of a year: its own people, its own store, its own network."""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from tests.simulation.report import Report
from tests.simulation.world import World
from tests.simulation.year import BEGINS, local

MEMORY = Path("/dev/shm")  # noqa: S108 - a store that no power cut need outlast
MOST = 5  # new violations said of a month


def live(seed: int, people: int, visits: int, shards: int, shard: int) -> Report:
    """Live one shard of a year; says on stderr which month it has come to."""
    begin, told = time.monotonic(), [0]
    gc.set_threshold(100_000)  # a year's worth of people and visits is looked through each time
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None, prefix="simulation-") as folder:
        world = World(Path(folder), seed, people // shards, visits // shards, shard=shard, shards=shards)

        def tell() -> None:
            texts, wrong = world.figures["texts"], world.oracle.violations
            seconds = time.monotonic() - begin
            sys.stderr.write(
                f"shard {shard}: {world.clock.now:%B}, {texts} texts, {len(wrong)} wrong, {seconds:.0f} s\n"
            )
            sys.stderr.writelines(f"  {rule}: {what}\n" for rule, what in wrong[told[0] : told[0] + MOST])
            told[0] = len(wrong)

        for month in range(2, 13):
            world.year.at(local(date(BEGINS.year, month, 1), "05:00"), tell)
        world.run()
    return Report(world.figures, world.oracle.counts, world.surprises, world.oracle.violations, world.moments)
