"""Which Subscriptions a feed needs on its server, and why these: a cancelled appointment must be noticed.

A topic is taken when it tells of every change of its resources, else a classic Subscription, whose criteria
leave nothing out; else what topics there are, beside asking (`poll`). What the site has set comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from integration.ports.ehr_reading import Heard
    from integration.ports.ehr_subscribing import Kind, Offer, Topic
    from integration.settings.model import FhirHearing


@dataclass(frozen=True, slots=True)
class Way:
    """One way to hear of a type of resource: one Subscription for each topic, or a classic one."""

    kind: Kind
    topics: tuple[str, ...]  # ("",) for a classic one
    why: str
    whole: bool  # every change is told of


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be tried for one type of resource: the first way the server takes."""

    resource_type: Heard
    ways: tuple[Way, ...]


def types(offer: Offer, hearing: FhirHearing) -> tuple[Heard, ...]:
    """The types of resource to hear of, the most important first."""
    wanted: list[Heard] = ["Appointment", "Patient"]
    if hearing.text_requests:
        wanted.append("CommunicationRequest")
    return tuple(each for each in wanted if not offer.types or each in offer.types)


def choose(offer: Offer, hearing: FhirHearing) -> tuple[Choice, ...]:
    """For each type of resource the ways to be tried; no way: only asking helps."""
    if not offer.subscribes:
        return ()
    return tuple(Choice(each, _ways(each, offer, hearing)) for each in types(offer, hearing))


def _ways(resource_type: Heard, offer: Offer, hearing: FhirHearing) -> tuple[Way, ...]:
    classic = Way("classic", ("",), "criteria that leave no change out", whole=True)
    known = {topic.url: topic for topic in offer.topics}
    ways: list[Way] = []
    if hearing.subscribe != "classic":
        asked = tuple(url for url in hearing.topics if _is_about(known.get(url), url, resource_type))
        if asked:
            # Of topics that do not say what they tell of, the site's word is taken: it has chosen them.
            says = [known[url].tells for url in asked if url in known and known[url].tells]
            whole = len(says) < len(asked) or any(tells.get(resource_type, False) for tells in says)
            return (Way("topic", asked, "the topics of the feed's settings", whole),)
        about = [topic for topic in offer.topics if _is_about(topic, topic.url, resource_type)]
        full = next((topic.url for topic in about if topic.tells.get(resource_type)), None)
        if full is not None:
            ways.append(Way("topic", (full,), "a topic that tells of every change", whole=True))
        elif about:
            urls = tuple(topic.url for topic in about)
            ways.append(Way("topic", urls, "topics that may not tell of every change", whole=False))
    if hearing.subscribe == "topic":
        return tuple(ways)
    if offer.classic:
        ways.append(classic)
    return tuple(sorted(ways, key=lambda way: not way.whole))


_EVERYTHING: Final = {
    "Appointment": ("appointment",),
    "Patient": ("patient",),
    "CommunicationRequest": ("communicationrequest", "communication-request"),
}


def _is_about(topic: Topic | None, url: str, resource_type: Heard) -> bool:
    """By what it says of itself, else by its name: `…/SubscriptionTopic/Appointment.cancel`."""
    if topic is not None and topic.tells:
        return resource_type in topic.tells
    name = url.partition("|")[0].rpartition("/")[2].lower()
    return name.startswith(_EVERYTHING[resource_type])
