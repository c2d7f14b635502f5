"""PID and PD1 → Patient (guide: segment PID[Patient]), and what a texting service asks about a patient.

Left out on purpose: street and town, social security number and everything else that no text and no link to
the chart needs; of the address only what tells the clock is kept. PD1-11 and PD1-12 have no place in FHIR and
become `no_publicity`.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fhir_mappers.address import xad_to_address
from fhir_mappers.datatypes import cx_to_identifier, identifier_resource, plain, xpn_to_human_name
from fhir_mappers.findings import warn
from fhir_mappers.hl7_time import place, read_date, read_time
from fhir_mappers.nk1_to_guardian import is_minor, read_guardian
from fhir_mappers.number_to_text import Telecom, TextTo, number_to_text
from fhir_mappers.person_facts import YES, first_valued, read_language
from fhir_mappers.profile import VendorProfile
from fhir_mappers.profile_people import PatientPlaces
from fhir_mappers.tables import GENDER
from fhir_mappers.translation import FeedFacts, Identifier, MappedPatient, MapWarning, Resource
from fhir_mappers.v2_message import NULL, Composite, SegmentRun
from fhir_mappers.xtn_to_contact_point import read_telecoms

_LANGUAGE_SYSTEM = "urn:ietf:bcp:47"


class PatientSources(NamedTuple):
    """From which path a fact came; '' when it did not."""

    identifier: str
    text_to: str
    language: str
    guardian: str


class _Name(NamedTuple):
    family: str
    given: str
    resources: list[Resource]


def pid_to_patient(
    run: SegmentRun, profile: VendorProfile, feed: FeedFacts, sent_on: date | None
) -> tuple[MappedPatient, PatientSources, list[MapWarning]] | None:
    """Map one PATIENT group; None when its PID names nobody.

    `sent_on` is the day of MSH-7, against which the validity of numbers is judged.
    """
    identifiers, identifier_path = read_identifiers(run, profile, feed)
    name = _name(_names(run, profile.patient.name))
    if not identifiers and not name.resources:
        return None
    warnings: list[MapWarning] = []
    if not identifiers:
        warnings.append(warn(profile.patient.identifiers[0], "no-patient-identifier"))

    resource: Resource = {"resourceType": "Patient"}
    if identifiers:
        resource["identifier"] = [
            identifier_resource(i.type, i.system, i.value, i.authority) for i in identifiers
        ]
    if name.resources:
        resource["name"] = name.resources
    telecoms = read_telecoms(run, profile.phones, sent_on)
    points = [point for telecom in telecoms for point in telecom.resources]
    if points:
        resource["telecom"] = points
    address = xad_to_address(run)
    if address is not None:
        resource["address"] = address
    gender = GENDER.get(plain(run.get("PID-8")).upper())
    if gender:
        resource["gender"] = gender
    birth_date = _birth(run, profile.patient.birth_date, resource, warnings)
    dead = _death(run, profile.patient, resource, feed.zone)
    language, language_path = _language(run, profile, resource, warnings)

    best = None if dead else number_to_text(telecoms, profile.phones, feed.region)
    warnings += _unreachable(best, dead, profile)
    silenced_by, unsilenced = _silence(run, profile.patient)
    guardian, unguarded = read_guardian(run, profile, feed, sent_on)
    if guardian is None and not dead and sent_on and birth_date and is_minor(birth_date, sent_on):
        warnings.append(warn(profile.patient.birth_date[0], "no-guardian-number"))
    patient = MappedPatient(
        resource=resource,
        text_to=best.number if best else None,
        identifiers=identifiers,
        family=name.family,
        given=name.given,
        birth_date=birth_date,
        language=language,
        deceased=bool(dead),
        no_publicity=bool(silenced_by),
        cleared=_emptied(run, telecoms, profile),
        guardian=guardian,
        unguarded=unguarded,
        said_alive=not dead and _says_alive(run, profile.patient),
        silenced_by=silenced_by,
        unsilenced=unsilenced,
        agrees=_agrees(run, feed, warnings),
    )
    sources = PatientSources(
        identifier_path,
        best.path if best else "",
        language_path,
        guardian.path if guardian else "",
    )
    return patient, sources, warnings


def _unreachable(best: TextTo | None, dead: str, profile: VendorProfile) -> list[MapWarning]:
    """Say why the patient's own number may not be texted."""
    if dead:
        return [warn(dead, "patient-deceased")]
    if best is None:
        return [warn(profile.phones.sources[0].path, "no-phone")]
    return [warn(best.path, "home-number")] if best.kind == "home" else []


def _emptied(run: SegmentRun, telecoms: list[Telecom], profile: VendorProfile) -> tuple[str, ...]:
    """Return the fields of numbers that are null, whole or, with no number anywhere, in part (""^MOBILE)."""
    none = not any(telecom.written for telecom in telecoms)
    paths = [source.path for source in profile.phones.sources]
    return tuple(path for path in paths if run.text(path) == NULL or (none and NULL in run.text(path)))


def read_identifiers(
    run: SegmentRun, profile: VendorProfile, feed: FeedFacts
) -> tuple[tuple[Identifier, ...], str]:
    """Return the identifiers of the patient in `run`, best first, and the path of the best.

    The order is the profile's: authority, then type, then position; never position alone.
    """
    rules = profile.patient
    found: dict[Identifier, str] = {}
    for path in rules.identifiers:
        for repetition, cx in enumerate(run.field(path), start=1):
            identifier = cx_to_identifier(cx, feed.identifier_systems)
            if identifier is not None and identifier.type not in rules.never_types:
                found.setdefault(identifier, f"{path}[{repetition}]" if repetition > 1 else path)
    if not found:
        return (), ""
    best_first = sorted(found, key=lambda identifier: rank(identifier, profile))
    return tuple(best_first), found[best_first[0]]


def rank(identifier: Identifier, profile: VendorProfile) -> tuple[int, int]:
    """How far from the best kind of identifier it is: by authority, then by type."""
    rules = profile.patient
    return _rank(identifier.authority, rules.authorities), _rank(identifier.type, rules.types)


def _rank(value: str, order: Sequence[str]) -> int:
    return order.index(value) if value in order else len(order)


def _names(run: SegmentRun, paths: Sequence[str]) -> list[Composite]:
    """Return the repetitions of the first of these fields that is valued."""
    return next((names for path in paths if (names := run.field(path))), [])


def _name(names: list[Composite]) -> _Name:
    """Choose the name to call the patient by: complete before incomplete, then legal, then the first.

    A middle name alone (XPN.3) is kept in the resource but nobody is called by it.
    """
    mapped = [(xpn, name) for xpn in names if (name := xpn_to_human_name(xpn)) is not None]
    if not mapped:
        return _Name("", "", [])
    xpn = min(
        (xpn for xpn, _ in mapped),
        key=lambda xpn: (not (xpn.get(1) and xpn.get(2)), xpn.get(7).upper() not in ("L", "")),
    )
    return _Name(plain(xpn.get(1)), plain(xpn.get(2)), [name for _, name in mapped])


def _birth(
    run: SegmentRun, paths: Sequence[str], resource: Resource, warnings: list[MapWarning]
) -> date | None:
    written, path = first_valued(run, paths)
    if not written:
        return None
    day = read_date(written)
    if day is not None:
        resource["birthDate"] = day.isoformat()
    elif (
        written.isascii() and written.isdigit() and len(written) in (4, 6) and read_date(f"{written}0101"[:8])
    ):
        resource["birthDate"] = "-".join(filter(None, (written[:4], written[4:6])))
    else:
        warnings.append(warn(path, "not-a-date"))
    return day


def _death(run: SegmentRun, places: PatientPlaces, resource: Resource, zone: ZoneInfo) -> str:
    """Set deceased[x]; return the path that says so, '' while the patient lives."""
    when, path = first_valued(run, places.died_at)
    if when.strip("0"):
        written = read_time(when)
        moment = place(written, zone).at
        day = read_date(when)
        if moment is not None:
            resource["deceasedDateTime"] = moment.isoformat()
        elif day is not None:
            resource["deceasedDateTime"] = day.isoformat()
        else:
            resource["deceasedBoolean"] = True
        return path
    answer, path = first_valued(run, places.died)
    if not answer:
        return ""
    resource["deceasedBoolean"] = answer.upper() in YES
    return path if answer.upper() in YES else ""


def _says_alive(run: SegmentRun, places: PatientPlaces) -> bool:
    """Say whether the message takes a death back, not merely leaves it out (HL7: empty is no change)."""
    emptied = any(run.is_null(path) for path in (*places.died_at, *places.died))
    return emptied or bool(first_valued(run, places.died).value)


def _agrees(run: SegmentRun, feed: FeedFacts, warnings: list[MapWarning]) -> bool | None:
    """Say whether the site's consent field has a yes or a no; one that is empty or null says neither."""
    if feed.consent is None:
        return None
    word = plain(run.get(feed.consent.path)).casefold()
    if not word:
        return None
    if word in feed.consent.refused:
        return False
    if word in feed.consent.given:
        return True
    warnings.append(warn(feed.consent.path, "unknown-consent"))
    return None


def _silence(run: SegmentRun, places: PatientPlaces) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the paths that ask for no texts, and those that say otherwise; the others say nothing new."""
    asking: list[str] = []
    otherwise: list[str] = []
    for paths, words in (
        (places.publicity, places.silent_publicity),
        (places.protection, places.silent_protection),
    ):
        for path in paths:
            word = plain(run.get(path)).casefold()
            if word in words:
                asking.append(path)
            elif word or run.is_null(path):
                otherwise.append(path)
    return tuple(asking), tuple(otherwise)


def _language(
    run: SegmentRun, profile: VendorProfile, resource: Resource, warnings: list[MapWarning]
) -> tuple[str | None, str]:
    paths = profile.patient.language
    code, path = read_language(run, paths, profile)
    if code is None:
        word = first_valued(run, paths).value
        if word:
            warnings.append(warn(paths[0].partition(".")[0], "unknown-language"))
            resource["communication"] = [{"language": {"text": word}}]
        return None, ""
    coding = {"system": _LANGUAGE_SYSTEM, "code": code}
    resource["communication"] = [{"language": {"coding": [coding]}}]
    return code, path
