"""Makes, mends and looks after our Subscriptions on one FHIR server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast, get_args

from fhir_mappers.subscription import read_bundle
from integration.adapters.ehr.fhir_answers import Conflict, Found, Held, Missing, Response, Unnamed
from integration.adapters.ehr.subscription_resources import endpoint_of, is_as, serves, wanted
from integration.adapters.ehr.subscription_topics import TOPIC_CODE, read_topics
from integration.ports.ehr import NotWritable, TryLater
from integration.ports.ehr_reading import Heard, Reference
from integration.ports.ehr_subscribing import BEGINNING, WELL, Gone, Offer, Standing, Topic
from integration.settings.environment import secret_of, source_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from fhir_mappers.notification import Notification
    from integration.adapters.ehr.capabilities import Capabilities, Server
    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.fhir_client import FhirClient
    from integration.ports.ehr_subscribing import Kind, Trouble, Wish

_TYPE: Final = "Subscription"
_STATUSES: Final = "requested,active,error,off"


class FhirSubscriber:
    """See `integration.ports.ehr_subscribing.EhrSubscriber`."""

    def __init__(
        self, client: FhirClient, capabilities: Capabilities, secrets: Mapping[str, Sequence[str]]
    ) -> None:
        """`secrets`: by source; the first is the one that servers are given."""
        self._client = client
        self._capabilities = capabilities
        self._base = client.base_url
        self._secrets = secrets

    def offer(self) -> Offer | Trouble:
        """By the CapabilityStatement, and what the topics say of themselves."""
        self._capabilities.forget()
        server = self._capabilities.server()
        if isinstance(server, TryLater):
            return server
        r5 = _is_r5(server)
        return Offer(
            server=" ".join(filter(None, (server.software, server.version))) or server.publisher,
            fhir_version=server.fhir_version,
            subscribes=server.of(_TYPE).create,
            classic=not r5,
            types=frozenset(server.abilities),
            topics=self._topics(server),
        )

    def ensure(self, wish: Wish, ehr_id: str = "", *, dry: bool = False) -> Standing | Trouble:
        """One of it, as it should be."""
        server = self._capabilities.server()
        if isinstance(server, TryLater):
            return server
        source = source_of(wish.feed)
        secret = next(iter(self._secrets.get(source, ())), None)
        if secret is None:  # a process that does not know it must not take it away
            return NotWritable(f"{secret_of(source)} is not set in this process")
        should = wanted(wish, secret, r5=_is_r5(server), medplum=_is_medplum(server))
        ours = self._ours(wish, ehr_id)
        if isinstance(ours, TryLater):
            return ours
        if not ours:
            return Standing("", BEGINNING, "made") if dry else self._make(should)
        first, *others = ours
        sound = is_as(first, should) and first.get("status") in {WELL, BEGINNING}
        if dry:
            return replace(_standing(first), did="found" if sound else "mended")
        standing = _standing(first) if sound else self._mend(first, should)
        if isinstance(standing, Standing):
            removed = sum(self.remove(str(each["id"])) is None for each in others)
            standing = replace(standing, removed=removed)
        return standing

    def look(self, ehr_id: str, kind: Kind) -> Standing | Gone | Trouble:
        """By $status for one with a topic (it SHALL be there); where it is not, as it reads."""
        if kind == "topic":
            answer = self._client.operation(_TYPE, ehr_id, "status")
            if isinstance(answer, TryLater):
                return answer
            told = None if isinstance(answer, Missing | NotWritable) else self._status(answer, ehr_id)
            if told is not None:
                return Standing(ehr_id, told.status, events=told.events_since_start)
        held = self._client.read(_TYPE, ehr_id)
        if isinstance(held, Missing):
            return Gone()
        if not isinstance(held, Held):
            return held
        if held.resource is None:
            return NotWritable("the EHR does not show the Subscription")
        return _standing(held.resource)

    def events(self, ehr_id: str, first: int, last: int) -> Collection[Reference] | Trouble:
        """By $events; a server may not offer it, and need not have kept all."""
        numbers = {"eventsSinceNumber": str(first), "eventsUntilNumber": str(last), "content": "id-only"}
        answer = self._client.operation(_TYPE, ehr_id, "events", numbers)
        if isinstance(answer, TryLater):
            return answer
        told = () if isinstance(answer, Missing | NotWritable) else read_bundle(answer, self._base).events
        about = {event.number: event.focus for event in told}
        if not all(about.get(number) for number in range(first, last + 1)):
            return NotWritable("the EHR does not tell past events again, or not all of them")
        return [
            Reference(cast("Heard", focus.type), focus.id, focus.identifier)
            for focus in dict.fromkeys(about.values())
            if focus is not None and focus.type in get_args(Heard)
        ]

    def remove(self, ehr_id: str) -> Trouble | None:
        """DELETE, else PUT with status off."""
        answer = self._client.delete(_TYPE, ehr_id)
        if isinstance(answer, Response | Missing):
            return None
        if isinstance(answer, TryLater):
            return answer
        held = self._client.read(_TYPE, ehr_id)
        if isinstance(held, Missing):
            return None
        if not isinstance(held, Held):
            return held
        if held.resource is None:
            return NotWritable("the EHR does not show the Subscription")
        turned_off = self._client.update({**held.resource, "status": "off"}, ehr_id, held.version)
        return None if isinstance(turned_off, Held | Missing) else _trouble(turned_off)

    def _status(self, answer: Resource, ehr_id: str) -> Notification | None:
        """What a searchset of statuses says of this Subscription."""
        for entry in answer.get("entry") or ():
            alone = {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}
            told = read_bundle(alone, self._base)
            if told.status and told.subscription in {"", ehr_id}:
                return told
        return None

    def _ours(self, wish: Wish, ehr_id: str) -> list[Resource] | TryLater:
        """Those there are for this wish, the one we know first."""
        held = self._client.read(_TYPE, ehr_id) if ehr_id else None
        if isinstance(held, TryLater):
            return held
        known = held.resource if isinstance(held, Held) else None
        ours = [known] if known is not None and serves(known, wish) else []
        # By its endpoint; a server that cannot search so may list all, and theirs are passed over.
        for parameters in ({"url": wish.endpoint}, {"status": _STATUSES}, {}):
            found = self._client.search(_TYPE, parameters)
            if isinstance(found, TryLater):
                return found
            if isinstance(found, Found):
                listed = [
                    each
                    for each in found.resources
                    if endpoint_of(each) == wish.endpoint and serves(each, wish) and each.get("id")
                ]
                listed.sort(key=lambda each: (str(each.get("status")) != WELL, str(each["id"])))
                return ours + [each for each in listed if known is None or each["id"] != known.get("id")]
        return ours

    def _make(self, should: Resource) -> Standing | Trouble:
        made = self._client.create(should)
        if isinstance(made, Unnamed):
            return TryLater("the EHR did not say under which id it made the Subscription", away=False)
        if not isinstance(made, Held):
            return _trouble(made)
        shown = (made.resource or {}).get("status")
        return Standing(made.id, shown if isinstance(shown, str) else BEGINNING, "made")

    def _mend(self, there: Resource, should: Resource) -> Standing | Trouble:
        """PUT what it should be; where a Subscription cannot be changed, another takes its place."""
        version = (there.get("meta") or {}).get("versionId")
        put = self._client.update(should, str(there["id"]), version if isinstance(version, str) else None)
        if isinstance(put, Held):
            shown = (put.resource or {}).get("status")
            return Standing(put.id, shown if isinstance(shown, str) else BEGINNING, "mended")
        if isinstance(put, TryLater):
            return put
        if isinstance(put, Conflict):
            return TryLater("the Subscription was changed at the same time", away=False)
        made = self._make(should)
        if isinstance(made, Standing) and made.ehr_id != there["id"]:
            self.remove(str(there["id"]))
        return made

    def _topics(self, server: Server) -> tuple[Topic, ...]:
        """What each advertised topic tells of, as far as it can be read."""
        told: dict[str, dict[str, bool]] = {}
        for resource_type, parameters in (("SubscriptionTopic", {}), ("Basic", {"code": TOPIC_CODE})):
            if resource_type in server.abilities and server.topics:
                found = self._client.search(resource_type, parameters)
                told |= read_topics(found.resources) if isinstance(found, Found) else {}
        return tuple(Topic(url, told.get(url, {})) for url in server.topics)


def _standing(resource: Resource) -> Standing:
    return Standing(str(resource["id"]), str(resource.get("status") or ""))


def _trouble(answer: Missing | Conflict | Trouble) -> Trouble:
    if isinstance(answer, NotWritable | TryLater):
        return answer
    return NotWritable("the EHR will have no such Subscription")


def _is_r5(server: Server) -> bool:
    return server.fhir_version.startswith(("5", "6"))


def _is_medplum(server: Server) -> bool:
    return "medplum" in f"{server.software} {server.publisher} {server.description}".lower()
