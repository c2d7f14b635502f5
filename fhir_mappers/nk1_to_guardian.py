"""NK1, GT1 or a site's own segment → the one person to text about a child (guide: NK1[RelatedPerson]).

The profile's `[guardian]` says which segments are looked into, in which order, and who counts: by
relationship (HL7 table 0063), not by contact role (table 0131), within the days given, alive, and not
asking for silence. Of those who count the first with a number that can be texted is taken.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from fhir_mappers.datatypes import plain
from fhir_mappers.hl7_time import read_date
from fhir_mappers.number_to_text import number_to_text
from fhir_mappers.person_facts import YES, asks_for_silence, first_valued, read_language
from fhir_mappers.profile import VendorProfile
from fhir_mappers.profile_people import GuardianSource
from fhir_mappers.translation import FeedFacts, MappedGuardian
from fhir_mappers.v2_message import NULL, SegmentRun
from fhir_mappers.xtn_to_contact_point import read_numbers

_OF_AGE = 18


class Guardianship(NamedTuple):
    """Who is texted about the child."""

    guardian: MappedGuardian | None
    unguarded: bool  # the source looked into first says that nobody is texted any more


def is_minor(born: date, on: date) -> bool:
    """Say whether somebody born on that day is under 18."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) < _OF_AGE


def read_guardian(
    run: SegmentRun, profile: VendorProfile, feed: FeedFacts, today: date | None
) -> Guardianship:
    """Return whom to text about the patient in `run`, should the patient be a child.

    `today` judges from when and until when somebody counts; None judges nothing.
    """
    sources = profile.guardian.asked
    for source in sources:
        for n in range(1, run.count(source.segment) + 1):
            person = source.in_row(n)
            if _counts(run, person, profile, today):
                found = _texted(run, person, profile, feed, today)
                if found is not None:
                    return Guardianship(found, unguarded=False)
    return Guardianship(None, unguarded=bool(sources) and _nobody_left(run, sources[0], profile, today))


def _nobody_left(run: SegmentRun, source: GuardianSource, profile: VendorProfile, today: date | None) -> bool:
    """Say whether a source names people of whom none counts, or takes the number of one who does.

    One who counts and comes without a number changes nothing: empty is no change.
    """
    persons = [source.in_row(n) for n in range(1, run.count(source.segment) + 1)]
    counting = [person for person in persons if _counts(run, person, profile, today)]
    if not counting:
        return bool(persons)
    return any(NULL in run.text(phone.path) for person in counting for phone in person.phones)


def _counts(run: SegmentRun, person: GuardianSource, profile: VendorProfile, today: date | None) -> bool:
    rules = profile.guardian
    if person.relationship and not _any_of(run, person.relationship, rules.relationships):
        return False
    if _any_of(run, person.role, rules.never_roles):
        return False
    if first_valued(run, person.died_at).value.strip("0"):
        return False
    if first_valued(run, person.died).value.upper() in YES:
        return False
    if asks_for_silence(run, person.publicity, person.protection, profile.patient):
        return False
    begins, ends = (read_date(first_valued(run, paths).value) for paths in (person.begins, person.ends))
    return today is None or ((begins is None or begins <= today) and (ends is None or today <= ends))


def _any_of(run: SegmentRun, paths: Sequence[str], words: Sequence[str]) -> bool:
    return any(plain(run.get(path)).casefold() in words for path in paths)


def _texted(
    run: SegmentRun, person: GuardianSource, profile: VendorProfile, feed: FeedFacts, today: date | None
) -> MappedGuardian | None:
    numbers = read_numbers(run, person.phones, profile.phones, today)
    best = number_to_text(numbers, profile.phones, feed.region)
    if best is None:
        return None
    language, _ = read_language(run, person.language, profile)
    return MappedGuardian(best.path, best.number, language)
