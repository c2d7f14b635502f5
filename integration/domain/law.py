"""Every rule of law and courtesy that stops a text or shapes one: its clause, and the code that keeps it.

One table. `docs/law.md` prints it, `check-config` measures a practice's settings against it. It says what
this product does and why; it is not legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.domain.consent import ConsentPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.domain.quiet_hours import DecentHours


class Jurisdiction(StrEnum):
    """Whose law a practice texts under."""

    US = "US"
    CA = "CA"
    GB = "GB"


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule: what it asks, where that is written, and who keeps it here."""

    asks: str
    source: dict[Jurisdiction, str]  # a jurisdiction that is not here does not ask it
    kept_by: tuple[str, ...]  # module:name


_LOOK: Final = "integration.domain.last_look"
_US, _CA, _GB = Jurisdiction.US, Jurisdiction.CA, Jurisdiction.GB

CLAUSES: Final[tuple[Clause, ...]] = (
    Clause(
        "Texts go only to the number the patient, or a minor's guardian, gave.",
        {
            _US: "47 CFR 64.1200(a)(9)(iv)(A)",
            _CA: "CASL s. 6(6)",
            _GB: "UK GDPR art. 5(1)(d); NHS: only to whom the appointment is for, or a recorded proxy",
        },
        (f"{_LOOK}:of_patient", "integration.domain.recipient:Patient.number_on"),
    ),
    Clause(
        "Nobody is texted without the consent that the practice's policy asks for.",
        {
            _US: "47 CFR 64.1200(a)(1)",
            _CA: "CASL s. 6(1), s. 10(9)",
            _GB: "UK GDPR art. 6(1)(e), 9(2)(h), 21",
        },
        ("integration.domain.consent:permits",),
    ),
    Clause(
        "The provider's name and phone stand in every text.",
        {_US: "47 CFR 64.1200(a)(9)(iv)(B)", _CA: "CASL s. 6(2)(a), (b)", _GB: "PECR reg. 23"},
        ("integration.domain.text_rules:missing",),
    ),
    Clause(
        "A way to stop stands in every text, and no prompt prints a word that carriers act upon.",
        {
            _US: "47 CFR 64.1200(a)(9)(iv)(G), (a)(10)",
            _CA: "CASL s. 6(2)(c), s. 11(1)",
            _GB: "UK GDPR art. 21(4)",
        },
        ("integration.domain.text_rules:missing", "integration.domain.text_rules:forbidden"),
    ),
    Clause(
        "A wish to stop holds at once; one text may confirm it, within five minutes.",
        {
            _US: "47 CFR 64.1200(a)(9)(iv)(H), (a)(10)-(12)",
            _CA: "CASL s. 11(3)",
            _GB: "UK GDPR art. 21(3)",
        },
        (f"{_LOOK}:suppressed",),
    ),
    Clause(
        "One text a day and three a week to a number, over all its patients.",
        {_US: "47 CFR 64.1200(a)(9)(iv)(F)", _CA: "courtesy", _GB: "courtesy"},
        (f"{_LOOK}:of_caps",),
    ),
    Clause(
        "A text has at most 160 characters: one segment of GSM-7.",
        {_US: "47 CFR 64.1200(a)(9)(iv)(E)", _CA: "courtesy", _GB: "courtesy"},
        ("integration.domain.sms_segments:measure", "integration.domain.text_rules:outside_gsm7"),
    ),
    Clause(
        "No text arrives outside the hours of the recipient's own clock.",
        {
            _US: "47 CFR 64.1200(c)(1): 8 to 21, of telephone solicitations; ours hold for all",
            _CA: "CRTC Unsolicited Telecommunications Rules, III s. 23: 9 to 21:30, weekends 10 to 18",
            _GB: "courtesy; Ofcom and ICO treat calls at night as a nuisance",
        },
        (f"{_LOOK}:of_hours", "integration.domain.recipient_zone:recipient_zones"),
    ),
    Clause(
        "On the days a practice names, and on holidays, nothing goes out but bad news.",
        {_US: "courtesy", _CA: "courtesy", _GB: "courtesy"},
        ("integration.domain.quiet_days:QuietDays.hold",),
    ),
    Clause(
        "Only what treatment needs is told; nothing of a sensitive place unless the practice says so.",
        {
            _US: "45 CFR 164.502(b), 164.506(c); 47 CFR 64.1200(a)(9)(iv)(C), (D)",
            _CA: "PIPEDA sch. 1, 4.3.4; provincial health privacy acts",
            _GB: "UK GDPR art. 5(1)(c), 9; common law duty of confidentiality",
        },
        (f"{_LOOK}:PRIVATE", "integration.settings.model:Feed.is_sensitive"),
    ),
    Clause(
        "A minor's texts go to the guardian, and from the 18th birthday to the patient.",
        {
            _US: "45 CFR 164.502(g)(3)",
            _CA: "provincial health privacy acts",
            _GB: "Family Law Reform Act 1969 s. 1; NHS guidance on proxies",
        },
        ("integration.domain.recipient:Patient.is_minor", f"{_LOOK}:NO_GUARDIAN"),
    ),
    Clause(
        "Who asked for silence, who died, and whose record is gone is not texted about.",
        {
            _US: "45 CFR 164.522(a), (b): restrictions and confidential communications",
            _CA: "PIPEDA sch. 1, 4.3.8",
            _GB: "UK GDPR art. 21; Access to Health Records Act 1990",
        },
        ("integration.domain.recipient:Patient.silence",),
    ),
    Clause(
        "A text goes out only while the visit still stands as it says, and while it is of use.",
        {_US: "courtesy", _CA: "courtesy", _GB: "UK GDPR art. 5(1)(d)"},
        (f"{_LOOK}:of_visit",),
    ),
)

# The widest hours that each law's clause names.
_HOURS: Final = {_US: (time(8), time(21)), _CA: (time(9), time(21, 30)), _GB: (time(8), time(21))}
_PER_DAY, _PER_WEEK = 1, 3
_EMERGENCY: Final = {_US: {"911"}, _CA: {"911"}, _GB: {"999", "112"}}


@dataclass(frozen=True, slots=True)
class Finding:
    """A setting that a clause speaks of."""

    key: str
    text: str
    unlawful: bool  # False: lawful, and beyond what is safe without counsel


def findings(
    jurisdiction: Jurisdiction,
    *,
    hours: DecentHours,
    per_day: int,
    per_week: int,
    max_segments: int,
    consent: ConsentPolicy,
    sensitive_texts: bool,
    emergency: str,
) -> Iterator[Finding]:
    """What the law says of these settings: what it forbids, and what deserves a second thought."""
    exempt = consent is ConsentPolicy.NOT_REQUIRED and jurisdiction is _US
    beyond = (
        ("caps.per_day", per_day > _PER_DAY, "more than one text a day", "(F)"),
        ("caps.per_week", per_week > _PER_WEEK, "more than three texts a week", "(F)"),
        ("max_segments", max_segments > 1, "texts of more than 160 characters", "(E)"),
    )
    for key, applies, what, letter in beyond:
        clause = f"47 CFR 64.1200(a)(9)(iv){letter}"
        if applies and exempt:
            text = (
                f'{what} and consent = "not_required": without consent only the exemption of {clause} permits'
            )
            yield Finding(key, f"{text} texts, and it does not cover these", unlawful=True)
        elif applies and jurisdiction is _US:
            yield Finding(
                key, f"{what}: beyond the exemption of {clause}, so consent alone permits it", False
            )
    opens, closes = _HOURS[jurisdiction]
    if hours.opens < opens or hours.closes > closes:
        clause = _clause("integration.domain.last_look:of_hours", jurisdiction)
        yield Finding("hours", f"wider than {opens:%H:%M} to {closes:%H:%M} ({clause})", unlawful=False)
    if consent is ConsentPolicy.NOT_REQUIRED and jurisdiction is _CA:
        text = "CASL s. 6(1) asks for consent; only pure transaction messages go without (s. 6(6))"
        yield Finding("consent", text, unlawful=False)
    if sensitive_texts:
        clause = _clause("integration.domain.last_look:PRIVATE", jurisdiction)
        yield Finding("sensitive_texts", f"texts about sensitive places need care ({clause})", unlawful=False)
    if emergency not in _EMERGENCY[jurisdiction]:
        numbers = " or ".join(sorted(_EMERGENCY[jurisdiction], reverse=True))
        yield Finding("emergency", f"{emergency} helps nobody there: {numbers}", unlawful=True)


def _clause(kept_by: str, jurisdiction: Jurisdiction) -> str:
    return next(each.source[jurisdiction] for each in CLAUSES if kept_by in each.kept_by)


def table() -> str:
    """The clauses as a Markdown table."""
    rows = ["| what is asked | United States | Canada | United Kingdom |", "|---|---|---|---|"]
    for each in CLAUSES:
        sources = " | ".join(each.source.get(place, "not asked") for place in Jurisdiction)
        rows.append(f"| {each.asks} | {sources} |")
    return "\n".join(rows) + "\n"
