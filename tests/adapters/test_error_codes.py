"""The shipped table of error codes, and how a wrong one is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from integration.domain.failure import Failure, WrongErrorCodes, failures

SHIPPED = Path(__file__).parents[2] / "config" / "error_codes.toml"


@pytest.fixture(scope="module")
def table() -> dict[str, object]:
    return dict(tomllib.loads(SHIPPED.read_text())["twilio"])


# messaging reference §1.10
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("20003", Failure.ACCOUNT),
        ("20429", Failure.SLOW_DOWN),
        ("21211", Failure.BAD_NUMBER),
        ("21608", Failure.ACCOUNT),
        ("21610", Failure.OPTED_OUT),
        ("21611", Failure.SLOW_DOWN),
        ("21614", Failure.BAD_NUMBER),
        ("21617", Failure.OUR_FAULT),
        ("21635", Failure.BAD_NUMBER),
        ("30001", Failure.SLOW_DOWN),
        ("30002", Failure.ACCOUNT),
        ("30003", Failure.UNREACHABLE),
        ("30005", Failure.BAD_NUMBER),
        ("30006", Failure.BAD_NUMBER),
        ("30007", Failure.FILTERED),
        ("30008", Failure.RETRY_LATER),
        ("30410", Failure.RETRY_LATER),
        ("30450", Failure.RETRY_LATER),
        ("30022", Failure.SLOW_DOWN),
        ("30023", Failure.DAILY_CAP),
        ("30027", Failure.DAILY_CAP),
        ("30034", Failure.ACCOUNT),
        ("30036", Failure.EXPIRED),
    ],
)
def test_a_code_calls_for_its_deed(table: dict[str, object], code: str, kind: Failure) -> None:
    assert failures(table)[code] is kind


def test_every_kind_of_failure_has_a_code(table: dict[str, object]) -> None:
    assert set(failures(table).values()) == set(Failure)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(WrongErrorCodes) as caught:
        failures({"1": "bad_number", "2": "opted-out", "3": 4})
    assert set(caught.value.mistakes) == {"2", "3"}
    assert "opted_out" in caught.value.mistakes["2"]
