"""`texts`: every text of a practice, longest and shortest, before a patient reads one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from integration.entrypoints.cli import main

if TYPE_CHECKING:
    import pytest


def _lines(capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, object]]:
    assert main(["texts", "--practice", "riverside", "--json", *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_text_is_shown_longest_and_shortest_with_what_it_costs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    longest, shortest, _ = (
        line for line in _lines(capsys, "--language", "en", "--occasion", "cancelled") if not line["ask"]
    )
    assert (longest["which"], shortest["which"]) == ("longest", "shortest")
    assert str(shortest["text"]).startswith("Riverside Clinic: ")
    assert len(str(shortest["text"])) < len(str(longest["text"])) <= 160
    assert longest["left"] == 160 - len(str(longest["text"]))
    assert (longest["segments"], longest["price"], longest["problem"]) == (1, "0.0083", None)


def test_the_first_text_and_that_of_several_visits_are_shown_where_a_language_has_room_for_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def shown(language: str) -> dict[object, str]:
        lines = _lines(capsys, "--language", language, "--occasion", "booked")
        return {line["which"]: str(line["text"]) for line in lines if not line["ask"]}

    english = shown("en")
    assert "Msg&data rates may apply" in english["first"]
    assert "Your appointments are booked for" in english["several"]
    assert set(shown("zh")) >= {"longest", "shortest"}


def test_every_language_of_the_practice_and_every_answer_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _lines(capsys)
    assert {"en", "es"} <= {line["language"] for line in lines}
    assert {"booked", "two_days", "answer stop", "answer confirmed"} <= {line["occasion"] for line in lines}


def test_an_unknown_language_or_occasion_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["texts", "--language", "xx"]) == 2
    assert "--language xx: allowed:" in capsys.readouterr().err
    assert main(["texts", "--occasion", "two_dais"]) == 2
    assert "did you mean two_days?" in capsys.readouterr().err
