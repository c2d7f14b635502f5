"""By which keys things are known, and when what two sides share is a coincidence."""

from __future__ import annotations

import pytest

from integration.domain.identity import appointment_key, contradict, disagree, ehr_ids, patient_key


@pytest.mark.parametrize(
    ("known", "shown", "found"),
    [
        (["H|MR|1"], ["H|MR|1"], False),
        (["H|MR|1"], ["H|MR|2", "H|MR|1"], False),
        (["H|MR|1", "S|PI|7"], ["H|MR|2", "S|PI|7"], True),
        (["H|MR|1", "S|PI|7"], ["H|MR|2", "H|MR|1", "S|PI|7"], False),
        (["H|MR|1", "S|PI|8"], ["H|MR|1", "S|PI|7"], False),
        (["S|PI|7"], ["H|MR|2", "S|PI|7"], False),
        (["||1"], ["H|MR|1", "||1"], False),
        (["H|MR|2", "||1"], ["H|MR|1", "||1"], True),
    ],
)
def test_a_lesser_identifier_in_common_is_outweighed_by_better_ones(
    known: list[str], shown: list[str], *, found: bool
) -> None:
    assert disagree(known, shown) is found


@pytest.mark.parametrize(
    ("known", "shown", "found"),
    [
        (["H|MR|1", "S|PI|7"], ["H|MR|2", "S|PI|7"], True),
        (["H|MR|1", "H|MR|2"], ["H|MR|2"], False),
        (["S|PI|7"], ["H|MR|2", "S|PI|7"], False),
        (["H|MR|1"], [], False),
    ],
)
def test_the_best_identifier_shown_contradicts_another_of_its_kind(
    known: list[str], shown: list[str], *, found: bool
) -> None:
    assert contradict(known, shown) is found


@pytest.mark.parametrize(
    ("known", "shown", "found"),
    [
        (["Patient.id||a", "H|MR|1"], ["Patient.id||b", "H|MR|1"], True),  # two charts under one number
        (["Patient.id||a", "H|MR|1"], ["Patient.id||a", "H|MR|2"], False),  # the number was corrected
        (["H|MR|1"], ["Patient.id||a", "H|MR|1"], False),  # HL7 v2 knew it first
        (["H|MR|2", "S|PI|7"], ["Patient.id||a", "H|MR|1", "S|PI|7"], True),
        (["Patient.id||a", "Patient.id||b"], ["Patient.id||b"], False),  # merged
        (["Patient.id||a"], ["H|MR|1"], False),
        (["H|MR|1"], ["Patient.id||a"], False),
        (["SCH-2||1|", "SCH-1||5|"], ["Appointment.id||a|", "SCH-2||2|", "SCH-1||5|"], True),
    ],
)
def test_the_id_on_the_ehrs_server_is_certain_where_both_have_one(
    known: list[str], shown: list[str], *, found: bool
) -> None:
    assert contradict(known, shown) is found


def test_the_ids_among_the_keys_are_told_from_other_identifiers() -> None:
    keys = [patient_key("Patient.id", "", "a"), patient_key("H", "MR", "1")]
    assert ehr_ids([*keys, appointment_key("Appointment.id", "b", "", "")]) == {"a", "b"}
