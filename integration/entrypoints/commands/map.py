"""`map`: shows what each HL7 v2 message becomes, by itself and without any store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir_mappers.v2_to_fhir import translate
from integration.entrypoints.message_files import read_messages
from integration.entrypoints.printing import json_line, say
from integration.entrypoints.surroundings import the_environment, the_feed, the_settings

if TYPE_CHECKING:
    import argparse

    from fhir_mappers.translation import Translation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files and the feed they came from."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="HL7 v2 messages; - is standard input")
    parser.add_argument("--feed", help="the feed they came from (the only one, or main)")
    parser.add_argument("--json", action="store_true", help="one message a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a message was refused."""
    feed = the_feed(the_settings(the_environment()), options.feed)
    refused = False
    for file, message in read_messages(options.files):
        translation = translate(message, feed.vendor, feed.facts)
        refused = refused or translation.refusal is not None
        if options.json:
            json_line(as_json(file, translation))
        else:
            _show(file, translation)
    return int(refused)


def as_json(file: str, translation: Translation) -> dict[str, Any]:
    """One message, as `map --json` tells it (design: contracts at the edges)."""
    appointment, refusal = translation.appointment, translation.refusal
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
    }


def _show(file: str, translation: Translation) -> None:
    say(
        f"{file}  {translation.control_id or '(no control id)'}  {translation.trigger}  → {translation.event}"
    )
    if translation.refusal is not None:
        refusal = translation.refusal
        say(f"  refused: {refusal.path}: {refusal.text} ({refusal.code})")
    appointment = translation.appointment
    if appointment is not None:
        start = "no start" if appointment.start is None else appointment.start.isoformat(" ", "minutes")
        say(f"  appointment: {appointment.status}, {start} {appointment.zone.key}, {appointment.modality}")
    for patient in translation.patients:
        identifier = next((each.value for each in patient.identifiers), "no identifier")
        say(f"  patient {identifier}: {patient.text_to or 'no number to text'}")
    for name, path in sorted(translation.sources.items()):
        say(f"    {name} ← {path}")
    for warning in translation.warnings:
        say(f"  warning: {warning.path}: {warning.text} ({warning.code})")
