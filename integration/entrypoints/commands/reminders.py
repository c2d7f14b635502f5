"""`reminders`: what was decided about each step of each visit, and why, in words a nurse can read.

By our ids and masked numbers; names only when asked for.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from integration import bootstrap
from integration.domain.reminder_decision import Standing, decisions
from integration.entrypoints.moments import moment
from integration.entrypoints.printing import json_line, table, warn
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.troubles import Usage
from integration.settings.differences import everything

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.domain.appointment import Appointment
    from integration.domain.reminder_decision import Decision
    from integration.ports.store import Unit
    from integration.settings.model import Practice, Settings

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE: Final = 200
_A_MONTH: Final = timedelta(days=31)
_MORE: Final = """\
  list      the steps that were decided, or fall due, between --from and --to (the last day and the next)
  show      every step of some visits, also those that were never planned, with the reason

  appointment-texts reminders list --state held
  appointment-texts reminders list --reason "quiet hours" --practice riverside
  appointment-texts reminders show F-77101

A visit is named by an identifier of the EHR (SCH-2, SCH-1, PV1-19, Appointment.id) or by our number.
One of more than a month ago is found by its identifier, too, but takes longer.

Exit status: 0 done; 1 a visit is unknown; 2 wrong usage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which visits, or which decisions."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _MORE
    parser.add_argument("deed", nargs="?", choices=("list", "show"), default="list", help="see below")
    parser.add_argument("visits", nargs="*", metavar="VISIT", help="show: an identifier, or our number")
    parser.add_argument("--practice", help="list: this one alone (all)")
    parser.add_argument("--from", dest="begin", metavar="T", help="list: such as 2027-03-01T09:00-05:00")
    parser.add_argument("--to", dest="end", metavar="T", help="list: before then")
    parser.add_argument("--state", choices=[*map(str, Standing)], help="list: those that are so")
    parser.add_argument("--reason", help="list: those with this reason, or one that begins so")
    parser.add_argument("--limit", type=int, default=100, help="list: so many (100)")
    parser.add_argument("--names", action="store_true", help="the patients' names, too")
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one decision a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a visit is unknown. Raises Usage."""
    _check(options)
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    settings = the_settings(environment)
    if options.practice is not None and options.practice not in settings.practices:
        raise Usage(f"--practice: unknown; there are {', '.join(settings.practices)}")
    store = bootstrap.open_existing_store(environment)
    unknown: list[str] = []
    try:
        with store.reading() as unit:
            if options.deed == "show":
                found = list(_shown(unit, settings, options.visits, unknown))
            else:
                found = list(_listed(unit, settings, options))
            most = options.limit if options.deed == "list" else len(found)
            lines = [_as_json(unit, settings, each, options.names) for each in found[:most]]
    finally:
        store.close()
    if options.json:
        for line in lines:
            json_line(line)
    else:
        head = ("visit", "patient", *(("name",) if options.names else ()), "step", "decision")
        table(head, ([line[key] for key in (*head[:-1], "words")] for line in lines))
    if len(found) > most:
        warn(f"There are more than these {options.limit}: --limit.")
    warn(*(f"There is no visit {each}." for each in unknown))
    return int(bool(unknown))


def _check(options: argparse.Namespace) -> None:
    if options.deed == "show" and not options.visits:
        raise Usage("show: which? Name visits by an identifier of the EHR, or by our number.")
    if options.deed == "list" and options.visits:
        raise Usage("list: takes no visits; `show` does.")
    if options.limit < 1:
        raise Usage("--limit: at least 1")


def _listed(unit: Unit, settings: Settings, options: argparse.Namespace) -> Iterator[Decision]:
    """By visit, in the order in which their reminders fall due."""
    now = datetime.now(UTC)
    begin = now - timedelta(days=1) if options.begin is None else moment("--from", options.begin)
    end = now + timedelta(days=1) if options.end is None else moment("--to", options.end)
    seen: dict[int, None] = {}
    for practice in [options.practice] if options.practice else settings.practices:
        for reminder in unit.reminders.states_of_practice(practice, begin):
            times = (reminder.due_at, reminder.decided_at or reminder.due_at)
            if any(begin <= at < end for at in times):
                seen[reminder.appointment_id] = None
    for appointment_id in seen:
        for each in _of(unit, settings, unit.appointments.get(appointment_id)):
            within = each.at is not None and begin <= each.at < end
            standing = options.state in {None, each.standing.value}
            reason = options.reason is None or (each.reason or "").startswith(options.reason)
            if (within or each.standing is Standing.NEVER) and standing and reason:
                yield each


def _shown(unit: Unit, settings: Settings, named: list[str], unknown: list[str]) -> Iterator[Decision]:
    for name in named:
        found = _visits(unit, settings, name)
        if not found:
            unknown.append(name)
        for appointment in found:
            yield from _of(unit, settings, appointment)


def _of(unit: Unit, settings: Settings, appointment: Appointment) -> list[Decision]:
    practice = settings.practices.get(appointment.practice or "")
    stored = unit.reminders.of_appointment(appointment.id)
    return decisions(appointment, stored, None if practice is None else practice.plan)


def _visits(unit: Unit, settings: Settings, name: str) -> list[Appointment]:
    """Those the name may mean: an EHR's identifier of late, then our own number, then one of long ago."""
    found = [each for each in _since(unit, settings, datetime.now(UTC) - _A_MONTH) if _is_called(each, name)]
    if found:
        return found
    if name.isascii() and name.isdigit():
        try:
            return [unit.appointments.get(int(name))]
        except KeyError:
            pass
    return [each for each in _since(unit, settings, _EVER) if _is_called(each, name)]


def _since(unit: Unit, settings: Settings, since: datetime) -> Iterator[Appointment]:
    """Visits that begin then or later. Identifiers lie sealed in the store: they are looked at one by one."""
    after: int | None = 0
    while after is not None:
        ids, after = unit.appointments.touched(
            everything(settings), after_id=after, since=since, limit=_AT_ONCE
        )
        yield from (unit.appointments.get(each) for each in ids)


def _is_called(appointment: Appointment, name: str) -> bool:
    return any(name in key.split("|")[2:3] for key in appointment.identifiers)


def _as_json(unit: Unit, settings: Settings, decision: Decision, names: bool) -> dict[str, Any]:  # noqa: FBT001 - as asked on the command line
    appointment = unit.appointments.get(decision.appointment_id)
    practice = settings.practices.get(appointment.practice or "")
    reminder, patient = decision.reminder, unit.patients.get(decision.patient_id)
    return {
        "visit": decision.appointment_id,
        "patient": decision.patient_id,
        **({"name": f"{patient.given} {patient.family}".strip()} if names else {}),
        "practice": appointment.practice,
        "step": decision.step,
        "state": decision.standing.value,
        "at": None if decision.at is None else decision.at.isoformat(timespec="seconds"),
        "reason": decision.reason,
        "text": None if reminder is None else reminder.text_id,
        "to": None if reminder is None or not reminder.number else f"…{reminder.number[-2:]}",
        "not_after": None if reminder is None else reminder.not_after.isoformat(timespec="seconds"),
        "words": in_words(decision, practice),
    }


def in_words(decision: Decision, practice: Practice | None) -> str:
    """The decision as it is read aloud, in the practice's time."""
    zone = UTC if practice is None else practice.plan.zone
    when = "" if decision.at is None else f"{decision.at.astimezone(zone):%a %-d %b %H:%M}"
    reason = decision.reason or ""
    text = None if decision.reminder is None else decision.reminder.text_id
    return {
        Standing.SENT: f"sent {when}, in text {text}",
        Standing.HELD: f"held until {when}: {reason}",
        Standing.PLANNED: f"planned for {when}",
        Standing.SKIPPED: f"skipped: {reason}",
        Standing.WITHDRAWN: f"withdrawn: {reason}",
        Standing.NEVER: f"never planned: {reason}",
    }[decision.standing]
