"""What was texted is counted by practice, with the provider's price or our own guess at it."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.domain.conversation import Reply
from integration.entrypoints.cli import main
from integration.entrypoints.commands.usage import periods
from tests.adapters.ehr.reading_server import ReadingServer, reading
from tests.messages import siu
from tests.site import Site, TurnedClock

if TYPE_CHECKING:
    from tests.stores import StorePlace


@pytest.fixture
def place(sqlite_place: StorePlace, monkeypatch: pytest.MonkeyPatch) -> StorePlace:
    """A store that the command finds."""
    sqlite_place.lead_commands(monkeypatch)
    return sqlite_place


def test_a_line_for_each_period_begins_and_ends_where_the_dates_do() -> None:
    first, last = date(2027, 1, 30), date(2027, 3, 2)
    assert list(periods(first, last, "month")) == [
        (date(2027, 1, 30), date(2027, 1, 31)),
        (date(2027, 2, 1), date(2027, 2, 28)),
        (date(2027, 3, 1), date(2027, 3, 2)),
    ]
    assert list(periods(date(2027, 3, 3), date(2027, 3, 9), "week")) == [
        (date(2027, 3, 3), date(2027, 3, 7)),  # a Wednesday to its Sunday
        (date(2027, 3, 8), date(2027, 3, 9)),
    ]
    assert list(periods(first, last, None)) == [(first, last)]
    assert len(list(periods(first, last, "day"))) == 32


def test_it_is_counted_by_what_is_asked_for(place: StorePlace, capsys: pytest.CaptureFixture[str]) -> None:
    store, noon = place.open(), datetime(2027, 3, 1, 17, tzinfo=UTC)
    site = Site(store, TurnedClock(noon))
    site.hear(siu("S12", at=noon, start=noon + timedelta(days=3)))
    site.until(noon + timedelta(hours=1))
    form = site.sms.reply(site.texts[0].number, "C").form
    now = site.clock.now
    with store.unit() as unit:
        unit.replies.add(Reply(0, "fake", form["id"], form["from"], form["to"], "C", now, now))
    site.work()
    store.close()
    capsys.readouterr()

    def asked(*more: str) -> list[dict[str, str]]:
        assert main(["usage", "--from", "2027-02-01", "--to", "2027-03-31", "--csv", *more]) == 0
        return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    (total,) = asked()
    assert (total["texts"], total["replies"], total["confirmed"], total["opted_out"]) == ("2", "1", "1", "0")
    by_occasion = {row["occasion"]: row for row in asked("--by", "occasion,status,language")}
    assert by_occasion["booked"]["confirmed"] == "1"
    assert by_occasion["confirmed"]["texts"] == "1"  # our answer
    assert {row["language"] for row in by_occasion.values()} == {"en"}
    february, march = asked("--by", "month")
    assert (february["texts"], march["texts"]) == ("0", "2")
    assert (march["included"], march["over"]) == ("", "")  # the shipped practice has no allowance


@pytest.mark.parametrize("by", ["colour", "day,month"])
def test_what_nothing_is_counted_by_is_told_as_usage(by: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["usage", "--from", "2027-03-01", "--to", "2027-03-01", "--by", by])
    assert ended.value.code == 2
    assert "--by" in capsys.readouterr().err


def test_the_days_are_the_practices_own(place: StorePlace, capsys: pytest.CaptureFixture[str]) -> None:
    store = place.open()
    late = datetime(2027, 3, 2, 0, 30, tzinfo=UTC)  # 19:30 on March 1st in New York
    Site(store, TurnedClock(late)).hear(siu("S12", at=late, start=late + timedelta(days=10)))
    store.close()
    capsys.readouterr()
    for day, texts in (("2027-03-01", 1), ("2027-03-02", 0)):
        assert main(["usage", "--from", day, "--to", day, "--json"]) == 0
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (told["practice"], told["texts"], told["from"]) == ("riverside", texts, day)
    assert main(["usage", "--from", "2027-03-01", "--to", "2027-03-01", "--csv"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.startswith("practice,from,to,texts")
    assert row.startswith("riverside,2027-03-01,2027-03-01,1")


def test_other_channels_are_the_ehrs_own_communications(
    place: StorePlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.open().close()
    asked = ["usage", "--from", "2027-03-01", "--to", "2027-03-31", "--channels", "--json"]
    assert main(asked) == 1
    assert "EHR_FHIR_BASE_URL is not set" in capsys.readouterr().err
    with reading(ReadingServer()) as ehr:
        letter = {"medium": [{"coding": [{"code": "MAILWRIT"}]}], "status": "completed"}
        ehr.put({"resourceType": "Communication", "id": "c1", "sent": "2027-03-31T23:30:00-04:00", **letter})
        monkeypatch.setenv("EHR_FHIR_BASE_URL", ehr.base_url)
        assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"channel": "MAILWRIT", "from": "2027-03-01", "to": "2027-03-31", "count": 1}
