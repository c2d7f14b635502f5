"""The telephone network as pipeline stories need it: reports, replies, and a provider that dies on us."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from integration.domain.conversation import Reply
from integration.domain.phone_number import parse
from integration.ports.store import Callback
from integration.testing.sms import SENDER, FakeSmsProvider
from integration.testing.store import FakeStore
from tests.messages import ANA, siu
from tests.settings import settings as make_settings
from tests.site import Site, TurnedClock, local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from integration.domain.failure import Failure
    from integration.domain.text_message import Attempt, TextMessage
    from integration.ports.sms import OutgoingText, SendOutcome
    from integration.ports.store import Store
    from integration.settings.model import Settings
    from integration.testing.sms import Trouble
    from tests.messages import Person

BOOKED_AT = local("2027-03-01T11:00")
VISIT = local("2027-03-11T14:30")
ANAS_NUMBER = "+16175550123"
_ids = count(1)

new_store: Callable[[], Store] = FakeStore  # the fixture `every_store` puts others in its place


class Killed(BaseException):
    """The process ends here."""


class Dying(FakeSmsProvider):
    """Takes the text, and our process is killed before it hears so."""

    def send(self, text: OutgoingText) -> SendOutcome:
        super().send(text)
        raise Killed


def site_at(now: str = "2027-03-01T11:00", *, settings: Settings | None = None) -> Site:
    """A site with nothing in it, whose provider lives by the site's clock."""
    return _site(FakeSmsProvider, local_clock=TurnedClock(local(now)), settings=settings)


def booked_site(
    *,
    sms: type[FakeSmsProvider] = FakeSmsProvider,
    trouble: Trouble | None = None,
    settings: Settings | None = None,
    hear: bool = True,
) -> Site:
    """Ana's visit in ten days has just been booked, and the text about it offered."""
    site = _site(sms, local_clock=TurnedClock(BOOKED_AT), settings=settings)
    if trouble is not None:
        site.sms.troubles.append(trouble)
    if hear:
        try:
            site.hear(siu("S12", at=BOOKED_AT, start=VISIT))
        except Killed:
            site.sms.__class__ = FakeSmsProvider  # the next process
    return site


def _site(sms: type[FakeSmsProvider], *, local_clock: TurnedClock, settings: Settings | None) -> Site:
    return Site(new_store(), local_clock, sms=sms(now=local_clock.wall), settings=settings or make_settings())


def report(
    site: Site,
    word: str,
    failure: Failure | None = None,
    *,
    provider_id: str | None = None,
    token: str | None = None,
    work: bool = True,
) -> None:
    """The provider calls back about a text, the newest unless another is named."""
    known = {text.provider_id for text in site.sms.texts()}
    provider_id = provider_id or site.sms.texts()[-1].provider_id
    if provider_id in known:
        webhook = site.sms.tell(provider_id, word, failure)
        token, form = token or webhook.url.rsplit("/", 1)[1], dict(webhook.form)
    else:
        form = {"id": provider_id, "word": word, "error": str(failure or "")}
    with site.store.unit() as unit:
        unit.callbacks.add(Callback(0, site.sms.name, token or "", urlencode(form), site.clock.wall()))
    if work:
        site.work()


def deliver(site: Site) -> None:
    """Every text that is under way arrives, and the provider says so."""
    for text in site.sms.texts():
        if not text.status.is_final:
            report(site, "delivered", provider_id=text.provider_id)


def say(
    site: Site,
    body: str,
    *,
    number: str = ANAS_NUMBER,
    after: timedelta = timedelta(minutes=1),
    media: int = 0,
    handled: str | None = None,
    work: bool = True,
) -> Reply:
    """A patient writes, `after` the last thing that happened; returns the reply as it was understood."""
    site.clock.now += after
    heard = Reply(
        id=0,
        provider=site.sms.name,
        provider_id=f"in-{next(_ids)}",
        number=number,
        to_number=SENDER,
        body=body,
        received_at=site.clock.wall(),
        heard_at=site.clock.calendar(),
        media=media,
        keyword_handled=handled,
    )
    with site.store.unit() as unit:
        unit.replies.add(heard)
    if work:
        site.work()
    with site.store.unit() as unit:
        return unit.replies.heard_since(number, heard.heard_at)[0]


def book(site: Site, visit: str, start: str, person: Person = ANA) -> None:
    """A booking arrives and is worked."""
    site.hear(siu("S12", at=site.clock.now, visit=visit, start=local(start), person=person))


def number_of(person: Person) -> str:
    number = parse(person.phone, "US")
    assert number is not None
    return number


def the_text(site: Site) -> TextMessage:
    """The first text written down."""
    with site.store.unit() as unit:
        return unit.texts.get(1)


def first_attempt(site: Site) -> Attempt:
    return attempts(site)[0]


def attempts(site: Site) -> Sequence[Attempt]:
    """Of the first text."""
    with site.store.unit() as unit:
        return unit.texts.attempts(1)
