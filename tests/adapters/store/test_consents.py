"""The ledger of consent forgets nothing: every yes and no, every suppression with its end."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import integration
from integration.domain.consent import KEPT_FOR_YEARS, ConsentRecord, SuppressionKind
from tests.adapters.store.records import ADA, BEN, DAY, HOUR, NOW, add_visit, patient, suppression, text

if TYPE_CHECKING:
    from integration.ports.store import Store

YES = ConsentRecord(
    id=0,
    patient_id=0,
    given=True,
    at=NOW,
    source="import",
    medium="web form",
    number=ADA,
    wording="Text me about my visits. Reply STOP to end.",
    campaign="intake 2026",
    ip="192.0.2.7",
    recorded_by="front desk",
)


def test_a_record_comes_back_with_all_its_evidence_and_is_kept_once(store: Store) -> None:
    with store.unit() as unit:
        whose = unit.patients.save(patient()).id
        yes = replace(YES, patient_id=whose)
        assert unit.consents.record(yes)
        assert not unit.consents.record(yes)
        assert unit.consents.record(replace(yes, wording="Other words."))
    with store.reading() as unit:
        newest, first = unit.consents.of_patient(whose)
        assert replace(first, id=0) == yes
        assert newest.wording == "Other words."
        assert [each.id for each in unit.consents.listing()] == [first.id, newest.id]
        assert list(unit.consents.listing(after_id=newest.id)) == []


def test_what_was_said_last_counts_whoever_wrote_it_down(store: Store) -> None:
    with store.unit() as unit:
        whose = unit.patients.save(patient()).id
        unit.consents.record(replace(YES, patient_id=whose))
        unit.patients.record_consent(whose, given=False, source="PID-13", at=NOW + HOUR)
        assert unit.patients.consent(whose) is False
        unit.consents.record(replace(YES, patient_id=whose, at=NOW - DAY))
        assert unit.patients.consent(whose) is False
        assert [each.given for each in unit.consents.of_patient(whose)] == [False, True, True]


def test_a_lifted_suppression_stays_as_a_record_with_who_lifted_it(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.suppress(suppression(kind=SuppressionKind.WRONG_NUMBER))
        (wrong,) = unit.numbers.suppressions(ADA)
        unit.consents.lift(wrong, at=NOW + DAY, by="staff", note="M. Ellis: it is hers after all")
        assert unit.numbers.suppressions(ADA) == []
        (kept,) = unit.consents.of_number(ADA)
        assert kept.lifted_at == NOW + DAY
        assert kept.lifted_by == "staff"
        assert kept.lift_note == "M. Ellis: it is hers after all"


def test_a_suppression_is_found_by_its_id_lifted_or_not(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.suppress(suppression())
        (stop,) = unit.numbers.suppressions(ADA)
        assert unit.consents.suppression(stop.id) == stop
        unit.consents.lift(stop, at=NOW + DAY, by="staff")
        assert unit.consents.suppression(stop.id).lifted_at == NOW + DAY
        with pytest.raises(KeyError):
            unit.consents.suppression(stop.id + 1)


def test_what_awaits_start_is_in_force_until_a_text_passes(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.suppress(suppression(source="carrier"))
        unit.numbers.suppress(suppression(kind=SuppressionKind.BAD_NUMBER))
        opt_out = unit.numbers.suppressions(ADA)[0]
        unit.consents.lift(opt_out, at=NOW + HOUR, by="staff", note="M. Ellis", await_start=True)
        waiting = unit.numbers.suppressions(ADA)[0]
        assert (waiting.awaiting_start, waiting.lift_note) == (NOW + HOUR, "M. Ellis")
        assert unit.consents.passed(ADA, NOW + DAY, offered_at=NOW) == 0
        assert unit.consents.passed(ADA, NOW + DAY, offered_at=NOW + HOUR) == 1
        assert [each.kind for each in unit.numbers.suppressions(ADA)] == [SuppressionKind.BAD_NUMBER]
        assert unit.consents.of_number(ADA)[0].lifted_by == "passed"


def test_a_new_stop_ends_the_waiting_and_the_carriers_word_does_not(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.suppress(suppression(source="carrier"))
        (opt_out,) = unit.numbers.suppressions(ADA)
        unit.consents.lift(opt_out, at=NOW, by="staff", await_start=True)
        unit.numbers.suppress(suppression(source="carrier"))
        assert unit.numbers.suppressions(ADA)[0].awaiting_start == NOW
        unit.numbers.suppress(suppression(source="reply"))
        assert unit.numbers.suppressions(ADA)[0].awaiting_start is None
        assert unit.consents.passed(ADA, NOW + DAY, offered_at=NOW + DAY) == 0


def test_all_that_is_in_force_can_be_listed(store: Store) -> None:
    with store.unit() as unit:
        unit.numbers.suppress(suppression())
        unit.numbers.suppress(suppression(number=BEN))
        unit.numbers.lift(ADA, {SuppressionKind.OPT_OUT}, at=NOW, by="reply")
        listed = unit.consents.suppressed()
        assert [each.number for each in listed] == [BEN]
        assert list(unit.consents.suppressed(after_id=listed[0].id)) == []


def test_a_number_is_known_as_texted_by_a_practice_once_something_was_offered(store: Store) -> None:
    with store.unit() as unit:
        _, whose = add_visit(unit)
        queued = unit.texts.add(text(whose, offered_at=None))
        assert not unit.texts.was_texted(queued.number, queued.practice)
        unit.texts.update(replace(queued, offered_at=NOW))
        assert unit.texts.was_texted(queued.number, queued.practice)
        assert not unit.texts.was_texted(queued.number, "northgate")
        assert not unit.texts.was_texted(BEN, queued.practice)


def test_no_code_deletes_what_shows_that_a_patient_said_yes_or_stop() -> None:
    """Virginia (2026): opt-outs hold for ten years; so does what proves them."""
    assert KEPT_FOR_YEARS >= 10
    deletes = re.compile(
        r"(consents|suppressions|replies)\s*\.delete\(|sa\.delete\((consents|suppressions|replies)"
    )
    raw = re.compile(r"DELETE FROM (consents|suppressions|replies)", re.IGNORECASE)
    sources = sorted(Path(integration.__file__).parent.rglob("*.py"))
    assert len(sources) > 100
    guilty = [path.name for path in sources if deletes.search(words := path.read_text()) or raw.search(words)]
    assert guilty == []
