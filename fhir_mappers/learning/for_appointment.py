"""What a survey proposes for the appointment: identity, times, statuses, events of a vendor's own."""

import re
from collections import Counter
from json import dumps
from typing import Final

from fhir_mappers.learning.proposal import TWICE, Proposal, counted, meaning_of, quoted
from fhir_mappers.learning.survey import Survey

_HALF: Final = 0.5
# What a word says in itself → what it means
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
# Trigger event → the status a word may mean that stands with no other
_BY_TRIGGER: Final = {
    "S12": "booked",
    "S13": "booked",
    "S15": "cancelled",
    "S16": "cancelled",
    "S17": "entered-in-error",
    "S26": "noshow",
}
_ACTIONS: Final = frozenset("ADUXS")  # HL7 table 0206


def propose_appointment(survey: Survey, proposal: Proposal) -> None:
    """All of it."""
    for part in (_seen, _identity, _times, _statuses, _triggers):
        part(survey, proposal)


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
    found = [(path, n) for path, n in survey.other_starts.most_common() if n >= TWICE]
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
        meaning = meaning_of(word, _STATUS)
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
