"""`texts`: shows every text of a practice at its longest and shortest, in each of its languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.text_samples import samples
from integration.domain.text_template import choices
from integration.domain.wording import PracticeWords
from integration.entrypoints.printing import json_line, say
from integration.entrypoints.surroundings import the_environment, the_practice, the_settings
from integration.entrypoints.terminal import Paint
from integration.entrypoints.troubles import Usage

if TYPE_CHECKING:
    import argparse

    from integration.domain.text_samples import Sample
    from integration.settings.model import Practice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which practice, language and occasion; all unless given."""
    parser.add_argument("--practice", help="one practice (all)")
    parser.add_argument("--language", help="one language, such as es, even one the practice does not use yet")
    parser.add_argument("--occasion", help='one occasion, such as two_days, or "answer stop" (all)')
    parser.add_argument("--json", action="store_true", help="one text a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a text would not fit or cannot be written."""
    settings = the_settings(the_environment())
    chosen = the_practice(settings, options.practice)
    if options.language is not None and options.language not in settings.catalogs:
        raise Usage(f"--language {options.language}: {choices(options.language, settings.catalogs)}")
    problems = shown = 0
    known: set[str] = set()
    for practice in settings.practices.values() if chosen is None else (chosen,):
        words = PracticeWords(practice.public_name, practice.phone, practice.emergency)
        for language in practice.languages if options.language is None else (options.language,):
            for sample in samples(
                settings.catalogs[language],
                words,
                max_segments=practice.max_segments,
                zone=practice.plan.zone,
            ):
                known.add(sample.occasion)
                if options.occasion in {None, sample.occasion}:
                    _show(practice, language, sample, as_json=options.json)
                    shown, problems = shown + 1, problems + (sample.problem is not None)
    if not shown:
        raise Usage(f"--occasion {options.occasion}: {choices(options.occasion or '', known)}")
    return int(problems > 0)


def _show(practice: Practice, language: str, sample: Sample, *, as_json: bool) -> None:
    price = None
    if practice.price_per_segment is not None and sample.segments is not None:
        price = str(practice.price_per_segment * sample.segments)
    if as_json:
        json_line(
            {
                "practice": practice.name,
                "language": language,
                "occasion": sample.occasion,
                "ask": sample.ask,
                "which": sample.which,
                "text": sample.text,
                "encoding": sample.encoding,
                "segments": sample.segments,
                "units": sample.units,
                "left": sample.left,
                "price": price,
                "problem": sample.problem,
            }
        )
        return
    head = f"{practice.name} {language}  {sample.occasion}{' (asks)' if sample.ask else ''}"
    if sample.problem is not None:
        say(head, f"    {sample.problem}", paint=Paint.WARNED)
        return
    many = "segment" if sample.segments == 1 else "segments"
    cost = "" if price is None else f", {price} {practice.currency}"
    say(
        f"{head}, {sample.which}: {sample.segments} {many}, {sample.encoding}, {sample.left} left{cost}",
        paint=Paint.STRONG,
    )
    say(f"    {sample.text}")
