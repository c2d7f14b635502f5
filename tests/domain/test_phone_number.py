"""Phone numbers in E.164, and out of sight."""

import pytest

from integration.domain.phone_number import mask, parse


@pytest.mark.parametrize(
    ("raw", "region", "number"),
    [
        ("(202) 555-0123", "US", "+12025550123"),
        ("2025550123", "US", "+12025550123"),
        ("1-202-555-0123", "US", "+12025550123"),
        ("+1 617 555 0123", "GB", "+16175550123"),
        ("07400 123456", "GB", "+447400123456"),
        ("202-555-0123 x5", "US", None),
        ("20110613083617", "DE", None),  # valid in its plan, but longer than E.164 knows
        ("555-0123", "US", None),
        ("000-000-0000", "US", None),
        ("none", "US", None),
        ("", "US", None),
    ],
)
def test_a_number_is_read_as_people_write_it_or_refused(raw: str, region: str, number: str | None) -> None:
    assert parse(raw, region) == number


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+12025550123", "…0123"),
        ("(202) 555-0123", "…0123"),
        ("12345", "…2345"),
        ("1234", "…"),
        ("", "…"),
    ],
)
def test_a_mask_shows_four_digits_and_never_a_whole_number(number: str, shown: str) -> None:
    assert mask(number) == shown
