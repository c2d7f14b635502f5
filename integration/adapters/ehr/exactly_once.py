"""Puts a resource that carries our identifier on the server once, and brings it forward as news arrives.

Once: a conditional create where the server offers it; elsewhere a search by our
identifier before every create. After a create that nobody answered we look first
in any case; without conditional creates twice, with a rest between, because a
server's search may lag behind its store.

Forward: an update over the version we know. When somebody else was faster, the
newest state is read and only our own news laid over it; a state further along
(completed, or set by a person) stands.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fhir_mappers.communication import PROGRESS
from fhir_mappers.outgoing import MESSAGE_SYSTEM
from integration.adapters.ehr.fhir_answers import Conflict, Held, Missing, Uncertain, Unnamed
from integration.ports.ehr import LeftOut, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from integration.adapters.ehr.capabilities import Abilities
    from integration.adapters.ehr.fhir_answers import Resource
    from integration.adapters.ehr.fhir_client import FhirClient

Outcome = Written | LeftOut | NotWritable | TryLater

REST: Final = timedelta(seconds=60)  # between a create nobody answered and a look, and between two looks

# The reason of a row says how often an unanswered create has been looked for.
MAYBE_THERE: Final = "it may have been created; not looked for yet"
NOT_SEEN: Final = "it may have been created; looked for once"
LOOKS: Final = frozenset({MAYBE_THERE, NOT_SEEN})
_NOT_SHOWN: Final = "the EHR says it has it, and does not show it"
NOBODY_KNOWS: Final = "nobody can tell whether the EHR took it, and it cannot be searched for"

_MOST_RACES: Final = 3

# What news may change; all else stays as the chart has it, such as a subject re-pointed by a merge.
_NEWS: Final = {
    "Communication": ("status", "statusReason", "sent", "received"),
    "AppointmentResponse": ("participantStatus", "comment"),
    "DocumentReference": ("docStatus", "content"),
    "Consent": ("status",),
    "Task": ("status", "lastModified", "executionPeriod"),
}
# How far along each status is; what staff did with a Task outweighs that it was asked for.
_TASK_PROGRESS: Final = {
    "requested": 0,
    **dict.fromkeys(("received", "accepted", "ready", "in-progress", "on-hold"), 1),
    "completed": 2,
    **dict.fromkeys(("cancelled", "rejected", "failed", "entered-in-error"), 3),
}
_CONSENT_PROGRESS: Final = {"active": 0, "inactive": 1, "rejected": 2, "entered-in-error": 3}
_PROGRESS: Final = {"Task": _TASK_PROGRESS, "Consent": _CONSENT_PROGRESS}  # PROGRESS for all others
_TAKEN_BACK: Final = frozenset({"entered-in-error", "superseded"})  # by a person, of whatever resource


class ExactlyOnce:
    """One type of resource on one server."""

    def __init__(self, client: FhirClient, abilities: Abilities) -> None:
        self._client = client
        self._abilities = abilities

    def create(self, resource: Resource, last_reason: str | None) -> Outcome:
        """Create it unless it is there; `last_reason` is why the last try did not succeed, if any."""
        doubtful = last_reason in LOOKS
        outcome: Outcome | None = None
        if self._abilities.find and (doubtful or not self._abilities.conditional_create):
            outcome = self._look(resource, last_reason)
            if isinstance(outcome, NotWritable) and not doubtful:
                outcome = None  # the search was refused, and nothing was sent yet
        elif doubtful and not self._abilities.conditional_create:
            outcome = NotWritable(NOBODY_KNOWS, doubtful=True)
        if outcome is None:
            outcome = self._post(resource)
        if last_reason and doubtful and isinstance(outcome, TryLater) and outcome.reason not in LOOKS:
            return replace(outcome, reason=last_reason, doubtful=True)
        return outcome

    def bring_forward(self, resource: Resource, resource_id: str, version: str | None) -> Outcome | Missing:
        """Update it; `Missing` when the server never heard of it (any more)."""
        if not self._abilities.update:
            return Written(resource_id, version)
        if version is None or not self._abilities.versioned_update:
            return self._over_newest(resource, resource_id)
        answer = self._client.update(resource, resource_id, version)
        if isinstance(answer, Conflict):
            return self._over_newest(resource, resource_id)
        if isinstance(answer, Held):
            return Written(answer.id, answer.version)
        return _removed(answer) if isinstance(answer, Missing) else _plain(answer)

    def bring_forward_unnamed(self, resource: Resource) -> Outcome:
        """Update what the server has taken without saying where it is; it is never created again."""
        if not self._abilities.update:
            return Written("")
        if self._abilities.conditional_create:
            return self._post(resource)
        if not self._abilities.find:
            return LeftOut("the EHR never said where it has it: its news cannot be told")
        return self._look(resource, None) or TryLater(_NOT_SHOWN, REST, away=False)

    def _look(self, resource: Resource, last_reason: str | None) -> Outcome | None:
        """None when it is not there, and has been looked for often enough."""
        found = self._client.search(resource["resourceType"], _ours(resource))
        if isinstance(found, TryLater | NotWritable):
            return found
        ours = _our_value(resource)
        there = sorted((each for each in found.resources if _our_value(each) == ours), key=_age)
        if there:  # the oldest, should a server have let a second one in
            return self._adopt(resource, Held(str(there[0]["id"]), _version(there[0]), there[0]))
        if not found.complete and last_reason in LOOKS:  # it may be on a page that is not read
            return NotWritable(NOBODY_KNOWS, doubtful=True)
        again = last_reason == MAYBE_THERE and not self._abilities.conditional_create
        return TryLater(NOT_SEEN, REST, away=False, doubtful=True) if again else None

    def _post(self, resource: Resource) -> Outcome:
        condition = _ours(resource) if self._abilities.conditional_create else None
        answer = self._client.create(resource, if_none_exist=condition)
        if isinstance(answer, Held):
            is_new = answer.created or condition is None
            return Written(answer.id, answer.version) if is_new else self._adopt(resource, answer)
        if isinstance(answer, Unnamed | Conflict):
            return self._held_somewhere(resource, answer)
        if isinstance(answer, Uncertain) and condition is None:
            if not self._abilities.find:
                return NotWritable(NOBODY_KNOWS, doubtful=True)
            return TryLater(MAYBE_THERE, REST, doubtful=True)
        if isinstance(answer, Uncertain):
            return TryLater(MAYBE_THERE, answer.after, doubtful=True)
        return answer

    def _held_somewhere(self, resource: Resource, answer: Unnamed | Conflict) -> Outcome:
        """The server has it, perhaps more than once, and did not say where."""
        found = self._look(resource, None) if self._abilities.find else None
        if isinstance(answer, Unnamed):
            return found if isinstance(found, Written) else Written("")
        if not self._abilities.find:
            return NotWritable("the EHR will not have it (conflict)")
        return found or TryLater(_NOT_SHOWN, REST, away=False)

    def _adopt(self, resource: Resource, there: Held) -> Outcome:
        """It is there from an earlier try, perhaps with older news, or with what others did since."""
        stands = None if there.resource is None else _stands(there, there.resource, resource)
        if stands is not None or not self._abilities.update:
            return stands or Written(there.id, there.version)
        outcome = self._over_newest(resource, there.id)
        if isinstance(outcome, Missing):
            return TryLater("the EHR is of two minds whether it has it", away=False)
        return outcome

    def _over_newest(self, resource: Resource, resource_id: str) -> Outcome | Missing:
        """Read, lay our news over it, write; again when somebody is faster."""
        for _ in range(_MOST_RACES):
            newest = self._client.read(resource["resourceType"], resource_id)
            if isinstance(newest, Missing):
                return _removed(newest)
            if not isinstance(newest, Held):
                return newest
            current = newest.resource or {}
            stands = _stands(newest, current, resource)
            if stands is not None:
                return stands
            answer = self._client.update(_laid_over(current, resource), resource_id, newest.version)
            if isinstance(answer, Held):
                return Written(answer.id, answer.version)
            if not isinstance(answer, Conflict):
                return _removed(answer) if isinstance(answer, Missing) else _plain(answer)
        return TryLater("others keep changing it on the EHR", away=False)


def _plain(trouble: NotWritable | TryLater) -> NotWritable | TryLater:
    """Uncertainty does not matter where a second try does no harm."""
    if isinstance(trouble, Uncertain):
        return TryLater(trouble.reason, trouble.after)
    return trouble


def _removed(missing: Missing) -> LeftOut | Missing:
    """What a person deleted stays deleted; what the server has forgotten may be written anew."""
    return LeftOut("it has been deleted from the chart") if missing.deleted else missing


def _ours(resource: Resource) -> dict[str, str]:
    """The search by our identifier."""
    return {"identifier": f"{MESSAGE_SYSTEM}|{_our_value(resource)}"}


def _our_value(resource: Resource) -> Any:
    ids = (each for each in resource.get("identifier") or () if each.get("system") == MESSAGE_SYSTEM)
    return next((each.get("value") for each in ids), None)


def _age(resource: Resource) -> tuple[str, str]:
    return str((resource.get("meta") or {}).get("lastUpdated")), str(resource.get("id"))


def _version(resource: Resource) -> str | None:
    return (resource.get("meta") or {}).get("versionId")


def _stands(held: Held, current: Resource, ours: Resource) -> Written | None:
    """What is to be said when the chart needs nothing of ours.

    Where it knows more, its version is not one of ours: the next news looks at it first.
    """
    if _is_ahead(current, ours):
        return Written(held.id)
    return Written(held.id, held.version) if _tells_as_much(current, ours) else None


def _is_ahead(current: Resource, ours: Resource) -> bool:
    """Whether the chart knows more than our news; two different ends: the first stands."""
    status, news = current.get("status"), ours.get("status")
    if status in _TAKEN_BACK and status != news:
        return True
    progress = _PROGRESS.get(str(ours.get("resourceType")), PROGRESS)
    if status == news or status not in progress or news not in progress:
        return False
    return progress[status] >= max(progress[news], 1)


def _tells_as_much(current: Resource, ours: Resource) -> bool:
    """Whether every element of ours stands there already."""
    return all(current.get(name) == value for name, value in ours.items() if name != "identifier")


def _laid_over(current: Resource, ours: Resource) -> Resource:
    """The chart's resource with our news; its own additions stay, and notes with an author or a time."""
    news = _NEWS[ours["resourceType"]]
    merged = {name: value for name, value in current.items() if name not in news}
    merged |= {name: ours[name] for name in news if name in ours}
    merged |= {name: value for name, value in ours.items() if name not in merged}
    known = [each for each in current.get("identifier") or () if each not in ours["identifier"]]
    merged["identifier"] = [*ours["identifier"], *known]
    if "note" in ours:
        signed = {"authorString", "authorReference", "time"}
        others = [each for each in current.get("note") or () if each.keys() & signed]
        merged["note"] = [*ours["note"], *others]
    return merged
