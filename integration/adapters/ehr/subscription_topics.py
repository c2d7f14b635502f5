"""What a SubscriptionTopic tells of: which resources, and whether of every change of them.

R5 and R4B servers show SubscriptionTopics; R4 servers, as fhir-candle does, Basics with R5's elements as
extensions. A topic with a condition tells of some changes only: one that tells of bookings is silent when an
appointment is cancelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from integration.adapters.ehr.fhir_answers import Resource

TOPIC_CODE: Final = "SubscriptionTopic"
_AS_EXTENSION: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
_CONDITIONS: Final = ("fhirPathCriteria", "queryCriteria")


def read_topics(resources: Iterable[Resource]) -> dict[str, dict[str, bool]]:
    """Canonical URL → resource type → whether the topic tells of every change of it."""
    found = {}
    for resource in resources:
        url = resource.get("url") or _one(resource, f"{_AS_EXTENSION}url")
        if isinstance(url, str):
            triggers = [*_objects(resource.get("resourceTrigger")), *_extended(resource)]
            found[url] = _tells(triggers)
    return found


def _tells(triggers: list[dict[str, Any]]) -> dict[str, bool]:
    tells: dict[str, bool] = {}
    for trigger in triggers:
        resource_type = str(trigger.get("resource") or "").rpartition("/")[2]
        interactions = set(trigger.get("supportedInteraction") or ("create", "update"))
        conditions = [each for each in _CONDITIONS if trigger.get(each) and trigger[each] != "true"]
        whole = interactions >= {"create", "update"} and not conditions
        if resource_type:
            tells[resource_type] = tells.get(resource_type, False) or whole
    return tells


def _extended(resource: Resource) -> list[dict[str, Any]]:
    """The triggers that stand in extensions."""
    triggers = []
    for extension in _objects(resource.get("extension")):
        if extension.get("url") == f"{_AS_EXTENSION}resourceTrigger":
            parts = _objects(extension.get("extension"))
            trigger: dict[str, Any] = {str(each.get("url")): _value(each) for each in parts}
            trigger["supportedInteraction"] = [
                _value(each) for each in parts if each.get("url") == "supportedInteraction"
            ]
            triggers.append(trigger)
    return triggers


def _one(resource: Resource, url: str) -> Any:
    return next(
        (_value(each) for each in _objects(resource.get("extension")) if each.get("url") == url), None
    )


def _value(extension: Resource) -> Any:
    """Its value; of one that has parts, something that is there."""
    return next((value for name, value in extension.items() if name.startswith("value")), "…")


def _objects(value: Any) -> list[Resource]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
