"""Good, bad, slow, huge and half-dead senders together: the short form of `make soak`."""

from __future__ import annotations

import pytest

from benchmarks.soak import soak

pytestmark = pytest.mark.slow

MEMORY = 512 * 1024 * 1024  # bytes; sixty-four connections could hold a gigabyte of unfinished frames


def test_bad_senders_cost_no_good_one_its_answer_and_no_acknowledged_message_is_missing() -> None:
    soaked = soak(20, 2)
    assert not soaked.missing
    assert soaked.crowd.failures == 0
    assert soaked.crowd.refused
    assert soaked.alone
    assert soaked.among
    for name, samples in soaked.memory.samples.items():
        assert max(held for _, held in samples) < MEMORY, name
