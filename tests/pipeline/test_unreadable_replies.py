"""Stories of replies that our own software stumbles over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.domain.staff_task import TaskKind
from tests.pipeline.network import ANAS_NUMBER, booked_site, say

if TYPE_CHECKING:
    from tests.site import Site

pytestmark = pytest.mark.usefixtures("every_store")


def _site() -> Site:
    """Ana has a text; the words by which replies are read are gone since."""
    site = booked_site()
    site.change(settings=replace(site.settings, catalogs={}))
    return site


@pytest.mark.parametrize(
    ("body", "stopped"), [("STOP", True), (" unsubscribe ", True), ("yes, stop by", False)]
)
def test_a_plain_stop_holds_though_we_cannot_read_it(body: str, *, stopped: bool) -> None:
    site = _site()
    reply = say(site, body)
    assert (reply.done, reply.reason) == (True, "software could not read it")
    [task] = site.tasks
    assert task.kind is TaskKind.READ_REPLY
    assert ("Only its opt-out was obeyed" in task.reason) is stopped

    with site.store.unit() as unit:
        assert bool(unit.numbers.suppressions(ANAS_NUMBER)) is stopped
