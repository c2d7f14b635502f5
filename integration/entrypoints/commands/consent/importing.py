"""Takes in a list of consents: what is known is passed over, what cannot be placed is said by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from integration.domain.consent import ALL_SENDERS, ConsentRecord, Suppression, SuppressionKind
from integration.domain.consent_list import BadLine, BadList, read_list
from integration.entrypoints.commands.consent.exporting import SOURCE, medium_of
from integration.entrypoints.commands.consent.finding import patients_known_by
from integration.entrypoints.printing import say, warn
from integration.entrypoints.troubles import Refused
from integration.pipeline.translate.opt_ins import confirm_yes
from integration.stops import stop

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from integration.domain.consent_list import ConsentLine
    from integration.ports.store import Store, Unit
    from integration.settings.model import Settings

_NEW, _KNOWN, _OVERTAKEN = "new", "known already", "overtaken by a later START"


class _Undo(Exception):
    """A dry run leaves no trace."""


def import_list(
    store: Store,
    settings: Settings,
    file: tuple[str, list[str]],
    zone: ZoneInfo | None,
    *,
    dry_run: bool,
    welcome: bool = False,
) -> int:
    """Record what the list says; exit status 1 when a line of it was refused.

    `welcome`: whose yes is new is texted once, where the practice confirms a yes; how many is said first.
    """
    name, lines = file
    region = next((feed.region for feed in settings.feeds.values()), "US")
    now = datetime.now(UTC)
    try:
        entries = list(read_list(lines, region=region, zone=zone, now=now))
    except BadList as error:
        raise Refused(f"{name}:1: {error}") from error
    listed = [entry for entry in entries if not isinstance(entry, BadLine)]
    if welcome:
        foreseen = _List(store, settings, now, dry_run=True, welcome=True)
        for line in listed:
            foreseen.take(line)
        say(f"{foreseen.texts} {'would' if dry_run else 'will'} be texted once, that their yes is noted.")
    taken = _List(store, settings, now, dry_run=dry_run, welcome=welcome)
    done: Counter[str] = Counter()
    refused = 0
    for entry in entries:
        outcome = entry if isinstance(entry, BadLine) else taken.take(entry)
        if isinstance(outcome, BadLine):
            warn(f"{name}:{outcome.line}: {outcome.column}: {outcome.why}")
            refused += 1
        else:
            done[outcome] += 1
    would, nobody = "would be " if dry_run else "", "" if welcome else " Nobody is texted."
    say(f"{done[_NEW]} {would}recorded, {done[_KNOWN]} known already, {refused} refused.{nobody}")
    if done[_OVERTAKEN]:
        say(f"{done[_OVERTAKEN]} refusals are older than a START of the same number, and change nothing.")
    return int(refused > 0)


class _List:
    """A list on its way in, line by line, each in a unit of its own."""

    def __init__(
        self, store: Store, settings: Settings, now: datetime, *, dry_run: bool, welcome: bool
    ) -> None:
        self._store, self._settings, self._now = store, settings, now
        self._dry_run, self._welcome = dry_run, welcome
        self._asked: dict[int, int] = {}  # by patient, how many texts

    @property
    def texts(self) -> int:
        """How many texts are, or would be, asked for."""
        return sum(self._asked.values())

    def take(self, line: ConsentLine) -> str | BadLine:
        """What was recorded, or why the line was refused."""
        outcome: str | BadLine = _KNOWN
        try:
            with self._store.unit() as unit:
                outcome, agreed = _record(unit, self._settings, line)
                for patient_id in agreed if self._welcome else ():
                    asked = confirm_yes(unit, self._settings, patient_id, now=self._now)
                    self._asked[patient_id] = max(asked, self._asked.get(patient_id, 0))
                _end(dry_run=self._dry_run)
        except _Undo:
            pass
        return outcome


def _end(*, dry_run: bool) -> None:
    if dry_run:
        raise _Undo


def _record(unit: Unit, settings: Settings, line: ConsentLine) -> tuple[str | BadLine, list[int]]:
    """What came of the line, and whose yes is new."""
    if not line.identifier and not line.given:
        return _stop(unit, line), []
    if line.identifier:
        patients = patients_known_by(
            unit,
            settings,
            line.identifier,
            authority=line.authority,
            identifier_type=line.identifier_type,
            scope=line.scope,
        )
        if len(patients) != 1:
            why = "names more than one patient: say authority, identifier_type and scope"
            why = why if patients else "names nobody who is known (yet)"
            return BadLine(line.line, "identifier", why), []
    else:
        patients = [each for each in unit.patients.with_number(line.number or "") if each.merged_into is None]
        if not patients:
            return BadLine(line.line, "phone", "is the number of nobody who is known (yet)"), []
    new = [patient.id for patient in patients if _record_once(unit, _as_record(line, patient.id))]
    return _NEW if new else _KNOWN, new if line.given else []


def _record_once(unit: Unit, record: ConsentRecord) -> bool:
    """Not what was exported from here: there a record of another source has it for its medium."""
    told = unit.consents.of_patient(record.patient_id)
    exported = (replace(each, id=0, source=SOURCE, medium=medium_of(each)) for each in told)
    return record not in exported and unit.consents.record(record)


def _as_record(line: ConsentLine, patient_id: int) -> ConsentRecord:
    return ConsentRecord(
        id=0,
        patient_id=patient_id,
        given=line.given,
        at=line.at,
        source=SOURCE,
        medium=line.medium,
        number=line.number,
        wording=line.wording,
        campaign=line.campaign,
        ip=line.ip,
        recorded_by=line.recorded_by,
    )


def _stop(unit: Unit, line: ConsentLine) -> str:
    """A no by number alone is the number's: whoever has it, nobody is texted there."""
    assert line.number is not None  # noqa: S101 - without an identifier there is a number
    unit.numbers.lock(line.number)
    ever = [each for each in unit.consents.of_number(line.number) if each.kind is SuppressionKind.OPT_OUT]
    if any(each.lifted_at is None or (each.source, each.since) == (SOURCE, line.at) for each in ever):
        return _KNOWN
    if any(each.lifted_at is not None and each.lifted_at > line.at for each in ever):
        return _OVERTAKEN
    parts = (line.medium, line.wording, line.campaign, line.ip, line.recorded_by)
    stop(
        unit,
        Suppression(
            id=0,
            number=line.number,
            kind=SuppressionKind.OPT_OUT,
            sender=ALL_SENDERS,
            since=line.at,
            source=SOURCE,
            evidence=" | ".join(filter(None, parts)),
        ),
    )
    return _NEW
