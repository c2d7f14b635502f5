"""The short form of `make fuzz`: every seed, some damaged ones, and every input that once did not hold."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.fuzzing.drawn import draw
from tests.fuzzing.seeds import seeds
from tests.fuzzing.targets import TARGETS, Finding, must, quietly

if TYPE_CHECKING:
    from collections.abc import Iterator

SOME = 60

# What was found, and is mended.
FOUND = [
    (  # a German number longer than E.164 knows
        "mapper",
        b"MSH|^~\\&|A|B|C|D|2027||ADT^A02|1|P|2.5.1\rPID|1||1^^^M^MR||A^B||||||||20110613083617\rPV1|1|I%d\r",
    ),
    (
        "answer",
        b"\x00MSH:::::::::::\x00",
    ),  # the answer repeats an MSH-12 that is none: our client must read it
    ("answer", b"\x01MSH|^~\\&|A|B|C|D|2027||SIU^S12|1|P|.3\r"),
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    quietly()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_holds(target: str) -> None:
    known = seeds(target)
    assert len(known) > SOME
    for data in known:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_inputs_hold(target: str) -> None:
    assert draw(target, SOME) >= SOME


@pytest.mark.parametrize(("target", "data"), FOUND)
def test_what_was_found_once_holds_now(target: str, data: bytes) -> None:
    TARGETS[target](data)


def test_what_does_not_hold_is_a_finding() -> None:
    with pytest.raises(Finding, match="nothing"):
        must(0, "nothing")
