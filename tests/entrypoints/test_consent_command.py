"""A list of consents goes in and comes out; what one patient said is told whole; staff lift a stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.appointment import Modality, Slot
from integration.domain.consent import ConsentPolicy, SuppressionKind
from integration.entrypoints.cli import main
from integration.entrypoints.commands.consent.importing import import_list
from tests import settings as make
from tests.adapters.store.records import ADA, BEN, NOW, appointment, patient, suppression

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.adapters.store.unit_of_work import SqlStore
    from tests.stores import StorePlace

HEAD = "identifier,phone,given,at,medium,wording,ip,recorded_by"
YES = '4711,+1 202 555 0123,yes,2026-01-05T09:30-05:00,paper,"Text me. Reply STOP to end.",192.0.2.7,M. Ellis'


@pytest.fixture
def kept(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """A store that knows Ada by her number 4711, and the environment that leads to it."""
    sqlite_place.lead_commands(monkeypatch)
    store = sqlite_place.open()
    with store.unit() as unit:
        unit.patients.save(patient(scope="main", identifiers=("|MR|4711",)))
    yield store
    store.close()


def listed(folder: Path, *lines: str, head: str = HEAD) -> str:
    """The list as a file; its path."""
    path = folder / "intake.csv"
    path.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    return str(path)


def test_a_list_is_taken_in_once_with_its_evidence(
    kept: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["consent", "import", listed(tmp_path, YES)]) == 0
    assert "1 recorded, 0 known already, 0 refused" in capsys.readouterr().out
    assert main(["consent", "import", listed(tmp_path, YES)]) == 0
    assert "0 recorded, 1 known already, 0 refused" in capsys.readouterr().out
    with kept.reading() as unit:
        [record] = unit.consents.of_patient(1)
    assert (record.given, record.number, record.medium, record.ip) == (True, ADA, "paper", "192.0.2.7")
    assert (record.wording, record.recorded_by) == ("Text me. Reply STOP to end.", "M. Ellis")
    assert record.at.isoformat() == "2026-01-05T14:30:00+00:00"


def test_a_dry_run_counts_and_records_nothing(
    kept: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["consent", "import", "--dry-run", listed(tmp_path, YES)]) == 0
    assert "1 would be recorded" in capsys.readouterr().out
    with kept.reading() as unit:
        assert unit.patients.consent(1) is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("4711,,perhaps,2026-01-05T09:30Z,,,,", "given: must be yes or no"),
        ("4711,,yes,2026-01-05T09:30,,,,", "at: must be a date and time with its offset"),
        ("4711,,yes,2999-01-05T09:30Z,,,,", "at: is yet to come"),
        ("4711,12,yes,2026-01-05T09:30Z,,,,", "phone: is no telephone number"),
        (",,yes,2026-01-05T09:30Z,,,,", "identifier: is empty, and so is phone"),
        ("9999999,,yes,2026-01-05T09:30Z,,,,", "identifier: names nobody who is known (yet)"),
        (",+12025550188,yes,2026-01-05T09:30Z,,,,", "phone: is the number of nobody"),
        ("4711,,yes,2026-01-05T09:30Z,,,300.1.1.1,", "ip: is no IP address"),
        ("4711,,yes,2026-01-05T09:30Z,,,,,,,", "*: has more cells than the head has columns"),
    ],
)
def test_a_bad_line_is_refused_by_line_and_column_and_the_others_are_taken(
    kept: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    path = listed(tmp_path, line, YES)
    assert main(["consent", "import", path]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"{path}:2: {told}")
    for value in ("9999999", "2025550188", "perhaps", "300.1"):
        assert value not in shown.err
    with kept.reading() as unit:
        assert unit.patients.consent(1) is True


def test_a_list_with_columns_of_its_own_is_refused_as_a_whole(
    kept: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["consent", "import", listed(tmp_path, "x,yes", head="name,given")]) == 1
    assert "missing: at, identifier or phone" in capsys.readouterr().err
    with kept.reading() as unit:
        assert not unit.consents.listing()


def test_a_no_by_number_alone_stops_the_number_and_once_it_said_start_not_again(
    kept: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = listed(tmp_path, f",{BEN},no,2026-01-05T09:30Z,former vendor,,,")
    assert main(["consent", "import", path]) == 0
    with kept.unit() as unit:
        [stop] = unit.numbers.suppressions(BEN)
        assert (stop.kind, stop.source, stop.evidence) == (SuppressionKind.OPT_OUT, "import", "former vendor")
        unit.numbers.lift(BEN, {SuppressionKind.OPT_OUT}, at=NOW, by="reply")
    assert main(["consent", "import", path]) == 0
    assert "1 known already" in capsys.readouterr().out
    assert main(["consent", "import", listed(tmp_path, f",{BEN},no,2026-01-04T09:30Z,older,,,")]) == 0
    assert "older than a START" in capsys.readouterr().out
    with kept.reading() as unit:
        assert not unit.numbers.suppressions(BEN)


def test_what_is_exported_can_be_imported_and_says_nothing_new(
    kept: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["consent", "import", listed(tmp_path, YES, f",{BEN},no,2026-01-05T09:30Z,,,,")])
    with kept.unit() as unit:
        unit.patients.record_consent(1, given=False, source="merge", at=NOW)
    capsys.readouterr()
    assert main(["consent", "export"]) == 0
    path = tmp_path / "exported.csv"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(("head", "yes", "no", "stop"))
    assert main(["consent", "import", str(path)]) == 0
    assert "0 recorded, 3 known already, 0 refused" in capsys.readouterr().out


def test_what_holds_is_told_in_words_and_without_numbers(
    kept: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["consent", "import", listed(tmp_path, YES)])
    with kept.unit() as unit:
        unit.numbers.suppress(suppression(evidence="stop it please"))
    capsys.readouterr()
    for who in ("4711", "202-555-0123"):
        assert main(["consent", "show", who]) == 0
        told = capsys.readouterr().out
        assert "yes, from import, by paper, for …0123" in told
        assert "stopped by a text from it; in force" in told
        assert "is not texted: opted out." in told
        assert ADA not in told
        assert "stop it please" not in told
    assert main(["consent", "show", "4711", "--reveal"]) == 0
    told = capsys.readouterr().out
    assert ADA in told
    assert "stop it please" in told


def test_nobody_known_is_said_so(kept: SqlStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["consent", "show", "0815"]) == 1
    assert "Nobody is known" in capsys.readouterr().err
    with kept.reading() as unit:
        assert not unit.consents.listing()


@pytest.mark.parametrize(
    ("source", "more", "waits"),
    [
        ("reply", [], False),
        ("keyword", [], True),
        ("carrier", [], True),
        ("carrier", ["--carrier-unblocked"], False),
    ],
)
def test_staff_lift_a_stop_and_where_the_carrier_blocks_too_it_awaits_start(
    kept: SqlStore,
    capsys: pytest.CaptureFixture[str],
    source: str,
    more: list[str],
    waits: bool,  # noqa: FBT001 - a table
) -> None:
    with kept.unit() as unit:
        unit.numbers.suppress(suppression(source=source))
    assert (
        main(["consent", "lift", "(202) 555-0123", "--by", "M. Ellis", "--reason", "she asked", *more]) == 0
    )
    assert ("awaiting START" in capsys.readouterr().out) is waits
    with kept.reading() as unit:
        assert bool(unit.numbers.suppressions(ADA)) is waits
        assert unit.consents.of_number(ADA)[0].lift_note == "M. Ellis: she asked"
    assert main(["consent", "show", ADA]) == 0
    assert "M. Ellis: she asked" in capsys.readouterr().out


def test_a_wrong_number_is_lifted_too_and_what_is_not_stopped_is_not_lifted(
    kept: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept.unit() as unit:
        unit.numbers.suppress(suppression(kind=SuppressionKind.WRONG_NUMBER))
    wanted = ["consent", "lift", ADA, "--by", "M. Ellis", "--reason", "it is hers"]
    assert main(wanted) == 0
    assert "That the number is wrong is lifted." in capsys.readouterr().out
    assert main(wanted) == 1
    assert "Nothing stops that number." in capsys.readouterr().err
    assert main(["consent", "lift", "12", "--by", "x", "--reason", "y"]) == 2


@pytest.mark.parametrize("welcome", [False, True])
def test_a_list_asks_for_texts_only_when_told_to_and_says_first_how_many(
    kept: SqlStore, capsys: pytest.CaptureFixture[str], *, welcome: bool
) -> None:
    soon = datetime.now(UTC) + timedelta(days=9)
    settings = make.settings(
        practices={"riverside": make.practice(consent=ConsentPolicy.EXPRESS, opt_in_text=True)}
    )
    with kept.unit() as unit:
        unit.appointments.save(appointment(1, slot=Slot(soon, "Riverside North", Modality.VIDEO)))
    file = ("intake.csv", [HEAD, YES])
    assert import_list(kept, settings, file, None, dry_run=True, welcome=welcome) == 0
    assert ("1 would be texted once" in capsys.readouterr().out) is welcome
    with kept.reading() as unit:
        assert not unit.requests.of_patient(1)
    assert import_list(kept, settings, file, None, dry_run=False, welcome=welcome) == 0
    assert ("1 will be texted once" in capsys.readouterr().out) is welcome
    with kept.reading() as unit:
        assert len(unit.requests.of_patient(1)) == welcome
