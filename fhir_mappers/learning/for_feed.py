"""What a survey says of the feed itself, for its own file: zone, character set, systems, places."""

from collections import Counter
from datetime import datetime
from json import dumps
from typing import Final

from fhir_mappers.learning.proposal import Proposal, counted, quoted
from fhir_mappers.learning.survey import Survey, written_offset

# Offsets of winter and summer → a zone that has them; others have them too.
_ZONES: Final = {
    "-05:00": "America/New_York",
    "-04:00": "America/New_York",
    "-06:00": "America/Chicago",
    "-07:00": "America/Denver",
    "-08:00": "America/Los_Angeles",
    "+00:00": "Europe/London",
    "+01:00": "Europe/London or Europe/Berlin",
    "+02:00": "Europe/Berlin",
    "+10:00": "Australia/Sydney",
    "+11:00": "Australia/Sydney",
}


def remark_on_feed(survey: Survey, proposal: Proposal) -> None:
    """All of it."""
    _z(survey, proposal)
    _feed(survey, proposal)


def _z(survey: Survey, proposal: Proposal) -> None:
    for path, looks in sorted(survey.shapes.items()):
        proposal.seen.append(f"{path}: {counted(looks)}")


def _feed(survey: Survey, proposal: Proposal) -> None:
    lines, codes, zone = proposal.feed, survey.people.codes, survey.feed.zone
    lines.append(f"Offsets on MSH-7: {counted(survey.offsets)}.")
    year = (datetime(2027, month, 1, tzinfo=zone).utcoffset() for month in (1, 7))
    offsets = set(survey.offsets) - {"none", *(written_offset(each) for each in year if each is not None)}
    if offsets:
        likely = sorted({_ZONES[offset] for offset in offsets if offset in _ZONES})
        lines.append(f"{zone.key} never has some of these; perhaps zone = {quoted(likely)}")
    if survey.undeclared:
        lines.append(
            f"{survey.undeclared} messages with more than ASCII declare no character set: charset = …"
        )
    if survey.phone_fields and not survey.with_number:
        lines.append(
            f"No number here is valid in region {survey.feed.region}: is that where they are dialled?"
        )
    lines.append(f"Processing ids (MSH-11): {counted(codes(survey.processing, at_least=1))}.")
    authorities: Counter[str] = Counter()
    for (authority, _), count in survey.authorities.items():
        authorities[authority] += count
    named = codes(authorities)
    if named:
        lines.append("[identifier_systems]")
    lines += [f"{dumps(authority, ensure_ascii=False)} = …" for authority in named]
    places: dict[str, list[str]] = {}
    for (path, code), count in survey.locations.most_common():
        for told in codes({code: count}):
            places.setdefault(told, []).append(f"{path} {count}")
    if places:
        lines.append("[locations]")
    for code, where in places.items():
        lines.append(f'{dumps(code, ensure_ascii=False)} = {{ practice = "…" }}   {", ".join(where)}')
