"""What a survey makes likely enough to be written into a profile, and what only a person can decide."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from json import dumps
from typing import Final

from fhir_mappers import iso_639
from fhir_mappers.learning.survey import Survey, written_offset

_HALF: Final = 0.5
_TWICE: Final = 2  # what was seen once may be an accident
# What a word says in itself → what it means. A word that denies something means nothing to us.
_DENIES: Final = re.compile(r"\b(not|un\w+|non|kein\w*|sans)\b")
_STATUS: Final = (
    ("cancelled", re.compile(r"cancel|storn|annul")),
    ("noshow", re.compile(r"no.?show|missed|absent")),
    ("checked-in", re.compile(r"check(ed)?.?in")),
    ("fulfilled", re.compile(r"check(ed)?.?out|complet|finish|depart")),
    ("arrived", re.compile(r"arriv")),
    ("waitlist", re.compile(r"wait.?list")),
    ("pending", re.compile(r"pending")),
    ("confirmed", re.compile(r"confirm")),
    ("booked", re.compile(r"book|schedul")),
)
_PHONE: Final = (
    ("never", re.compile(r"fax|pager|emerg|beeper")),
    ("mobile", re.compile(r"mobil|cell|handy")),
    ("home", re.compile(r"home|privat")),
    ("work", re.compile(r"work|business|office")),
)
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
# Trigger event → the status a word may mean that stands with no other
_BY_TRIGGER: Final = {
    "S12": "booked",
    "S13": "booked",
    "S15": "cancelled",
    "S16": "cancelled",
    "S17": "entered-in-error",
    "S26": "noshow",
}
_EQUIPMENT: Final = ("ph", "cp", "fx", "internet", "bp")  # HL7 table 0202
_ACTIONS: Final = frozenset("ADUXS")  # HL7 table 0206


@dataclass(slots=True)
class Proposal:
    """Lines of a profile and remarks, each by the table they stand in; '' is what stands before any table."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    feed: list[str] = field(default_factory=list)  # for the feed's own file
    seen: list[str] = field(default_factory=list)

    def set(self, table: str, line: str) -> None:
        """Decide something."""
        self.lines.setdefault(table, []).append(line)

    def remark(self, table: str, *lines: str) -> None:
        """Say what a person must look at."""
        self.remarks.setdefault(table, []).extend(lines)


def propose(survey: Survey) -> Proposal:
    """What to write into the profile, and beside it."""
    proposal = Proposal()
    for part in (_seen, _identity, _times, _statuses, _triggers, _patient, _phones, _languages, _z, _feed):
        part(survey, proposal)
    return proposal


def counted(counts: Mapping[str, int]) -> str:
    """`Booked 12, Sched 3`, the most frequent first."""
    return ", ".join(f"{word} {count}" for word, count in Counter(counts).most_common()) or "none"


def quoted(words: Iterable[str]) -> str:
    """A list of TOML."""
    return f"[{', '.join(dumps(word, ensure_ascii=False) for word in words)}]"


def _seen(survey: Survey, proposal: Proposal) -> None:
    codes = survey.people.codes
    actions = {f"{segment}-2 {code}": count for (segment, code), count in survey.actions.items()}
    proposal.seen += [
        f"HL7 versions: {counted(codes(survey.versions, at_least=1))}.",
        f"Delimiters: {counted(survey.delimiters)}.",
        f"Character sets (MSH-18): {counted(codes(survey.charsets, at_least=1))}.",
        f"Messages with more than ASCII: {survey.beyond_ascii}.",
        f"Messages: {counted(codes(survey.triggers, at_least=1))}.",
        f"Segment action codes: {counted(codes(actions, at_least=1))}.",
    ]
    odd = codes({code: 1 for _, code in survey.actions if code not in _ACTIONS}, at_least=1)
    if odd:
        proposal.remark(
            "appointment",
            f"`removed` lists the action codes that take away; no HL7 code is: {', '.join(odd)}.",
        )
    kinds = survey.people.codes(survey.kinds, survey.profile.appointment.tentative)
    if kinds:
        proposal.seen.append(f"Appointment types (SCH-8): {counted(kinds)}.")
        proposal.remark(
            "appointment", "`tentative` lists the types that are no booking yet; look at those above."
        )


def _identity(survey: Survey, proposal: Proposal) -> None:
    order = survey.profile.appointment.identity
    for path, tally in survey.identities.tallies.items():
        if tally.valued and (path in order or not path.startswith("Z")):
            says = f"{path}: in {tally.valued} of {survey.appointments} messages, {tally.distinct} values"
            says += f"; {tally.shared} of another patient than before: shared" if tally.shared else ""
            says += "; another in every message" if tally.is_a_counter else ""
            proposal.remark("appointment", says)
    better = survey.identities.best(order)
    if better is not None:
        proposal.set("appointment", f"identity = {quoted(better)}")


def _times(survey: Survey, proposal: Proposal) -> None:
    if survey.starts:
        proposal.remark(
            "", f"Starts were read from: {counted(survey.starts)}. The first that can be read is taken."
        )
    for (one, other), count in survey.disagree.most_common():
        if count:
            proposal.remark(
                "", f"{one} and {other} differ in {count} messages; {one} is taken. `times` is the order."
            )
    if not survey.without_start:
        return
    proposal.remark("", f"{survey.without_start} messages say no start that was found.")
    found = [(path, n) for path, n in survey.other_starts.most_common() if n >= _TWICE]
    if found and found[0][1] >= survey.without_start * _HALF:
        proposal.remark("", f"{found[0][0]} holds a time to come in {found[0][1]} of these.")
        proposal.set("", f'times = ["...", {{ start = "{found[0][0]}" }}]')
        del found[0]
    for path, n in found:
        proposal.remark("", f"{path} holds a time to come in {n} of these: a start?")


def _statuses(survey: Survey, proposal: Proposal) -> None:
    known = survey.profile.status_of
    words: Counter[str] = Counter()
    for (word, _), count in survey.statuses.items():
        words[word] += count
    codes = survey.people.codes(words, known)
    proposal.remark(
        "statuses", f"Seen: {counted({w: n for w, n in codes.items() if w.casefold() in known})}."
    )
    found: dict[str, list[str]] = {}
    for word, count in codes.most_common():
        if word.casefold() in known:
            continue
        meaning = _meaning(word, _STATUS)
        if meaning is not None:
            found.setdefault(meaning, []).append(word)
            continue
        events = {event: n for (each, event), n in survey.statuses.items() if each == word}
        triggers = counted(survey.people.codes(events, at_least=1))
        meanings = {_BY_TRIGGER.get(event, "") for event in events}
        triggers += f"; perhaps {meanings.pop()}" if len(meanings) == 1 and "" not in meanings else ""
        proposal.remark(
            "statuses", f"Unknown: {dumps(word, ensure_ascii=False)} in {count} messages ({triggers})."
        )
    confirmed = found.pop("confirmed", [])
    if confirmed:
        proposal.set("", f"confirmed = {quoted(('...', *confirmed))}")
    for meaning, listed in found.items():
        proposal.set("statuses", f"{meaning} = {quoted(('...', *listed))}")


def _triggers(survey: Survey, proposal: Proposal) -> None:
    for trigger, count in survey.people.codes(+survey.unmapped_triggers).most_common():
        proposal.remark(
            "triggers", f'"{trigger}" = "S14"   in {count} messages: which event does it stand for, if any?'
        )
    units = survey.people.codes(
        {u: n for u, n in survey.units.items() if u.casefold() not in survey.profile.durations.seconds_of}
    )
    if units:
        proposal.remark("durations", f"Units that are in no list: {counted(units)}.")


def _patient(survey: Survey, proposal: Proposal) -> None:
    types = [word.casefold() for word in survey.profile.patient.types]
    whose: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for (authority, kind), count in survey.authorities.items():
        whose[authority or "none"] += count
        kinds[kind or "none"] += count
    codes = survey.people.codes(kinds, ["none", *types])
    authorities = survey.people.codes(whose, ["none"])
    proposal.remark("patient", f"Identifier types (CX.5): {counted(codes)}.")
    proposal.remark("patient", f"Assigning authorities (CX.4): {counted(authorities)}.")
    named = [authority for authority in authorities if authority != "none"]
    if len(named) > 1:
        proposal.remark("patient", "Best first: which one has every patient, and is in the chart?")
        proposal.remark("patient", f"authorities = {quoted(named)}")


def _phones(survey: Survey, proposal: Proposal) -> None:
    kinds = survey.profile.phones.kinds
    proposal.remark(
        "phones", f"{survey.with_number} of {survey.patients} patients have a number that may be texted."
    )
    found: dict[str, list[str]] = {}
    for path, count in survey.phone_fields.most_common():
        said = {word: n for (where, word), n in survey.phone_words.items() if where == path}
        words = survey.people.codes(said, [*kinds, *_EQUIPMENT])
        told = {f"{word} ({kinds.get(word.casefold(), 'of no kind')})": n for word, n in words.items()}
        proposal.remark("phones", f"{path}: {count} numbers; words for them: {counted(told)}.")
        for word in words:
            meaning = None if word.casefold() in kinds else _meaning(word, _PHONE)
            if meaning is not None and word not in found.setdefault(meaning, []):
                found[meaning].append(word)
    for meaning, listed in found.items():
        proposal.set("phones", f"{meaning} = {quoted(('...', *listed))}")
    instead = {path: n for path, n in survey.phones_instead.most_common(3) if n >= _TWICE}
    if instead:
        sources = ", ".join(f'{{ path = "{path}", kind = "unknown" }}' for path in instead)
        proposal.remark("phones", f"Numbers in messages that offer no other: {counted(instead)}.")
        proposal.set("phones", f'sources = ["...", {sources}]')
    _guardians(survey, proposal)


def _guardians(survey: Survey, proposal: Proposal) -> None:
    for segment, count in survey.others.items():
        if count:
            said = {word: n for (where, word), n in survey.relationships.items() if where == segment}
            words = survey.people.codes(said, survey.profile.guardian.relationships)
            proposal.remark("guardian", f"{segment} in {count} messages; relationships: {counted(words)}.")
            proposal.remark("guardian", f'order = ["{segment}"]   texts them about children')


def _languages(survey: Survey, proposal: Proposal) -> None:
    known = survey.profile.language_of

    def is_known(word: str) -> bool:
        first = word.replace("_", "-").partition("-")[0].strip()
        return word in known or first in known or first in iso_639.TWO_LETTERS or first in iso_639.KNOWN

    codes = survey.people.codes(
        survey.languages, [w for w in map(str.casefold, survey.languages) if is_known(w)]
    )
    unknown = {word: n for word, n in codes.items() if not is_known(word.casefold())}
    proposal.remark("languages", f"Seen: {counted({w: n for w, n in codes.items() if w not in unknown})}.")
    if unknown:
        proposal.remark("languages", f"Unknown: {counted(unknown)}.")


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


def _meaning(word: str, table: Iterable[tuple[str, re.Pattern[str]]]) -> str | None:
    word = word.casefold()
    if _DENIES.search(word):
        return None
    return next((meaning for meaning, pattern in table if pattern.search(word)), None)
