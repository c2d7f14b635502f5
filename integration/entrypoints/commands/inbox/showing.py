"""`inbox show`: one kept message field by field, masked unless asked, and what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fhir_mappers.translate_message import identity_keys, translate
from integration.entrypoints.commands.inbox.masking import fields, masked
from integration.entrypoints.commands.inbox.messages import as_json
from integration.entrypoints.commands.inbox.notification import show_notification
from integration.entrypoints.printing import facts, json_line, say, table, warn
from integration.entrypoints.terminal import Paint
from integration.entrypoints.troubles import Usage
from integration.pipeline.translate.notifications import is_notification
from integration.pipeline.translate.reading import appointment_keys, facts_for

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.ports.store import KeptMessage, Store, Unit
    from integration.settings.model import Feed, Settings


def show_messages(store: Store, settings: Settings, options: argparse.Namespace, base: str) -> int:
    """Exit status 1 when one is unknown; `base`: the EHR's base URL, "" when there is none."""
    if not options.ids:
        raise Usage("inbox show needs the number of a message; inbox list shows them")
    unknown = False
    for message_id in options.ids:
        with store.reading() as unit:
            message = unit.inbox.get(message_id)
            feed = None if message is None else settings.feeds.get(message.channel)
            became = None if message is None or feed is None else what_became(unit, message, feed)
        if message is None:
            warn(f"There is no message {message_id}.")
            unknown = True
            continue
        if is_notification(message):
            show_notification(message, base, as_lines=options.json, reveal=options.reveal)
            continue
        charset = None if feed is None else feed.charset
        parts = fields(message.payload, charset=charset, reveal=options.reveal)
        if options.json:
            text = message.payload.decode("utf-8", "backslashreplace")
            shown = text if options.reveal else masked(message.payload, charset=charset)
            by_path = [{"path": path, "value": value} for path, value in parts]
            json_line(as_json(message) | {"message": shown, "fields": by_path, "became": became})
        else:
            _show(message, parts, became, reveal=options.reveal)
    return int(unknown)


def what_became(unit: Unit, message: KeptMessage, feed: Feed) -> dict[str, Any]:
    """What the mapping makes of it now, and the appointment it is about with its reminders."""
    translation = translate(message.payload, feed.vendor, facts_for(feed, message))
    known = identity_keys(message.payload, feed.vendor, feed.facts)
    keys = appointment_keys(known.appointment, known.occurrence)
    visit = unit.appointments.find(feed.scope, keys) if keys else None
    refusal = translation.refusal
    return {
        "trigger": translation.trigger,
        "event": translation.event,
        "refusal": None
        if refusal is None
        else {"path": refusal.path, "code": refusal.code, "text": refusal.text},
        "warnings": [{"path": w.path, "code": w.code, "text": w.text} for w in translation.warnings],
        "appointment": None
        if visit is None
        else {
            "id": visit.id,
            "status": visit.status,
            "start": None if visit.slot.start is None else _local(visit.slot.start, visit),
            "practice": visit.practice,
            "held_by": visit.held_by,
        },
        "reminders": []
        if visit is None
        else [
            {
                "step": reminder.step,
                "state": reminder.state.value,
                "due_at": _local(reminder.due_at, visit),
                "reason": reminder.reason,
                "by_this_message": reminder.inbox_id == message.id,
            }
            for reminder in unit.reminders.of_appointment(visit.id)
        ],
    }


def _local(at: datetime, visit: Appointment) -> str:
    """As a clock at the clinic shows it."""
    return at.astimezone(ZoneInfo(visit.zone)).isoformat(timespec="minutes")


def _show(
    message: KeptMessage, parts: list[tuple[str, str]], became: dict[str, Any] | None, *, reveal: bool
) -> None:
    told = as_json(message)
    say(f"message {message.id}", paint=Paint.STRONG)
    say(*(f"  {name}: {value}" for name, value in told.items() if value is not None and name != "id"))
    if not message.payload:
        say("  Its content has been purged.")
    elif not parts:
        say("  It cannot be read:")
        text = message.payload.decode("utf-8", "backslashreplace") if reveal else masked(message.payload)
        say(*(f"  {line}" for line in text.splitlines()[:50]))
    else:
        facts(("path", "value" if reveal else "value, masked"), parts)
    if became is None:
        say("", f"No feed of the configuration is named {message.channel}.", "")
        return
    say("", f"as mapped now: {became['trigger']} → {became['event']}", paint=Paint.STRONG)
    if became["refusal"] is not None:
        refusal = became["refusal"]
        where = f" at {refusal['path']}" if refusal["path"] else ""
        say(f"  refused{where}: {refusal['text']} ({refusal['code']})", paint=Paint.WRONG)
    for each in became["warnings"]:
        say(f"  warning at {each['path']}: {each['text']} ({each['code']})", paint=Paint.WARNED)
    _show_visit(became)


def _show_visit(became: dict[str, Any]) -> None:
    visit = became["appointment"]
    if visit is None:
        say("No appointment is stored under its identifiers.", "")
        return
    say(
        f"appointment {visit['id']}: {visit['status']}, start {visit['start'] or 'unknown'}, "
        f"practice {visit['practice'] or 'none'}"
    )
    if visit["held_by"] is not None:
        say(f"  its reminders are held by the dead message {visit['held_by']}", paint=Paint.WARNED)
    head = ("step", "state", "due", "by", "reason")
    rows = [
        (r["step"], r["state"], r["due_at"], "this" if r["by_this_message"] else "another", r["reason"])
        for r in became["reminders"]
    ]
    if rows:
        table(head, rows)
    else:
        say("  no reminders")
    say("")
