"""Nothing personal or secret lies plain in the database, nor in the words of an error (promise 10)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
import sqlalchemy.exc

from hl7_listener.inbox import ReceivedMessage
from integration.domain.text_request import TextRequest
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.ports.ehr_reading import Reference
from integration.ports.ehr_store import AccessToken
from tests.adapters.store.records import (
    ADA,
    NOW,
    add_visit,
    appointment,
    callback,
    digest,
    kept,
    patient,
    question,
    reminder,
    reply,
    suppression,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stores import StorePlace

PAYLOAD = b"MSH|^~\\&|EHR|||||SIU^S12|42|P|2.5.1\rPID|||1001||Quillfeather^Adalina||19840309\r"
PERSONAL = [
    b"Quillfeather",
    b"Adalina",
    ADA.encode(),
    ADA.removeprefix("+1").encode(),
    b"1984-03-09",
    b"19840309",
    b"HOSP|MR|1001",
    b"SCH-2|EPIC|7001|",
    b"SCH-2|EPIC|7000|",
    b"resourceType",
    b"minutesDuration",
    b"le esperamos el lunes",
    b"su parte del texto",
    b"mi tia",
    b"stop texting my mother",
    b"MessageStatus",
    b"chart-4711",
    b"SIU^S12",
    b"bearer-of-the-chart",
    b"no such patient as hers",
]


def fill(place: StorePlace) -> None:
    """One row of each kind, each with something personal in it."""
    inbox = place.open_inbox()
    message = ReceivedMessage("main", "42", PAYLOAD, sha256(PAYLOAD).digest(), NOW)
    asyncio.run(_keep(inbox, message))
    inbox.close()
    store = place.open()
    with store.unit() as unit:
        unit.inbox.add(kept(7), digest(kept(7)))
        whose = unit.patients.save(patient(ehr_id="chart-4711")).id
        visit = unit.appointments.save(
            appointment(whose, ehr_id="chart-4711", parents=("SCH-2|EPIC|7000|",))
        ).id
        unit.reminders.add([reminder(visit, whose)])
        asked = unit.texts.add(text(whose)).id
        unit.callbacks.add(callback())
        unit.replies.add(reply())
        unit.replies.ask(question(asked, visit, whose))
        unit.numbers.suppress(suppression())
        unit.tokens.save("ehr", AccessToken("bearer-of-the-chart", NOW, "system/Patient.rs"))
        unit.write_backs.want(WriteBackKind.TEXT, asked, whose)
        told = unit.write_backs.claim(NOW, NOW)
        assert told is not None
        unit.write_backs.settle(replace(told, state=WriteBackState.REFUSED, words="no such patient as hers"))
        unit.configurations.propose({"settings.toml": f'allowed_numbers = ["{ADA}"]'}, "digest", NOW)
        unit.requests.save(TextRequest(0, "ehr", "chart-4711", whose, "bring mi tia", NOW, NOW))
        unit.wants.tell("ehr", [Reference("Appointment", id="chart-4711")], NOW)
        unit.wants.tell("ehr", [Reference("Patient", identifier="HOSP|MR|1001")], NOW)
    store.close()


async def _keep(inbox: object, message: ReceivedMessage) -> None:
    await inbox.keep([message])  # type: ignore[attr-defined]


def bytes_of(directory: Path) -> Iterator[tuple[str, bytes]]:
    for file in directory.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes()


def test_nothing_personal_lies_plain_in_the_files_of_a_sqlite_store(sqlite_place: StorePlace) -> None:
    store = sqlite_place.open()
    with store.unit():  # keeps the log from being emptied
        pass
    fill(sqlite_place)
    files = dict(bytes_of(sqlite_place.data_directory))
    assert "store.sqlite-wal" in files
    assert b"riverside" in b"".join(files.values())  # what is not personal can be seen
    for name, content in files.items():
        assert [word for word in PERSONAL if word in content] == [], name
    store.close()


def test_nothing_personal_lies_plain_in_a_postgres_database(postgres_place: StorePlace) -> None:
    import psycopg  # noqa: PLC0415 - only here

    fill(postgres_place)
    content = b""
    with psycopg.connect(postgres_place.url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.cursor(binary=True).execute(f'SELECT * FROM "{table}"'.encode())  # noqa: S608 - a name the database gave
            content += b"".join(
                value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
            )
    assert b"riverside" in content
    assert [word for word in PERSONAL if word in content] == []


def test_the_words_of_an_error_show_no_values(store_place: StorePlace) -> None:
    store = store_place.open()
    with store.unit() as unit:
        _, whose = add_visit(unit)
    with pytest.raises(sqlalchemy.exc.IntegrityError) as refused, store.unit() as unit:
        unit.texts.add(text(whose, segments=None))
    assert [word for word in PERSONAL if word.decode() in str(refused.value)] == []
    store.close()
