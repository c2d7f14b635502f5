"""One mapped message as `map` tells it: for programs one object, for people a table of its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir_mappers.fact import Fact
from integration.entrypoints.printing import facts as print_facts
from integration.entrypoints.printing import say
from integration.entrypoints.terminal import Paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhir_mappers.translation import MappedAppointment, Translation
    from integration.settings.model import Feed, Settings

HEAD = ("fact", "value", "from", "because of")


def as_json(file: str, translation: Translation, facts: Sequence[Fact]) -> dict[str, Any]:
    """One message, as `map --json` tells it (design: contracts at the edges)."""
    appointment, refusal, visit = translation.appointment, translation.refusal, translation.visit
    return {
        "file": file,
        "control_id": translation.control_id,
        "trigger": translation.trigger,
        "event": translation.event,
        "appointment": None if appointment is None else appointment.resource,
        "patients": [patient.resource for patient in translation.patients],
        "text_to": [patient.text_to for patient in translation.patients],
        "warnings": [
            {"path": each.path, "code": each.code, "text": each.text} for each in translation.warnings
        ],
        "refusal": None
        if refusal is None
        else {"code": refusal.code, "text": f"{refusal.path}: {refusal.text}"},
        "sources": dict(translation.sources),
        "facts": [fact._asdict() for fact in facts],
        "visit": None if visit is None else {"event": visit.event},
        "merges": [{"path": merge.path, "gone": len(merge.gone)} for merge in translation.merges],
    }


def practice_fact(settings: Settings, feed: Feed, appointment: MappedAppointment) -> Fact:
    """Which practice the appointment falls to, and by which line."""
    for location in appointment.locations:
        claimed = feed.locations.get(location.code)
        if claimed is not None:
            rule = f"feeds/{feed.name}.toml: locations.{location.code}"
            return Fact("practice", claimed.practice, location.path, rule)
    practice, _ = settings.practice_of(feed, ())
    if practice is None:
        return Fact(
            "practice", "none: it is never texted", "", f"feeds/{feed.name}.toml: no location claims it"
        )
    return Fact("practice", practice, "", f"practices/{practice}.toml: serves_unclaimed, in test mode")


def show(file: str, translation: Translation, facts: Sequence[Fact]) -> None:
    """What a person reads."""
    named = translation.control_id or "(no control id)"
    what = translation.trigger or "(no trigger event)"
    say(f"{file}  {named}  {what} → {translation.event}", paint=Paint.STRONG)
    if translation.refusal is not None:
        refusal = translation.refusal
        where = f" at {refusal.path}" if refusal.path else ""
        say(f"  refused{where}: {refusal.text} ({refusal.code})", paint=Paint.WRONG)
    if facts:
        print_facts(HEAD, facts)
    for warning in translation.warnings:
        say(f"  warning at {warning.path}: {warning.text} ({warning.code})", paint=Paint.WARNED)
    say("")
