"""What a survey proposes for the patient: identifiers, numbers, guardians, languages."""

import re
from collections import Counter
from typing import Final

from fhir_mappers import iso_639
from fhir_mappers.learning.proposal import TWICE, Proposal, counted, meaning_of, quoted
from fhir_mappers.learning.survey import Survey

# What a word says in itself → the kind of number
_PHONE: Final = (
    ("never", re.compile(r"fax|pager|emerg|beeper")),
    ("mobile", re.compile(r"mobil|cell|handy")),
    ("home", re.compile(r"home|privat")),
    ("work", re.compile(r"work|business|office")),
)
_EQUIPMENT: Final = ("ph", "cp", "fx", "internet", "bp")  # HL7 table 0202


def propose_patient(survey: Survey, proposal: Proposal) -> None:
    """All of it."""
    for part in (_patient, _phones, _languages):
        part(survey, proposal)


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
            meaning = None if word.casefold() in kinds else meaning_of(word, _PHONE)
            if meaning is not None and word not in found.setdefault(meaning, []):
                found[meaning].append(word)
    for meaning, listed in found.items():
        proposal.set("phones", f"{meaning} = {quoted(('...', *listed))}")
    instead = {path: n for path, n in survey.phones_instead.most_common(3) if n >= TWICE}
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
