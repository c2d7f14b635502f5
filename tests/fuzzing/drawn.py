"""One target under Hypothesis, which draws inputs by what real interfaces get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzzing.seeds import seeds
from tests.fuzzing.targets import TARGETS
from tests.mappers.test_fuzz import EDITS, edited

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def inputs(target: str) -> SearchStrategy[bytes]:
    """Seeds damaged in a few places, two of them crossed, and anything at all."""
    known = st.sampled_from(seeds(target))
    damaged = st.builds(edited, known, EDITS)
    crossed = st.builds(_cross, damaged, known, st.integers(0, 4000), st.integers(0, 4000))
    return st.one_of(damaged, crossed, st.binary(max_size=300), known)


def _cross(one: bytes, other: bytes, here: int, there: int) -> bytes:
    return one[: here % (len(one) + 1)] + other[there % (len(other) + 1) :]


def draw(target: str, count: int) -> int:
    """Try so many inputs; how many were tried. Raises what the target raises, for the smallest such input."""
    tried = 0

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target))
    def hold(data: bytes) -> None:
        nonlocal tried
        tried += 1
        TARGETS[target](data)

    hold()
    return tried
