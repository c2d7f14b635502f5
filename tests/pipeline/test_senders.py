"""Stories of practices that text from numbers of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.consent import ALL_SENDERS, Suppression, SuppressionKind
from integration.domain.failure import Failure
from integration.testing.sms import SENDER
from tests import settings as make
from tests.messages import siu
from tests.pipeline.network import ANAS_NUMBER, BOOKED_AT, VISIT, report, say, site_at, the_text

if TYPE_CHECKING:
    from tests.site import Site

OWN = "+12025550150"
OTHER = "+12025550151"
STRANGER = "+12025550177"

pytestmark = pytest.mark.usefixtures("every_store")


def _site(sender: str | None = OWN, *, covers_all: bool = False) -> Site:
    site = site_at()
    sending = replace(site.settings.sending, opt_out_covers_all_senders=covers_all)
    practices = {"riverside": make.practice(sender=sender)}
    site.change(settings=replace(site.settings, practices=practices, sending=sending))
    return site


def _stopped(site: Site, sender: str) -> None:
    suppression = Suppression(0, ANAS_NUMBER, SuppressionKind.OPT_OUT, sender, BOOKED_AT, "reply")
    with site.store.unit() as unit:
        unit.numbers.lock(ANAS_NUMBER)
        unit.numbers.suppress(suppression)


def _book(site: Site) -> None:
    site.hear(siu("S12", at=BOOKED_AT, start=VISIT))


def test_a_practice_texts_from_its_own_number() -> None:
    site = _site()
    _book(site)

    assert the_text(site).sender == OWN


@pytest.mark.parametrize(
    ("sender", "stopped", "covers_all", "texted"),
    [
        (OWN, OTHER, False, True),
        (OWN, OTHER, True, False),  # as shipped: STOP to one of ours holds for all
        (OWN, OWN, False, False),
        (OWN, ALL_SENDERS, False, False),
        (None, OTHER, False, False),  # nobody knows here which number the site's texts leave from
        ("MG" + "0a" * 16, OTHER, False, False),  # nor which of its pool a service takes
    ],
)
def test_a_stop_holds_for_the_sender_it_was_sent_to_or_for_all(
    sender: str | None, stopped: str, *, covers_all: bool, texted: bool
) -> None:
    site = _site(sender, covers_all=covers_all)
    _stopped(site, stopped)
    _book(site)

    assert (site.reminders["booked"].reason != "opted out") is texted


def test_a_stop_that_the_provider_holds_is_recorded_with_its_sender() -> None:
    site = _site()
    site.sms.refusals[ANAS_NUMBER] = Failure.OPTED_OUT
    _book(site)

    with site.store.unit() as unit:
        assert [one.sender for one in unit.numbers.suppressions(ANAS_NUMBER)] == [OWN]


def test_a_carriers_stop_found_late_is_recorded_with_its_sender() -> None:
    site = _site()
    _book(site)
    report(site, "failed", Failure.OPTED_OUT)

    with site.store.unit() as unit:
        assert [one.sender for one in unit.numbers.suppressions(ANAS_NUMBER)] == [OWN]


@pytest.mark.parametrize(("number", "answered"), [(SENDER, ["hillside"]), (OTHER, [])])
def test_a_strangers_help_is_answered_by_the_practice_whose_number_was_asked(
    number: str, answered: list[str]
) -> None:
    """Of several practices nobody else can tell which one a stranger means."""
    site = _site()
    hillside = make.practice(name="hillside", sender=number, serves_unclaimed=False)
    practices = {"riverside": make.practice(sender=OWN), "hillside": hillside}
    site.change(settings=replace(site.settings, practices=practices))
    say(site, "HELP", number=STRANGER)
    assert [text.practice for text in site.texts] == answered
