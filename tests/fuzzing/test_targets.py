"""The short form of `make fuzz`: every seed, some damaged ones, and every input that once did not hold."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from fhir_mappers.v2_to_fhir import identity_keys, translate
from tests.fuzzing.drawn import draw
from tests.fuzzing.seeds import seeds
from tests.fuzzing.targets import TARGETS, Finding, must, profiles, quietly
from tests.mappers.golden import GERMANY

if TYPE_CHECKING:
    from collections.abc import Iterator

SOME = 60

# What was found, and is mended.
FOUND = [
    # The answer repeats an MSH-12 that is none: our client must read it.
    ("answer", b"\x00MSH:::::::::::\x00"),
    ("answer", b"\x01MSH|^~\\&|A|B|C|D|2027||SIU^S12|1|P|.3\r"),
    # The sender's delimiter stood in the time of the answer.
    ("answer", b"\x02MSH+^~\\MTS|0\r"),
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


def test_a_number_longer_than_e164_knows_is_never_offered() -> None:
    message = (
        b"MSH|^~\\&|A|B|C|D|2027||ADT^A02|1|P|2.5\rPID|1||1^^^M^MR||A^B||||||||20110613083617\rPV1|1|I\r"
    )
    for profile in profiles():
        (patient,) = translate(message, profile, GERMANY).patients
        assert patient.text_to is None


def test_a_request_within_a_notification_is_nothing_the_visit_is_known_by() -> None:
    message = b"MSH|^~\\&|A|B|C|D|2027||SIU^S12|1|P|2.5\rARQ|P-1|F-1\rSCH|P-2|F-2\rPID|1||1^^^M^MR||A^B\r"
    for profile in profiles():
        translation = translate(message, profile, GERMANY)
        assert translation.appointment is not None
        assert identity_keys(message, profile, GERMANY).appointment == translation.appointment.identifiers


def test_what_does_not_hold_is_a_finding() -> None:
    with pytest.raises(Finding, match="nothing"):
        must(0, "nothing")
