"""What staff are asked to do can be read, crossed off, and, where a chart refused, tried again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.staff_task import StaffTask, TaskKind, TaskOutcome
from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.entrypoints.cli import main
from tests.adapters.store.records import DAY, NOW, add_visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.store.unit_of_work import SqlStore
    from tests.stores import StorePlace


@pytest.fixture
def kept(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """A store with a text that the EHR refused, a reply to read, and the environment that leads to it."""
    sqlite_place.lead_commands(monkeypatch)
    store = sqlite_place.open()
    with store.unit() as unit:
        _, whose = add_visit(unit)
        unit.write_backs.want(WriteBackKind.TEXT, 7, whose)
        row = unit.write_backs.claim(NOW, NOW + DAY)
        assert row is not None
        unit.write_backs.settle(replace(row, state=WriteBackState.REFUSED, reason="HTTP 422"))
        for kind in (TaskKind.WRITE_BACK, TaskKind.READ_REPLY):
            unit.tasks.add(StaffTask(0, kind, "riverside", "a sentence", NOW, patient_id=whose))
    yield store
    store.close()


def refused(store: SqlStore) -> int:
    with store.unit() as unit:
        return unit.write_backs.count(WriteBackState.REFUSED)


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_tasks_are_listed_by_ids_and_reasons(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(kept) == 1
    assert main(["tasks", "--json"]) == 0
    assert [each["kind"] for each in listed(capsys)] == ["write_back", "read_reply"]


def test_what_is_done_is_crossed_off_and_nothing_else(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "--done", "1", "--json"]) == 0
    assert [each["id"] for each in listed(capsys)] == [2]
    assert refused(kept) == 1
    assert main(["tasks", "--done", "1"]) == 1
    assert "There is no open task 1." in capsys.readouterr().err


def test_a_task_has_an_owner_and_what_came_of_it(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "--assign", "2", "--to", "Front desk", "--json"]) == 0
    capsys.readouterr()
    assert main(["tasks", "--owner", "Front desk", "--json"]) == 0
    assert [(each["id"], each["owner"]) for each in listed(capsys)] == [(2, "Front desk")]
    assert main(["tasks", "--overdue", "--json"]) == 0
    assert listed(capsys) == []
    assert main(["tasks", "--done", "2", "--outcome", "reached", "--by", "Rosa", "--note", "will come"]) == 0
    with kept.unit() as unit:
        task = unit.tasks.get(2)
    assert (task.outcome, task.done_by, task.note) == (TaskOutcome.REACHED, "Rosa", "will come")
    capsys.readouterr()
    assert main(["tasks", "--done-since", "2026-01-01", "--json"]) == 0
    [line] = listed(capsys)
    assert (line["id"], line["outcome"], line["by"], line["note"]) == (2, "reached", "Rosa", "will come")
    assert main(["tasks", "--done-since", "2026-01-01"]) == 0
    assert "will come" in capsys.readouterr().out
    assert main(["tasks", "--done-since", "2999-01-01", "--json"]) == 0
    assert listed(capsys) == []


def test_what_the_chart_refused_is_written_again_once_a_person_has_mended_the_cause(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "--again", "1", "--json"]) == 0
    assert [each["id"] for each in listed(capsys)] == [2]
    assert refused(kept) == 0
    with kept.unit() as unit:
        assert unit.write_backs.count(WriteBackState.PENDING) == 1


def test_a_reply_to_read_cannot_be_written_again(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "--again", "2"]) == 1
    assert "Task 2 is about nothing that could be written again." in capsys.readouterr().err
    assert refused(kept) == 1
