"""Measures each practice's settings against the clauses of its law (`integration.domain.law`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.domain.law import findings
from integration.settings.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.domain.law import Finding
    from integration.settings.model import Practice, Settings


def unlawful(practice: Practice) -> Iterator[Mistake]:
    """What its law forbids."""
    yield from (_mistake(practice, each) for each in _findings(practice) if each.unlawful)


def beyond_the_safe_default(settings: Settings) -> Iterator[str]:
    """What is lawful and deserves a second thought, a sentence each, with its clause."""
    for practice in settings.practices.values():
        yield from (str(_mistake(practice, each)) for each in _findings(practice) if not each.unlawful)


def _mistake(practice: Practice, finding: Finding) -> Mistake:
    return Mistake(f"practices/{practice.name}.toml", finding.key, finding.text)


def _findings(practice: Practice) -> Iterator[Finding]:
    return findings(
        practice.jurisdiction,
        hours=practice.plan.hours,
        per_day=practice.caps.per_day,
        per_week=practice.caps.per_week,
        max_segments=practice.max_segments,
        consent=practice.consent,
        sensitive_texts=practice.sensitive_texts,
        emergency=practice.emergency,
    )
