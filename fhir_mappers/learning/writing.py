"""Writes a proposal as a profile's TOML: what was decided as lines, everything else as comments."""

import re
from collections.abc import Iterator, Sequence
from json import dumps
from textwrap import wrap
from typing import Final

from fhir_mappers.learning.proposal import Proposal, counted
from fhir_mappers.learning.survey import Survey

_WIDE: Final = 110
_ORDER: Final = (
    "appointment",
    "triggers",
    "durations",
    "statuses",
    "patient",
    "phones",
    "guardian",
    "languages",
)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def write(
    survey: Survey, proposal: Proposal, *, extends: str, decided: bool = True, outcome: Sequence[str] = ()
) -> str:
    """The whole file. Not `decided`: the lines, too, stand as comments; `outcome` stands at its head."""
    lines = _lines(survey, proposal, extends, decided=decided, outcome=outcome)
    return "".join(f"{line}\n" for line in lines)


def _lines(
    survey: Survey, proposal: Proposal, extends: str, *, decided: bool, outcome: Sequence[str]
) -> Iterator[str]:
    yield "#:schema ../schema/vendor.json"
    yield from _comment(
        f"Proposed from {survey.messages} messages: what they say that {extends} does not know. Look at "
        "every line before it goes live; what is a comment was not decided. Counts and code words only: no "
        "value of a patient stands here."
    )
    for line in outcome:
        yield from _comment(line)
    yield from _comment(
        f"As {extends} reads them: {survey.mapped} mapped; refused: {counted(survey.refusals)}."
    )
    yield from _comment(f"Warnings, in messages: {counted(survey.warnings)}.")
    for line in proposal.seen:
        yield from _comment(line)
    if survey.people.left_out:
        yield from _comment(f"{survey.people.left_out} words are left out: seen once, or a person's.")
    yield ""
    yield f"extends = {dumps(extends)}"
    yield f"title = {dumps(f'Learned from {survey.messages} messages')}"
    yield from _table("", proposal, decided=decided)
    for table in _ORDER:
        if table in proposal.lines or table in proposal.remarks:
            yield ""
            active = decided and table in proposal.lines
            yield f"[{table}]" if active else f"# [{table}]"
            yield from _table(table, proposal, decided=decided)
    yield ""
    yield from _comment("For the feed's own file (config/feeds):")
    for line in proposal.feed:
        yield from _comment(line)


def _table(table: str, proposal: Proposal, *, decided: bool) -> Iterator[str]:
    for line in proposal.remarks.get(table, ()):
        yield from _comment(line)
    for line in proposal.lines.get(table, ()):
        yield line if decided else f"# {line}"


def _comment(text: str) -> list[str]:
    folded = wrap(_CONTROLS.sub("�", text), _WIDE - 2, subsequent_indent="  ")
    return [f"# {line}" for line in folded]
