"""Whatever a FHIR server sends: a Translation comes back, FHIR accepts it, and nothing is raised."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_mappers.from_fhir.split import snapshots_in
from fhir_mappers.translate_message import identity_keys, translate
from fhir_mappers.translation import IdentityKeys
from tests.mappers.building import PROFILE
from tests.mappers.fhir_building import EHR, FHIR_SAMPLES
from tests.mappers.test_fuzz import EDITS, edited
from tests.mappers.test_siu_to_bundle import check_fhir

ORIGINALS = [path.read_bytes() for path in FHIR_SAMPLES]
ODD: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            "\ud800",
            "\x00",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:60+14:00",
            "#",
            "/",
            "http://[",
            "a" * 2000,
        ]
    ),
    st.sampled_from([[], {}, [[]], [None], {"coding": "x"}, {"reference": "#"}, {"extension": [{"url": 1}]}]),
)
PLACES = st.lists(st.tuples(st.integers(0, 10_000), ODD, st.booleans()), min_size=1, max_size=6)
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def holders(node: Any) -> list[tuple[Any, Any]]:
    """Every place of a tree: what holds it, and under which key."""
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    found = []
    for key in keys:
        found += [(node, key), *holders(node[key])]
    return found


def check(raw: bytes) -> None:
    for message in (raw, *snapshots_in(raw)):
        check_fhir(translate(message, PROFILE, EHR))
        assert isinstance(identity_keys(message, PROFILE, EHR), IdentityKeys)


@QUICK
@given(st.sampled_from(ORIGINALS), PLACES)
def test_a_sample_with_odd_values_is_mapped_or_refused(original: bytes, places: list[Any]) -> None:
    tree = copy.deepcopy(json.loads(original))
    for place, value, remove in places:
        every = holders(tree)
        holder, key = every[place % len(every)]
        if remove and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(value)
        if not holders(tree):
            break
    check(json.dumps(tree).encode())


@QUICK
@given(st.sampled_from(ORIGINALS), EDITS)
def test_a_damaged_sample_is_mapped_or_refused(original: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    check(edited(original, edits))
