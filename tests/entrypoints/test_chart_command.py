"""What the EHR would not take can be listed, read in the EHR's own words, and told again after a fix."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.domain.write_back import WriteBackKind, WriteBackState
from integration.entrypoints.cli import main
from tests.adapters.store.records import DAY, NOW, add_visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.adapters.store.unit_of_work import SqlStore
    from tests.stores import StorePlace

ROWS = (
    (WriteBackState.REFUSED, "the EHR refused it: HTTP 422 (invalid)", "Adalina Quillfeather is unknown"),
    (WriteBackState.REFUSED, "the EHR refused it: HTTP 403", None),
    (WriteBackState.GAVE_UP, "no chart was found", None),
    (WriteBackState.WRITTEN, None, None),
)


@pytest.fixture
def kept(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """A store with two facts that were refused, one given up, one written, and one that waits."""
    sqlite_place.lead_commands(monkeypatch)
    store = sqlite_place.open()
    with store.unit() as unit:
        _, whose = add_visit(unit)
        for subject_id, (state, reason, words) in enumerate(ROWS, 1):
            unit.write_backs.want(WriteBackKind.TEXT, subject_id, whose)
            row = unit.write_backs.claim(NOW, NOW + DAY)
            assert row is not None
            unit.write_backs.settle(replace(row, state=state, reason=reason, words=words))
        unit.write_backs.want(WriteBackKind.TEXT, 9, whose)
    yield store
    store.close()


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def pending(store: SqlStore) -> list[int]:
    with store.reading() as unit:
        return [row.subject_id for row in unit.write_backs.listed({WriteBackState.PENDING})]


@pytest.mark.usefixtures("kept")
def test_what_is_parked_is_listed_without_the_ehrs_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chart", "--json"]) == 0
    lines = listed(capsys)
    assert [(line["of"], line["state"], line["reason"]) for line in lines] == [
        (1, "refused", ROWS[0][1]),
        (2, "refused", ROWS[1][1]),
        (3, "gave_up", ROWS[2][1]),
    ]
    assert main(["chart", "list"]) == 0
    told = capsys.readouterr().out
    assert "HTTP 422" in told
    assert "Quillfeather" not in f"{lines}{told}"


@pytest.mark.usefixtures("kept")
def test_the_list_can_be_narrowed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["chart", "list", "--state", "pending", "--json"])
    assert [line["of"] for line in listed(capsys)] == [9]
    main(["chart", "list", "--reason", "the EHR refused it", "--json"])
    assert [line["of"] for line in listed(capsys)] == [1, 2]
    assert main(["chart", "list", "--limit", "1", "--json"]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "more than these 1" in said.err


@pytest.mark.usefixtures("kept")
def test_reasons_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chart", "reasons", "--json"]) == 0
    assert {line["reason"]: line["count"] for line in listed(capsys)} == {
        reason: 1 for state, reason, _ in ROWS if state is not WriteBackState.WRITTEN
    }


@pytest.mark.usefixtures("kept")
def test_one_is_shown_in_the_ehrs_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chart", "show", "1"]) == 0
    assert "the EHR said:\n  Adalina Quillfeather is unknown\n" in capsys.readouterr().out
    assert main(["chart", "show", "1", "2", "--json"]) == 0
    assert [line["the_ehr_said"] for line in listed(capsys)] == [ROWS[0][2], None]
    assert main(["chart", "show", "99"]) == 1
    assert "There is no fact 99." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("which", "again"),
    [
        (["1"], [1]),
        (["--reason", "the EHR refused it"], [1, 2]),
        (["--all"], [1, 2, 3]),
        (["--reason", "nothing like it"], []),
    ],
)
def test_what_is_parked_is_told_again(
    kept: SqlStore, which: list[str], again: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chart", "replay", *which]) == 0
    assert f"told to the chart again: {len(again)}." in capsys.readouterr().err
    assert pending(kept) == [*again, 9]


def test_what_may_be_in_the_chart_is_told_again_by_its_number_alone(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept.unit() as unit:
        unit.write_backs.settle(replace(unit.write_backs.get(2), mode="fhir_document"))
    for which in ("--all", "--reason=the EHR"):
        assert main(["chart", "replay", which]) == 0
        assert "1 may be in the chart already" in capsys.readouterr().err
    assert pending(kept) == [1, 3, 9]
    assert main(["chart", "replay", "2"]) == 0
    assert pending(kept) == [1, 2, 3, 9]


def test_what_is_not_parked_stays_as_it_is(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chart", "replay", "1", "4", "99"]) == 1
    said = capsys.readouterr().err
    assert "Fact 4 is written, not parked." in said
    assert "There is no fact 99." in said
    assert pending(kept) == [1, 9]


@pytest.mark.parametrize(
    "arguments", [["show"], ["replay"], ["replay", "1", "--all"], ["list", "1"], ["--limit", "0"]]
)
def test_a_deed_without_its_facts_is_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chart", *arguments]) == 2
    assert "appointment-texts chart:" in capsys.readouterr().err
