"""What the stories of scheduling share: messages with any field, and what came of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests import settings as make
from tests.messages import ANA, BEN, CARLA, called, siu
from tests.site import Site, local

if TYPE_CHECKING:
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.ports.store import KeptMessage

BOOKED_AT = local("2027-03-01T11:00")
SETTLING = timedelta(seconds=180)
VISIT = local("2027-03-11T14:30")
LATER = local("2027-03-18T09:00")
DELIA = called(CARLA, mrn="MRN4", given="Delia", family="Muestra", phone="(617)555-0199")


def fields(message: bytes, segment: str = "SCH", **values: str) -> bytes:
    """The message with some fields of one segment written anew: `_24="S1^SCHED"`."""
    lines = message.decode().split("\r")
    for place, line in enumerate(lines):
        if line.startswith(segment):
            parts = line.split("|")
            parts += [""] * 30
            for name, value in values.items():
                parts[int(name.removeprefix("_"))] = value
            lines[place] = "|".join(parts).rstrip("|")
    return "\r".join(lines).encode()


def say(site: Site, trigger: str, at: str, start: datetime | None = VISIT, **more: str) -> None:
    """Hear one message; `_24=` and the like are fields of SCH, `visit`, `status` as `siu` takes them."""
    site.clock.now = max(site.clock.now, local(at))
    site.hear(message(trigger, site.clock.now, start, **more))


def message(trigger: str, at: datetime, start: datetime | None = VISIT, **more: str) -> bytes:
    known = {name: more.pop(name) for name in ("visit", "status") if name in more}
    person = {"Ana": ANA, "Ben": BEN, "Carla": CARLA, "Delia": DELIA}[more.pop("who", "Ana")]
    return fields(siu(trigger, at=at, start=start, person=person, **known), **more)


def let_settle(site: Site) -> None:
    practice = make.practice(plan=replace(make.practice().plan, settle=SETTLING))
    site.change(settings=replace(site.settings, practices={"riverside": practice}))


def with_feed(site: Site, **changes: object) -> None:
    feeds = {"main": replace(site.workshop.settings.feeds["main"], **changes)}  # type: ignore[arg-type]
    site.change(settings=replace(site.workshop.settings, feeds=feeds))


def occasions(site: Site) -> list[str]:
    return [occasion for _, occasion in site.sent]


def told(site: Site) -> list[tuple[str, str]]:
    return [(text.number[-4:], text.occasion) for text in site.texts if text.offered_at is not None]


def visits(site: Site) -> list[Appointment]:
    found = []
    with site.store.unit() as unit:
        for number in range(1, 30):
            try:
                found.append(unit.appointments.get(number))
            except KeyError:
                break
    return found


def kept(site: Site) -> list[KeptMessage]:
    with site.store.unit() as unit:
        return list(unit.inbox.listing())


def numbered(raw: bytes) -> bytes:
    """The message with the visit number V1."""
    return raw.replace(b"RGS|1", b"PV1|1|O" + b"|" * 17 + b"V1\rRGS|1")
