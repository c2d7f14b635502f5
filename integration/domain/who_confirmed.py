"""Who of a visit's patients has confirmed it: in a group visit each answers for themselves.

`confirmed` says that all have, `confirmed_by` names those who have while others have not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from integration.domain.appointment import Appointment, PastSlot


def confirming(appointment: Appointment) -> frozenset[int]:
    """Its patients who have confirmed the present slot."""
    return who_said_yes(appointment, appointment.patients)


def who_said_yes(visit: Appointment | PastSlot, patients: Collection[int]) -> frozenset[int]:
    """Who of all the visit's patients has confirmed it, or a slot that it has left."""
    return frozenset(patients if visit.confirmed else visit.confirmed_by)


def with_yes(appointment: Appointment, patients: Collection[int]) -> Appointment:
    """These of its patients have said yes as well."""
    return _as_said(appointment, confirming(appointment).union(patients)) if patients else appointment


def without_yes(appointment: Appointment, patients: Collection[int]) -> Appointment:
    """These of its patients would rather not come, or were never asked; the others' yes stands."""
    return _as_said(appointment, confirming(appointment).difference(patients))


def of_patients(appointment: Appointment, patients: tuple[int, ...]) -> Appointment:
    """The visit as that of these patients: whoever stays has said what they said, whoever is new nothing.

    What was confirmed while nobody knew whose visit it is, is confirmed.
    """
    if patients == appointment.patients:
        return appointment
    if not appointment.patients:
        return replace(appointment, patients=patients)
    return _with_patients(appointment, patients, lambda patient: patient)


def under_records(appointment: Appointment, record_of: Callable[[int], int]) -> Appointment:
    """The visit under the records that stand for its patients now; a yes to either of two is the person's."""
    patients = tuple(dict.fromkeys(map(record_of, appointment.patients)))
    if patients == appointment.patients:
        return appointment
    return _with_patients(appointment, patients, record_of)


def _with_patients(
    appointment: Appointment, patients: tuple[int, ...], record_of: Callable[[int], int]
) -> Appointment:
    def said(visit: Appointment | PastSlot) -> frozenset[int]:
        return frozenset(map(record_of, who_said_yes(visit, appointment.patients)))

    past_slots = []
    for past in appointment.past_slots:
        everybody, some = _split(patients, said(past))
        past_slots.append(replace(past, confirmed=everybody, confirmed_by=some))
    return _as_said(replace(appointment, patients=patients, past_slots=tuple(past_slots)), said(appointment))


def _as_said(appointment: Appointment, said: Collection[int]) -> Appointment:
    everybody, some = _split(appointment.patients, said)
    return replace(appointment, confirmed=everybody, confirmed_by=some)


def _split(patients: Collection[int], said: Collection[int]) -> tuple[bool, tuple[int, ...]]:
    """Whether all have said so; else those who have, in the visit's order."""
    some = tuple(patient for patient in patients if patient in said)
    return (True, ()) if some and len(some) == len(patients) else (False, some)
