"""The Subscription resources we make, in each of the three dialects, and whether one is as it should be.

classic (R4, R4B)   criteria is a search; it is matched with the new state of a resource only, so it must not
                    filter by status: a cancelled appointment would match no more (R4 subscription.html)
topic (R4, R4B)     criteria is the topic's canonical URL (subscriptions-backport IG, backport-subscription)
topic (R5)          a resource of another shape (hl7.org/fhir/R5/subscription)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from integration.adapters.ehr.fhir_answers import Resource
    from integration.ports.ehr_subscribing import Wish

_BACKPORT: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
PROFILE: Final = f"{_BACKPORT}backport-subscription"
_CONTENT: Final = f"{_BACKPORT}backport-payload-content"
_HEARTBEAT: Final = f"{_BACKPORT}backport-heartbeat-period"
_TIMEOUT: Final = f"{_BACKPORT}backport-timeout"
# medplum.com/docs/subscriptions/subscription-extensions: it signs the body with this
_MEDPLUM_SECRET: Final = "https://www.medplum.com/fhir/StructureDefinition/subscription-secret"  # noqa: S105 - a name
_CHANNEL_TYPES: Final = "http://terminology.hl7.org/CodeSystem/subscription-channel-type"
_JSON: Final = "application/fhir+json"
_SECRETS: Final = frozenset({"header", "parameter"})  # not shown by every server
_ANSWER_WITHIN: Final = 10  # seconds the server should wait for our answer


def wanted(wish: Wish, secret: str, *, r5: bool, medplum: bool) -> Resource:
    """The resource to be created."""
    reason = f"Appointment Texts hears of every {wish.resource_type}"
    if r5:
        return _r5(wish, secret, reason)
    # Only servers may say active (R4 Subscription.status); Medplum's never do, and deliver nothing before.
    status = "active" if medplum else "requested"
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": wish.endpoint}
    if wish.kind == "topic":
        channel |= {
            "extension": [
                {"url": _HEARTBEAT, "valueUnsignedInt": _seconds(wish)},
                {"url": _TIMEOUT, "valueUnsignedInt": _ANSWER_WITHIN},
            ],
            "payload": _JSON,
            "_payload": {"extension": [{"url": _CONTENT, "valueCode": wish.payload}]},
        }
    elif wish.payload != "empty":
        channel["payload"] = _JSON  # without it, notifications say nothing at all
    channel["header"] = [f"Authorization: Bearer {secret}"]
    resource: Resource = {
        "resourceType": "Subscription",
        "status": status,
        "reason": reason,
        "criteria": wish.topic or f"{wish.resource_type}?",
        "channel": channel,
    }
    if wish.kind == "topic":
        resource["meta"] = {"profile": [PROFILE]}
    if medplum:
        resource["extension"] = [{"url": _MEDPLUM_SECRET, "valueString": secret}]
    return resource


def _r5(wish: Wish, secret: str, reason: str) -> Resource:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": reason,
        "topic": wish.topic,
        "channelType": {"system": _CHANNEL_TYPES, "code": "rest-hook"},
        "endpoint": wish.endpoint,
        "heartbeatPeriod": _seconds(wish),
        "timeout": _ANSWER_WITHIN,
        "contentType": _JSON,
        "content": wish.payload,
        "parameter": [{"name": "Authorization", "value": f"Bearer {secret}"}],
    }


def endpoint_of(resource: Resource) -> str | None:
    """Where it leads."""
    if isinstance(resource.get("endpoint"), str):
        return str(resource["endpoint"])  # R5
    endpoint = _object(resource.get("channel")).get("endpoint")
    return endpoint if isinstance(endpoint, str) else None


def serves(resource: Resource, wish: Wish) -> bool:
    """Whether it is there for this wish, in whatever state."""
    if wish.kind == "topic":
        return wish.topic in {resource.get("topic"), resource.get("criteria")}
    criteria = resource.get("criteria")
    return isinstance(criteria, str) and "://" not in criteria and _type_of(criteria) == wish.resource_type


def is_as(resource: Resource, should: Resource) -> bool:
    """Whether the server's one does all that ours says; what it adds or hides (a secret) is its own."""
    says_more = "payload" in _object(resource.get("channel")) and "payload" not in should.get("channel", ())
    told = {name: value for name, value in should.items() if name not in {"status", "reason"}}
    return _agrees(resource, told) and (says_more is False or "channel" not in should)


def _agrees(there: Any, should: Any) -> bool:
    if isinstance(should, dict):
        return isinstance(there, dict) and all(
            (name in _SECRETS and name not in there) or _agrees(there.get(name), value)
            for name, value in should.items()
        )
    if isinstance(should, list):
        return isinstance(there, list) and all(any(_agrees(one, each) for one in there) for each in should)
    if isinstance(should, str) and should.startswith(_JSON):
        return isinstance(there, str) and there.startswith(_JSON)  # `; fhirVersion=4.0` may follow
    return bool(there == should)


def _type_of(criteria: str) -> str:
    return criteria.partition("?")[0].strip("/")


def _seconds(wish: Wish) -> int:
    return int(wish.heartbeat.total_seconds())


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
