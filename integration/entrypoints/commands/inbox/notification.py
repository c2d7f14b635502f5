"""`inbox show` of a FHIR notification: how it came and what is understood of it, ids and bodies masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir_mappers.subscription import Received, read_kept
from integration.entrypoints.commands.inbox.masking import mask, masked
from integration.entrypoints.commands.inbox.messages import as_json
from integration.entrypoints.printing import facts, json_line, say
from integration.entrypoints.terminal import Paint

if TYPE_CHECKING:
    from fhir_mappers.notification import Focus
    from integration.ports.store import KeptMessage


def show_notification(message: KeptMessage, base: str, *, as_lines: bool, reveal: bool) -> None:
    """`base`: the EHR's base URL, "" when there is none; `as_lines`: as JSON."""
    received = Received.from_bytes(message.payload)
    body = "" if received is None else received.body
    shown = body if reveal else masked(body.encode())
    parts = [] if received is None else _fields(received, reveal=reveal)
    became = understood(message, base, reveal=reveal)
    if as_lines:
        by_path = [{"path": path, "value": value} for path, value in parts]
        json_line(as_json(message) | {"message": shown, "fields": by_path, "became": became})
        return
    say(f"message {message.id}", paint=Paint.STRONG)
    told = as_json(message)
    say(*(f"  {name}: {value}" for name, value in told.items() if value is not None and name != "id"))
    if not message.payload:
        say("  Its content has been purged.", "")
        return
    facts(("path", "value" if reveal else "value, masked"), parts)
    say(*(f"  {line}" for line in shown.splitlines()[:50]))
    say("", f"as understood now: {became['kind']}", paint=Paint.STRONG)
    say(*(f"  {name}: {became[name]}" for name in ("subscription", "topic", "status") if became[name]))
    for event in became["events"]:
        gone = ", deleted" if event["deleted"] else ""
        say(f"  event {event['number'] or ''}: {event['focus'] or 'names no resource'}{gone}")
    if became["refusal"] is not None:
        say(f"  refused: {became['refusal']['text']} ({became['refusal']['code']})", paint=Paint.WRONG)
    for each in became["warnings"]:
        say(f"  warning at {each['path']}: {each['text']} ({each['code']})", paint=Paint.WARNED)
    say("")


def understood(message: KeptMessage, base: str, *, reveal: bool) -> dict[str, Any]:
    """What the notification says, as it would be read now."""
    found = read_kept(message.payload, base)
    refusal = found.refusal
    return {
        "kind": found.kind,
        "subscription": found.subscription,
        "topic": found.topic,
        "status": found.status,
        "events": [
            {"number": event.number, "focus": _focus(event.focus, reveal=reveal), "deleted": event.deleted}
            for event in found.events
        ],
        "refusal": None
        if refusal is None
        else {"path": refusal.path, "code": refusal.code, "text": refusal.text},
        "warnings": [{"path": each.path, "code": each.code, "text": each.text} for each in found.warnings],
    }


def _focus(focus: Focus | None, *, reveal: bool) -> str | None:
    if focus is None:
        return None
    name = focus.id or focus.identifier
    return f"{focus.type}/{name if reveal else mask(name)}"


def _fields(received: Received, *, reveal: bool) -> list[tuple[str, str]]:
    path = received.path if reveal else mask(received.path)
    said = [("method", received.method), ("path", path)]
    said += [
        (name, value if reveal or name == "content-type" else mask(value))
        for name, value in received.headers.items()
    ]
    return [(name, value) for name, value in said if value]
