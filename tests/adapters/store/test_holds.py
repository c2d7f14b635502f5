"""What dead messages are about is remembered, in every store alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.store.records import appointment, patient

if TYPE_CHECKING:
    from integration.ports.store import Store
    from tests.stores import StorePlace


def test_a_hold_is_found_by_any_identifier_within_its_scope_oldest_message_first(store: Store) -> None:
    with store.unit() as unit:
        assert list(unit.holds.of("main", ["SCH-2||7|"])) == []
        unit.holds.add(9, "main", ["SCH-2||7|", "SCH-1||8|"])
        unit.holds.add(4, "main", ["SCH-1||8|"])
        unit.holds.add(4, "main", ["SCH-1||8|"])
    with store.unit() as unit:
        unit.holds.expect("main", ["SCH-1||8|"])
        assert list(unit.holds.of("main", ["SCH-1||8|"])) == [4, 9]
        assert list(unit.holds.of("main", ["SCH-2||7|", "other"])) == [9]
        assert list(unit.holds.of("elsewhere", ["SCH-2||7|"])) == []


def test_a_message_let_go_holds_nothing_and_the_others_still_do(store: Store) -> None:
    with store.unit() as unit:
        unit.holds.add(9, "main", ["a"])
        unit.holds.add(4, "main", ["a"])
        assert list(unit.holds.of("main", ["a"])) == [4, 9]
        unit.holds.let_go(4)
        assert list(unit.holds.of("main", ["a"])) == [9]
    with store.unit() as unit:
        unit.holds.let_go(9)
        assert list(unit.holds.of("main", ["a"])) == []


def test_the_appointments_a_message_holds_are_found(store: Store) -> None:
    with store.unit() as unit:
        who = unit.patients.save(patient())
        held = unit.appointments.save(appointment(who.id, held_by=7))
        unit.appointments.save(appointment(who.id, identifiers=("SCH-2||other|",)))
        assert list(unit.holds.held_by(7)) == [held.id]
        assert list(unit.holds.held_by(8)) == []


def test_many_identifiers_are_looked_up_at_once(store: Store) -> None:
    keys = [f"SCH-2||{number}|" for number in range(200)]
    with store.unit() as unit:
        unit.holds.add(5, "main", keys[150:])
    with store.unit() as unit:
        unit.holds.expect("main", keys)
        assert list(unit.holds.of("main", keys[:150])) == []
        assert list(unit.holds.of("main", keys)) == [5]


def test_a_reading_unit_sees_what_is_stored_and_leaves_no_trace(store: Store) -> None:
    with store.unit() as unit:
        unit.patients.save(patient())
    with store.reading() as unit:
        assert unit.patients.get(1).given == "Adalina"
        unit.holds.add(1, "main", ["a"])
    with store.unit() as unit:
        assert list(unit.holds.of("main", ["a"])) == []


def test_whoever_reads_for_long_keeps_no_writer_waiting(store_place: StorePlace) -> None:
    one, other = store_place.open(), store_place.open()
    with one.reading() as reading:
        assert list(reading.holds.of("main", ["a"])) == []
        with other.unit() as unit:
            unit.holds.add(3, "main", ["a"])
    with one.reading() as reading:
        assert list(reading.holds.of("main", ["a"])) == [3]
    one.close()
    other.close()
