"""Shows one patient's or one number's consent whole: every record, every stop and its end, what holds now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from integration.domain.consent import SuppressionKind
from integration.domain.last_look import of_patient, suppressed
from integration.domain.phone_number import mask
from integration.entrypoints.commands.consent.finding import number_of, patients_known_by
from integration.entrypoints.printing import say
from integration.entrypoints.troubles import Refused

if TYPE_CHECKING:
    from integration.domain.consent import ConsentRecord, Suppression
    from integration.domain.recipient import Patient
    from integration.ports.store import Store, Unit
    from integration.settings.model import Settings

# What stops a number, in the words of the page.
_KINDS: Final = {
    SuppressionKind.OPT_OUT: "stopped",
    SuppressionKind.WRONG_NUMBER: "called a wrong number",
    SuppressionKind.BAD_NUMBER: "found unable to receive texts",
}
_SOURCES: Final = {
    "reply": "by a text from it",
    "keyword": "by a text from it that the carrier obeys too",
    "carrier": "by the carrier's word",
    "import": "by an imported list",
}
_LIFTED: Final = {
    "reply": "by a text from it (START)",
    "staff": "by staff",
    "ehr": "because the EHR gave the number anew",
    "passed": "because a text reached it",
}


def show(store: Store, settings: Settings, who: str, *, reveal: bool) -> int:
    """Print it; raises Refused when nobody is known so."""
    now = datetime.now(UTC)
    with store.reading() as unit:
        patients = patients_known_by(unit, settings, who)
        number = None if patients else number_of(settings, who)
        if number is not None:
            patients = list(unit.patients.with_number(number))
            _say_number(unit, number, reveal=reveal)
        if number is None and not patients:
            raise Refused("Nobody is known by that, and it is no telephone number.")
        for patient in patients:
            _say_patient(unit, settings, patient, now, reveal=reveal)
            theirs = patient.number_on(now.date())
            if theirs is not None and theirs != number:
                _say_number(unit, theirs, reveal=reveal)
    return 0


def _say_patient(unit: Unit, settings: Settings, patient: Patient, now: datetime, *, reveal: bool) -> None:
    say(f"Patient {patient.id}, known to {patient.scope}")
    records = unit.consents.of_patient(patient.id)
    for record in records:
        say(f"  {_record_in_words(record, reveal=reveal)}")
    if not records:
        say("  No yes and no no is on record.")
    recorded = records[0].given if records else None
    for practice in settings.practices.values():
        local = now.astimezone(practice.plan.zone)
        number = patient.number_on(local.date())
        stops = [] if number is None else unit.numbers.suppressions(number)
        verdict = suppressed(stops, sender=None) or of_patient(
            patient, number or "", practice.consent, recorded=recorded, now=local
        )
        what = "may be texted" if verdict is None else f"is not texted: {verdict.reason}"
        if verdict is None and number is None:
            what = "is not texted: the patient has no number for texts"
        say(f"  Now, for {practice.name} (consent {practice.consent}): {what}.")


def _record_in_words(record: ConsentRecord, *, reveal: bool) -> str:
    parts = [f"{_day(record.at)}: {'yes' if record.given else 'no'}, from {record.source}"]
    if record.medium:
        parts.append(f"by {record.medium}")
    if record.number is not None:
        parts.append(f"for {record.number if reveal else mask(record.number)}")
    if record.campaign:
        parts.append(f"campaign {record.campaign}")
    if record.recorded_by:
        parts.append(f"recorded by {record.recorded_by if reveal else '(masked)'}")
    if record.ip:
        parts.append(f"from address {record.ip if reveal else '(masked)'}")
    if record.wording:
        parts.append(f'shown "{record.wording}"')
    return ", ".join(parts)


def _say_number(unit: Unit, number: str, *, reveal: bool) -> None:
    say(f"Number {number if reveal else mask(number)}")
    ever = unit.consents.of_number(number)
    for each in ever:
        say(f"  {_stop_in_words(each, reveal=reveal)}")
    if not ever:
        say("  It never said stop, and nothing else forbids to text it.")


def _stop_in_words(stop: Suppression, *, reveal: bool) -> str:
    words = f"{_day(stop.since)}: {_KINDS[stop.kind]} {_SOURCES.get(stop.source, stop.source)}"
    if stop.evidence and (reveal or stop.source == "carrier"):
        words += f' ("{stop.evidence}")'
    if stop.lifted_at is not None:
        words += f"; lifted {_day(stop.lifted_at)} {_LIFTED.get(stop.lifted_by or '', '')}".rstrip()
    elif stop.awaiting_start is not None:
        words += (
            f"; staff lifted it {_day(stop.awaiting_start)}, awaiting START: the carrier blocks the number"
            " until its holder texts START to us"
        )
    else:
        words += "; in force"
    return f"{words} ({stop.lift_note})" if stop.lift_note else words


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
