"""`subscribe`: has the EHR's FHIR server tell us what changes, and says what it can and cannot."""

from __future__ import annotations

from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from integration import bootstrap
from integration.domain.clock import wall_now
from integration.domain.text_template import choices
from integration.entrypoints.commands.subscribe.feed import Doer, Done
from integration.entrypoints.printing import facts, json_line, say, warn
from integration.entrypoints.surroundings import the_environment, the_settings
from integration.entrypoints.troubles import Refused, Usage
from integration.pipeline.subscriptions import endpoint
from integration.ports.ehr import NotWritable, TryLater
from integration.settings.environment import is_loopback, secret_of, source_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from integration.ports.ehr_subscribing import EhrSubscriber, Offer
    from integration.ports.store import Store
    from integration.settings.environment import Environment
    from integration.settings.model import Feed, Settings

_HEAD: Final = ("resource", "done", "kind", "status", "id", "why")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which feed, and whether to do anything."""
    parser.add_argument("--feed", help="this FHIR feed alone (all)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    what.add_argument("--remove", action="store_true", help="take back what was subscribed to")
    parser.add_argument("--json", action="store_true", help="one Subscription a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when something is not heard of that should be."""
    environment = the_environment()
    settings = the_settings(environment)
    if environment.ehr_fhir_base_url is None:
        raise Refused("There is no EHR to subscribe at: set EHR_FHIR_BASE_URL.")
    store = bootstrap.open_existing_store(environment)
    try:
        subscriber = bootstrap.subscriber(environment, bootstrap.fhir_client(environment, settings, store))
        assert subscriber is not None  # noqa: S101 - there is an EHR
        if options.remove:
            return _remove(options, settings, store, subscriber)
        feeds = _feeds(options, settings)
        _must_have_secrets(environment, feeds)
        offer = subscriber.offer()
        if isinstance(offer, TryLater | NotWritable):
            raise Refused(f"The EHR cannot be asked what it supports: {offer.reason}")
        place = _Place(options, environment, store, subscriber)
        return max(_subscribe(place, feed, offer, _told_by_hl7(settings, feed)) for feed in feeds)
    finally:
        store.close()


def _feeds(options: argparse.Namespace, settings: Settings) -> list[Feed]:
    hearing = {name: feed for name, feed in settings.feeds.items() if feed.fhir is not None}
    if options.feed is None:
        if not hearing:
            raise Refused(
                "No feed hears FHIR: write config/feeds/<name>.toml with a [fhir] table (config/README.md)."
            )
        return list(hearing.values())
    if options.feed not in hearing:
        known = choices(options.feed, hearing)
        raise Usage(f"--feed {options.feed}: no feed of this name has a [fhir] table; {known}")
    return [hearing[options.feed]]


def _must_have_secrets(environment: Environment, feeds: Sequence[Feed]) -> None:
    """Without a secret every notification is refused, so that none would be worth asking for."""
    sources = (source_of(feed.name) for feed in feeds)
    lacking = [secret_of(each) for each in sources if not environment.subscription_secrets.get(each)]
    if lacking:
        raise Refused(
            f"{' and '.join(lacking)} must be set, here and where notifications are received: "
            "what shows no secret is refused. A long random word will do."
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """What the command works with."""

    options: argparse.Namespace
    environment: Environment
    store: Store
    subscriber: EhrSubscriber


def _subscribe(place: _Place, feed: Feed, offer: Offer, other_feeds: Sequence[str]) -> int:
    ours = endpoint(place.environment.public_base_url, feed.name)
    dry = place.options.dry_run
    doer = Doer(place.store, place.subscriber, feed, ours, wall_now, sleep, dry=dry)
    done, notes = doer.subscribe(offer, other_feeds)
    if not place.options.json:
        says = f"FHIR {offer.fhir_version}" if offer.fhir_version else "no FHIR version said"
        say(
            f"{offer.server or 'The EHR'} ({says}): "
            f"{'takes' if offer.subscribes else 'takes no'} Subscriptions, "
            f"advertises {len(offer.topics) or 'no'} topic{'s' * (len(offer.topics) != 1)}.",
            f"Feed {feed.name} hears at {ours}",
        )
    _show(place.options, feed.name, done)
    warn(*_of_the_endpoint(ours), *(note.text for note in notes))
    return int(any(note.wrong for note in notes))


def _told_by_hl7(settings: Settings, feed: Feed) -> list[str]:
    """The feeds that tell of the same appointments by HL7 v2."""
    feeds = settings.feeds.values()
    return [each.name for each in feeds if each.scope == feed.scope and each.fhir is None]


def _of_the_endpoint(ours: str) -> list[str]:
    """What may keep notifications from coming, or from staying between us."""
    said = []
    if is_loopback(ours):
        said.append("PUBLIC_BASE_URL names this machine: an EHR elsewhere cannot reach it.")
    elif urlsplit(ours).scheme == "http":
        said.append("PUBLIC_BASE_URL is http: the secret and what is told can be read on the way.")
    return said


def _remove(options: argparse.Namespace, settings: Settings, store: Store, subscriber: EhrSubscriber) -> int:
    with store.reading() as unit:
        rows = [each for each in unit.subscriptions.all() if options.feed in {None, each.feed}]
    if options.feed is not None and not rows and options.feed not in settings.feeds:
        raise Usage(f"--feed {options.feed}: no such feed; {choices(options.feed, settings.feeds)}")
    done: dict[str, list[Done]] = {row.feed: [] for row in rows}
    for row in rows:
        answer = subscriber.remove(row.ehr_id) if row.ehr_id else None
        if answer is None:
            with store.unit() as unit:
                unit.subscriptions.forget(row.feed, row.resource_type, row.topic)
        why = "" if answer is None else answer.reason
        did = "removed" if answer is None else "refused"
        done[row.feed].append(Done(row.resource_type, row.kind, row.topic, did, "", row.ehr_id, why))
    for feed, of_feed in done.items():
        _show(options, feed, of_feed)
    if not rows:
        warn("There is none of ours.")
    return int(any(each.did == "refused" for of_feed in done.values() for each in of_feed))


def _show(options: argparse.Namespace, feed: str, done: Sequence[Done]) -> None:
    if options.json:
        for each in done:
            json_line(
                {
                    "feed": feed,
                    "resource_type": each.resource_type,
                    "kind": each.kind,
                    "topic": each.topic or None,
                    "done": each.did,
                    "status": each.status or None,
                    "id": each.ehr_id or None,
                    "why": each.why,
                }
            )
    elif done:
        rows = [
            (
                each.resource_type,
                each.did,
                each.kind,
                each.status,
                each.ehr_id,
                f"{each.why} {each.topic}".strip(),
            )
            for each in done
        ]
        facts(_HEAD, rows)
