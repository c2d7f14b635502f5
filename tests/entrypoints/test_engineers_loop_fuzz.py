"""Whatever the bytes: explaining, masking and learning raise nothing, and a proposal always loads."""

from __future__ import annotations

import tomllib
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from fhir_mappers.explanation import Explainer
from fhir_mappers.learning import Survey, propose, write
from fhir_mappers.profile import resolve
from fhir_mappers.translation import FeedFacts
from fhir_mappers.v2_to_fhir import translate
from integration.entrypoints.commands.inbox.masking import fields, masked
from integration.entrypoints.commands.map.differences import compare
from tests.house.files import ROOT
from tests.mappers.test_fuzz import EDITS, QUICK, edited

RAW = {"generic": tomllib.loads((ROOT / "config" / "vendors" / "generic.toml").read_text())}
PROFILE = resolve("generic", RAW)
FEED = FeedFacts("main", "main", ZoneInfo("America/New_York"))
EXPLAINER = Explainer(PROFILE, FEED)
PERSONAL = ("PID-5", "PID-7", "PID-19", "NK1-2", "NK1-4", "IN1-", "NTE-", "OBX-", "Z")
SAMPLES = [path.read_bytes() for path in sorted((ROOT / "tests" / "samples").glob("*.hl7"))]
DAMAGED = st.builds(edited, st.sampled_from(SAMPLES), EDITS) | st.binary(max_size=60)


@QUICK
@given(DAMAGED)
def test_whatever_comes_is_explained_and_masked(raw: bytes) -> None:
    translation = translate(raw, PROFILE, FEED)
    facts = EXPLAINER.facts(raw, translation)
    assert compare((translation, facts), (translation, facts)) == []
    assert masked(raw) is not None
    hidden, plain = fields(raw, charset=None, reveal=False), fields(raw, charset=None, reveal=True)
    assert [path for path, _ in hidden] == [path for path, _ in plain]
    assert [len(value) for _, value in hidden] == [len(value) for _, value in plain]
    told = "".join(value for path, value in hidden if path.startswith(PERSONAL))
    assert {each for each in told if each.isalnum()} <= set("x9")


@QUICK
@given(st.lists(DAMAGED, max_size=6))
def test_whatever_was_read_the_proposal_loads(messages: list[bytes]) -> None:
    survey = Survey(PROFILE, FEED)
    for message in messages * 2:
        survey.add(message)
    text = write(survey, propose(survey), extends="generic")
    assert resolve("learned", {**RAW, "learned": tomllib.loads(text)}) is not None
